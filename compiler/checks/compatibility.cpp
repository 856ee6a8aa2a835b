// What is replaced stays until nobody uses it: a key, a port or a service goes in a later stage than its
// replacement comes.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// One thing that others use: a key, a port, a service.
struct Used {
    const Event* event = nullptr;
    std::string name;   // for people
    std::string group;  // within which it can be replaced
    std::string words;  // what it is called, and what it says
    std::optional<Span> place;
};

std::string parent(const std::string& pointer) {
    return pointer.substr(0, pointer.rfind('/'));
}
std::string last(const std::string& pointer) {
    return pointer.substr(pointer.rfind('/') + 1);
}

// The parts of a name that say something: "cache" and "url" of CacheUrl, CACHE_URL or cache-url.
std::set<std::string> parts(const std::string& name) {
    static const std::set<std::string> common = {"service", "svc", "config", "settings", "new", "old", "the"};
    std::set<std::string> found;
    std::string part;
    const auto close = [&] {
        if (part.size() >= 2 && !common.contains(part)) found.insert(part);
        part.clear();
    };
    char before = ' ';
    for (const char c : name + " ") {
        const auto letter = static_cast<unsigned char>(c);
        const bool begins =
            std::isupper(letter) != 0 && std::islower(static_cast<unsigned char>(before)) != 0;
        if (begins || std::isalnum(letter) == 0) close();
        if (std::isalnum(letter) != 0) part += static_cast<char>(std::tolower(letter));
        before = c;
    }
    return found;
}

// Whether one is surely there in place of the other: called alike, or saying the same.
bool replaces(const Used& come, const Used& gone) {
    if (gone.group != come.group || gone.name == come.name) return false;
    const auto old_parts = parts(gone.name.substr(gone.name.rfind(' ') + 1));
    const auto new_parts = parts(come.name.substr(come.name.rfind(' ') + 1));
    const bool alike =
        std::ranges::any_of(old_parts, [&](const std::string& part) { return new_parts.contains(part); });
    return alike || (!gone.words.empty() && gone.words == come.words);
}

class StageOf {
  public:
    // `there`: what an earlier stage has applied in the same environment.
    StageOf(const CheckContext& picture, const StageEvents& course, const std::set<ResourceKey>& there)
        : picture_(picture), course_(course), there_(there) {}

    void check(Diagnostics& diagnostics) {
        for (const Event& event : course_.forward) {
            if (!event.is_change() || event.conditional) continue;
            for (const Edit& edit : edits_of(event)) edited(event, edit);
            if (deletes_object(event) || plays(event, ir::Role::Applies)) object(event);
            for (const Effect& effect : event.effects)
                if (is_free_field(effect)) patched(event, effect);
        }
        for (const Used& gone : removed_)
            for (const Used& come : added_)
                if (!comes_back(gone) && replaces(come, gone)) return report(gone, come, diagnostics);
    }

  private:
    // What is deleted and applied again was only made anew.
    [[nodiscard]] bool comes_back(const Used& gone) const { return applied_.contains(gone.name); }

    static void report(const Used& gone, const Used& come, Diagnostics& diagnostics) {
        auto& d = diagnostics.report(
            Code::RemovedWithReplacement, gone.event->step->span,
            gone.event == come.event
                ? fmt::format("{} becomes {} at once", gone.name, come.name)
                : fmt::format("{} goes in the stage in which {} comes", gone.name, come.name));
        if (gone.event != come.event) d.label(come.event->step->span, "its replacement");
        if (gone.place) d.label(*gone.place, "what others use now");
        d.note(
            "while pods are replaced the old ones still use it, and after an undo they all would: keep both, and remove the old one in "
            "a later stage");
    }

    // What a pointer into a file begins with where it means one of its objects: "/1", or "/kind=Service".
    static std::string document_of(const Object& object, const std::string& pointer, std::size_t objects) {
        const std::string first = pointer.substr(1, pointer.find('/', 1) - 1);
        const std::size_t equals = first.find('=');
        if (equals != std::string::npos)
            return text_field(object.json, "/" + first.substr(0, equals)) == first.substr(equals + 1)
                       ? "/" + first
                       : "/?";
        return objects == 1 && object.document == 0 ? "" : fmt::format("/{}", object.document);
    }

    // Keys of a ConfigMap, and ports of a service. Keys of a file of the application go with its image.
    void edited(const Event& event, const Edit& edit) {
        const auto objects = picture_.manifests.of(edit.file);
        for (const Object* one : objects) {
            const std::string prefix = document_of(*one, edit.pointer, objects.size());
            if (!edit.pointer.starts_with(prefix)) continue;
            field(event, *one, {edit.file, edit.pointer.substr(prefix.size()), edit.removes, edit.value});
        }
    }

    // A field of an object in the cluster: what is there now is what its manifest says.
    void patched(const Event& event, const Effect& effect) {
        const std::string* pointer = text_in(effect.role, 0);
        if (effect.thing.empty() || pointer == nullptr || !effect.value) return;
        for (const Object* one : picture_.manifests.declaring(effect.thing))
            field(event, *one, {one->file, *pointer, effect.value->is_absent(), in_json(*effect.value)});
    }

    void field(const Event& event, const Object& object, const Edit& edit) {
        const json* before = value_at(object.json, edit.pointer);
        if (object.thing.is("configmap") && parent(edit.pointer) == "/data") key(event, object, edit, before);
        if (object.thing.is("service") && edit.pointer.starts_with("/spec/ports/"))
            port(event, object, edit, before);
    }

    static std::string words(const std::optional<json>& value) { return value ? value->dump() : ""; }

    void key(const Event& event, const Object& object, const Edit& edit, const json* before) {
        const std::string name = fmt::format("the key {}", last(edit.pointer));
        if (edit.removes && before != nullptr)
            removed_.push_back({&event, name, object.thing.text, before->dump(),
                                picture_.manifests.span(object, edit.pointer)});
        if (!edit.removes && before == nullptr)
            added_.push_back({&event, name, object.thing.text, words(edit.value), {}});
    }

    // A port that is removed, or given another number, while nothing else has the old one.
    void port(const Event& event, const Object& object, const Edit& edit, const json* before) {
        const json* old = before;
        if (before != nullptr && before->is_object() && before->contains("port")) old = &(*before)["port"];
        const bool is_number = last(edit.pointer) == "port" || parent(edit.pointer) == "/spec/ports";
        if (!is_number || old == nullptr || !old->is_number() ||
            is_still_there(object, *old, effect_on(event, ir::Role::Field) != nullptr))
            return;
        if (!edit.removes && !edit.value) return;
        const std::string name = fmt::format("port {}", old->dump());
        const std::string others = edit.removes              ? other_ports(object, *old)
                                   : edit.value->is_object() ? edit.value->value("port", json()).dump()
                                                             : edit.value->dump();
        if (others.empty() || others == old->dump()) return;
        removed_.push_back({&event, fmt::format("{} of {}", name, object.thing), object.thing.text, "port",
                            picture_.manifests.span(object, edit.pointer)});
        added_.push_back({&event, "port " + others, object.thing.text, "port", {}});
    }

    [[nodiscard]] const json* ports(const Object& object) const {
        const json* now = picture_.files.object(object, course_.moment);
        return now != nullptr ? value_at(*now, "/spec/ports") : nullptr;
    }

    // Of a patch the file says nothing: there it is still there only if a second entry has it.
    [[nodiscard]] bool is_still_there(const Object& object, const json& number, bool patched) const {
        const json* all = ports(object);
        if (all == nullptr || !all->is_array()) return true;
        return std::ranges::count_if(*all, [&](const json& one) {
                   return one.is_object() && one.value("port", json()) == number;
               }) > (patched ? 1 : 0);
    }

    // A port that the service did not have before; empty if there is none.
    [[nodiscard]] std::string other_ports(const Object& object, const json& gone) const {
        const json* all = ports(object);
        const json* before = value_at(object.json, "/spec/ports");
        if (all == nullptr || before == nullptr || !all->is_array() || !before->is_array()) return "";
        for (const json& one : *all) {
            const json& number = migc::field(one, "/port");
            const bool is_new = std::none_of(before->begin(), before->end(), [&](const json& other) {
                return migc::field(other, "/port") == number;
            });
            if (is_new && number != gone && number.is_number()) return number.dump();
        }
        return "";
    }

    // `delete objects of "old.yaml"; apply "new.yaml";`
    void object(const Event& event) {
        for (const ResourceKey& thing : event.things) {
            if (!thing.is("service") && !thing.is("configmap")) continue;
            const auto& declared = picture_.manifests.declaring(thing);
            const json* selector =
                declared.empty() ? nullptr : value_at(declared.front()->json, "/spec/selector");
            const Used used{
                &event, thing.text, thing.type(), selector != nullptr ? selector->dump() : "", {}};
            if (deletes_object(event)) {
                removed_.push_back(used);
                continue;
            }
            applied_.insert(thing.text);
            if (!there_.contains(thing)) added_.push_back(used);
        }
    }

    const CheckContext& picture_;
    const StageEvents& course_;
    const std::set<ResourceKey>& there_;
    std::vector<Used> removed_, added_;
    std::set<std::string> applied_;
};

}  // namespace

void compatibility(const CheckContext& picture, Diagnostics& diagnostics) {
    std::map<std::string, std::set<ResourceKey>> there;
    for (const StageEvents& course : picture.timeline.courses()) {
        auto& applied = there[course.stage->environment];
        if (!course.stage->repeats) StageOf(picture, course, applied).check(diagnostics);
        for (const Event& event : course.forward)
            if (event.is_change()) applied.insert(event.things.begin(), event.things.end());
    }
}

}  // namespace migc::checks
