#include "runtime/tools/descendants.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/tools/child.hpp"
#include "runtime/tools/process.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr int kill_limit_ms = 2'000;  // what SIGKILL has not ended by then waits in the kernel
constexpr auto pause_between_looks = std::chrono::milliseconds(10);

}  // namespace

std::string new_step_token() {
    static std::atomic<std::uint64_t> number = 0;
    static const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
    return fmt::format("{}-{}-{};", ::getpid(), begun, ++number);
}

bool Descendants::belongs(const Process& process) const {
    return process.pid == child_ || process.session == child_ ||
           environment_holds(process.pid, step_variable, token_);
}

std::vector<Process> Descendants::alive() const {
    std::vector<Process> others = Process::all();
    std::set<pid_t> found = {child_};
    std::vector<Process> result;
    const auto take = [&](auto belongs_to_them) {
        const auto first = std::stable_partition(others.begin(), others.end(), std::not_fn(belongs_to_them));
        for (auto process = first; process != others.end(); ++process) found.insert(process->pid);
        result.insert(result.end(), first, others.end());
        const bool any = first != others.end();
        others.erase(first, others.end());
        return any;
    };
    take([&](const Process& process) { return belongs(process); });
    while (take([&](const Process& process) { return found.contains(process.parent); })) continue;
    return result;
}

bool Descendants::gone_within(int milliseconds, int signal) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    for (auto left = alive(); !left.empty(); left = alive()) {
        if (std::chrono::steady_clock::now() >= limit) return false;
        // Again and again: a process may have started another between the look and the kill.
        for (const Process& process : left) process.signal(signal);
        std::this_thread::sleep_for(pause_between_looks);
    }
    return true;
}

int Descendants::end(int patience_ms) const {
    const auto first = alive();
    if (patience_ms > 0)
        for (const Process& process : first) process.signal(SIGTERM);
    if (!gone_within(patience_ms, 0)) gone_within(kill_limit_ms, SIGKILL);
    orphans_alive();  // reaps them
    return static_cast<int>(first.size());
}

}  // namespace migc::runtime::inline tools
