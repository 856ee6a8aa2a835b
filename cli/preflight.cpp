#include "cli/preflight.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/doctor/doctor.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::cli {
namespace {

// A right that could not be asked for stops nobody: the step itself will tell.
void add_rights(const Script& script, runtime::Tools& tools, const runtime::RunOptions& options,
                runtime::Diagnoses& found) {
    const auto& stages = script.program.stages;
    const auto uses = [&](const ir::Stage& stage) { return runtime::uses_kubectl(script.program, stage); };
    if (std::none_of(stages.begin(), stages.end(), uses)) return;
    const auto plan = runtime::make_plan(script.program, script.inventory, tools, options);
    if (!plan) return;  // the run says why
    // Only the stages that were asked for are planned.
    for (const auto& planned : plan->at("stages")) {
        const ir::Stage* stage = script.program.stage(planned.at("stage").get<std::string>());
        if (stage == nullptr || !uses(*stage)) continue;
        const auto environment =
            runtime::resolve_environment(script.program, *stage, script.inventory, options, tools);
        if (environment) runtime::examine_rights(planned, *environment, tools, found);
    }
}

}  // namespace

std::string preflight(const Script& script, runtime::Tools& tools, const runtime::RunOptions& options) {
    if (tools.kind() != "live") return {};
    runtime::Diagnoses found;
    runtime::examine_room(script.inventory.root, found);
    add_rights(script, tools, options, found);
    std::string reasons;
    for (const auto& one : found)
        if (one.health == runtime::Health::Trouble)
            reasons +=
                fmt::format("\n  {}: {}{}{}", one.subject, one.text, one.mend.empty() ? "" : "; ", one.mend);
    return reasons;
}

}  // namespace migc::cli
