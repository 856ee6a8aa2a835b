#include "runtime/inspect/examine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"

namespace migc::runtime::inline inspect {
namespace {

constexpr std::int64_t without_a_script_ms = std::int64_t{24} * 3600 * 1000;  // credentials that end today

// When the run and its undo are over at the latest.
Time latest_end(const Plan& plan, Time now) {
    for (const auto& stage : plan.stages)
        now += stage.times.steps_ms + stage.times.soaks_ms + stage.times.undo_ms;
    return now;
}

// A script's environments, in the order of its stages.
class Examination {
  public:
    Examination(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
                RunOptions options)
        : program_(program), inventory_(inventory), tools_(tools), options_(std::move(options)) {
        options_.reads_secrets = false;
    }

    tl::expected<Diagnoses, std::string> run(const std::string& environment) {
        examine_journal(inventory_.root, found_);
        if (tools_.kind() == "live") examine_tools(program_, tools_, found_);
        Plan plan;
        if (!program_.stages.empty()) {
            auto made = make_plan(program_, inventory_, tools_, options_);
            if (!made) return tl::unexpected(made.error().message);
            plan = std::move(*made);
        }
        const auto until =
            plan.stages.empty() ? tools_.now() + without_a_script_ms : latest_end(plan, tools_.now());
        for (const ir::Stage& stage : stages()) {
            if (!environment.empty() && stage.environment != environment) continue;
            if (auto examined = one(stage, plan, until); !examined) return tl::unexpected(examined.error());
        }
        return std::move(found_);
    }

  private:
    // Of a script its own; else one that does nothing for each environment of migc.yaml.
    [[nodiscard]] std::vector<ir::Stage> stages() const {
        std::vector<ir::Stage> result = program_.stages;
        if (!result.empty()) return result;
        for (const auto& environment : inventory_.environments) {
            ir::Stage stage;
            stage.name = stage.environment = environment.name;
            result.push_back(std::move(stage));
        }
        return result;
    }

    tl::expected<void, std::string> one(const ir::Stage& stage, const Plan& plan, Time until) {
        auto environment = resolve_environment(program_, stage, inventory_, options_, tools_);
        if (!environment) return tl::unexpected(environment.error().message);
        const bool has_script = !program_.stages.empty();
        bool uses_cluster = has_script ? uses_kubectl(program_, stage) : true;
        if (!has_script)
            if (const auto resolved = resolve_cluster(program_, *environment, tools_); !resolved) {
                Examined(environment->name, found_).note(resolved.error().message);
                uses_cluster = false;
            }
        examine_environment(program_, *environment, uses_cluster, until, tools_, found_);
        for (const auto& planned : plan.stages)
            if (planned.name == stage.name && uses_cluster)
                examine_rights(program_, planned, *environment, tools_, found_);
        return {};
    }

    const ir::Program& program_;
    const project::Inventory& inventory_;
    Tools& tools_;
    RunOptions options_;
    Diagnoses found_;
};

bool any_uses_kubectl(const ir::Program& program) {
    return std::any_of(program.stages.begin(), program.stages.end(),
                       [&](const ir::Stage& stage) { return uses_kubectl(program, stage); });
}

}  // namespace

tl::expected<Diagnoses, std::string> examine(const ir::Program& program, const project::Inventory& inventory,
                                             Tools& tools, RunOptions options,
                                             const std::string& environment) {
    return Examination(program, inventory, tools, std::move(options)).run(environment);
}

std::string preflight(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
                      const RunOptions& options, std::optional<Plan> plan) {
    if (tools.kind() != "live") return {};
    Diagnoses found;
    examine_room(inventory.root, found);
    if (!plan && any_uses_kubectl(program))
        if (auto made = make_plan(program, inventory, tools, options)) plan = std::move(*made);
    // Without one the run says why. Only the stages that were asked for are planned.
    for (const auto& planned : plan ? plan->stages : std::vector<PlanStage>()) {
        const ir::Stage* stage = program.stage(planned.name);
        if (stage == nullptr || !uses_kubectl(program, *stage)) continue;
        // A right that could not be asked for stops nobody: the step itself will tell.
        if (const auto environment = resolve_environment(program, *stage, inventory, options, tools))
            examine_rights(program, planned, *environment, tools, found);
    }
    std::string reasons;
    for (const auto& one : found)
        if (one.health == Health::Trouble)
            reasons += "\n  " + escaped(fmt::format("{}: {}{}{}", one.subject, one.text,
                                                    one.mend.empty() ? "" : "; ", one.mend));
    return reasons;
}

}  // namespace migc::runtime::inline inspect
