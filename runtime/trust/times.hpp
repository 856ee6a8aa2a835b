// Times in signed files: "2026-01-10T01:00:00Z".
#pragma once

#include <optional>
#include <string>

#include "runtime/tools/tools.hpp"

namespace migc::trust {

// By this machine's clock.
runtime::Time time_now();
// To the second.
std::string written_time(runtime::Time time);
// Nothing for what is no such time.
std::optional<runtime::Time> read_time(const std::string& text);

}  // namespace migc::trust
