#include "runtime/engine/guards.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/natives/calendar.hpp"

namespace migc::runtime::inline engine {
namespace {

bool asks_the_hour(const ir::Program& program, const ir::Expr& e) {
    const ir::Role role = semantics::role_of(program, e);
    if (role == ir::Role::Window || role == ir::Role::Freeze) return true;
    return std::any_of(e.children.begin(), e.children.end(),
                       [&](const ir::Expr& child) { return asks_the_hour(program, child); });
}

// The files that a step works from, as its arguments name them.
std::vector<std::string> used_files(StageRun& stage, const ir::Verb& verb, const Scope& inner) {
    std::vector<std::string> paths;
    for (const ir::Parameter& slot : verb.parameters) {
        const Binding* binding = inner.find(slot.name);
        const auto* text = binding != nullptr ? binding->value.get_if<std::string>() : nullptr;
        if (slot.type.kind == ir::TypeKind::Path && !slot.type.written && text != nullptr)
            paths.push_back(*text);
        const auto* words = binding != nullptr ? binding->value.get_if<List>() : nullptr;
        const auto* word =
            words != nullptr && !words->empty() ? words->front().get_if<std::string>() : nullptr;
        if (word != nullptr && semantics::runs(verb.action, "program")) paths.push_back(*word);
    }
    if (semantics::runs(verb.action, "terraform"))
        paths.push_back(stage.environment.setting("terraform-dir"));
    return paths;
}

// Whether the step reads the run's own copy, at which nobody else works.
bool reads_copy(StageRun& stage, const ir::Verb& verb, const std::string& path) {
    const NativeEntry* native = native_of(stage, verb);
    if (native == nullptr || !native->reads_inputs) return false;
    const std::filesystem::path root = stage.environment.setting("root");
    return copied_input(stage.environment.setting("run-folder"), root, path) != root / path;
}

// Whether a gate asks by name whether the repeated stage has passed.
bool asks_whether_passed(const ir::Program& program, const ir::Stage& stage) {
    return std::any_of(stage.gates.begin(), stage.gates.end(), [&](const ir::Step& gate) {
        if (semantics::role_of(program, *gate.condition) != ir::Role::Passing) return false;
        const ir::Expr* name = semantics::role_argument(program, *gate.condition, 0);
        return name != nullptr && name->kind == ir::ExprKind::Literal && show(name->value) == *stage.repeats;
    });
}

}  // namespace

std::optional<std::string> wanted_evidence(const ir::Program& program, const ir::Stage& stage,
                                           const std::function<bool(const std::string&)>& is_in_run) {
    if (!stage.repeats || is_in_run(*stage.repeats) || asks_whether_passed(program, stage))
        return std::nullopt;
    return stage.repeats;
}

std::optional<std::string> wanted_evidence(StageRun& stage) {
    return wanted_evidence(stage.run.program, stage.stage,
                           [&](const std::string& name) { return stage.run.passed.contains(name); });
}

std::string freeze_gate() {
    return "no freeze in migc.yaml";
}

std::string evidence_gate(const std::string& stage) {
    return fmt::format("evidence that {} passed", stage);
}

Reading read_evidence(const EvalContext& eval_context, const std::string& stage) {
    std::string why = fmt::format("{} is no part of this run", stage);
    if (eval_context.options.evidence && eval_context.changes) {
        Reading reading = evidence_now(eval_context, stage);
        if (truth(reading.value) == true) return reading;
        why += reading.why.empty() ? "" : ", " + reading.why;
    }
    return {Value(false), why + "; run it first, or say `--without-evidence --because \"..\"`", false};
}

const std::string* emergency(const ir::Program& program) {
    return program.migration ? program.migration->property("emergency") : nullptr;
}

std::optional<std::string> frozen_now(const project::Inventory& inventory, Tools& tools,
                                      const RunOptions& options) {
    if (inventory.freezes.empty()) return std::nullopt;
    const Time newest = options.newest_known ? options.newest_known() : 0;
    if (auto why = clock_is_behind(tools.kind(), tools.now(), newest)) return why;
    if (auto why = frozen(inventory, tools.now())) return why;
    return frozen(inventory, tools.steady());
}

std::optional<std::string> frozen_now(StageRun& stage) {
    if (!stage.environment.is_protected) return std::nullopt;
    return frozen_now(stage.run.eval_context.inventory, stage.run.tools, stage.run.options);
}

Result still_open(StageRun& stage) {
    if (emergency(stage.run.program) != nullptr) return {};
    for (const ir::Step& gate : stage.stage.gates) {
        if (!gate.condition || !asks_the_hour(stage.run.program, *gate.condition)) continue;
        const Reading reading = stage.evaluator.evaluate(*gate.condition, stage.scope);
        if (truth(reading.value) != true)
            return {ResultKind::Closed, fmt::format("{} no longer holds: {}", gate.text, explain(reading))};
    }
    if (const auto why = frozen_now(stage)) return {ResultKind::Closed, *why};
    return {};
}

Result as_reviewed(StageRun& stage, const ir::Verb& verb, const Scope& inner) {
    if (const auto why = stage.run.tools.changed_program()) return {ResultKind::Held, *why + nothing_more};
    if (!stage.run.inputs || !verb.action) return {};
    for (const std::string& path : used_files(stage, verb, inner)) {
        if (path.empty() || reads_copy(stage, verb, path)) continue;
        if (const auto why = stage.run.inputs->changed(path))
            return {ResultKind::Held,
                    fmt::format("{} since the run began, so that it is not what was reviewed", *why)};
    }
    return {};
}

void accept_files(StageRun& stage, const ir::Verb& verb) {
    if (stage.run.inputs && semantics::runs(verb.action, "program")) stage.run.inputs->accept_all();
}

}  // namespace migc::runtime::inline engine
