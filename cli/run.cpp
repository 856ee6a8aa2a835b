// migc run, resume, undo: what changes things, goes on with it, and takes the changes back; and what was run.
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "cli/terminal.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/inspect/examine.hpp"
#include "runtime/inspect/progress.hpp"
#include "runtime/journal/resolve.hpp"
#include "runtime/journal/starting.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/natives/calendar.hpp"
#include "runtime/report/report.hpp"
#include "runtime/session/consent.hpp"
#include "runtime/session/detach.hpp"
#include "runtime/session/ready.hpp"
#include "runtime/tools/interrupts.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trial/trial.hpp"

namespace migc::cli {
namespace {

struct RunOptions {
    std::string script;  // of run
    std::string run;     // of undo and resume
    bool overwrite = false;
    bool preflight = true;
    bool detach = false;
    std::string expect, plan;  // --expect, --plan: what was reviewed
    bool without_evidence = false;
    std::string because;  // why without evidence
    SessionOptions session;
};

std::unique_ptr<runtime::Reporter> reporter(const SessionOptions& options) {
    if (options.json) return runtime::make_json_reporter(std::cout);
    if (is_terminal(stdout)) return runtime::make_live_reporter(stdout);
    return runtime::make_plain_reporter(std::cout, false);
}

// What whoever has asked for it sees, while the run goes on or could not.
int leave_to_background(const session::Detached::Foreground& foreground) {
    if (foreground.run.empty())
        print_rendered(stderr, foreground.output);
    else
        say("run {0} goes on in the background\n  migc status {0}   how far it is\n  migc follow {0}   what it says\n  "
            "migc stop {0}     ends it after the step that is running\n",
            foreground.run);
    return foreground.exit_code;
}

int report(const runtime::RunResult& result) {
    // A refusal comes before the first event, so the reporter has said nothing.
    if (result.run.empty() && !result.message.empty())
        return refuse(session::Refusal{result.message, result.exit_code, result.in_lines});
    return result.exit_code;
}

// The faults that would meet no command, each on a line; empty if there are none.
std::string without_use(const SessionOptions& options, Script& script) {
    std::string lines;
    for (const std::string& why : trial::idle_faults(options, script))
        lines += "\n  --fault: " + escaped(why);
    return lines;
}

// What run and undo have in common: the lock, the tools, the journal, the reporter; `work` says which it is.
// `starting` is the trace of a run that is new; null for one of the journal, of which `earlier` are the
// events.
int act(RunOptions options, Script& script, const std::string& purpose, runtime::Starting* starting,
        const std::vector<runtime::Event>* earlier,
        const std::function<runtime::RunResult(runtime::Engine&)>& work) {
    const auto root = script.inventory.root;
    auto agreed = session::agreed_options(options.session, script, earlier);
    if (!agreed) return refuse(agreed.error());
    if (starting != nullptr)
        if (const std::string idle = without_use(options.session, script); !idle.empty())
            return refuse(session::Refusal{"nothing is begun:" + idle, refused, true});
    if (const auto state = runtime::make_state_folder(root); !state) return refuse(state.error());
    // Before the locks, whose heartbeat is a thread.
    using session::Detached;
    const auto halves = options.detach ? Detached::split(root)
                                       : tl::expected<Detached::Halves, std::string>(Detached::Halves());
    if (!halves) return refuse(halves.error());
    if (halves->foreground) return leave_to_background(*halves->foreground);
    if (halves->background && starting != nullptr) starting->take_over();
    auto ready = session::make_ready(options.session, script, script.program, purpose, std::move(*agreed));
    if (!ready) return refuse(ready.error());
    ready->options.overwrite = options.overwrite;
    ready->options.expect = options.expect;
    ready->options.without_evidence = options.because;
    ready->options.hurry_requested = [] { return runtime::interrupts() > 1; };
    auto plan = session::hold_to_plan(options.plan, script, *ready);
    if (!plan) return refuse(plan.error());
    runtime::Tools& tools = *ready->session->tools;
    if (starting != nullptr && options.preflight)
        if (const std::string reasons =
                runtime::preflight(script.program, script.inventory, tools, ready->options, std::move(*plan));
            !reasons.empty())
            return refuse(session::Refusal{"nothing is begun:" + reasons, refused, true});
    for (const std::string& note : ready->journal->notes()) tell("note: {}\n", note);
    if (const auto why = runtime::clock_is_behind(tools.kind(), tools.now(), ready->options.newest_known()))
        tell("note: {}\n", *why);
    runtime::install_interrupt_handlers();
    ready->locks->tell_stops(runtime::interrupts);
    std::optional<runtime::ProgressFile> progress;
    const auto out = reporter(options.session);
    runtime::Engine engine(
        script.program, script.inventory, tools, *ready->journal,
        [&](const runtime::Event& event) {
            const auto* begun = event.as<runtime::events::RunBegun>();
            const auto* resumed = event.as<runtime::events::RunResumed>();
            if (begun != nullptr || resumed != nullptr) {
                const std::string& id = begun != nullptr ? begun->run : resumed->run;
                ready->locks->names_run(id);
                if (starting != nullptr) starting->begun();
                const auto folder = root / ".migc" / "runs" / id;  // which a simulated run need not have
                if (halves->background) halves->background->begun(id, folder);
                progress.emplace(folder);
            }
            if (progress) progress->on(event);
            ready->session->on(event);
            out->on(event);
        },
        ready->options);
    const int code = report(work(engine));
    session::close_session(options.session, *ready->session, ready->scratch.get());
    return code;
}

int run(const RunOptions& options) {
    if (!options.expect.empty() && !is_short_digest(options.expect))
        return refuse(fmt::format(
            "--expect {}: it wants a digest as `migc plan` prints it, at least {} of its characters",
            options.expect, short_digest_size));
    if (options.without_evidence != (says_something(options.because)))
        return refuse(
            "--without-evidence and --because \"..\" belong together: say why, for whoever reads it later");
    const std::string purpose = fmt::format("the run of {}", options.script);
    runtime::Starting starting(driver::project_root_of(options.script), purpose);
    const auto script = driver::load_script(options.script);
    print_errors(*script);
    if (script->diagnostics.has_errors()) return refused;
    if (script->program.stages.empty())
        return refuse(fmt::format("{} has no stage, so there is nothing to run", options.script));
    const int code = act(options, *script, purpose, &starting, nullptr,
                         [](runtime::Engine& engine) { return engine.run(); });
    if (runtime::interrupts() > 0) starting.stopped();
    return code;
}

// With the journal's copy of its script, which this migc must understand: what is to be done with it then.
tl::expected<session::Earlier, std::string> earlier_run(const RunOptions& options, const std::string& what) {
    auto earlier = session::earlier_run(options.run, what == "undo");
    if (!earlier) return earlier;
    if (!earlier->note.empty()) tell("{}\n", earlier->note);
    print_errors(*earlier->script);
    if (earlier->script->diagnostics.has_errors())
        return tl::unexpected(fmt::format(
            "the journal's copy of the script does not pass this version of migc; {} with the version that "
            "ran it",
            what));
    if (earlier->about.mode == "simulated" && options.session.world.empty())
        return tl::unexpected(
            fmt::format("run {} was simulated: its world ended with it, and nothing real was changed",
                        earlier->about.id));
    return earlier;
}

// `what` is done with an earlier run, by `work`; `purpose` is what others are told of it, before its id.
int act_on_earlier(const RunOptions& options, const std::string& what, const std::string& purpose,
                   runtime::RunResult (runtime::Engine::*work)(const std::string& run)) {
    const auto earlier = earlier_run(options, what);
    if (!earlier) return refuse(earlier.error());
    const std::string& id = earlier->about.id;
    return act(options, *earlier->script, purpose + id, nullptr, &earlier->events,
               [&](runtime::Engine& engine) { return (engine.*work)(id); });
}

int undo(const RunOptions& options) {
    return act_on_earlier(options, "undo", "the undo of ", &runtime::Engine::undo);
}

int resume(const RunOptions& options) {
    return act_on_earlier(options, "go on", "the run ", &runtime::Engine::resume);
}

// On standard output, whatever state the run is in; nothing is locked, nothing is asked.
int runbook(const RunOptions& options) {
    const auto earlier = earlier_run(options, "take it back");
    if (!earlier) return refuse(earlier.error());
    auto journal = session::journal_here();
    if (!journal) return refuse(journal.error());
    auto run_options = session::run_options(options.session, *earlier->script);
    if (!run_options) return refuse(run_options.error());
    runtime::ConsentedTools tools(runtime::make_live_tools(), earlier->script->inventory.root,
                                  runtime::Work::Looks, [](const auto&) { return false; });
    runtime::Engine engine(earlier->script->program, earlier->script->inventory, tools, **journal, {},
                           *run_options);
    const auto text = engine.runbook(earlier->about.id);
    if (!text) return refuse(text.error());
    print_lines(stdout, *text);
    return 0;
}

// A person's decision about a step of which nobody else knows how it went.
int resolve(runtime::Decision decision) {
    if (!says_something(decision.because))
        return refuse("--because: say what you looked at, so that others can follow the decision");
    const auto root = driver::project_root_here();
    const auto earlier = session::earlier_run(decision.run, false);
    if (!earlier) return refuse(earlier.error());
    if (!earlier->note.empty()) tell("{}\n", earlier->note);
    decision.run = earlier->about.id;
    const auto names = earlier->about.mode == "live" ? session::lock_names(earlier->script->program)
                                                     : std::vector<std::string>();
    const auto locks =
        runtime::Locks::take(root, names, fmt::format("a decision about run {}", decision.run));
    if (!locks) return refuse(locks.error(), locked);
    const auto journal = runtime::Journal::open(root);
    if (!journal) return refuse(journal.error());
    const auto event = runtime::resolve(**journal, decision, runtime::system_now());
    if (!event) return refuse(event.error());
    runtime::make_plain_reporter(std::cout, false)->on(*event);
    say("`migc resume {}` continues it, `migc undo {}` undoes it\n", decision.run, decision.run);
    return 0;
}

// Journals that lay here and do not any more.
void tell_gone(const std::filesystem::path& root) {
    const auto gone = runtime::gone_journals(root);
    if (!gone) return tell("note: {}\n", gone.error());
    if (const auto why = runtime::what_is_gone(*gone, root)) tell("note: {}\n", *why);
    for (const auto& one : *gone)
        if (!one.given_up.empty()) tell("note: the journal that lay here was given up by {}\n", one.given_up);
}

int list_runs() {
    auto journal = session::journal_here();
    if (!journal) return refuse(journal.error());
    const auto runs = (*journal)->runs();
    if (!runs) return refuse(runs.error());
    if (const auto doubt = (*journal)->doubt()) tell("note: {}\n", *doubt);
    tell_gone(driver::project_root_here());
    print_rendered(stdout, runtime::runs_table(*runs));
    return 0;
}

int show(const std::string& id, bool json) {
    const auto found = read_run(id);
    if (!found) return refuse(found.error());
    if (!json) {
        print_rendered(stdout, runtime::show_run(found->about, found->events));
        return 0;
    }
    const auto out = runtime::make_json_reporter(std::cout);
    for (const auto& event : found->events) out->on(event);
    return 0;
}

void add_detach(CLI::App& command, RunOptions& options) {
    command.add_flag(
        "--detach", options.detach,
        "Go on in the background, also when the terminal is closed; see `migc status`, `follow` and `stop`");
}

}  // namespace

void add_run(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, run);
    command.add_option("FILE", options.script, "The script")->required();
    command.add_option("--expect", options.expect,
                       "Run only what has this change or run digest, as `migc plan` printed it");
    command.add_option(
        "--plan", options.plan,
        "Run only what is as in this file of `migc plan --save`: files, values, tools, the world");
    add_session_options(command, options.session);
    add_detach(command, options);
    command.add_flag(
        "--without-evidence", options.without_evidence,
        "Run a stage that repeats another one though nothing says that that one passed; needs --because");
    command.add_option("--because", options.because, "Why without evidence: journaled, and shown");
    command.add_flag(
        "!--no-preflight", options.preflight,
        "Begin a live run without asking first whether you have the rights for all of its steps");
    command.footer(
        "Examples:\n  migc run deploy.mig --world learning\n  migc run deploy.mig --world learning --fault "
        "\"hang: kubectl scale\"\n"
        "  migc run deploy.mig\n  migc run deploy.mig --set replicas=6 --json\n  migc run deploy.mig --plan plan.json\n  "
        "migc run deploy.mig --stage production --approval approval-lead.json\n\n"
        "Exit codes: 0 done, 1 failed and fully undone, 2 the script or the command line is wrong, 3 held: "
        "something stands,\n"
        "4 an undo failed or a step is in doubt, 5 a gate is closed, or it is not what was reviewed.");
}

void add_undo(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, undo);
    add_run_argument(command, options.run)->required();
    command.add_flag("--overwrite", options.overwrite, "Restore also what somebody else has changed since");
    add_session_options(command, options.session);
    add_detach(command, options);
    command.footer(
        "Examples:\n  migc undo last\n  migc undo 2026-11-23-1\n\nExit codes: 0 all is undone, 3 something "
        "stands, 4 an undo failed or a step is in doubt.");
}

void add_resume(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, resume);
    add_run_argument(command, options.run)->required();
    add_session_options(command, options.session);
    add_detach(command, options);
    command.footer(
        "What is done is not done again. What was begun is looked at: only what provably did not happen is run "
        "again.\n\nExamples:\n  migc resume last\n  migc resume 2026-11-23-1\n\nExit codes: those of `run`; a "
        "run that is done (0) or undone (1) is left alone.");
}

void add_resolve(CLI::App& command, int& exit_code) {
    auto& [asked] = on_call(command, exit_code, resolve);
    add_run_argument(command, asked.run)->required();
    command
        .add_option_function<std::string>(
            "STEP", [&asked = asked](const std::string& id) { asked.step = semantics::StepId(id); },
            "The step, as `migc show` names it: staging/2")
        ->required();
    using Verdict = runtime::events::Resolved::Verdict;
    command
        .add_option_function<std::string>(
            "VERDICT",
            [&asked = asked](const std::string& verdict) {
                asked.verdict = verdict == word(Outcome::Done) ? Verdict::Done : Verdict::NotDone;
            },
            "done or not-done")
        ->required()
        ->check(CLI::IsMember({word(Outcome::Done), std::string("not-done")}));
    command.add_option("--because", asked.because, "What you looked at")->required();
    command.footer(
        "Of a step whose undo is in doubt, `done` means that it is undone.\n\nExample:\n  migc resolve last "
        "staging/2 done --because \"the release is in the registry, pushed at 02:14\"\n\nExit codes: 0 recorded, 2 "
        "the step is not in doubt, 5 the run is under way.");
}

void add_runbook(CLI::App& command, int& exit_code) {
    command.alias("sheet");  // as it was called before
    auto& [options] = on_call(command, exit_code, runbook);
    add_run_argument(command, options.run)->required();
    command.footer(
        "While a run goes on it is kept up to date beside the journal too: .migc/runs/RUN/undo-sheet.txt\n\n"
        "Example:\n  migc runbook last");
}

void add_runs(CLI::App& command, int& exit_code) {
    command.footer("Example:\n  migc runs");
    on_call(command, exit_code, list_runs);
}

void add_show(CLI::App& command, int& exit_code) {
    auto& [id, json] = on_call(command, exit_code, show);
    add_run_argument(command, id)->required();
    command.add_flag("--json", json, "Print the events as JSON, one a line");
    command.footer("Examples:\n  migc show last\n  migc show 2026-11-23-1 --json");
}

}  // namespace migc::cli
