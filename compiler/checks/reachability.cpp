// Every step can be reached: no condition decides beforehand, no list is empty, nothing stands behind an end.

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

// What a condition is without a run; nothing if only a run can tell. A parameter may be given another value.
std::optional<bool> decided(const ir::Expr& condition) {
    const auto unknown = [](const ir::Expr&) { return std::nullopt; };
    return semantics::known_truth(
        condition, [&](const ir::Expr& part) { return semantics::known_comparison(part, unknown); });
}

void never(const std::vector<ir::Step>& steps, Span because, const char* why, Diagnostics& diagnostics) {
    if (steps.empty()) return;
    auto& d = diagnostics.report(Code::Unreachable, steps.front().span, "this is never reached");
    d.label(because, why);
    d.note("whoever reads the script would believe that it is done");
}

void in_block(const std::vector<ir::Step>& steps, Diagnostics& diagnostics);

void branch(const ir::Step& step, Diagnostics& diagnostics) {
    const auto holds = step.condition ? decided(*step.condition) : std::nullopt;
    if (!holds) return;
    if (*holds)
        never(step.otherwise, step.condition->span, "this always holds", diagnostics);
    else
        never(step.body, step.condition->span, "this never holds", diagnostics);
}

bool is_empty_list(const ir::Step& step) {
    const bool written = step.value && step.value->kind == ir::ExprKind::List && step.value->children.empty();
    const auto* list = step.value ? step.value->value.get_if<List>() : nullptr;
    return written ||
           (step.value && step.value->kind == ir::ExprKind::Literal && list != nullptr && list->empty());
}

// Behind a `hold` in an inner block, or a second `undo` that has nothing left to do.
void after_the_end(const std::vector<ir::Step>& steps, bool is_inner, Diagnostics& diagnostics) {
    const ir::Step* undone = nullptr;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const ir::Step& step = steps[i];
        const bool repeats = undone != nullptr &&
                             (step.kind == ir::StepKind::Undo ||
                              (step.kind == ir::StepKind::UndoAll && undone->kind == ir::StepKind::UndoAll));
        if (repeats) return never({step}, undone->span, "takes all of it back already", diagnostics);
        if (step.kind == ir::StepKind::Undo || step.kind == ir::StepKind::UndoAll) undone = &step;
        if (is_inner && step.kind == ir::StepKind::Hold && i + 1 < steps.size())
            return never({steps[i + 1]}, step.span, "the run stops here, and waits for a person",
                         diagnostics);
    }
}

void in_block(const std::vector<ir::Step>& steps, Diagnostics& diagnostics) {
    for (const ir::Step& step : steps) {
        if (step.kind == ir::StepKind::If) branch(step, diagnostics);
        if (step.kind == ir::StepKind::For && is_empty_list(step))
            never(step.body, step.value->span, "this list is empty", diagnostics);
        after_the_end(step.body, true, diagnostics);
        after_the_end(step.otherwise, true, diagnostics);
        in_block(step.body, diagnostics);
        in_block(step.otherwise, diagnostics);
        if (step.undo) in_block(step.undo->steps, diagnostics);
    }
}

}  // namespace

void reachability(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const ir::Stage& stage : picture.program.stages) {
        if (!stage.repeats) in_block(stage.steps, diagnostics);
        if (!has_own_failure_block(picture.program, stage)) continue;
        after_the_end(*stage.on_failure, false, diagnostics);
        in_block(*stage.on_failure, diagnostics);
    }
}

}  // namespace migc::checks
