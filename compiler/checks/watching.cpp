// Production is watched for a while after a change: by a `soak`, or by a `throughout`.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/find.hpp"

namespace migc::checks {
namespace {

// Of something that serves: a run that only makes plans, or edits files, leaves nothing to watch.
bool lasts_in_live(const Event& event) {
    return event.is_change() && way_back(event).kind != ir::UndoKind::None && touches_live(event);
}

// A soak counts that begins when something has changed, or beside it.
bool soaks_after(const StageEvents& course, std::vector<Event>::const_iterator change) {
    return std::ranges::any_of(course.forward, [&](const Event& event) {
        return event.act == EventKind::Soak && (event.beside || &event > &*change);
    });
}

bool has_throughout(const ir::Program& program, const StageEvents& course) {
    const ir::Stage* steps = course.stage->repeats ? program.stage(*course.stage->repeats) : nullptr;
    return course.stage->throughout || (steps != nullptr && steps->throughout);
}

// Where only what stood before the change was watched.
const Event* early_soak(const StageEvents& course) {
    return first_of(course.forward, [](const Event& event) { return event.act == EventKind::Soak; });
}

}  // namespace

void watching(const CheckContext& picture, Diagnostics& diagnostics) {
    const auto& program = picture.program;
    if (is_emergency(program)) return;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (!course.is_protected() || has_throughout(program, course)) continue;
        const auto change = std::ranges::find_if(course.forward, lasts_in_live);
        if (change == course.forward.end() || soaks_after(course, change)) continue;
        auto& d =
            diagnostics.report(Code::NobodyWatches, course.stage->span,
                               fmt::format("nothing watches {} after the change", course.environment->name));
        const Event* early = early_soak(course);
        d.primary_label = early != nullptr ? "is watched only before the change"
                                           : "has neither a `soak` nor a `throughout`";
        if (early != nullptr) d.label(early->step->span, "ends before anything is changed");
        d.label(change->step->span, "changes what serves");
        d.note(
            "a `verify` sees one moment; what goes wrong ten minutes later is found by the users: end with "
            "`soak 1h while restarts of WORKLOAD is 0;`, or write `throughout CONDITION` behind the stage");
    }
}

}  // namespace migc::checks
