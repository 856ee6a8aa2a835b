// migc doctor: whether a run could begin, and be taken back, from here.
#include "runtime/doctor/doctor.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/consent.hpp"
#include "cli/print.hpp"
#include "cli/refuse.hpp"
#include "cli/session.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::cli {
namespace {

struct DoctorOptions {
    std::string environment;
    std::string script;
    SessionOptions session;
};

constexpr std::int64_t without_a_script_ms = std::int64_t{24} * 3600 * 1000;  // credentials that end today

// When the run and its undo are over at the latest.
runtime::Time latest_end(const nlohmann::json& plan, runtime::Time now) {
    std::int64_t total = 0;
    for (const auto& stage : plan.at("stages")) {
        const auto& times = stage.at("times");
        for (const char* part : {"steps_ms", "soaks_ms", "undo_ms"})
            total += times.value(part, std::int64_t{0});
    }
    return now + total;
}

// A script's environments, in the order of its stages.
class Examination {
  public:
    Examination(const DoctorOptions& options, const Script& script, runtime::Tools& tools,
                runtime::RunOptions run_options)
        : options_(options), script_(script), tools_(tools), run_options_(std::move(run_options)) {
        run_options_.reads_secrets = false;
    }

    tl::expected<runtime::Diagnoses, std::string> run() {
        runtime::examine_journal(script_.inventory.root, found_);
        if (tools_.kind() == "live") runtime::examine_tools(script_.program, tools_, found_);
        nlohmann::json plan = {{"stages", nlohmann::json::array()}};
        if (!script_.program.stages.empty()) {
            auto made = runtime::make_plan(script_.program, script_.inventory, tools_, run_options_);
            if (!made) return tl::unexpected(made.error().message);
            plan = std::move(*made);
        }
        const auto until =
            plan["stages"].empty() ? tools_.now() + without_a_script_ms : latest_end(plan, tools_.now());
        for (const ir::Stage& stage : stages())
            if (auto examined = examine(stage, plan, until); !examined)
                return tl::unexpected(examined.error());
        return std::move(found_);
    }

  private:
    // Of a script its own; else one that does nothing for each environment of migc.yaml.
    [[nodiscard]] std::vector<ir::Stage> stages() const {
        std::vector<ir::Stage> result = script_.program.stages;
        if (result.empty())
            for (const auto& environment : script_.inventory.environments) {
                ir::Stage stage;
                stage.name = stage.environment = environment.name;
                result.push_back(std::move(stage));
            }
        std::erase_if(result, [&](const ir::Stage& stage) {
            return !options_.environment.empty() && stage.environment != options_.environment;
        });
        return result;
    }

    tl::expected<void, std::string> examine(const ir::Stage& stage, const nlohmann::json& plan,
                                            runtime::Time until) {
        auto environment =
            runtime::resolve_environment(script_.program, stage, script_.inventory, run_options_, tools_);
        if (!environment) return tl::unexpected(environment.error().message);
        const bool has_script = !script_.program.stages.empty();
        bool uses_cluster = has_script ? runtime::uses_kubectl(script_.program, stage) : true;
        if (!has_script)
            if (const auto resolved = runtime::resolve_cluster(script_.program, *environment, tools_);
                !resolved) {
                found_.push_back({runtime::Health::Note, environment->name, resolved.error().message, {}});
                uses_cluster = false;
            }
        runtime::examine_environment(script_.program, *environment, uses_cluster, until, tools_, found_);
        for (const auto& planned : plan.at("stages"))
            if (planned.at("stage") == stage.name && uses_cluster)
                runtime::examine_rights(script_.program, planned, *environment, tools_, found_);
        return {};
    }

    const DoctorOptions& options_;
    const Script& script_;
    runtime::Tools& tools_;
    runtime::RunOptions run_options_;
    runtime::Diagnoses found_;
};

// The project that one stands in, without a script of its own.
std::unique_ptr<Script> no_script() {
    auto script = std::make_unique<Script>();
    script->file = script->sources.add("no script", "");
    script->inventory =
        project::load_inventory(std::filesystem::current_path(), script->sources, script->diagnostics);
    return script;
}

int doctor(const DoctorOptions& options) {
    if (!options.session.record.empty())
        return refuse("--record: the doctor looks at credentials, and no record is made of those");
    const auto script = options.script.empty() ? no_script() : load_script(options.script);
    print_errors(*script);
    if (script->diagnostics.has_errors()) return refused;
    if (is_live(options.session) && !options.script.empty())
        if (const auto own = is_the_users(*script); !own) return refuse(own.error());
    if (!options.environment.empty() && script->inventory.environment(options.environment) == nullptr)
        return refuse(fmt::format("migc.yaml has no environment {}", options.environment));
    const auto session = open_session(options.session, *script);
    if (!session) return refuse(session.error());
    auto run_options = cli::run_options(options.session, *script);
    if (!run_options) return refuse(run_options.error());
    const auto found = Examination(options, *script, *(*session)->tools, std::move(*run_options)).run();
    if (!found) return refuse(found.error());
    if (options.session.json)
        print_document(Document::Json, to_json(*found).dump(2) + "\n");
    else
        print_lines(stdout, runtime::render(*found));
    tell_not_read(**session);
    return std::any_of(found->begin(), found->end(),
                       [](const auto& one) { return one.health == runtime::Health::Trouble; })
               ? 1
               : 0;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand(
        "doctor", "Before the window: tools, clusters, rights, credentials, locks, room for the journal");
    auto options = std::make_shared<DoctorOptions>();
    command->add_option("ENVIRONMENT", options->environment, "Only this one");
    command->add_option("--for", options->script,
                        "A script: what its steps and their undo need is looked at, rights included");
    add_session_options(*command, options->session);
    command->footer(
        "Nothing is changed.\n\nExamples:\n  migc doctor\n  migc doctor production --for deploy.mig\n\nExit codes: 0 all "
        "is well, 1 there is trouble, 2 it could not be found out.");
    command->callback([options, &exit_code] { exit_code = doctor(*options); });
}

}  // namespace migc::cli
