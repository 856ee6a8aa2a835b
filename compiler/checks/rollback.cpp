// Every stage that changes something says what happens when it fails; every step has an inverse or says why
// not.

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

void no_way_back(const Input& input, const ir::Stage& stage, Diagnostics& diagnostics) {
    const ir::Step* change = first_mutation(input.program, stage.steps);
    if (stage.on_failure || !change) return;
    auto& d = diagnostics.report(Code::NoWayBack, stage.span,
                                 fmt::format("the stage `{}` has no rollback", stage.name));
    d.primary_label = "nothing says what happens when a step of it fails";
    d.label(change->span, "this would be left as it is");
    d.note(fmt::format(
        "if a step fails, {} stays half changed, and somebody has to work out by hand how to undo it",
        stage.environment));
    const std::string_view after =
        input.sources.file(stage.failure_span.file).text().substr(stage.failure_span.end);
    const std::size_t next = after.find_first_not_of(" \t\r\n");
    const bool has_semicolon = next != std::string_view::npos && after[next] == ';';
    d.fixes.push_back({"add `on failure undo`",
                       {{stage.failure_span, has_semicolon ? " on failure undo" : " on failure undo;"}},
                       true});
}

// A failure block that neither undoes, nor holds, nor changes anything back by hand.
void empty_failure_block(const Input& input, const ir::Stage& stage, Diagnostics& diagnostics) {
    if (!has_own_failure_block(input.program, stage) || !mutates(input.program, stage.steps)) return;
    bool decides = mutates(input.program, *stage.on_failure);
    each_step(*stage.on_failure, [&](const ir::Step& step) {
        decides |= step.kind == ir::StepKind::Undo || step.kind == ir::StepKind::UndoAll ||
                   step.kind == ir::StepKind::Hold;
    });
    if (decides) return;
    auto& d = diagnostics.report(Code::EmptyFailureBlock, stage.failure_span,
                                 fmt::format("when `{}` fails, this neither undoes nor holds", stage.name));
    d.note("the stage would be left half changed, as if nothing had been said");
    d.fixes.push_back({"write `on failure undo`", {{stage.failure_span, "on failure undo"}}, false});
}

void step_without_undo(const Input& input, const ir::Step& step, Diagnostics& diagnostics) {
    if (step.kind != ir::StepKind::Call || step.undo) return;
    const ir::Verb& verb = input.program.verbs[step.verb];
    if (verb.undo.kind != ir::UndoKind::ByCaller) return;
    auto& d = diagnostics.report(Code::StepWithoutUndo, step.span,
                                 fmt::format("`{}` does not say how it is undone", step.text));
    d.label(verb.span, "the verb cannot know it: `undo by caller`");
    d.note(
        "add `undo PHRASE`, `undo < .. >`, `undo none because \"..\"` or `irreversible because \"..\"` "
        "before the `;`");
}

}  // namespace

void rollback(const CheckContext& input, Diagnostics& diagnostics) {
    const auto check = [&](const std::vector<ir::Step>& steps) {
        each_step(steps, [&](const ir::Step& step) { step_without_undo(input, step, diagnostics); });
    };
    for (const auto& stage : input.program.stages) {
        no_way_back(input, stage, diagnostics);
        empty_failure_block(input, stage, diagnostics);
        if (!stage.repeats) check(stage.steps);
    }
    for (const auto& verb : input.program.verbs)
        if (verb.composite && verb.undo.kind != ir::UndoKind::Steps) check(verb.steps);
}

}  // namespace migc::checks
