#include "runtime/tools/program.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "compiler/support/write_file.hpp"
#include "runtime/tools/descendants.hpp"
#include "runtime/tools/process.hpp"

namespace migc::runtime::inline tools {

namespace {

// One that is told a wrong option, or whose port is taken, has ended by then.
constexpr int startup_ms = 300;
constexpr std::int64_t failed_grace_ms = 1'000;
constexpr pid_t nobody = -1;
constexpr std::streamoff last_part = 2'000;  // bytes of a log that hold its last line

std::string pid_file(const std::string& log) {
    return log + ".pid";
}

std::string last_line(const std::string& log) {
    std::ifstream stream(log, std::ios::binary | std::ios::ate);
    stream.seekg(-std::min<std::streamoff>(stream.tellg(), last_part), std::ios::end);
    std::string last;
    for (std::string line; std::getline(stream, line);)
        if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
    return last;
}

// The process that was started, or `nobody` where it is gone or was never written down.
pid_t known_process(const std::string& log) {
    std::ifstream stream(pid_file(log));
    std::string boot;
    pid_t pid = nobody;
    std::uint64_t started = 0;
    if (!(stream >> boot >> pid >> started) || boot != boot_id()) return nobody;
    const auto process = Process::read(pid);
    return process && process->started == started ? pid : nobody;
}

Descendants processes_of(const std::string& log) {
    return {known_process(log), program_token(log)};
}

bool write_down(const std::string& log, pid_t pid) {
    const auto process = Process::read(pid);
    if (!process) return true;  // it has ended already
    const std::string line = fmt::format("{} {} {}\n", boot_id(), pid, process->started);
    return write_file(pid_file(log), line, {.mode = 0600}).has_value();
}

std::string how(const Child::Exit& exit) {
    return exit.ending == Ending::Exited ? fmt::format("with exit code {}", exit.status)
                                         : fmt::format("by signal {}", exit.status);
}

}  // namespace

std::string program_token(const std::string& log) {
    return fmt::format("program:{};", log);
}

Answer start_program(ChildPlan plan, const std::string& log) {
    const Descriptor output =
        above_standard(::open(log.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    if (!output) return not_started(fmt::format("{} cannot be written: {}", log, std::strerror(errno)));
    plan.output = plan.errors = output.get();
    auto child = Child::start(plan);
    if (!child) return not_started(child.error());
    if (!write_down(log, child->pid())) {
        stop_program(log, 0);
        return exited(
            1, "",
            fmt::format("{} cannot be written, so {} was ended again", pid_file(log), plan.argv.front()));
    }
    if (!child->ended_within(startup_ms)) return exited(0, fmt::format("process {}\n", child->pid()));
    const Child::Exit exit = child->reap();
    // Some leave a process behind that does the work, and end themselves.
    if (exit.ending == Ending::Exited && exit.status == 0 && !processes_of(log).alive().empty())
        return exited(0, "it works in the background\n");
    // One that failed has failed, whatever it has left running.
    const std::string said = last_line(log);
    stop_program(log, failed_grace_ms);
    return exited(exit.ending == Ending::Exited && exit.status != 0 ? exit.status : 1, "",
                  fmt::format("it ended at once {}{}{}", how(exit), said.empty() ? "" : ": ", said));
}

tl::expected<bool, std::string> program_running(const std::string& log) {
    return !processes_of(log).alive().empty();
}

Answer stop_program(const std::string& log, std::int64_t grace_ms) {
    processes_of(log).end(static_cast<int>(std::clamp<std::int64_t>(grace_ms, 0, 600'000)));
    const auto left = processes_of(log).alive();
    if (left.empty()) return exited(0, "");
    return exited(1, "", fmt::format("process {} did not end, not even by force", left.front().pid));
}

}  // namespace migc::runtime::inline tools
