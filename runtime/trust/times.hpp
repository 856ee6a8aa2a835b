// Times in texts.
#pragma once

#include <optional>
#include <string>

#include "runtime/tools/tools.hpp"

namespace migc::trust {

// To the second, as in signed files: "2026-01-10T01:00:00Z".
std::string written_time(runtime::Time time);
// For people: "2026-11-23 02:00:00 UTC".
std::string utc_time(runtime::Time time);
// Nothing for what is no such time.
std::optional<runtime::Time> read_time(const std::string& text);

}  // namespace migc::trust
