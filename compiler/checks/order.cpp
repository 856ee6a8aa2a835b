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

// ------------------------------------------------ environments that do not differ

using project::Environment;

// Whether both are known to be the same namespace of the same cluster.
bool is_same_namespace(const Environment& a, const Environment& b) {
    if (a.name_space != b.name_space) return false;
    if (a.context && a.context == b.context && a.kubeconfig == b.kubeconfig)
        return !a.cluster_uid || !b.cluster_uid || a.cluster_uid == b.cluster_uid;
    return a.name_space && a.cluster_uid && a.cluster_uid == b.cluster_uid;
}

// Whether both are known to have the same state: without a workspace it is that which is selected.
bool is_same_state(const Environment& a, const Environment& b) {
    return a.terraform && b.terraform && a.terraform->directory == b.terraform->directory &&
           !a.terraform->workspace.empty() && a.terraform->workspace == b.terraform->workspace;
}

// What both are; empty if they may differ.
std::string_view shared_by(const Environment& a, const Environment& b) {
    if (is_same_namespace(a, b)) return "the same namespace of the same cluster";
    return is_same_state(a, b) ? "the same state of terraform" : "";
}

// The first stage that changes an environment; null if none does.
const ir::Stage* stage_of(const Stages& stages, const std::string& environment) {
    const auto found = std::ranges::find(stages, environment, &ir::Stage::environment);
    return found == stages.end() ? nullptr : *found;
}

// Staging with production's context and namespace.
void one_in_disguise(const Input& input, const Stages& stages, Diagnostics& diagnostics) {
    const auto& order = input.inventory.order;
    for (std::size_t low = 0; low < order.size(); ++low) {
        const Environment* lower = input.inventory.environment(order[low].text);
        const ir::Stage* stage = stage_of(stages, order[low].text);
        if (lower == nullptr || stage == nullptr) continue;
        for (std::size_t high = low + 1; high < order.size(); ++high) {
            const Environment* upper = input.inventory.environment(order[high].text);
            const std::string_view shared = upper == nullptr ? "" : shared_by(*lower, *upper);
            if (shared.empty()) continue;
            auto& d =
                diagnostics.report(Code::ProductionFirst, lower->span,
                                   fmt::format("{} and {} are one: {}", lower->name, upper->name, shared));
            d.label(upper->span, "this is the same");
            d.label(stage->span, fmt::format("would change {}", upper->name));
            d.note(fmt::format(
                "what is tried in {} would land in {} at once, before anything has tested it: say in migc.yaml where {} is",
                lower->name, upper->name, lower->name));
        }
    }
}

// An order that puts what is protected below what is not is the wrong way round, and says nothing of what
// tests what. Whether it is so.
bool is_reversed(const Input& input, Diagnostics& diagnostics) {
    const auto& order = input.inventory.order;
    const auto is_protected = [&](const project::Scalar& name) {
        const Environment* environment = input.inventory.environment(name.text);
        return environment != nullptr && environment->is_protected;
    };
    const auto below = std::ranges::find_if(order, is_protected);
    const auto above = std::find_if_not(below, order.end(), is_protected);
    if (above == order.end()) return false;
    auto& d = diagnostics.report(Code::ProductionFirst, below->span,
                                 fmt::format("`order` puts {}, which is protected, before {}, which is not",
                                             below->text, above->text));
    d.label(above->span, "comes after it");
    d.note(fmt::format(
        "lower environments come first: a mistake would reach {} untested. Put {} before it; or, if {} does come later, "
        "protect it as well: `protected: true`",
        below->text, above->text, above->text));
    return true;
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
    const auto stages = changing_stages(input.program);
    one_in_disguise(input, stages, diagnostics);
    if (is_emergency(input.program) || stages.empty() || is_reversed(input, diagnostics)) return;
    production_first(input, stages, diagnostics);
    lower_missing(input, stages, diagnostics);
}

}  // namespace migc::checks
