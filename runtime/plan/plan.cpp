#include "runtime/plan/plan.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "compiler/semantics/roles.hpp"
#include "compiler/semantics/step_id.hpp"
#include "compiler/semantics/window.hpp"
#include "compiler/support/text.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/plan/foreseen.hpp"
#include "runtime/plan/stage_plan.hpp"
#include "runtime/plan/words.hpp"
#include "runtime/review/reviewed.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline plans {
namespace {

std::string failure_text(const std::optional<std::vector<ir::Step>>& block) {
    if (!block) return "hold";
    std::vector<std::string> texts;
    for (const ir::Step& step : *block) texts.push_back(step.text);
    return joined(texts, "; ");
}

class Planner {
  public:
    Planner(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
            const RunOptions& options)
        : program_(program), inventory_(inventory), tools_(tools), options_(options) {
        eval_context_.kept = &kept_;
        eval_context_.environment_of = [this](const std::string& name) -> const StageEnvironment* {
            for (const auto& [stage, environment] : stages_)
                if (stage->name == name) return environment.get();
            return nullptr;
        };
    }

    tl::expected<Plan, Problem> run() {
        if (auto problem = resolve()) return tl::unexpected(*problem);
        auto digests = review_all();
        if (!digests) return tl::unexpected(digests.error());
        Plan plan;
        plan.digests = std::move(*digests);
        plan.mode = tools_.kind();
        if (program_.migration) {
            const ir::Migration& migration = *program_.migration;
            plan.title = migration.title;
            for (const auto& [name, value] : migration.properties) plan.properties[name] = value;
            if (const std::string* why = migration.property("emergency")) plan.emergency = *why;
        }
        plan.lets = lets();
        requirements(plan);
        for (const auto& [stage, environment] : stages_)
            plan.stages.push_back(plan_stage(*stage, *environment));
        redact(plan);
        return plan;
    }

    tl::expected<PlanDigests, Problem> digests() {
        if (auto problem = resolve()) return tl::unexpected(*problem);
        return review_all();
    }

  private:
    std::optional<Problem> resolve() {
        options_.reads_secrets = false;
        for (const ir::Stage& stage : program_.stages) {
            if (!options_.only.empty() &&
                std::find(options_.only.begin(), options_.only.end(), stage.name) == options_.only.end())
                continue;
            auto environment = resolve_environment(program_, stage, inventory_, options_, tools_);
            if (!environment) return environment.error();
            environment->redact_secrets(program_);
            stages_.emplace_back(&stage, std::make_unique<StageEnvironment>(std::move(*environment)));
        }
        return std::nullopt;
    }

    tl::expected<PlanDigests, Problem> review_all() {
        std::vector<BoundStage> bound;
        for (const auto& [stage, environment] : stages_) bound.push_back({stage, environment.get()});
        auto inputs = Inputs::collect(program_, inventory_, options_);
        if (!inputs) return tl::unexpected(Problem{inputs.error()});
        const Reviewed reviewed = review(program_, bound, inventory_, **inputs, tools_);
        options_.run_digest = reviewed.run_digest();
        change_ = reviewed.change_digest();
        return PlanDigests{
            change_, options_.run_digest, {{"change", reviewed.change}, {"run", reviewed.run}}};
    }

    std::vector<PlanLet> lets() {
        const StageEnvironment common = common_environment(program_, inventory_, options_);
        Evaluator evaluator(eval_context_, common);
        evaluator.foresight = &foreseen_;
        std::vector<PlanLet> result;
        for (const ir::Step& step : program_.lets) {
            const Reading reading = evaluator.evaluate(*step.value, globals_);
            result.push_back({step.name, bind_let(step, reading, &kept_, globals_)});
        }
        return result;
    }

    // What the script requires, and a run would be refused for; and that of which the plan cannot say.
    void requirements(Plan& plan) {
        const StageEnvironment common = common_environment(program_, inventory_, options_);
        Evaluator evaluator(eval_context_, common);
        evaluator.globals = &globals_;
        evaluator.foresight = &foreseen_;
        for (const ir::Requirement& requirement : program_.requirements) {
            const Reading reading = evaluator.evaluate(requirement.condition, globals_);
            if (truth(reading.value) == true) continue;
            const std::string after = known_after(reading.value);
            (after.empty() ? plan.problems : plan.open)
                .push_back(fmt::format("the script requires `{}`: {}", requirement.text,
                                       after.empty() ? explain(reading) : after));
        }
    }

    PlanStage plan_stage(const ir::Stage& stage, StageEnvironment& environment) {
        environment.settings["run-folder"] =
            (std::filesystem::path(environment.setting("root")) / ".migc" / "runs" / "next").string();
        const ir::Stage& definition = semantics::stage_with_steps(program_, stage);
        foreseen_.enter(environment, stage.name);
        StagePlanner planner(eval_context_, environment, globals_, foreseen_);
        PlanStage entry;
        entry.name = stage.name;
        entry.environment = environment.name;
        entry.context = environment.setting("context");
        entry.name_space = environment.setting("namespace");
        entry.gates = planner.gates(stage.gates);
        const auto wanted = wanted_evidence(
            program_, stage, [this](const std::string& name) { return passed_.contains(name); });
        if (wanted) entry.gates.push_back(evidence(*wanted));
        if (const auto why =
                environment.is_protected ? frozen_now(inventory_, tools_, options_) : std::nullopt)
            entry.gates.push_back({freeze_gate(), false, *why});
        entry.steps = planner.steps(stage, definition);
        entry.on_failure = failure_text(stage.on_failure ? stage.on_failure : definition.on_failure);
        entry.times = planner.times();
        for (const std::string& text : windows(stage, environment))
            if (const auto window = semantics::parse_window(text))
                entry.windows.push_back({text, semantics::last_safe_start(*window, entry.times.window_ms())});
        passed_.insert(stage.name);
        return entry;
    }

    PlanGate evidence(const std::string& stage) {
        if (!options_.without_evidence.empty()) return {evidence_gate(stage), true};
        const Reading reading = read_evidence(eval_context_, stage);
        const bool open = truth(reading.value) == true;
        return {evidence_gate(stage), open, open ? "" : explain(reading)};
    }

    // The maintenance windows that a stage's gates name.
    std::vector<std::string> windows(const ir::Stage& stage, const StageEnvironment& environment) {
        std::vector<std::string> found;
        Evaluator evaluator(eval_context_, environment);
        for (const ir::Step& gate : stage.gates) {
            if (semantics::role_of(program_, *gate.condition) != ir::Role::Window) continue;
            const ir::Expr* asked = semantics::role_argument(program_, *gate.condition, 0);
            const Value when = asked != nullptr ? evaluator.evaluate(*asked, globals_).value : Value();
            if (const auto* text = when.get_if<std::string>()) found.push_back(*text);
        }
        return found;
    }

    const ir::Program& program_;
    const project::Inventory& inventory_;
    Tools& tools_;
    RunOptions options_;
    std::vector<std::pair<const ir::Stage*, std::unique_ptr<StageEnvironment>>> stages_;
    std::string change_;
    std::set<std::string> passed_;  // stages planned before, which then will have passed
    Foreseen foreseen_{tools_, inventory_.root, options_.natives};
    EvalContext eval_context_{program_,
                              inventory_,
                              foreseen_.tools(),
                              options_,
                              [this](const std::string& stage) { return passed_.contains(stage); },
                              {},
                              [this] { return std::vector<std::string>{change_}; }};
    KeptSecrets kept_{inventory_.root, tools_.kind() == "live", KeptSecrets::Use::Planning};
    Scope globals_;
};

}  // namespace

tl::expected<Plan, Problem> make_plan(const ir::Program& program, const project::Inventory& inventory,
                                      Tools& tools, const RunOptions& options) {
    return Planner(program, inventory, tools, options).run();
}

tl::expected<PlanDigests, Problem> make_digests(const ir::Program& program,
                                                const project::Inventory& inventory, Tools& tools,
                                                const RunOptions& options) {
    return Planner(program, inventory, tools, options).digests();
}

bool has_problem(const Plan& plan) {
    const auto in_step = [](const PlanStep& step) { return !step.problems.empty() && step.when.empty(); };
    return !plan.problems.empty() ||
           std::any_of(plan.stages.begin(), plan.stages.end(), [&](const PlanStage& stage) {
               return std::any_of(stage.steps.begin(), stage.steps.end(), in_step);
           });
}

}  // namespace migc::runtime::inline plans
