// An undo that is written by hand takes back what was changed.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/found.hpp"
#include "compiler/checks/saving.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using First = Events::const_iterator;

// A change that only a run could name might be any; then nothing is said against it.
bool all_named(const Events& events) {
    return std::ranges::all_of(
        events, [](const Event& event) { return !event.is_change() || !event.things.empty(); });
}

std::set<ResourceKey> changed_by(First begin, First end) {
    std::set<ResourceKey> things;
    for (; begin != end; ++begin)
        if (begin->is_change()) things.insert(begin->things.begin(), begin->things.end());
    return things;
}

// ------------------------------------------------------------------ what is restored

// What is done to each thing, so that nobody has to look through all of it again and again.
class Restored {
  public:
    explicit Restored(const Events& events) {
        for (const Event& event : events)
            if (event.is_change())
                for (const Effect* effect : telling_effects(event))
                    by_thing_[effect->thing].push_back(effect);
    }

    [[nodiscard]] bool may_restore(const Effect& change) const {
        for (const ResourceKey& thing : {change.thing, ResourceKey()})
            if (const auto found = by_thing_.find(thing); found != by_thing_.end())
                for (const Effect* back : found->second)
                    if (checks::may_restore(change, *back)) return true;
        return false;
    }

  private:
    std::unordered_map<ResourceKey, std::vector<const Effect*>> by_thing_;
};

// What an apply may have made anew and nobody deletes: the way back leaves it standing.
bool stays(const Effect& effect) {
    return effect.probe->role.role == ir::Role::Object && kubernetes::is_left_standing(effect.thing.type());
}

// The first effect of an event for which there is nothing among what is done.
const Effect* left_by(const Event& event, const Restored& restored, bool restarts_too) {
    for (const Effect* effect : telling_effects(event)) {
        if (effect->thing.empty() || effect->thing.of == ResourceKey::Of::Image || stays(*effect)) continue;
        if (is_restart(*effect) && !restarts_too) continue;
        if (!restored.may_restore(*effect)) return effect;
    }
    return nullptr;
}

// One key for what is one state variable, as far as that is known.
std::string variable_of(const Effect& effect) {
    if (effect.thing.empty() || !effect.pointer) return effect.name;
    const bool is_one = effect.pointer->find('*') == std::string::npos;
    return fmt::format("{} {} {}", effect.thing, *effect.pointer, is_one ? "" : effect.name);
}

// What each state variable is left at.
std::vector<const Effect*> last_effects(First begin, First end) {
    std::map<std::string, const Effect*> last;
    for (; begin != end; ++begin)
        for (const Effect* effect : telling_effects(*begin))
            last[variable_of(*effect)] = begin->conditional ? nullptr : effect;
    std::vector<const Effect*> effects;
    for (const auto& [key, effect] : last)
        if (effect != nullptr) effects.push_back(effect);
    return effects;
}

// Whether both leave the same value, be it known or not.
bool leaves_the_same(const Effect& a, const Effect& b) {
    if (a.becomes != b.becomes || a.becomes == ir::Becomes::Different) return false;
    if (a.becomes == ir::Becomes::Absent) return true;
    if (a.value && b.value) return equal(*a.value, *b.value);
    return !a.same.empty() && a.same == b.same;
}

// What an effect leaves, for people.
std::string value_in_words(const Effect& effect) {
    if (effect.becomes == ir::Becomes::Absent) return "nothing";
    return effect.value ? show(*effect.value) : "the same value";
}

struct Repeated {
    const Event* event = nullptr;  // the change
    const Effect* effect = nullptr;
};

// An effect that what takes back repeats: it sets the very value that the steps have set every time.
Repeated repeated_effect(First begin, First end, const Events& back) {
    std::unordered_map<std::string, std::vector<Repeated>> done;
    for (auto event = begin; event != end; ++event)
        for (const Effect& effect : event->effects) done[variable_of(effect)].push_back({&*event, &effect});
    for (const Effect* restored : last_effects(back.begin(), back.end())) {
        const auto found = done.find(variable_of(*restored));
        if (found == done.end()) continue;
        const bool repeats = std::ranges::all_of(found->second, [&](const Repeated& one) {
            return same_variable(*one.effect, *restored) && leaves_the_same(*one.effect, *restored);
        });
        if (repeats) return found->second.back();
    }
    return {};
}

// The manifest that changes apply, if they do nothing else.
std::optional<std::string> only_applied(First begin, First end) {
    std::optional<std::string> manifest;
    for (; begin != end; ++begin) {
        if (!begin->is_change()) continue;
        if (begin->manifest.empty() || (manifest && *manifest != begin->manifest)) return std::nullopt;
        manifest = begin->manifest;
    }
    return manifest;
}

// The undo applies what the step has applied, and the manifest is as it was then.
bool repeats_apply(First begin, First end, const Events& back) {
    const auto applied = only_applied(begin, end);
    return applied && applied == only_applied(back.begin(), back.end());
}

// "the image of deployment/mailer", as the probe is called.
std::string property_of(const Effect& effect) {
    const std::string& phrase = effect.probe->signature;
    const std::size_t slot = phrase.find(" (");
    return slot == std::string::npos ? effect.thing.text
                                     : fmt::format("the {} {}", phrase.substr(0, slot), effect.thing);
}

// What each state variable is left at by what takes back: the last effect that is sure, with its event. What
// `undo;` still takes back behind it does not count.
std::vector<std::pair<const Event*, const Effect*>> brought_by(const Events& back) {
    std::map<std::string, std::pair<const Event*, const Effect*>> last;
    for (const Event& event : back) {
        if (event.undoes()) last.clear();
        for (const Effect* effect : telling_effects(event))
            last[variable_of(*effect)] = {&event, event.conditional ? nullptr : effect};
    }
    std::vector<std::pair<const Event*, const Effect*>> effects;
    for (const auto& [key, one] : last)
        if (one.second != nullptr) effects.push_back(one);
    return effects;
}

// `scale worker to 4 undo < scale worker to 3; >` where it was 2.
bool another_value(const FoundBefore& before, First begin, First end, const OwnUndo& own,
                   Diagnostics& diagnostics) {
    for (const auto& [event, effect] : brought_by(own.back)) {
        const auto found = before.other_than(*effect, begin, end);
        if (!found) continue;
        auto& d =
            diagnostics.report(Code::UndoMisses, own.undo->span,
                               fmt::format("this undo leaves {} at {}, and it was {}", property_of(*effect),
                                           value_in_words(*effect), plain_text(found->value)));
        d.label(found->place, "says what it was");
        d.note("after a failure the run would be called undone, and it would be as it never was before");
        return true;
    }
    return false;
}

// `scale webapi to 4 undo < scale worker to 2; >`.
void own_undo(const StageEvents& course, const OwnUndo& own, const FoundBefore& before,
              Diagnostics& diagnostics) {
    const auto [begin, end] = undone_by(course, own);
    const Span place = own.undo->span;
    const Effect* repeated = repeated_effect(begin, end, own.back).effect;
    if (repeated != nullptr || repeats_apply(begin, end, own.back)) {
        auto& d = diagnostics.report(Code::UndoMisses, place,
                                     fmt::format("this undo does what `{}` did", own.step->text));
        d.note(repeated != nullptr
                   ? fmt::format("both set it to {}: after the undo, nothing would be as it was before",
                                 value_in_words(*repeated))
                   : "both apply the same manifest: after the undo, nothing would be as it was before");
        return;
    }
    if (another_value(before, begin, end, own, diagnostics) || !all_named(own.back)) return;
    const Restored restored(own.back);
    const bool only_restarts = std::all_of(begin, end, [](const Event& event) {
        return !event.is_change() || std::ranges::all_of(event.effects, is_restart);
    });
    const Effect* left = nullptr;
    for (auto event = begin; event != end && left == nullptr; ++event)
        if (event->is_change()) left = left_by(*event, restored, only_restarts);
    if (left == nullptr) return;
    const auto changed = changed_by(own.back.begin(), own.back.end());
    auto& d =
        diagnostics.report(Code::UndoMisses, place,
                           fmt::format("this undo does not take back what `{}` changes", own.step->text));
    d.primary_label = changed.empty() ? "changes nothing"
                      : changed.contains(left->thing)
                          ? fmt::format("changes something else of {}", left->thing)
                          : "changes " + in_words(changed);
    const std::string what = changed.contains(left->thing) ? property_of(*left) : left->thing.text;
    d.label(own.step->span, fmt::format("changes {}", what));
    d.note(fmt::format("after a failure {} would stay changed, and the run would be called undone", what));
}

bool undoes_by_itself(const Events& failure) {
    return undoes_or_holds(failure.begin(), failure.end());
}

// `scale worker to 4; .. on failure < scale worker to 4; >`.
bool repeated_in_block(const StageEvents& course, Diagnostics& diagnostics) {
    const Repeated repeated = repeated_effect(course.forward.begin(), course.forward.end(), course.failure);
    if (repeated.event == nullptr || !repeated.event->is_change() || !must_be_restored(*repeated.event))
        return false;
    auto& d = diagnostics.report(Code::FailureBlockMisses, repeated.event->step->span,
                                 fmt::format("when `{}` fails, nothing takes back `{}`", course.stage->name,
                                             repeated.event->step->text));
    d.primary_label = "changes " + repeated.effect->thing.text;
    d.label(course.stage->failure_span,
            fmt::format("this sets it to {} once more", value_in_words(*repeated.effect)));
    d.note("`undo;` takes back every step of the stage, the last one first");
    return true;
}

// `scale worker to 4; .. on failure < scale worker to 3; >` where it was 2.
void another_value_in_block(const StageEvents& course, const FoundBefore& before, Diagnostics& diagnostics) {
    const auto holds = [](const Event& event) { return event.act == EventKind::Hold; };
    if (std::ranges::any_of(course.failure, holds)) return;
    for (const auto& [event, effect] : brought_by(course.failure)) {
        const auto found = before.other_than(*effect, course.forward.begin(), course.forward.end());
        if (!found) continue;
        auto& d = diagnostics.report(
            Code::FailureBlockMisses, event->step->span,
            fmt::format("this leaves {} at {}, and before `{}` it was {}", property_of(*effect),
                        value_in_words(*effect), course.stage->name, plain_text(found->value)));
        d.label(found->place, "says what it was");
        d.note(
            "after a failure it would be as it never was before; `undo;` brings back what each step has found");
    }
}

// By its own path, or that of its folder.
bool applies(const Event& event, const std::string& file) {
    if (!event.is_change() || event.manifest.empty()) return false;
    const auto path = (std::filesystem::path(event.manifest) / "").lexically_normal().parent_path();
    return path == file || path == std::filesystem::path(file).parent_path();
}

// The files that are edited, each with the first event that does it.
std::map<std::string, First> edited_by(const Events& events) {
    std::map<std::string, First> edits;
    for (auto event = events.begin(); event != events.end(); ++event)
        for (const ResourceKey& thing : event->is_change() ? event->things : std::set<ResourceKey>())
            if (thing.of == ResourceKey::Of::File) edits.emplace(thing.name(), event);
    return edits;
}

// `apply FILE; set value of FILE ..`: what is applied is still what the stage has made of it.
void applied_too_early(const StageEvents& course, Diagnostics& diagnostics) {
    const auto made = edited_by(course.forward);
    for (const auto& [file, edit] : edited_by(course.failure)) {
        const auto is_applied = [&name = file](const Event& event) { return applies(event, name); };
        const auto edited = made.find(file);
        if (edited == made.end() || std::none_of(edited->second, course.forward.end(), is_applied)) continue;
        const auto apply = std::find_if(course.failure.begin(), edit, is_applied);
        if (apply == edit || std::any_of(edit, course.failure.end(), is_applied)) continue;
        auto& d = diagnostics.report(Code::FailureBlockMisses, apply->step->span,
                                     fmt::format("this applies {} as the stage has left it", file));
        d.label(edit->step->span, "is put back only here");
        d.note("what runs would stay changed: put the file back first, and then apply it");
    }
}

// A failure block that takes back by hand leaves nothing out.
bool left_out(const StageEvents& course, Diagnostics& diagnostics) {
    const auto changed = changed_by(course.failure.begin(), course.failure.end());
    if (changed.empty() || undoes_by_itself(course.failure) || !all_named(course.failure)) return false;
    const Restored restored(course.failure);
    std::set<const ir::Step*> told;
    for (const Event& event : course.forward) {
        const bool counts = event.is_change() && must_be_restored(event);
        const Effect* left = counts ? left_by(event, restored, false) : nullptr;
        if (left == nullptr || !told.insert(event.step).second) continue;
        auto& d = diagnostics.report(
            Code::FailureBlockMisses, event.step->span,
            fmt::format("when `{}` fails, nothing takes back `{}`", course.stage->name, event.step->text));
        d.primary_label =
            "changes " + (changed.contains(left->thing) ? property_of(*left) : left->thing.text);
        d.label(course.stage->failure_span,
                changed.contains(left->thing) ? fmt::format("this changes something else of {}", left->thing)
                                              : "this takes back only " + in_words(changed));
        d.note("`undo;` takes back every step of the stage, the last one first");
    }
    return !told.empty();
}

void failure_block(const StageEvents& course, const FoundBefore& before, Diagnostics& diagnostics) {
    const bool by_hand = !undoes_by_itself(course.failure);
    const bool leaves_a_change = left_out(course, diagnostics);
    const bool repeats = by_hand && repeated_in_block(course, diagnostics);
    if (!leaves_a_change && !repeats) another_value_in_block(course, before, diagnostics);
    if (by_hand) applied_too_early(course, diagnostics);
}

// ------------------------------------------------------------------ from where on there is no way back

bool is_irreversible(const Event& event) {
    return event.is_change() && way_back(event).kind == ir::UndoKind::Irreversible;
}

// From an irreversible step on there is no way back, so that nothing but it should be left to fail.
void point_of_no_return(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    const auto irreversible = std::ranges::find_if(events, is_irreversible);
    if (irreversible == events.end() || std::any_of(events.begin(), irreversible, [&](const Event& one) {
            return may_save(picture, one, *irreversible);
        }))
        return;
    const auto later = std::find_if(irreversible + 1, events.end(), [&](const Event& event) {
        return event.is_change() && must_be_restored(event) && touches_live(event);
    });
    if (later == events.end()) return;
    auto& d = diagnostics.report(
        Code::NoReturnTooEarly, irreversible->step->span,
        fmt::format("`{}` cannot be undone, and it is not the last step", irreversible->step->text));
    const bool within = later->step == irreversible->step && picture.timeline.is_own(later->inner->span);
    d.label(within ? later->inner->span : later->step->span,
            "if this fails, what stands before it can be taken back no more");
    d.note("put it last, or save what it destroys first: `backup \"FOLDER\" of WORKLOAD to \"FILE\"`");
}

}  // namespace

void undo(const CheckContext& picture, Diagnostics& diagnostics) {
    // A step in a loop or in a verb is come to more than once, and told once.
    std::set<const void*> seen;
    std::map<std::string, std::set<ResourceKey>> changed;  // by environment, in the stages before
    for (const StageEvents& course : picture.timeline.courses()) {
        auto& earlier = changed[course.stage->environment];
        const FoundBefore before(picture, course, earlier);
        if (!course.stage->repeats) {
            for (const OwnUndo& own : course.undos)
                if (seen.insert(own.undo).second) own_undo(course, own, before, diagnostics);
            point_of_no_return(picture, course, diagnostics);
        }
        if (has_own_failure_block(picture.program, *course.stage)) failure_block(course, before, diagnostics);
        earlier.merge(changed_by(course.forward.begin(), course.forward.end()));
    }
}

}  // namespace migc::checks
