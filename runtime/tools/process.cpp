#include "runtime/tools/process.hpp"

#include <csignal>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "runtime/tools/pidfd.hpp"

namespace migc::runtime::inline tools {

namespace {

std::string proc_file(const std::string& path) {
    return read_file("/proc/" + path, any_size).value_or("");
}

}  // namespace

std::optional<Process> Process::read(pid_t pid) {
    // "PID (NAME) STATE PARENT GROUP SESSION ..."; the name may hold anything, so count from the last ")".
    const std::string line = proc_file(fmt::format("{}/stat", pid));
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

std::vector<Process> Process::all() {
    std::vector<Process> processes;
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        const auto pid = whole_number<pid_t>(name);
        if (!pid) continue;
        if (const auto process = read(*pid)) processes.push_back(*process);
    }
    return processes;
}

void Process::signal(int number) const {
    const Descriptor handle(::pidfd_open(pid, 0));
    const auto again = read(pid);
    if (handle && again && again->started == started) ::pidfd_send_signal(handle.get(), number, nullptr, 0);
}

bool environment_holds(pid_t pid, const std::string& variable, const std::string& text) {
    const std::string prefix = variable + "=";
    const std::string environment = proc_file(fmt::format("{}/environ", pid));
    std::size_t at = environment.starts_with(prefix) ? 0 : environment.find('\0' + prefix);
    if (at == std::string::npos) return false;
    if (at != 0) ++at;
    const std::string_view entry = environment.c_str() + at;
    return entry.find(text) != std::string_view::npos;
}

std::string boot_id() {
    const std::string id = proc_file("sys/kernel/random/boot_id");
    return id.substr(0, id.find('\n'));
}

}  // namespace migc::runtime::inline tools
