// The migration plan as Markdown: what a reviewer of a pull request reads.

#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "compiler/support/outside_text.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime::inline plans {
namespace {

std::string plain(const std::string& text) {
    return outside_text(text, Sink::Markdown);
}

std::string code(const std::string& text) {
    return outside_text(text, Sink::MarkdownCode);
}

// Within a cell of a table.
void add_line(std::string& cell, const std::string& line) {
    cell += (cell.empty() ? "" : "<br>") + line;
}

void why(std::string& out, const Plan& plan) {
    if (plan.properties.empty()) return;
    out += "## Why\n\n";
    for (const auto& [name, value] : plan.properties)
        out += fmt::format("- {}: {}\n", plain(name), plain(value));
    out += '\n';
}

void problems(std::string& out, const Plan& plan) {
    if (plan.problems.empty()) return;
    out += "## Problems\n\n";
    for (const std::string& problem : plan.problems) out += fmt::format("- **{}**\n", plain(problem));
    out += '\n';
}

void affected(std::string& out, const Plan& plan) {
    if (!plan.affected || plan.affected->empty()) return;
    out += "## What is affected\n\n| layer | what | where | who reads it |\n| --- | --- | --- | --- |\n";
    for (const checks::Affected& one : *plan.affected)
        out += fmt::format("| {} | {} | {} | {} |\n", plain(one.layer), code(one.thing),
                           plain(fmt::format("{}", fmt::join(one.environments, ", "))),
                           plain(fmt::format("{}", fmt::join(one.readers, ", "))));
    out += '\n';
}

void order(std::string& out, const Plan& plan) {
    out += "## Order\n\n";
    std::size_t number = 0;
    for (const PlanStage& stage : plan.stages) {
        out += fmt::format("{}. **{}** in {}", ++number, plain(stage.name), plain(stage.environment));
        std::string gates;
        for (const PlanGate& gate : stage.gates)
            gates += fmt::format("{}{} ({})", gates.empty() ? "" : "; ", code(gate.text),
                                 gate.open ? "open" : "closed now: " + plain(gate.why));
        out += gates.empty() ? "\n" : fmt::format(", when {}\n", gates);
    }
    out += '\n';
}

// With who can do it, where the step keeps a secret for it.
std::string undo_of(const PlanStep& step) {
    std::string text = step.undo ? plain(step.undo->text) : "";
    for (const std::string& kept : step.kept) text += "<br>" + plain(kept);
    return text;
}

bool only_looks(const PlanStep& step) {
    return step.kind == PlanStepKind::Verify || step.kind == PlanStepKind::Soak;
}

std::string effects(const PlanStep& step) {
    if (!step.action) return {};
    if (step.action->already) return "holds already";
    std::string text;
    for (const PlanEffect& effect : step.action->effects)
        // The digest of a file says nothing to people where another effect says what is changed in it.
        if (step.action->effects.size() == 1 || !is_digest(effect.after.text))
            for (const std::string& change : changes_in_words(effect)) add_line(text, plain(change));
    return text;
}

void steps(std::string& out, const PlanStage& stage) {
    out +=
        "| step | layer | what is done | what changes | how it is taken back |\n| --- | --- | --- | --- | --- |\n";
    for (const PlanStep& step : stage.steps) {
        if (only_looks(step)) continue;
        std::string done = code(step.text);
        for (const std::string& told : {step.when, step.known})
            if (!told.empty()) add_line(done, plain(told));
        for (const std::string& need : step.needs) add_line(done, "needs " + plain(need));
        for (const std::string& problem : step.problems) add_line(done, "**" + plain(problem) + "**");
        out += fmt::format("| {} | {} | {} | {} | {} |\n", step.number,
                           step.action ? plain(step.action->layer) : "", done, effects(step), undo_of(step));
    }
    out += '\n';
}

void validation(std::string& out, const PlanStage& stage) {
    std::string looks;
    for (const PlanStep& step : stage.steps) {
        if (!only_looks(step)) continue;
        looks += "- " + code(step.text);
        // A soak says its own limit.
        if (step.kind == PlanStepKind::Verify) looks += fmt::format(" (at most {})", step.limit);
        looks += '\n';
    }
    out += "### Validation\n\n" + (looks.empty() ? "Nothing is verified.\n" : looks) + "\n";
}

void rollback(std::string& out, const PlanStage& stage) {
    out += fmt::format("### Rollback\n\n- when a step fails: {}\n", code(stage.on_failure));
    for (const PlanStep& step : stage.steps)
        if (step.undo && step.undo->kind == ir::UndoKind::Irreversible)
            out += fmt::format("- {}: {}\n", code(step.text), plain(step.undo->text));
    const std::string& no_return = stage.times.no_return;
    out += no_return.empty() ? "- everything can be taken back until the end\n\n"
                             : fmt::format("- point of no return: {}\n\n", code(no_return));
}

void times(std::string& out, const PlanStage& stage) {
    out += fmt::format("### Times\n\n- {}\n", plain(times_in_words(stage.times)));
    for (const PlanWindow& window : stage.windows)
        out += fmt::format("- {}\n", plain(window_in_words(window)));
    out += '\n';
}

}  // namespace

std::string render_plan_markdown(const Plan& plan) {
    std::string out = fmt::format("# {}\n\n", plan.title.empty() ? "Migration plan" : plain(plan.title));
    why(out, plan);
    problems(out, plan);
    affected(out, plan);
    order(out, plan);
    for (const PlanStage& stage : plan.stages) {
        out += fmt::format("## Stage {}\n\n", plain(stage.name));
        steps(out, stage);
        validation(out, stage);
        rollback(out, stage);
        times(out, stage);
    }
    out += fmt::format("Made from the {} world by `migc plan --markdown`; nothing was changed.\n", plan.mode);
    return out;
}

}  // namespace migc::runtime::inline plans
