// What takes back is looked at, and takes back what belongs together.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/saving.hpp"

namespace migc::checks {
namespace {

// A change whose command alone says that it was done: no probe of its verb's declaration sees it.
bool is_unseen(const Event& event) {
    return event.is_change() && event.verb->effects.empty() &&
           event.verb->undo.kind == ir::UndoKind::ByCaller;
}

bool has_look(const Events& events, Events::const_iterator from) {
    return std::any_of(from, events.end(),
                       [](const Event& event) { return event.is_look() || event.act == EventKind::Hold; });
}

// ------------------------------------------------ an undo that nothing verifies

// By hand: nothing of `undo` stands in the block, and it ends with a change.
void block_not_verified(const StageEvents& course, Diagnostics& diagnostics) {
    const Events& failure = course.failure;
    if (std::ranges::any_of(failure, &Event::undoes)) return;
    const auto last = std::find_if(failure.rbegin(), failure.rend(), [](const Event& event) {
        return event.is_change() && (event.things.empty() || touches_live(event));
    });
    if (last == failure.rend() || has_look(failure, last.base())) return;
    auto& d = diagnostics.report(Code::UndoNotVerified, last->step->span,
                                 fmt::format("nothing verifies that `{}` is as it was", course.stage->name));
    d.primary_label = "the last thing that the failure block does";
    d.note(fmt::format(
        "the run would be called undone although nobody has seen that {} works again: add a `verify`, or write `undo;`, "
        "which looks at each step's effect",
        course.stage->environment));
}

// `run script "migrate.sh" undo < run script "back.sh" ..; >`: whether it brought anything back, only it
// knows.
void own_undo_not_verified(const StageEvents& course, const OwnUndo& own, Diagnostics& diagnostics) {
    const Events& back = own.back;
    const auto last = std::find_if(back.rbegin(), back.rend(), [](const Event& event) {
        return event.is_change() || event.act == EventKind::Other;
    });
    if (last == back.rend() || has_look(back, last.base()) || !std::ranges::any_of(back, is_unseen)) return;
    // The failure block may look at all of it, when all is undone.
    const auto undo = std::ranges::find_if(course.failure, &Event::undoes);
    if (undo != course.failure.end() && has_look(course.failure, undo)) return;
    const std::string& text = own.step->text;
    auto& d = diagnostics.report(
        Code::UndoNotVerified, own.undo->span,
        fmt::format("nothing verifies that this takes back `{}`", text.substr(0, text.find(" undo "))));
    d.note(
        "a program that ends without an error has not always done its work: put a `verify` into the undo, or behind `undo;` in the "
        "failure block");
}

// ------------------------------------------------ configuration and its readers

// The workloads that read one of the configurations that an event changes.
std::set<ResourceKey> readers_of(const CheckContext& picture, const Event& event) {
    std::set<ResourceKey> readers;
    for (const ResourceKey& thing : event.things)
        if (thing.is_configuration())
            for (const Object* reader : picture.manifests.readers(thing)) readers.insert(reader->thing);
    return readers;
}

// Pods go back to the old version, and read the new configuration.
void configuration_stays(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    if (!std::ranges::any_of(course.failure, &Event::undoes)) return;
    for (const Event& change : course.forward) {
        if (!change.is_change() || !change.inner->undo || must_be_restored(change)) continue;
        const auto readers = readers_of(picture, change);
        const auto undone = std::ranges::find_if(course.forward, [&](const Event& event) {
            return event.is_change() && way_back(event).kind == ir::UndoKind::Steps &&
                   std::ranges::any_of(event.things,
                                       [&](const ResourceKey& thing) { return readers.contains(thing); });
        });
        if (readers.empty() || undone == course.forward.end()) continue;
        auto& d = diagnostics.report(Code::ConfigurationStays, change.step->span,
                                     "this stays when what reads it is taken back");
        d.label(undone->step->span, "taken back");
        d.note(
            "the old version would start with the new configuration, which nobody has tried: let it be undone, too");
    }
}

// ------------------------------------------------ what is lost

// What is deleted for good has been saved before.
void not_saved(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    for (auto event = course.forward.begin(); event != course.forward.end(); ++event) {
        const bool is_gone = event->is_change() && way_back(*event).kind == ir::UndoKind::Irreversible &&
                             std::ranges::any_of(event->effects, [](const Effect& effect) {
                                 return effect.becomes == ir::Becomes::Absent;
                             });
        const auto saves = [&](const Event& one) { return may_save(picture, one, *event); };
        if (!is_gone || std::any_of(course.forward.begin(), event, saves)) continue;
        auto& d =
            diagnostics.report(Code::NotSaved, event->step->span,
                               fmt::format("what `{}` deletes was not saved before", event->step->text));
        d.note(
            "it cannot be undone, not even by hand: `backup \"FOLDER\" of WORKLOAD to \"FILE\"` first, and look at it: "
            "`verify digest of backup \"FILE\" is not absent;`");
    }
}

}  // namespace

void restoring(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses()) {
        if (!course.stage->repeats) {
            each_undo_of_step(course,
                              [&](const OwnUndo& own) { own_undo_not_verified(course, own, diagnostics); });
            configuration_stays(picture, course, diagnostics);
            not_saved(picture, course, diagnostics);
        }
        if (!has_own_failure_block(picture.program, *course.stage)) continue;
        block_not_verified(course, diagnostics);
    }
}

}  // namespace migc::checks
