// A name that nobody declares, and that is nearly one which the project knows, is a slip of the hand.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/kubernetes/kinds.hpp"

namespace migc::checks {
namespace {

bool has_digit(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// What two names do not have in common between a beginning and an end that they have.
std::pair<std::string_view, std::string_view> difference(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty() && a.front() == b.front()) a.remove_prefix(1), b.remove_prefix(1);
    while (!a.empty() && !b.empty() && a.back() == b.back()) a.remove_suffix(1), b.remove_suffix(1);
    return {a, b};
}

// What tells names of a kind apart: a number, or a word of its own.
bool is_name_of_a_kind(std::string_view part) {
    return has_digit(part) || (part.size() > 1 && part.find('-') != std::string_view::npos);
}

// Whether a part of a name stands between hyphens.
bool is_whole_word(std::string_view name, std::string_view part) {
    const auto begin = static_cast<std::size_t>(part.data() - name.data()), end = begin + part.size();
    return (begin == 0 || name[begin - 1] == '-') && (end == name.size() || name[end] == '-');
}

// Letters swapped, or one too many, too few, or another one. `web-1` and `web-2`, `app-a` and `app-b` are two
// names of a kind, and in a word of three letters another letter makes another word.
bool is_slip(std::string_view written, std::string_view known) {
    if (written.size() > known.size() + 2 || known.size() > written.size() + 2) return false;
    const std::size_t distance = edit_distance(written, known);
    if (distance == 0 || distance > (written.size() >= 8 ? 2U : 1U)) return false;
    const auto parts = difference(written, known);
    if (is_name_of_a_kind(parts.first) || is_name_of_a_kind(parts.second)) return false;
    const bool is_another_letter = parts.first.size() == 1 && parts.second.size() == 1;
    return !is_whole_word(written, parts.first) && !(is_another_letter && written.size() < 4);
}

class Slips : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses()) {
            for (const auto* events : {&course.forward, &course.failure})
                for (const Event& event : *events) note_made(event);
            if (course.stage->repeats) continue;
            for (const auto* events : {&course.gates, &course.throughout, &course.forward, &course.failure})
                for (const Event& event : *events) note_used(event);
            for (const OwnUndo& own : course.undos)
                for (const Event& event : own.back) note_used(event);
        }
        for (const auto& [thing, step] : used_)
            if (!made_.contains(thing)) compare(thing, *step);
    }

  private:
    // What is applied is declared by what it is applied from; what becomes absent, or is made again, is
    // there.
    void note_made(const Event& event) {
        if (plays(event, ir::Role::Applies)) made_.insert(event.things.begin(), event.things.end());
    }

    void note_used(const Event& event) {
        for (const ResourceKey& thing : event.things)
            if (thing.of == ResourceKey::Of::Object && !thing.name().empty())
                used_.emplace(thing, event.step);
    }

    void compare(const ResourceKey& thing, const ir::Step& step) {
        if (is_known(thing)) return;
        if (is_of_another_type(thing, step)) return;
        const auto& known = names_of(thing.type());
        std::vector<std::string> near;
        for (const std::string& name : known)
            if (SuggestionBudget::spend(name.size() * thing.name().size()) && is_slip(thing.name(), name))
                near.push_back(name);
        if (near.empty()) return;
        auto& d = diagnostics_.report(Code::UnknownObject, step.span,
                                      fmt::format("neither a manifest nor migc.yaml knows {}", thing));
        d.note(fmt::format("did you mean `{}`?", fmt::join(near, "` or `")));
        d.note(fmt::format(
            "the stage would stop there if the cluster has no such {}, or would touch another one",
            kubernetes::kind_name(thing.type()).empty() ? "object" : thing.type()));
    }

    // `scale search to 3`, where the project's `search` is a stateful set.
    bool is_of_another_type(const ResourceKey& thing, const ir::Step& step) {
        if (!kubernetes::is_workload(thing.type())) return false;
        for (const char* type : {"deployment", "statefulset", "daemonset"}) {
            if (type == thing.type() || !names_of(type).contains(thing.name())) continue;
            auto& d = diagnostics_.report(
                Code::UnknownObject, step.span,
                fmt::format("the project has no {}, but {}/{}", thing, type, thing.name()));
            d.note(fmt::format("say so in migc.yaml: `workloads: {{ {}: {}/{} }}`", thing.name(), type,
                               thing.name()));
            d.note(fmt::format("the stage would stop there, since the cluster has no {}", thing));
            return true;
        }
        return false;
    }

    [[nodiscard]] bool is_known(const ResourceKey& thing) const {
        const auto leads_there = [&](const auto& one) { return ResourceKey::object(one.second) == thing; };
        return std::ranges::any_of(picture_.inventory.workloads, leads_there) ||
               std::ranges::any_of(picture_.inventory.services, leads_there) ||
               !picture_.manifests.declaring(thing).empty();
    }

    // What the project has of a type: by manifests, and by what migc.yaml calls it.
    const std::set<std::string>& names_of(const std::string& type) {
        if (names_.empty()) {
            for (const Object* object : picture_.manifests.all())
                names_[object->thing.type()].insert(object->thing.name());
            for (const auto* bindings : {&picture_.inventory.workloads, &picture_.inventory.services})
                for (const auto& [name, handle] : *bindings) {
                    const ResourceKey thing = ResourceKey::object(handle);
                    names_[thing.type()].insert(thing.name());
                    // An unknown name in a script is taken for one of the usual type.
                    if (bindings == &picture_.inventory.workloads) names_["deployment"].insert(name);
                    if (bindings == &picture_.inventory.services) names_["service"].insert(name);
                }
            names_[""];
        }
        return names_[type];
    }

    std::map<ResourceKey, const ir::Step*> used_;
    std::set<ResourceKey> made_;
    std::map<std::string, std::set<std::string>> names_;
};

}  // namespace

void names(const CheckContext& picture, Diagnostics& diagnostics) {
    Slips(picture, diagnostics).check();
}

}  // namespace migc::checks
