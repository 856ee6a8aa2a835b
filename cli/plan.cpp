// migc plan: what a run would do, read only.
#include "runtime/plan/plan.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "compiler/checks/affected.hpp"
#include "runtime/session/consent.hpp"
#include "runtime/session/signatures.hpp"

namespace migc::cli {
namespace {

struct PlanOptions {
    std::string script;
    bool markdown = false;
    std::string save;     // --save: a file
    bool digest = false;  // --digest: only the digests
    SessionOptions session;
};

// Nothing is executed for them but the machine's kubectl, which is asked for the cluster. Which one it is
// belongs to the run digest: where only a program of the project could tell, there is none.
int digests(const Script& script, const session::Session& session, const runtime::RunOptions& options) {
    const auto digests = runtime::make_digests(script.program, script.inventory, *session.tools, options);
    if (!digests) return refuse(digests.error().message);
    say("change {}\n", digests->change);
    const bool is_whole = session.consented == nullptr || session.consented->refused().empty();
    if (!is_whole)
        return refuse(
            fmt::format("the run digest says which cluster it is, and {}, which a digest never lets it",
                        session.consented->refused().begin()->second.why));
    say("run {}\n", digests->run);
    return 0;
}

int plan(const PlanOptions& options) {
    const auto script = driver::load_script(options.script);
    print(*script);
    if (script->diagnostics.has_errors()) return 2;
    if (session::is_live(options.session))
        if (const auto own = session::is_the_users(*script); !own) return refuse(own.error());
    SessionOptions session_options = options.session;
    session_options.only_digests = options.digest;
    const auto session = session::open_session(session_options, *script);
    const auto run_options = session::run_options(options.session, *script);
    if (!session) return refuse(session.error());
    if (!run_options) return refuse(run_options.error());
    if (options.digest) return digests(*script, **session, *run_options);
    auto plan = runtime::make_plan(script->program, script->inventory, *(*session)->tools, *run_options);
    if (!plan) return refuse(plan.error().message);
    session::close_session(options.session, **session, nullptr);
    if (options.markdown || options.session.json)
        plan->affected = checks::affected({script->program, script->inventory, script->sources});
    print_answer(options.session.json, *plan,
                 options.markdown ? runtime::render_plan_markdown(*plan) : runtime::render_plan(*plan));
    print_lines(stderr, session::not_read(**session));
    constexpr int problem = 1;
    if (!options.save.empty())
        if (const int code =
                written(session::write_plan(options.save, nlohmann::json(*plan), options.script));
            code != 0)
            return code;
    return runtime::has_problem(*plan) ? problem : 0;
}

}  // namespace

void add_plan(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, plan);
    command.add_option("FILE", options.script, "The script")->required();
    command.add_flag(
        "--markdown", options.markdown,
        "As Markdown, for a pull request: why, what is affected and who reads it, order, validation, rollback, times");
    command.add_option("--save", options.save,
                       "Write the plan to a file, for `migc approve` and `migc run --plan`");
    command.add_flag("--digest", options.digest, "Print only the two digests");
    add_session_options(command, options.session);
    command.footer(
        "The plan reads the present state and changes nothing. Each step is shown as the steps before it will have "
        "left the\nworld; what only the run can know is `(known after step N)`, what takes a program that "
        "nobody\nhas allowed is `(not read: ..)`.\n\nExit codes: 0 nothing is in the "
        "way, 1 a step has a PROBLEM: it would not go well as things are, 2 there is no plan.\n\nExamples:\n  migc plan deploy.mig\n  migc "
        "plan deploy.mig --world learning\n  migc plan deploy.mig --json\n  migc plan deploy.mig --markdown > plan.md\n  "
        "migc plan deploy.mig --save plan.json");
}

}  // namespace migc::cli
