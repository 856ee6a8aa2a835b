// Lower environments come first: what production gets has been seen in staging.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/find.hpp"

namespace migc::checks {
namespace {

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

using Stages = std::vector<const ir::Stage*>;

// The first stage of each environment, by its place among the stages.
std::map<std::string, std::size_t> first_stages(const Stages& stages) {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < stages.size(); ++i) first.emplace(stages[i]->environment, i);
    return first;
}

// A lower environment that is changed for the first time only after `stages[at]`.
const ir::Stage* lower_stage_behind(const Input& input, const Stages& stages,
                                    const std::map<std::string, std::size_t>& first, std::size_t at) {
    const auto rank = input.inventory.rank(stages[at]->environment);
    std::size_t found = stages.size();
    for (const auto& [environment, place] : first) {
        const auto other = input.inventory.rank(environment);
        if (rank && other && *other < *rank && place > at) found = std::min(found, place);
    }
    return found == stages.size() ? nullptr : stages[found];
}

void production_first(const Input& input, const Stages& stages, Diagnostics& diagnostics) {
    const auto first = first_stages(stages);
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const ir::Stage* lower = lower_stage_behind(input, stages, first, i);
        if (!lower) continue;
        auto& d = diagnostics.report(
            Code::ProductionFirst, stages[i]->span,
            fmt::format("{} is changed before {}", stages[i]->environment, lower->environment));
        d.primary_label = fmt::format("changes {}", stages[i]->environment);
        d.label(lower->span, fmt::format("{} should have tested this before", lower->environment));
        if (input.inventory.exists && !input.inventory.order.empty())
            d.label(input.inventory.order.front().span, "the order is stated here");
        d.note(fmt::format("the order of environments is {}: a mistake would reach {} untested",
                           order_in_words(input.inventory), stages[i]->environment));
        d.note(fmt::format(
            "put stage `{}` first, and let `{}` repeat its steps: `stage {} repeats {} < gate {} passed; >`",
            lower->name, stages[i]->name, heading(*stages[i]), lower->name, lower->name));
    }
}

// The stage of this script whose passing a gate waits for; null if it is another run's, or no such gate.
struct Evidence {
    bool is_asked_for = false;
    const ir::Stage* stage = nullptr;
};

Evidence evidence_of(const CheckContext& picture, const ir::Stage& stage, const ir::Step& gate) {
    if (semantics::role_of(picture.program, *gate.condition) != ir::Role::Passing) return {};
    const auto name = asked_of(picture, gate, stage);
    return {true, name ? picture.program.stage(show(*name)) : nullptr};
}

// Evidence of a stage that changes nothing says nothing about a change.
bool asks_for_evidence(const CheckContext& picture, const ir::Stage& stage) {
    return std::ranges::any_of(stage.gates, [&](const ir::Step& gate) {
        const Evidence evidence = evidence_of(picture, stage, gate);
        return evidence.is_asked_for &&
               (evidence.stage == nullptr || mutates(picture.program, evidence.stage->steps));
    });
}

// The gate that asks a stage which changes nothing; null if none does.
const ir::Step* empty_gate(const CheckContext& picture, const ir::Stage& stage) {
    return first_of(stage.gates,
                    [&](const ir::Step& one) { return evidence_of(picture, stage, one).stage != nullptr; });
}

void lower_missing(const CheckContext& input, const Stages& stages, Diagnostics& diagnostics) {
    std::optional<std::size_t> lowest;
    for (const ir::Stage* stage : stages)
        if (const auto rank = input.inventory.rank(stage->environment))
            lowest = std::min(lowest.value_or(*rank), *rank);
    for (const ir::Stage* stage : stages) {
        const project::Environment* environment = input.inventory.environment(stage->environment);
        const auto rank = input.inventory.rank(stage->environment);
        if (!environment || !environment->is_protected || !rank || *rank == 0 ||
            asks_for_evidence(input, *stage))
            continue;
        if (lowest && *lowest < *rank) continue;
        const std::string& lower = input.inventory.order[*rank - 1].text;
        auto& d =
            diagnostics.report(Code::LowerMissing, stage->span,
                               fmt::format("{} is changed, and no lower environment is", stage->environment));
        const ir::Step* gate = empty_gate(input, *stage);
        if (gate != nullptr)
            d.label(gate->span, "passes without having tried anything: that stage only looks");
        d.note(fmt::format("a mistake would be seen in {} for the first time", stage->environment));
        d.note(
            gate != nullptr
                ? "let that stage make the same change; or leave it out, and the gate asks for an earlier run"
                : fmt::format("add a stage `{}` before it, or ask for its evidence: `gate {} passed;`", lower,
                              lower));
    }
}

}  // namespace

void order(const CheckContext& input, Diagnostics& diagnostics) {
    if (is_emergency(input.program)) return;
    const auto stages = changing_stages(input.program);
    production_first(input, stages, diagnostics);
    lower_missing(input, stages, diagnostics);
}

}  // namespace migc::checks
