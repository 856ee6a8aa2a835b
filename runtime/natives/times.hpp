// Times as servers write them, and the server's own clock.
#pragma once

#include <optional>
#include <string>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// "2026-01-10T01:00:00Z", also with a fraction of a second. None for anything else.
std::optional<Time> parse_iso_time(const std::string& text);

// How far the clock of the cluster's API server is ahead of ours, in milliseconds; known to a second or so. 0
// where it does not tell.
std::int64_t server_clock_ahead(Host& host);

// When the running stage began, by our clock; now, where no stage is running (a plan).
Time stage_began(Host& host);

}  // namespace migc::runtime::inline natives
