// migc run, undo: what changes things, and takes the changes back.
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/signatures.hpp"
#include "cli/terminal.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/reviewed.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/report/report.hpp"
#include "runtime/tools/interrupts.hpp"

namespace migc::cli {
namespace {

struct Options {
    std::string script;  // of run
    std::string run;     // of undo
    bool overwrite = false;
    std::string expect, plan;  // --expect, --plan: what was reviewed
    SessionOptions session;
};

constexpr int locked = 5;
constexpr int wrong = 2;  // the script or the command line

int refuse(const std::string& message, int exit_code = wrong) {
    fmt::print(stderr, "migc: {}\n", message);
    return exit_code;
}

// Simulated and replayed runs change nothing that two could fight for.
tl::expected<runtime::Lock, std::string> lock_project(const Options& options, const Script& script,
                                                      const std::string& purpose) {
    const bool live = options.session.world.empty() && options.session.replay.empty();
    return live ? runtime::Lock::take(script.inventory.root, purpose) : runtime::Lock();
}

std::unique_ptr<runtime::Reporter> reporter(const SessionOptions& options) {
    if (options.json) return runtime::make_json_reporter(std::cout);
    if (is_terminal(stdout)) return runtime::make_live_reporter(stdout);
    return runtime::make_plain_reporter(std::cout, false);
}

// What a run or an undo acts with, opened and ready.
struct Ready {
    std::unique_ptr<ScratchCopy> scratch;
    std::unique_ptr<Session> session;
    std::unique_ptr<runtime::Journal> journal;
    runtime::RunOptions options;
};

tl::expected<Ready, std::string> prepare(const Options& options, Script& script) {
    Ready ready;
    auto run_options = cli::run_options(options.session, script);
    if (!run_options) return tl::unexpected(run_options.error());
    const auto root = script.inventory.root;
    auto scratch = ScratchCopy::make(options.session, script);
    if (!scratch) return tl::unexpected(scratch.error());
    auto session = open_session(options.session, script);
    if (!session) return tl::unexpected(session.error());
    auto journal = runtime::Journal::open(root);
    if (!journal) return tl::unexpected(journal.error());
    ready.scratch = std::move(*scratch);
    ready.session = std::move(*session);
    ready.options = std::move(*run_options);
    ready.options.overwrite = options.overwrite;
    ready.options.expect = options.expect;
    ready.options.world = ready.session->world;
    ready.options.stop_requested = [] { return runtime::interrupts() > 0; };
    ready.journal = std::move(*journal);
    return ready;
}

int report(const runtime::RunResult& result) {
    // A refusal comes before the first event, so the reporter has said nothing.
    if (result.run.empty() && !result.message.empty()) fmt::print(stderr, "migc: {}\n", result.message);
    return result.exit_code;
}

// What the saved plan says of the world must still hold; the engine compares the rest.
tl::expected<void, std::string> hold_to_plan(const Options& options, const Script& script, Ready& ready) {
    if (options.plan.empty()) return {};
    const auto saved = read_plan(options.plan);
    if (!saved) return tl::unexpected(saved.error());
    ready.options.plan = saved->at("digests");
    const auto now =
        runtime::make_plan(script.program, script.inventory, *ready.session->tools, ready.options);
    if (!now) return tl::unexpected(now.error().message);
    if (const auto drifted = runtime::live_drift(*saved, *now); !drifted.empty())
        return tl::unexpected(
            fmt::format("nothing is begun: the world is not as it was when {} was made:\n  {}", options.plan,
                        fmt::join(drifted, "\n  ")));
    return {};
}

// What run and undo have in common: the lock, the tools, the journal, the reporter; `work` says which it is.
int act(Options options, Script& script, const std::string& purpose,
        const std::function<runtime::RunResult(runtime::Engine&)>& work) {
    const auto lock = lock_project(options, script, purpose);
    if (!lock) return refuse(lock.error(), locked);
    options.session.lock = lock->descriptor();
    auto ready = prepare(options, script);
    if (!ready) return refuse(ready.error());
    if (const auto held = hold_to_plan(options, script, *ready); !held) return refuse(held.error(), locked);
    runtime::install_interrupt_handlers();
    const auto out = reporter(options.session);
    runtime::Engine engine(
        script.program, script.inventory, *ready->session->tools, *ready->journal,
        [&](const runtime::Event& event) { out->on(event); }, ready->options);
    const int code = report(work(engine));
    close_session(options.session, *ready->session, ready->scratch.get());
    return code;
}

bool is_digest(const std::string& text) {
    constexpr std::size_t shortest = 12;
    return text.size() >= shortest && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

int run(const Options& options) {
    if (!options.expect.empty() && !is_digest(options.expect))
        return refuse(fmt::format(
            "--expect {}: it wants a digest as `migc plan` prints it, at least 12 of its characters",
            options.expect));
    const auto script = load_script(options.script);
    print_errors(*script);
    if (script->diagnostics.has_errors()) return wrong;
    if (script->program.stages.empty())
        return refuse(fmt::format("{} has no stage, so there is nothing to run", options.script));
    return act(options, *script, fmt::format("the run of {}", options.script),
               [](runtime::Engine& engine) { return engine.run(); });
}

// The journal of the project that one stands in.
tl::expected<std::unique_ptr<runtime::Journal>, std::string> journal_here() {
    SourceMap sources;
    Diagnostics diagnostics;
    const auto root = project::load_inventory(std::filesystem::current_path(), sources, diagnostics).root;
    auto journal = runtime::Journal::open_existing(root);
    if (journal && !*journal)
        return tl::unexpected(fmt::format("no run was recorded below {}", root.string()));
    return journal;
}

int undo(const Options& options) {
    auto history = journal_here();
    if (!history) return refuse(history.error());
    const auto about = (*history)->find(options.run);
    if (!about) return refuse(about.error());
    const auto copy = (*history)->script_copy(about->id);
    if (!copy) return refuse(copy.error());
    const auto script = load_bundle(*copy);
    if (!script) return refuse(fmt::format("the journal's copy of {} cannot be read", about->script));
    print_errors(*script);
    if (script->diagnostics.has_errors())
        return refuse(
            "the journal's copy of the script does not pass this version of migc; undo with the version that "
            "ran it");
    if (about->mode == "simulated" && options.session.world.empty())
        return refuse(fmt::format(
            "run {} was simulated: its world ended with it, and nothing real was changed", about->id));
    history->reset();
    return act(options, *script, fmt::format("the undo of {}", about->id),
               [&](runtime::Engine& engine) { return engine.undo(about->id); });
}

int list_runs() {
    auto journal = journal_here();
    if (!journal) return refuse(journal.error());
    const auto runs = (*journal)->runs();
    if (!runs) return refuse(runs.error());
    fmt::print("{}", runtime::runs_table(*runs));
    return 0;
}

int show(const std::string& id, bool json) {
    auto journal = journal_here();
    if (!journal) return refuse(journal.error());
    const auto about = (*journal)->find(id);
    if (!about) return refuse(about.error());
    const auto events = (*journal)->events(about->id);
    if (!events) return refuse(events.error());
    if (!json) {
        fmt::print("{}", runtime::show_run(*about, *events));
        return 0;
    }
    const auto out = runtime::make_json_reporter(std::cout);
    for (const auto& event : *events) out->on(event);
    return 0;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("run", "Run a script: live, or in a simulated world with --world");
    auto options = std::make_shared<Options>();
    command->add_option("FILE", options->script, "The script")->required();
    command->add_option("--expect", options->expect,
                        "Run only what has this change or run digest, as `migc plan` printed it");
    command->add_option(
        "--plan", options->plan,
        "Run only what is as in this file of `migc plan --save`: files, values, tools, the world");
    add_session_options(*command, options->session);
    command->footer(
        "Examples:\n  migc run deploy.mig --world learning\n  migc run deploy.mig --world learning --fault "
        "\"hang: kubectl scale\"\n"
        "  migc run deploy.mig\n  migc run deploy.mig --set replicas=6 --json\n  migc run deploy.mig --plan plan.json\n  "
        "migc run deploy.mig --stage production --approval approval-lead.json\n\n"
        "Exit codes: 0 done, 1 failed and fully undone, 2 the script or the command line is wrong, 3 held: "
        "something stands,\n"
        "4 an undo failed or a step is in doubt, 5 a gate is closed, or it is not what was reviewed.");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

void add_undo(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("undo", "Take back what a run has changed, also one that was cut off");
    auto options = std::make_shared<Options>();
    command->add_option("RUN", options->run, "A run's id, the end of one, or `last`")->required();
    command->add_flag("--overwrite", options->overwrite, "Restore also what somebody else has changed since");
    add_session_options(*command, options->session);
    command->footer(
        "Examples:\n  migc undo last\n  migc undo 2026-11-23-1\n\nExit codes: 0 all is undone, 3 something "
        "stands, 4 an undo failed or a step is in doubt.");
    command->callback([options, &exit_code] { exit_code = undo(*options); });
}

void add_runs(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("runs", "List the runs of this project, newest first");
    command->footer("Example:\n  migc runs");
    command->callback([&exit_code] { exit_code = list_runs(); });
}

void add_show(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("show", "Show what a run did, step by step");
    auto id = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    command->add_option("RUN", *id, "A run's id, the end of one, or `last`")->required();
    command->add_flag("--json", *json, "Print the events as JSON, one a line");
    command->footer("Examples:\n  migc show last\n  migc show 2026-11-23-1 --json");
    command->callback([id, json, &exit_code] { exit_code = show(*id, *json); });
}

}  // namespace migc::cli
