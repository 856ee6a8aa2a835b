#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime::inline plans {
namespace {

void line(std::string& out, std::string_view label, const std::string& text) {
    if (!text.empty()) out += fmt::format("      {:<9} {}\n", label, text);
}

void render_lines(std::string& out, std::string_view label, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) line(out, label, text);
}

// Of an object only the fields that change.
void render_effect(std::string& out, const PlanEffect& effect) {
    if (effect.fields) line(out, "changes", effect.probe + (effect.fields->empty() ? ": nothing" : ":"));
    render_lines(out, effect.fields ? "" : "changes", changes_in_words(effect));
}

void render_step(std::string& out, const PlanStep& step) {
    const bool already = step.action && step.action->already;
    out += fmt::format("  {} {}{}\n", step.number, step.text, already ? "  (holds already)" : "");
    line(out, "when", step.when);
    line(out, "unknown", step.known);
    render_lines(out, "needs", step.needs);
    if (step.action) {
        for (const PlanEffect& effect : step.action->effects) render_effect(out, effect);
        line(out, "runs", step.action->command.text);
    }
    if (step.captures)
        for (const auto& [name, value] : *step.captures)
            line(out, "captures", fmt::format("{} = {}", name, value));
    if (step.undo) line(out, "undo", step.undo->text);
    render_lines(out, "kept", step.kept);
    line(out, "limit", step.limit);
    render_lines(out, "PROBLEM", step.problems);
}

void render_stage(std::string& out, const PlanStage& stage) {
    out += fmt::format("\nstage {} in {}", stage.name, stage.environment);
    if (!stage.context.empty())
        out += fmt::format(" (context {}, namespace {})", stage.context, stage.name_space);
    out += '\n';
    for (const PlanGate& gate : stage.gates) out += fmt::format("  {}: {}\n", gate.text, gate_in_words(gate));
    for (const PlanStep& step : stage.steps) render_step(out, step);
    out += fmt::format("  on failure: {}\n", stage.on_failure);
    out += "  time: " + times_in_words(stage.times) + "\n";
    for (const PlanWindow& window : stage.windows) out += fmt::format("  {}\n", window_in_words(window));
    if (!stage.times.no_return.empty())
        out += fmt::format("  point of no return: {}\n", stage.times.no_return);
}

}  // namespace

std::string render_plan(const Plan& plan) {
    std::string out = fmt::format("plan{} ({} world, nothing is changed)\n",
                                  plan.title.empty() ? "" : ": " + plan.title, plan.mode);
    if (plan.emergency && !plan.emergency->empty())
        out +=
            fmt::format("\n  !!! EMERGENCY: {} !!!\n  Its gates and freezes are waived; its undo is not.\n\n",
                        *plan.emergency);
    out += fmt::format("  change digest {}\n  run digest    {}\n", short_digest(plan.digests.change),
                       short_digest(plan.digests.run));
    for (const PlanLet& let : plan.lets) out += fmt::format("  let {} = {}\n", let.name, let.value.text);
    for (const std::string& problem : plan.problems) out += fmt::format("  PROBLEM {}\n", problem);
    for (const std::string& open : plan.open) out += fmt::format("  unknown {}\n", open);
    for (const PlanStage& stage : plan.stages) render_stage(out, stage);
    return out;
}

}  // namespace migc::runtime::inline plans
