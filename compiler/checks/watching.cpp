// Production is watched for a while after a change: by a `soak`, or by a `throughout`.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

// Of something that serves: a run that only makes plans, or edits files, leaves nothing to watch.
bool is_live_change(const Event& event) {
    return event.act == Act::Change && way_back(event).kind != ir::UndoKind::None && touches_live(event);
}

bool is_watched(const ir::Program& program, const Course& course) {
    const ir::Stage* steps = course.stage->repeats ? program.stage(*course.stage->repeats) : nullptr;
    return course.stage->throughout || (steps != nullptr && steps->throughout) ||
           std::any_of(course.forward.begin(), course.forward.end(),
                       [](const Event& event) { return event.act == Act::Soak; });
}

}  // namespace

void watching(const Picture& picture, Diagnostics& diagnostics) {
    const auto& program = picture.program;
    if (program.migration && program.migration->property("emergency")) return;
    for (const Course& course : picture.timeline.courses()) {
        const bool is_protected = course.environment != nullptr && course.environment->is_protected;
        if (!is_protected || is_watched(program, course)) continue;
        const auto change = std::find_if(course.forward.begin(), course.forward.end(), is_live_change);
        if (change == course.forward.end()) continue;
        auto& d =
            diagnostics.report(Code::NobodyWatches, course.stage->span,
                               fmt::format("nothing watches {} after the change", course.environment->name));
        d.primary_label = "has neither a `soak` nor a `throughout`";
        d.labels.push_back({change->step->span, "changes what serves"});
        d.notes.emplace_back(
            "a `verify` sees one moment; what goes wrong ten minutes later is found by the users: end with "
            "`soak 1h while restarts of WORKLOAD is 0;`, or write `throughout CONDITION` behind the stage");
    }
}

}  // namespace migc::checks
