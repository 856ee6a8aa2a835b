// The processes of this machine, as /proc shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace migc::runtime::inline tools {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    char state = '?';
    std::uint64_t started = 0;  // in clock ticks since the system started; tells a reused pid apart

    // None where there is no such process, or where it has ended and only waits to be reaped.
    static std::optional<Process> read(pid_t pid);
    static std::vector<Process> all();
    // Only if it is still the same process.
    void signal(int number) const;
};

// Whether the environment that a process was started with has the variable, with the text in its value.
bool environment_holds(pid_t pid, const std::string& variable, const std::string& text);

// Differs after each start of the system. Empty if it cannot be read.
std::string boot_id();

}  // namespace migc::runtime::inline tools
