// Lower environments come first: what production gets has been seen in staging.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

bool is_emergency(const ir::Program& program) {
    return program.migration && program.migration->property("emergency");
}

// The stages that change something, in the order of the script.
std::vector<const ir::Stage*> changing_stages(const ir::Program& program) {
    std::vector<const ir::Stage*> result;
    for (const auto& stage : program.stages)
        if (mutates(program, stage.steps)) result.push_back(&stage);
    return result;
}

std::string order_in_words(const project::Inventory& inventory) {
    std::string result;
    for (const auto& name : inventory.order) result += (result.empty() ? "" : ", ") + name.text;
    return result;
}

// A lower environment that is changed for the first time only after `stages[at]`.
const ir::Stage* lower_stage_behind(const Input& input, const std::vector<const ir::Stage*>& stages,
                                    std::size_t at) {
    const auto rank = input.inventory.rank(stages[at]->environment);
    for (std::size_t later = at + 1; rank && later < stages.size(); ++later) {
        const auto other = input.inventory.rank(stages[later]->environment);
        const auto same = [&](const ir::Stage* s) { return s->environment == stages[later]->environment; };
        if (other && *other < *rank &&
            std::none_of(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(at), same))
            return stages[later];
    }
    return nullptr;
}

void production_first(const Input& input, const std::vector<const ir::Stage*>& stages,
                      Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const ir::Stage* lower = lower_stage_behind(input, stages, i);
        if (!lower) continue;
        auto& d = diagnostics.report(
            Code::ProductionFirst, stages[i]->span,
            fmt::format("{} is changed before {}", stages[i]->environment, lower->environment));
        d.primary_label = fmt::format("changes {}", stages[i]->environment);
        d.labels.push_back(
            {lower->span, fmt::format("{} should have tested this before", lower->environment)});
        if (input.inventory.exists && !input.inventory.order.empty())
            d.labels.push_back({input.inventory.order.front().span, "the order is stated here"});
        d.notes.push_back(fmt::format("the order of environments is {}: a mistake would reach {} untested",
                                      order_in_words(input.inventory), stages[i]->environment));
        d.notes.push_back(fmt::format(
            "put stage `{}` first, and let `{}` repeat its steps: `stage {} repeats {} < gate {} passed; >`",
            lower->name, stages[i]->name, stages[i]->name, lower->name, lower->name));
    }
}

bool asks_for_evidence(const ir::Program& program, const ir::Stage& stage) {
    return std::any_of(stage.gates.begin(), stage.gates.end(), [&](const ir::Step& gate) {
        const auto& probe = gate.condition->kind == ir::ExprKind::Probe
                                ? program.probes[gate.condition->declaration].read
                                : std::nullopt;
        return probe && probe->native == "stage-passed";
    });
}

void lower_missing(const Input& input, const std::vector<const ir::Stage*>& stages,
                   Diagnostics& diagnostics) {
    for (const ir::Stage* stage : stages) {
        const project::Environment* environment = input.inventory.environment(stage->environment);
        const auto rank = input.inventory.rank(stage->environment);
        if (!environment || !environment->is_protected || !rank || *rank == 0 ||
            asks_for_evidence(input.program, *stage))
            continue;
        const bool has_lower = std::any_of(stages.begin(), stages.end(), [&](const ir::Stage* other) {
            const auto r = input.inventory.rank(other->environment);
            return r && *r < *rank;
        });
        if (has_lower) continue;
        const std::string& lower = input.inventory.order[*rank - 1].text;
        auto& d =
            diagnostics.report(Code::LowerMissing, stage->span,
                               fmt::format("{} is changed, and no lower environment is", stage->environment));
        d.notes.push_back(
            fmt::format("a mistake would be seen in {} for the first time", stage->environment));
        d.notes.push_back(fmt::format(
            "add a stage `{}` before it, or ask for its evidence: `gate {} passed;`", lower, lower));
    }
}

}  // namespace

void order(const Picture& input, Diagnostics& diagnostics) {
    if (is_emergency(input.program)) return;
    const auto stages = changing_stages(input.program);
    production_first(input, stages, diagnostics);
    lower_missing(input, stages, diagnostics);
}

}  // namespace migc::checks
