// What stands behind a call of a verb of steps is about all of them: whether it can be.
#include <map>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

bool is_composite(const ir::Program& program, const ir::Step& step) {
    return step.kind == ir::StepKind::Call && !program.verbs.at(step.verb).action;
}

// `canary .. within 10m`, which soaks for an hour.
void shorter_than_its_soaks(const CheckContext& picture, const StageEvents& course,
                            Diagnostics& diagnostics) {
    std::map<const ir::Step*, std::int64_t> soaks;
    std::map<const ir::Step*, const Event*> longest;
    for (const Event& event : course.forward) {
        if (event.act != EventKind::Soak || !event.at_least_ms || event.conditional) continue;
        if (event.inner == event.step || !is_composite(picture.program, *event.step)) continue;
        soaks[event.step] += *event.at_least_ms;
        const Event*& most = longest[event.step];
        if (most == nullptr || *event.at_least_ms > *most->at_least_ms) most = &event;
    }
    for (const auto& [step, milliseconds] : soaks) {
        const auto within =
            step->within ? picture.timeline.value(*step->within, *course.stage) : std::nullopt;
        const auto* limit = within ? within->get_if<Duration>() : nullptr;
        if (limit == nullptr || limit->milliseconds >= milliseconds) continue;
        auto& d = diagnostics.report(Code::LimitTooShort, step->span,
                                     fmt::format("`within {}` bounds all of the step, and it soaks for {}",
                                                 show(Value(*limit)), show(Value(Duration{milliseconds}))));
        d.label(longest.at(step)->inner->span, "watches for so long");
        d.note("the stage would fail every time, and take back a change that works");
    }
}

// What was taken back in the first try would be taken back again.
void tried_again_on_the_way_back(const CheckContext& picture, const std::vector<ir::Step>& steps,
                                 Diagnostics& diagnostics) {
    each_step(steps, [&](const ir::Step& step) {
        if (!step.retry || !is_composite(picture.program, step)) return;
        diagnostics
            .report(Code::Misplaced, step.retry->span,
                    "`retry` cannot stand behind a verb of steps in an undo")
            .notes.emplace_back(
                "what its first try has done would be done again; give `retry` to the steps inside of it");
    });
}

void ways_back(const CheckContext& picture, const std::vector<ir::Step>& steps, Diagnostics& diagnostics) {
    each_step(steps, [&](const ir::Step& step) {
        if (step.undo) tried_again_on_the_way_back(picture, step.undo->steps, diagnostics);
    });
}

}  // namespace

void clauses(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats) shorter_than_its_soaks(picture, course, diagnostics);
    for (const ir::Stage& stage : picture.program.stages) {
        if (!stage.repeats) ways_back(picture, stage.steps, diagnostics);
        if (has_own_failure_block(picture.program, stage))
            tried_again_on_the_way_back(picture, *stage.on_failure, diagnostics);
    }
    for (const ir::Verb& verb : picture.program.verbs) {
        if (!picture.timeline.is_own(verb.span)) continue;
        ways_back(picture, verb.steps, diagnostics);
        tried_again_on_the_way_back(picture, verb.undo.steps, diagnostics);
    }
}

}  // namespace migc::checks
