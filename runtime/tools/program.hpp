// Programs that go on running after migc: started, found again by a later migc, and ended.
#pragma once

#include <cstdint>
#include <string>

#include <tl/expected.hpp>

#include "runtime/tools/child.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// What marks the processes of the program with this log in their environment (see `step_variable`).
std::string program_token(const std::string& log);

// Starts it with its output going into `log`, a new file. Beside it, in LOG.pid, stands which process it is:
// the system's boot, the pid, and when the process began, so that a reused pid is never taken for it. A
// program that ends at once is a failure, with the last line that it wrote.
Answer start_program(ChildPlan plan, const std::string& log);

// See Tools.
tl::expected<bool, std::string> program_running(const std::string& log);
Answer stop_program(const std::string& log, std::int64_t grace_ms);

}  // namespace migc::runtime::inline tools
