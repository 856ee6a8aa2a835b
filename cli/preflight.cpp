#include "cli/preflight.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/doctor/doctor.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::cli {
namespace {

// A right that could not be asked for stops nobody: the step itself will tell.
void add_rights(const Script& script, const nlohmann::json& plan, runtime::Tools& tools,
                const runtime::RunOptions& options, runtime::Diagnoses& found) {
    // Only the stages that were asked for are planned.
    for (const auto& planned : plan.at("stages")) {
        const ir::Stage* stage = script.program.stage(planned.at("stage").get<std::string>());
        if (stage == nullptr || !runtime::uses_kubectl(script.program, *stage)) continue;
        const auto environment =
            runtime::resolve_environment(script.program, *stage, script.inventory, options, tools);
        if (environment) runtime::examine_rights(script.program, planned, *environment, tools, found);
    }
}

bool uses_kubectl(const ir::Program& program) {
    return std::any_of(program.stages.begin(), program.stages.end(),
                       [&](const ir::Stage& stage) { return runtime::uses_kubectl(program, stage); });
}

}  // namespace

std::string preflight(const Script& script, runtime::Tools& tools, const runtime::RunOptions& options,
                      std::optional<nlohmann::json> plan) {
    if (tools.kind() != "live") return {};
    runtime::Diagnoses found;
    runtime::examine_room(script.inventory.root, found);
    if (!plan && uses_kubectl(script.program))
        if (auto made = runtime::make_plan(script.program, script.inventory, tools, options)) plan = *made;
    if (plan) add_rights(script, *plan, tools, options, found);  // without one the run says why
    std::string reasons;
    for (const auto& one : found)
        if (one.health == runtime::Health::Trouble)
            reasons +=
                fmt::format("\n  {}: {}{}{}", one.subject, one.text, one.mend.empty() ? "" : "; ", one.mend);
    return reasons;
}

}  // namespace migc::cli
