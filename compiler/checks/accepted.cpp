// What a script gives the cluster is what the cluster takes: values that it allows, and no change of what
// never changes.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/documents/pointer.hpp"
#include "compiler/kubernetes/formats.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/validation.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using kubernetes::Refusal;
using nlohmann::json;

constexpr const char* stops_there = "the run would stop there, in the middle of the window";

// The name by which the rules know a kind of Kubernetes' own; empty for one that is only called so.
std::string own_plural(const json& object) {
    const bool is_own = kubernetes::is_own_group(kubernetes::group_in(text_field(object, "/apiVersion")));
    return is_own ? kubernetes::plural_of(text_field(object, "/kind")) : "";
}

// The same of a pointer as a script writes it, where an element of a list may be picked by what it holds.
bool meet(std::string_view written, std::string_view pointer) {
    const auto tokens = documents::tokens_of(written), others = documents::tokens_of(pointer);
    if (!tokens || !others) return false;
    for (std::size_t i = 0; i < std::min(tokens->size(), others->size()); ++i) {
        const std::string& token = (*tokens)[i];
        const bool may_be_any = token == "-" || documents::picker(token);
        if (!may_be_any && token != (*others)[i]) return false;
    }
    return true;
}

// A key that holds a `/` was taken for two.
std::string hint_of(const std::string& pointer, const json& value) {
    const bool is_one = value.is_object() && value.size() == 1;
    const bool in_names =
        pointer.find("/labels/") != std::string::npos || pointer.find("/annotations/") != std::string::npos;
    if (!is_one || !in_names) return "";
    return fmt::format("; a `/` in a key is written `~1`: `{}~1{}`", pointer, value.begin().key());
}

// "`/data/port`: expected string, and it is 6379".
std::string in_words(const Refusal& refusal, const json& object) {
    const json& value = field(object, refusal.pointer);
    std::string text = fmt::format("`{}`: {}", refusal.pointer, refusal.why);
    if (!refusal.is_type || value.is_null()) return text;
    const std::string shown = value.dump(-1, ' ', false, json::error_handler_t::replace);
    text += value.is_array()     ? ", and it is a list"
            : value.is_object()  ? ", and it is a map"
            : shown.size() <= 40 ? fmt::format(", and it is {}", shown)
                                 : "";
    if (value.is_number() || value.is_boolean()) text += " (in quotes it would be a string)";
    return text + hint_of(refusal.pointer, value);
}

// An object with a field set; nothing where that is not known, or, with a reason, where it cannot be.
struct Patched {
    std::optional<json> object;
    std::string why;
};
Patched patched(json object, const std::vector<std::string>& tokens, const json& value) {
    json* at = &object;
    std::string way;
    for (const std::string& token : tokens) {
        const auto number = whole_number<std::size_t>(token);
        if (at->is_array()) {
            if (!number)
                return {{}, fmt::format("`{}` is a list, and `{}` names no element of it", way, token)};
            if (*number > at->size())
                return {{}, fmt::format("`{}` has no element {}; a new one is {}", way, token, at->size())};
            if (*number == at->size()) at->push_back(nullptr);
            at = &(*at)[*number];
        } else if (at->is_object() || (at->is_null() && !number)) {
            at = &(*at)[token];
        } else {
            if (at->is_null()) return {};
            return {{},
                    fmt::format("`{}` is a single value, and nothing stands below it{}", way,
                                hint_of(way, json{{token, value}}))};
        }
        way += "/" + pointer_token(token);
    }
    *at = value;
    return {std::move(object), ""};
}

class Accepted : StageCheck {
  public:
    Accepted(const CheckContext& picture, const StageEvents& course, std::set<std::string>& told,
             Diagnostics& diagnostics)
        : StageCheck(picture, course, diagnostics), told_(told) {}

    void check() {
        each_event(course_, [&](const Event& event) {
            if (!event.is_change()) return;
            if (event.object != nullptr) applied(event, *event.object);
            for (const Effect& effect : event.effects) {
                if (!is_missed(event, effect)) changed(event, effect);
                if (writes_as_its_tool(event)) by_tools_[effect.thing].emplace_back(&effect, &event);
            }
            for (const Edit& edit : possible_edits(event)) edits_.emplace_back(edit, &event);
        });
    }

  private:
    bool is_first(const Event& event, const std::string& about) {
        return told_.insert(fmt::format("{} {} {}", event.step->span.file, event.step->span.begin, about))
            .second;
    }

    bool is_first(const Object& object, const std::string& about) {
        return told_.insert(fmt::format("{} {} {}{}", object.file, object.document, object.item, about))
            .second;
    }

    // ------------------------------------------------ a manifest

    void applied(const Event& event, const Object& now) {
        const std::string plural = own_plural(now.json);
        const Object* written = declared_as(now);
        const auto refusals = kubernetes::refusals_of(plural, now.json, true);
        const auto* part = first_of(refusals, [&](const Refusal& one) { return lacks_part(now.json, one); });
        if (part != nullptr)
            incomplete(event, now, *part);
        else
            for (const Refusal& refusal : refusals) tell(event, written, now, refusal);
        if (written != nullptr && written != &now) fixed_parts(event, plural, *written, now);
        gone_.erase(now.thing);
        if (const auto set = by_tools_.find(now.thing); set != by_tools_.end())
            for (const auto& [effect, by] : set->second) contended(event, now, *effect, *by);
    }

    static bool writes_as_its_tool(const Event& event) {
        return event.object == nullptr && event.verb != nullptr && semantics::writes_as_its_tool(*event.verb);
    }

    // What an earlier step set under another name, a server-side apply does not set otherwise.
    void contended(const Event& event, const Object& now, const Effect& effect, const Event& by) {
        const std::string pointer = effect.pointer.value_or("");
        if (pointer.empty() || !effect.value || effect.value->is_unknown()) return;
        const json& value = field(now.json, pointer);
        const bool is_other = !value.is_null() && value != in_json(*effect.value);
        if (!is_other || !are_in_order(by, event) || !is_first(event, now.thing.text)) return;
        auto& d = diagnostics_.report(
            Code::Refused, event.step->span,
            fmt::format(
                "the cluster would refuse {}: `{}` is {} in the manifest, and this run has just set it "
                "to {}",
                now.thing, pointer, value.dump(), show(*effect.value)));
        d.label(by.step->span, "sets it, as its own");
        d.note(fmt::format("{}: leave the earlier step out, or let the manifest say the same", stops_there));
    }

    // Both on the way there, and the second only after the first.
    [[nodiscard]] bool are_in_order(const Event& first, const Event& second) const {
        const auto is_forward = [&](const Event& one) {
            return &one >= course_.forward.data() && &one < course_.forward.data() + course_.forward.size();
        };
        return first.is_sure() && second.is_sure() && is_forward(first) && is_forward(second);
    }

    // What the stage itself has deleted is there no more.
    bool is_missed(const Event& event, const Effect& effect) {
        const auto gone = gone_.find(effect.thing);
        if (gone == gone_.end() || event.object != nullptr) return false;
        const bool is_whole = effect.pointer == "";
        if (is_whole && effect.becomes == ir::Becomes::Value) gone_.erase(gone);
        if (is_whole || !are_in_order(*gone->second, event)) return false;
        if (!is_first(event, effect.thing.text)) return true;
        auto& d = diagnostics_.report(
            Code::Refused, event.step->span,
            fmt::format("{} is not there any more, so that this step would fail", effect.thing));
        d.label(gone->second->step->span, "deletes it");
        d.note(fmt::format("{}: put this before, or leave it out", stops_there));
        return true;
    }

    // As it is on the disk.
    [[nodiscard]] const Object* declared_as(const Object& now) const {
        const auto* found = first_of(picture_.manifests.of(now.file), [&](const Object* one) {
            return one->thing == now.thing && one->document == now.document && one->item == now.item;
        });
        return found != nullptr ? *found : nullptr;
    }

    // Without these parts a workload is none, and who left them out meant something else.
    static bool lacks_part(const json& object, const Refusal& refusal) {
        const bool is_part = refusal.pointer == "/spec/selector" || refusal.pointer == "/spec/template";
        return is_part && field(object, refusal.pointer).is_null();
    }

    void incomplete(const Event& event, const Object& object, const Refusal& missing) {
        if (!is_first(object, "")) return;
        auto& d = diagnostics_.report(
            Code::BadManifest, picture_.manifests.span(object, "/metadata/name"),
            fmt::format("{} is only part of an object: it has no `{}`", object.thing, missing.pointer));
        d.label(event.step->span, "this step would fail, unless the object is there already");
        d.note(
            "a patch, as kustomize has them, is no manifest: move it out of what is applied, or write the object whole");
    }

    void tell(const Event& event, const Object* written, const Object& now, const Refusal& refusal) {
        const bool is_as_written =
            written != nullptr && field(written->json, refusal.pointer) == field(now.json, refusal.pointer);
        if (is_as_written)
            refused(event, *written, refusal);
        else
            refused_edit(event, now, refusal);
    }

    void refused(const Event& event, const Object& object, const Refusal& refusal) {
        if (!is_first(object, refusal.pointer)) return;
        auto& d = diagnostics_.report(
            Code::BadManifest, picture_.manifests.span(object, refusal.pointer),
            fmt::format("the cluster would refuse {}: {}", object.thing, in_words(refusal, object.json)));
        d.label(event.step->span,
                refusal.of_pods_only ? "no pod could be made of it" : "this step would fail");
        d.note(refusal.of_pods_only ? "the workload would never be ready" : stops_there);
    }

    // The last edit that has to do with a place of an object.
    [[nodiscard]] const Event* edit_of(const Object& object, const std::string& pointer) const {
        const std::string own = object.item + pointer;
        const Event* last = nullptr;
        for (const auto& [edit, event] : edits_)
            if (edit.file == object.file &&
                (meet(edit.pointer, own) || meet(edit.pointer, fmt::format("/{}{}", object.document, own))))
                last = event;
        return last;
    }

    void refused_edit(const Event& event, const Object& object, const Refusal& refusal) {
        const Event* edit = edit_of(object, refusal.pointer);
        const Event& by = edit != nullptr ? *edit : event;
        if (!is_first(by, object.thing.text + refusal.pointer)) return;
        auto& d = diagnostics_.report(
            Code::Refused, by.step->span,
            fmt::format("the cluster would refuse {}: {}", object.thing, in_words(refusal, object.json)));
        if (&by != &event) d.label(event.step->span, "this step would fail");
        d.note(stops_there);
    }

    // What the script changes of a manifest between the disk and the apply, it changes in the cluster.
    void fixed_parts(const Event& event, const std::string& plural, const Object& written,
                     const Object& now) {
        // A job may go by itself when it is done.
        const bool goes = !field(written.json, "/spec/ttlSecondsAfterFinished").is_null();
        if (goes || gone_.contains(now.thing)) return;
        for (const Refusal& one : kubernetes::refusals_of_change(plural, written.json, now.json)) {
            const Event* edit = edit_of(written, one.pointer);
            report_fixed(edit != nullptr ? *edit : event, now.thing, one.pointer, Severity::Warning,
                         edit != nullptr ? event.step : nullptr);
        }
    }

    // ------------------------------------------------ a field in the cluster

    // `set autoscaling of webapi to "12..4"`.
    void ranged(const Event& event, const Effect& effect) {
        const auto* text = effect.value ? effect.value->get_if<std::string>() : nullptr;
        const std::string why = text != nullptr ? kubernetes::why_no_range(*text) : "";
        if (why.empty() || !is_first(event, effect.name)) return;
        diagnostics_.report(Code::Refused, event.step->span, why, stops_there);
    }

    void changed(const Event& event, const Effect& effect) {
        if (is_autoscaling(effect)) return ranged(event, effect);
        if (effect.probe->role.role != ir::Role::Field || effect.thing.of != ResourceKey::Of::Object) return;
        const std::string* pointer = text_in(effect.role, 0);
        if (pointer == nullptr) return;
        if (pointer->empty()) {
            if (effect.becomes == ir::Becomes::Absent) gone_[effect.thing] = &event;
            return;
        }
        const auto tokens = documents::tokens_of(*pointer);
        if (is_free_field(effect))
            impossible_place(event, effect, *pointer, tokens ? "" : tokens.error().message);
        if (!tokens || effect.becomes != ir::Becomes::Value) return;
        const auto declared = Surroundings(picture_, course_).declaring(effect.thing);
        const json* known = declared.size() == 1 ? &declared.front()->json : nullptr;
        const std::string plural =
            known != nullptr ? own_plural(*known) : kubernetes::plural_of(effect.thing.type());
        const auto* number = effect.value ? effect.value->get_if<std::int64_t>() : nullptr;
        if (const std::string why = !is_free_field(effect) && number == nullptr
                                        ? ""
                                        : why_refused(plural, known, *pointer, *tokens, effect.value);
            !why.empty() && is_first(event, effect.thing.text + *pointer)) {
            auto& d = diagnostics_.report(
                Code::Refused, event.step->span,
                fmt::format("the cluster would refuse this of {}: {}", effect.thing, why));
            d.note(stops_there);
        }
        const bool is_frozen = known != nullptr && field(*known, "/immutable") == true &&
                               (pointer_holds("/data", *pointer) || pointer_holds("/binaryData", *pointer));
        if (is_frozen || !kubernetes::why_immutable(plural, *pointer).empty())
            report_fixed(event, effect.thing, *pointer, Severity::Error, nullptr);
    }

    void impossible_place(const Event& event, const Effect& effect, const std::string& pointer,
                          const std::string& mistake) {
        const std::string why = !mistake.empty() ? mistake
                                : kubernetes::is_the_servers(pointer)
                                    ? fmt::format("`{}` is written by the cluster itself", pointer)
                                    : "";
        if (why.empty() || !is_first(event, effect.thing.text + pointer)) return;
        diagnostics_.report(Code::Refused, event.step->span,
                            fmt::format("this of {} cannot be patched: {}", effect.thing, why), stops_there);
    }

    // What is wrong with the field, and with nothing else of the object. Where no manifest declares it, only
    // what is wrong whatever else it has.
    static std::string why_refused(const std::string& plural, const json* known, const std::string& pointer,
                                   const std::vector<std::string>& tokens,
                                   const std::optional<Value>& value) {
        if (!value || value->is_unknown()) return "";
        const Patched then = patched(known != nullptr ? *known : json::object(), tokens, in_json(*value));
        if (!then.object) return then.why;
        const auto refusals = kubernetes::refusals_of(plural, *then.object);
        if (refusals.empty()) return "";
        const auto before =
            known != nullptr ? kubernetes::refusals_of(plural, *known) : std::vector<Refusal>{};
        for (const Refusal& one : refusals) {
            const bool is_about = pointer_holds(pointer, one.pointer) ||
                                  (pointer_holds(one.pointer, pointer) && (known != nullptr || one.is_type));
            if (is_about && std::ranges::find(before, one) == before.end())
                return in_words(one, *then.object);
        }
        return "";
    }

    void report_fixed(const Event& event, const ResourceKey& thing, const std::string& part,
                      Severity severity, const ir::Step* applied_by) {
        if (!is_first(event, thing.text + " fixed " + part)) return;
        auto& d =
            diagnostics_.report(Code::Refused, event.step->span,
                                fmt::format("`{}` of {} can never change once it is there", part, thing));
        d.severity = severity;
        if (applied_by != nullptr)
            d.label(applied_by->span, "the cluster would refuse this, if it is there already");
        d.note(
            fmt::format("{}; let an object of another name take its place, or `delete object \"{}\"` before",
                        stops_there, thing));
    }

    std::set<std::string>& told_;
    std::vector<std::pair<Edit, const Event*>> edits_;
    std::map<ResourceKey, const Event*> gone_;  // and which step has deleted it
    std::map<ResourceKey, std::vector<std::pair<const Effect*, const Event*>>> by_tools_;
};

}  // namespace

void accepted(const CheckContext& picture, Diagnostics& diagnostics) {
    std::set<std::string> told;
    for (const StageEvents& course : picture.timeline.courses())
        Accepted(picture, course, told, diagnostics).check();
}

}  // namespace migc::checks
