// migc status, follow, stop: a run that somebody else, or another terminal, is at.
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "runtime/inspect/status.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/report/report.hpp"
#include "runtime/tools/live.hpp"

namespace migc::cli {
namespace {

constexpr auto pause_between_looks = std::chrono::milliseconds(100);
constexpr auto time_to_answer = std::chrono::seconds(5);

// The process that is at a run, by the locks that it holds.
std::optional<runtime::LockState> worker_of(const std::filesystem::path& root, const std::string& run) {
    for (runtime::LockState& state : runtime::lock_states(root))
        if (state.holder.run == run && state.condition != runtime::LockCondition::Free) return state;
    return std::nullopt;
}

int status(const std::string& id, bool json) {
    const auto found = read_run(id);
    if (!found) return refuse(found.error());
    const auto copy = found->journal->script_copy(found->about.id);
    const auto script = copy ? driver::load_bundle(*copy) : nullptr;
    if (!script) return refuse(fmt::format("the journal's copy of {} cannot be read", found->about.script));
    const auto folder = runtime::find_run_folder(found->root, found->about.id);
    if (!folder) return refuse(folder.error());
    const runtime::StatusInput input{found->about,
                                     found->events,
                                     script->program,
                                     *folder ? runtime::read_progress((*folder)->path()) : std::nullopt,
                                     worker_of(found->root, found->about.id),
                                     runtime::system_now()};
    const runtime::Status status = runtime::status_of(input);
    print_answer(json, runtime::to_json(status, input), runtime::render_status(status, input));
    return 0;
}

int follow(const std::string& id) {
    const auto found = find_run(id);
    if (!found) return refuse(found.error());
    const auto out = runtime::make_plain_reporter(std::cout, false);
    for (std::size_t told = 0;;) {
        // Asked first: what is written after the last look of a run that has ended is nothing.
        const bool at_work = worker_of(found->root, found->about.id).has_value();
        const auto events = found->journal->events(found->about.id);
        if (!events) return refuse(events.error());
        for (; told < events->size(); ++told) out->on((*events)[told]);
        std::cout << std::flush;
        if (!at_work) break;
        std::this_thread::sleep_for(pause_between_looks);
    }
    const auto about = found->journal->find(found->about.id);
    if (about && about->ended_ms != 0) return about->exit_code;
    say("run {0} was interrupted: `migc resume {0}` continues it, `migc undo {0}` undoes it\n",
        found->about.id);
    return 0;
}

// Whether the run says that it was told to stop so often, or has ended.
bool has_heard(const std::filesystem::path& root, const std::string& run, int times) {
    for (auto waited = pause_between_looks; waited < time_to_answer; waited += pause_between_looks) {
        std::this_thread::sleep_for(pause_between_looks);
        const auto worker = worker_of(root, run);
        if (!worker || worker->stops_heard >= times) return true;
    }
    return false;
}

int stop(const std::string& id, bool now) {
    const auto found = find_run(id);
    if (!found) return refuse(found.error());
    const auto worker = worker_of(found->root, found->about.id);
    if (!worker) return refuse(fmt::format("nobody is at run {} any more", found->about.id));
    if (worker->holder.host != runtime::host_name())
        return refuse(
            fmt::format("run {} is {}: stop it there", found->about.id, runtime::describe(*worker)));
    if (worker->condition == runtime::LockCondition::Orphaned)
        return refuse(
            fmt::format("run {} has ended; the lock is {}", found->about.id, runtime::describe(*worker)));
    int wanted = worker->stops_heard;
    for (int i = 0; i < (now ? 2 : 1); ++i) {
        if (::kill(worker->holder.pid, SIGINT) != 0)
            return refuse(fmt::format("process {} cannot be told to stop: {}", worker->holder.pid,
                                      std::strerror(errno)));
        if (!has_heard(found->root, found->about.id, ++wanted))
            return refuse(fmt::format(
                "run {0} has not answered: process {1} was sent SIGINT, and nothing shows that it has heard it. "
                "`migc status {0}` says what it is at; `kill -TERM {1}` asks once more",
                found->about.id, worker->holder.pid));
    }
    if (!worker_of(found->root, found->about.id)) {
        say("run {0} has ended; `migc status {0}` says how\n", found->about.id);
        return 0;
    }
    say("run {} has heard it, and stops {}; `migc follow {}` shows when it has\n", found->about.id,
        now ? "at once: the tool that is running gets one SIGINT" : "after the step that is running",
        found->about.id);
    return 0;
}

// The last one, unless another is named.
void add_last_run_argument(CLI::App& command, std::string& run) {
    run = "last";
    add_run_argument(command, run);
}

}  // namespace

void add_status(CLI::App& command, int& exit_code) {
    auto& [id, json] = on_call(command, exit_code, status);
    add_last_run_argument(command, id);
    command.add_flag("--json", json, "As JSON");
    command.footer(
        "Reads only the journal; nothing outside is asked.\n\nExamples:\n  migc status\n  migc status 2026-11-23-1 --json");
}

void add_follow(CLI::App& command, int& exit_code) {
    auto& [id] = on_call(command, exit_code, follow);
    add_last_run_argument(command, id);
    command.footer(
        "Ends with the run, and with its exit code. Ctrl-C ends only the looking.\n\nExample:\n  migc follow last");
}

void add_stop(CLI::App& command, int& exit_code) {
    auto& [id, now] = on_call(command, exit_code, stop);
    add_last_run_argument(command, id);
    command.add_flag("--now", now, "As Ctrl-C twice: the running tool is interrupted, too");
    command.footer(
        "As Ctrl-C in its terminal: the running step is finished, then the run is held.\n\nExample:\n  migc stop last");
}

}  // namespace migc::cli
