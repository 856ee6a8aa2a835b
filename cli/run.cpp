// migc run, resume, undo: what changes things, goes on with it, and takes the changes back; and what was run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/consent.hpp"
#include "cli/detach.hpp"
#include "cli/preflight.hpp"
#include "cli/print.hpp"
#include "cli/refuse.hpp"
#include "cli/session.hpp"
#include "cli/signatures.hpp"
#include "cli/terminal.hpp"
#include "compiler/source/escape.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/reviewed.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/journal/run_state.hpp"
#include "runtime/journal/starting.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/natives/calendar.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/planted.hpp"
#include "runtime/report/report.hpp"
#include "runtime/status/progress.hpp"
#include "runtime/tools/interrupts.hpp"
#include "runtime/tools/live.hpp"

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

// Simulated and replayed runs change nothing that two could fight for.
tl::expected<runtime::Locks, std::string> take_locks(const RunOptions& options, const Script& script,
                                                     const std::string& purpose) {
    const bool live =
        options.session.world.empty() && options.session.replay.empty() && !runtime::planted("drop-lock");
    if (!live) return runtime::Locks();
    return runtime::Locks::take(script.inventory.root, lock_names(script.program), purpose);
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

tl::expected<Ready, std::string> prepare(const RunOptions& options, Script& script) {
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
    ready.options.newest_known = [newest = newest_known(root, journal->get())] { return newest; };
    ready.options.overwrite = options.overwrite;
    ready.options.expect = options.expect;
    ready.options.world = ready.session->world;
    ready.options.without_evidence = options.because;
    ready.options.hurry_requested = [] { return runtime::interrupts() > 1; };
    ready.options.stop_requested = [] { return runtime::interrupts() > 0; };
    ready.journal = std::move(*journal);
    return ready;
}

// What whoever acts by this journal must know of it, once.
void tell_notes(const runtime::Journal& journal) {
    for (const std::string& note : journal.notes()) tell("note: {}\n", note);
}

int report(const runtime::RunResult& result) {
    // A refusal comes before the first event, so the reporter has said nothing.
    if (result.run.empty() && !result.message.empty()) tell("migc: {}\n", result.message);
    return result.exit_code;
}

// What the saved plan says of the world must still hold; the engine compares the rest. Gives the plan as it
// is now, if there is a saved one.
tl::expected<std::optional<nlohmann::json>, std::string> hold_to_plan(const RunOptions& options,
                                                                      const Script& script, Ready& ready) {
    if (options.plan.empty()) return std::nullopt;
    const auto saved = read_plan(options.plan);
    if (!saved) return tl::unexpected(saved.error());
    ready.options.plan = saved->at("digests");
    auto now = runtime::make_plan(script.program, script.inventory, *ready.session->tools, ready.options);
    if (!now) return tl::unexpected(now.error().message);
    if (const auto drifted = runtime::live_drift(*saved, *now); !drifted.empty())
        return tl::unexpected(
            fmt::format("nothing is begun: the world is not as it was when {} was made:\n  {}", options.plan,
                        fmt::join(drifted, "\n  ")));
    return std::move(*now);
}

// What run and undo have in common: the lock, the tools, the journal, the reporter; `work` says which it is.
// `starting` is the trace of a run that is new; null for one of the journal, of which `earlier` are the
// events.
int act(RunOptions options, Script& script, const std::string& purpose, runtime::Starting* starting,
        const std::vector<runtime::Event>* earlier,
        const std::function<runtime::RunResult(runtime::Engine&)>& work) {
    options.session.work = runtime::Work::Acts;
    auto consent = consent_to_run(options.session, script, earlier);
    if (!consent) return refuse_in_lines(consent.error());
    if (const auto state = runtime::make_state_folder(script.inventory.root); !state)
        return refuse(state.error());
    // Before the locks, whose heartbeat is a thread.
    auto halves = options.detach ? Detached::split(script.inventory.root)
                                 : tl::expected<Detached::Halves, std::string>(Detached::Halves());
    if (!halves) return refuse(halves.error());
    if (halves->foreground) return *halves->foreground;
    if (halves->background && starting != nullptr) starting->take_over();
    auto locks = take_locks(options, script, purpose);
    if (!locks) return refuse(locks.error(), locked);
    options.session.locks = locks->descriptors();
    auto ready = prepare(options, script);
    if (!ready) return refuse(ready.error());
    ready->options.consent = std::move(*consent);
    auto plan = hold_to_plan(options, script, *ready);
    if (!plan) return refuse(plan.error(), locked);
    if (const std::string reasons =
            starting != nullptr && options.preflight
                ? preflight(script, *ready->session->tools, ready->options, std::move(*plan))
                : "";
        !reasons.empty())
        return refuse("nothing is begun:" + reasons);
    tell_notes(*ready->journal);
    runtime::Tools& tools = *ready->session->tools;
    if (const auto why = runtime::clock_is_behind(tools.kind(), tools.now(), ready->options.newest_known()))
        tell("note: {}\n", *why);
    ready->options.lock_lost = [&locks] { return locks->lost(); };
    runtime::install_interrupt_handlers();
    locks->tell_stops(runtime::interrupts);
    std::optional<runtime::ProgressFile> progress;
    const auto out = reporter(options.session);
    runtime::Engine engine(
        script.program, script.inventory, *ready->session->tools, *ready->journal,
        [&](const runtime::Event& event) {
            if (event.kind == runtime::EventKind::RunBegun || event.kind == runtime::EventKind::RunResumed) {
                const std::string id = event.body.value("run", "");
                locks->names_run(id);
                if (starting != nullptr) starting->begun();
                const auto folder = script.inventory.root / ".migc" / "runs" / id;
                if (halves->background) halves->background->begun(id, folder);
                progress.emplace(folder);
            }
            if (progress) progress->on(event);
            ready->session->on(event);
            out->on(event);
        },
        ready->options);
    const int code = report(work(engine));
    close_session(options.session, *ready->session, ready->scratch.get());
    return code;
}

bool is_digest(const std::string& text) {
    constexpr std::size_t shortest = 12;
    return text.size() >= shortest && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

int run(const RunOptions& options) {
    if (!options.expect.empty() && !is_digest(options.expect))
        return refuse(fmt::format(
            "--expect {}: it wants a digest as `migc plan` prints it, at least 12 of its characters",
            options.expect));
    if (options.without_evidence != (options.because.find_first_not_of(" \t\n") != std::string::npos))
        return refuse(
            "--without-evidence and --because \"..\" belong together: say why, for whoever reads it later");
    const std::string purpose = fmt::format("the run of {}", options.script);
    runtime::Starting starting(project_root_of(options.script), purpose);
    const auto script = load_script(options.script);
    print_errors(*script);
    if (script->diagnostics.has_errors()) return refused;
    if (script->program.stages.empty())
        return refuse(fmt::format("{} has no stage, so there is nothing to run", options.script));
    const int code = act(options, *script, purpose, &starting, nullptr,
                         [](runtime::Engine& engine) { return engine.run(); });
    if (runtime::interrupts() > 0) starting.stopped();
    return code;
}

// The journal of the project that one stands in.
tl::expected<std::unique_ptr<runtime::Journal>, std::string> journal_here() {
    const auto root = project_root_here();
    auto journal = runtime::Journal::open_existing(root);
    if (journal && !*journal)
        return tl::unexpected(fmt::format("no run was recorded below {}", root.string()));
    return journal;
}

// Whether the journal below another folder has this very run, too.
bool has_run(const std::filesystem::path& root, const runtime::RunSummary& about, const std::string& copy) {
    const auto journal = runtime::Journal::open_existing(root);
    if (!journal || !*journal) return false;
    const auto there = (*journal)->find(about.id);
    if (!there || there->id != about.id || there->begun_ms != about.begun_ms) return false;
    const auto script = (*journal)->script_copy(about.id);
    return script && *script == copy;
}

// A run belongs to the project with whose journal it was made. Moved with it, it goes on where the project is
// now; in a copy it does not, for what the copy did the original would not know.
tl::expected<void, std::string> find_its_place(Script& script, const runtime::RunSummary& about,
                                               const std::string& copy, const std::string& what) {
    const auto here = project_root_here();
    const auto then = script.inventory.root;
    std::error_code ignored;
    if (std::filesystem::equivalent(here, then, ignored)) return {};
    if (has_run(then, about, copy))
        return tl::unexpected(fmt::format(
            "{0} is a copy: run {1} was made in {2}, and is there, too. {3} there: `cd {2} && migc {4} {1}`. If the "
            "project has moved here for good, take {2}/.migc away first",
            here.string(), about.id, then.string(), what == "undo" ? "Undo it" : "Go on",
            what == "undo" ? "undo" : "resume"));
    tell("note: run {} was made in {}; it goes on in {}\n", about.id, then.string(), here.string());
    script.inventory.root = here;
    return {};
}

// A run of the journal, with the copies of the script that it took.
struct Earlier {
    runtime::RunSummary about;
    std::unique_ptr<Script> script;
    std::vector<runtime::Event> events;
};

tl::expected<Earlier, std::string> earlier_run(const RunOptions& options, const std::string& what) {
    auto history = journal_here();
    if (!history) return tl::unexpected(history.error());
    const auto about = (*history)->find(options.run);
    if (!about) return tl::unexpected(about.error());
    // Before anything of it is read as what it says it is.
    if (const auto vouched = (*history)->vouched(about->id); !vouched) return tl::unexpected(vouched.error());
    const auto copy = (*history)->script_copy(about->id);
    if (!copy) return tl::unexpected(copy.error());
    auto script = load_bundle(*copy);
    if (!script) return tl::unexpected(fmt::format("the journal's copy of {} cannot be read", about->script));
    if (auto placed = find_its_place(*script, *about, *copy, what); !placed)
        return tl::unexpected(placed.error());
    print_errors(*script);
    if (script->diagnostics.has_errors())
        return tl::unexpected(fmt::format(
            "the journal's copy of the script does not pass this version of migc; {} with the version that "
            "ran it",
            what));
    if (about->mode == "simulated" && options.session.world.empty())
        return tl::unexpected(fmt::format(
            "run {} was simulated: its world ended with it, and nothing real was changed", about->id));
    auto events = (*history)->events(about->id);
    if (!events) return tl::unexpected(events.error());
    return Earlier{*about, std::move(script), std::move(*events)};
}

int undo(const RunOptions& options) {
    const auto earlier = earlier_run(options, "undo");
    if (!earlier) return refuse(earlier.error());
    const std::string& id = earlier->about.id;
    return act(options, *earlier->script, fmt::format("the undo of {}", id), nullptr, &earlier->events,
               [&](runtime::Engine& engine) { return engine.undo(id); });
}

int resume(const RunOptions& options) {
    const auto earlier = earlier_run(options, "go on");
    if (!earlier) return refuse(earlier.error());
    const std::string& id = earlier->about.id;
    return act(options, *earlier->script, fmt::format("the run {}", id), nullptr, &earlier->events,
               [&](runtime::Engine& engine) { return engine.resume(id); });
}

// On standard output, whatever state the run is in; nothing is locked, nothing is asked.
int sheet(const RunOptions& options) {
    const auto earlier = earlier_run(options, "take it back");
    if (!earlier) return refuse(earlier.error());
    auto journal = journal_here();
    if (!journal) return refuse(journal.error());
    auto run_options = cli::run_options(options.session, *earlier->script);
    if (!run_options) return refuse(run_options.error());
    runtime::ConsentedTools tools(runtime::make_live_tools(), earlier->script->inventory.root,
                                  runtime::Work::Looks, [](const auto&) { return false; });
    runtime::Engine engine(earlier->script->program, earlier->script->inventory, tools, **journal, {},
                           *run_options);
    const auto text = engine.sheet(earlier->about.id);
    if (!text) return refuse(text.error());
    print_lines(stdout, *text);
    return 0;
}

struct Resolution {
    std::string run, step, verdict, because;
};

std::string steps_in_doubt(const std::string& run, const std::vector<runtime::OpenStep>& open) {
    if (open.empty()) return fmt::format("no step of run {} is in doubt", run);
    std::vector<std::string> names;
    for (const auto& one : open) names.push_back(fmt::format("{} ({})", one.step, one.text));
    return fmt::format("in doubt: {}", fmt::join(names, ", "));
}

tl::expected<void, std::string> write_resolution(const Resolution& asked, const std::string& id,
                                                 const std::filesystem::path& root) {
    auto journal = runtime::Journal::open(root);
    if (!journal) return tl::unexpected(journal.error());
    const auto events = (*journal)->events(id);
    if (!events) return tl::unexpected(events.error());
    const auto state = runtime::run_state(*events);
    if (!state) return tl::unexpected(state.error());
    const auto& open = state->open;
    const auto step = std::find_if(open.begin(), open.end(),
                                   [&](const auto& one) { return one.step.text() == asked.step; });
    if (step == open.end())
        return tl::unexpected(
            fmt::format("step {} is not in doubt; {}", asked.step, steps_in_doubt(id, open)));
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const runtime::Event decision = {runtime::EventKind::Resolved,
                                     now,
                                     {{"stage", step->stage},
                                      {"step", step->step},
                                      {"text", step->text},
                                      {"part", step->inverse ? "inverse" : "forward"},
                                      {"verdict", asked.verdict},
                                      {"because", asked.because},
                                      {"by", runtime::operator_here()}}};
    if (auto written = (*journal)->append(id, decision); !written) return written;
    runtime::make_plain_reporter(std::cout, false)->on(decision);
    say("`migc resume {}` goes on with it, `migc undo {}` takes it back\n", id, id);
    return {};
}

// A person's decision about a step of which nobody else knows how it went.
int resolve(const Resolution& asked) {
    if (asked.because.find_first_not_of(" \t\n") == std::string::npos)
        return refuse("--because: say what you looked at, so that others can follow the decision");
    const auto root = project_root_here();
    auto history = journal_here();
    if (!history) return refuse(history.error());
    const auto about = (*history)->find(asked.run);
    if (!about) return refuse(about.error());
    if (const auto vouched = (*history)->vouched(about->id); !vouched) return refuse(vouched.error());
    const auto copy = (*history)->script_copy(about->id);
    if (!copy) return refuse(copy.error());
    history->reset();
    const auto script = about->mode == "live" ? load_bundle(*copy) : nullptr;
    if (script)
        if (auto placed = find_its_place(*script, *about, *copy, "go on"); !placed)
            return refuse(placed.error());
    const auto names = script ? lock_names(script->program) : std::vector<std::string>();
    const auto locks = runtime::Locks::take(root, names, fmt::format("a decision about run {}", about->id));
    if (!locks) return refuse(locks.error(), locked);
    const auto written = write_resolution(asked, about->id, root);
    return written ? 0 : refuse(written.error());
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
    auto journal = journal_here();
    if (!journal) return refuse(journal.error());
    const auto runs = (*journal)->runs();
    if (!runs) return refuse(runs.error());
    if (const auto doubt = (*journal)->doubt()) tell("note: {}\n", *doubt);
    tell_gone(project_root_here());
    print_rendered(stdout, runtime::runs_table(*runs));
    return 0;
}

int show(const std::string& id, bool json) {
    auto journal = journal_here();
    if (!journal) return refuse(journal.error());
    const auto about = (*journal)->find(id);
    if (!about) return refuse(about.error());
    const auto events = (*journal)->events(about->id);
    if (!events) return refuse(events.error());
    if (const auto vouched = (*journal)->vouched(about->id); !vouched) tell("note: {}\n", vouched.error());
    if (!json) {
        print_rendered(stdout, runtime::show_run(*about, *events));
        return 0;
    }
    const auto out = runtime::make_json_reporter(std::cout);
    for (const auto& event : *events) out->on(event);
    return 0;
}

}  // namespace

namespace {

void add_detach(CLI::App& command, RunOptions& options) {
    command.add_flag(
        "--detach", options.detach,
        "Go on in the background, also when the terminal is closed; see `migc status`, `follow` and `stop`");
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("run", "Run a script: live, or in a simulated world with --world");
    auto options = std::make_shared<RunOptions>();
    command->add_option("FILE", options->script, "The script")->required();
    command->add_option("--expect", options->expect,
                        "Run only what has this change or run digest, as `migc plan` printed it");
    command->add_option(
        "--plan", options->plan,
        "Run only what is as in this file of `migc plan --save`: files, values, tools, the world");
    add_session_options(*command, options->session);
    add_detach(*command, *options);
    command->add_flag(
        "--without-evidence", options->without_evidence,
        "Run a stage that repeats another one though nothing says that that one passed; needs --because");
    command->add_option("--because", options->because, "Why without evidence: journaled, and shown");
    command->add_flag(
        "!--no-preflight", options->preflight,
        "Begin a live run without asking first whether you have the rights for all of its steps");
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
    auto options = std::make_shared<RunOptions>();
    command->add_option("RUN", options->run, "A run's id, the end of one, or `last`")->required();
    command->add_flag("--overwrite", options->overwrite, "Restore also what somebody else has changed since");
    add_session_options(*command, options->session);
    add_detach(*command, *options);
    command->footer(
        "Examples:\n  migc undo last\n  migc undo 2026-11-23-1\n\nExit codes: 0 all is undone, 3 something "
        "stands, 4 an undo failed or a step is in doubt.");
    command->callback([options, &exit_code] { exit_code = undo(*options); });
}

void add_resume(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("resume", "Go on with a run that was cut off, held, or refused by a gate");
    auto options = std::make_shared<RunOptions>();
    command->add_option("RUN", options->run, "A run's id, the end of one, or `last`")->required();
    add_session_options(*command, options->session);
    add_detach(*command, *options);
    command->footer(
        "What is done is not done again. What was begun is looked at: only what provably did not happen is run "
        "again.\n\nExamples:\n  migc resume last\n  migc resume 2026-11-23-1\n\nExit codes: those of `run`; a "
        "run that is done (0) or undone (1) is left alone.");
    command->callback([options, &exit_code] { exit_code = resume(*options); });
}

void add_resolve(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("resolve", "Say how a step went that is in doubt: a person's decision, recorded");
    auto asked = std::make_shared<Resolution>();
    command->add_option("RUN", asked->run, "A run's id, the end of one, or `last`")->required();
    command->add_option("STEP", asked->step, "The step, as `migc show` names it: staging/2")->required();
    command->add_option("VERDICT", asked->verdict, "done or not-done")
        ->required()
        ->check(CLI::IsMember({word(Outcome::Done), std::string("not-done")}));
    command->add_option("--because", asked->because, "What you looked at")->required();
    command->footer(
        "Of a step whose undo is in doubt, `done` means that it is undone.\n\nExample:\n  migc resolve last "
        "staging/2 done --because \"the release is in the registry, pushed at 02:14\"\n\nExit codes: 0 recorded, 2 "
        "the step is not in doubt, 5 the run is under way.");
    command->callback([asked, &exit_code] { exit_code = resolve(*asked); });
}

void add_sheet(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("sheet", "Print the commands that take a run back by hand, without migc");
    auto options = std::make_shared<RunOptions>();
    command->add_option("RUN", options->run, "A run's id, the end of one, or `last`")->required();
    command->footer(
        "While a run goes on it is kept up to date beside the journal too: .migc/runs/RUN/undo-sheet.txt\n\n"
        "Example:\n  migc sheet last");
    command->callback([options, &exit_code] { exit_code = sheet(*options); });
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
