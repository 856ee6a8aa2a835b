#include "compiler/checks/checks.hpp"

namespace migc::checks {

std::optional<Value> asked_of(const CheckContext& picture, const ir::Step& gate, const ir::Stage& stage,
                              std::size_t number) {
    const ir::Expr* given = semantics::role_argument(picture.program, *gate.condition, number);
    return given != nullptr ? picture.timeline.value(*given, stage) : std::nullopt;
}

const std::vector<Check>& families() {
    static const std::vector<Check> all = {
#define MIGC_CHECK(name) name,
#include "compiler/checks/checks.def"
#undef MIGC_CHECK
    };
    return all;
}

CheckContext::CheckContext(const Input& input)
    : Input(input),
      manifests(input.inventory.root, input.sources),
      resources(program, inventory, manifests),
      files(inventory.root, input.sources),
      timeline(program, inventory, manifests, sources, resources, files) {}

void run(const Input& input, Diagnostics& diagnostics) {
    const CheckContext picture(input);
    for (const Check check : families()) check(picture, diagnostics);
}

bool is_emergency(const ir::Program& program) {
    return program.migration && program.migration->property("emergency") != nullptr;
}

std::string heading(const ir::Stage& stage) {
    return stage.name == stage.environment ? stage.name
                                           : fmt::format("{} in {}", stage.name, stage.environment);
}

bool has_own_failure_block(const ir::Program& program, const ir::Stage& stage) {
    const ir::Stage* repeated = stage.repeats ? program.stage(*stage.repeats) : nullptr;
    return stage.on_failure && (repeated == nullptr || stage.failure_span != repeated->failure_span);
}

void each_undo_of_step(const StageEvents& course, const std::function<void(const OwnUndo&)>& visit) {
    std::set<const ir::Step*> seen;
    for (const OwnUndo& own : course.undos)
        if (!own.by_verb && own.part_of == nullptr && seen.insert(own.step).second) visit(own);
}

void each_own_expression(const CheckContext& picture, const semantics::VisitExpression& visit) {
    each_expression(picture.program, visit);
    for (const ir::Verb& verb : picture.program.verbs)
        if (picture.timeline.is_own(verb.span)) each_expression(verb, visit);
    for (const ir::Probe& probe : picture.program.probes)
        if (picture.timeline.is_own(probe.span)) each_expression(probe, visit);
    for (const ir::Tool& tool : picture.program.tools)
        if (picture.timeline.is_own(tool.span)) each_expression(tool, visit);
}

const ir::Step* first_mutation(const ir::Program& program, const std::vector<ir::Step>& steps) {
    const ir::Step* found = nullptr;
    each_step(steps, [&](const ir::Step& step) {
        if (!found && step.kind == ir::StepKind::Call && program.verbs[step.verb].mutates()) found = &step;
    });
    return found;
}

bool mutates(const ir::Program& program, const std::vector<ir::Step>& steps) {
    return first_mutation(program, steps) != nullptr;
}

}  // namespace migc::checks
