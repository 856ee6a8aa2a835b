// The tools as they are: child processes, the system's clock, the operator's interrupts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "runtime/tools/interrupts.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// The system's clock.
Time system_now();

struct LiveOptions {
    // How long a command that has taken too long may go on after SIGTERM, before SIGKILL.
    std::int64_t grace_ms = 5'000;
    // How long a graceful command may go on after its SIGINT, before it is left alone.
    std::int64_t gentle_patience_ms = std::int64_t{30} * 60'000;
    // Open descriptors above 2 that each tool inherits: the lock, so that an orphan goes on holding it.
    // Programs of the project do not: what they start may be meant to go on running.
    std::vector<int> inherited;
    // Where the whole output of graceful commands is kept, in files of mode 0600. Empty: in unnamed files.
    std::filesystem::path spool;
};

// Runs commands as child processes, each in a session of its own, with the allow-listed environment.
//
// A command ends when its child does. What the child leaves running is ended with it, also if it has left the
// session; but nothing of a graceful command is ever ended by force. The first interrupt leaves a running
// child alone; the second sends SIGINT, once: to the child if it is graceful, else to its process group.
// Reads PATH and the environment now, and finds each program once.
std::unique_ptr<Tools> make_live_tools(LiveOptions options = {});

}  // namespace migc::runtime::inline tools
