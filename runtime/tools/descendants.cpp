#include "runtime/tools/descendants.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "runtime/tools/child.hpp"
#include "runtime/tools/descriptor.hpp"
#include "runtime/tools/pidfd.hpp"

namespace migc::runtime {

struct Descendants::Process {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    char state = '?';
    std::uint64_t started = 0;  // in clock ticks since the system started; tells a reused pid apart

    static std::optional<Process> read(pid_t pid);
    static std::vector<Process> all();
    // Only if it is still the same process.
    void signal(int number) const;
};

namespace {

constexpr int kill_limit_ms = 2'000;  // what SIGKILL has not ended by then waits in the kernel
constexpr auto pause_between_looks = std::chrono::milliseconds(10);

std::string contents(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

bool carries(pid_t pid, const std::string& token) {
    const std::string prefix = fmt::format("{}=", step_variable);
    const std::string environment = contents(fmt::format("/proc/{}/environ", pid));
    std::size_t at = environment.starts_with(prefix) ? 0 : environment.find('\0' + prefix);
    if (at == std::string::npos) return false;
    if (at != 0) ++at;
    const std::string_view entry = environment.c_str() + at;
    return entry.find(token) != std::string_view::npos;
}

}  // namespace

std::string new_step_token() {
    static std::atomic<std::uint64_t> number = 0;
    static const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
    return fmt::format("{}-{}-{};", ::getpid(), begun, ++number);
}

std::optional<Descendants::Process> Descendants::Process::read(pid_t pid) {
    // "PID (NAME) STATE PARENT GROUP SESSION ..."; the name may hold anything, so count from the last ")".
    const std::string line = contents(fmt::format("/proc/{}/stat", pid));
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream fields(line.substr(name_end + 1));
    Process process;
    process.pid = pid;
    pid_t group = 0;
    fields >> process.state >> process.parent >> group >> process.session;
    constexpr int fields_before_start = 15;
    std::string skipped;
    for (int i = 0; i < fields_before_start; ++i) fields >> skipped;
    fields >> process.started;
    if (!fields || process.state == 'Z' || process.state == 'X') return {};
    return process;
}

std::vector<Descendants::Process> Descendants::Process::all() {
    std::vector<Process> processes;
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        pid_t pid = 0;
        const auto [rest, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc{} || rest != name.data() + name.size()) continue;
        if (const auto process = read(pid)) processes.push_back(*process);
    }
    return processes;
}

void Descendants::Process::signal(int number) const {
    const Descriptor handle(::pidfd_open(pid, 0));
    const auto again = read(pid);
    if (handle && again && again->started == started) ::pidfd_send_signal(handle.get(), number, nullptr, 0);
}

bool Descendants::belongs(const Process& process) const {
    return process.pid == child_ || process.session == child_ || carries(process.pid, token_);
}

std::vector<Descendants::Process> Descendants::alive() const {
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

void Descendants::signal_all(int number) const {
    for (const Process& process : alive()) process.signal(number);
}

bool Descendants::gone_within(int milliseconds) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (!alive().empty()) {
        if (std::chrono::steady_clock::now() >= limit) return false;
        std::this_thread::sleep_for(pause_between_looks);
    }
    return true;
}

void Descendants::kill_all() const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kill_limit_ms);
    // Again and again: a process may have started another between the look and the kill.
    while (!alive().empty() && std::chrono::steady_clock::now() < limit) {
        signal_all(SIGKILL);
        std::this_thread::sleep_for(pause_between_looks);
    }
}

int Descendants::end(int patience_ms) const {
    const auto count = static_cast<int>(alive().size());
    if (count > 0 && patience_ms > 0) signal_all(SIGTERM);
    if (!gone_within(patience_ms)) kill_all();
    orphans_alive();  // reaps them
    return count;
}

}  // namespace migc::runtime
