// Everything that a child has started, however it tried to get away, and its end.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "runtime/tools/process.hpp"

namespace migc::runtime::inline tools {

// The variable by which descendants are known. Its value is a chain of tokens: a migc that runs below another
// adds its own, so that the outer one still knows what the inner one started.
constexpr const char* step_variable = "MIGC_STEP";

// A token that no other step of this or of another migc has.
std::string new_step_token();

// The processes that a child has left: those of its session, those that inherited its token, and their
// children.
class Descendants {
  public:
    Descendants(pid_t child, std::string token) : child_(child), token_(std::move(token)) {}

    // Ends them, the child itself included: SIGTERM, up to `patience_ms` to comply, then SIGKILL until none
    // is left. Gives how many there were. Reads all of /proc, so it is for the rare case only.
    int end(int patience_ms) const;

    [[nodiscard]] std::vector<Process> alive() const;

  private:
    [[nodiscard]] bool belongs(const Process& process) const;
    // Whether they are within so long, while this signal is sent to them again and again; 0 does nothing.
    bool gone_within(int milliseconds, int signal) const;

    pid_t child_;
    std::string token_;
};

}  // namespace migc::runtime::inline tools
