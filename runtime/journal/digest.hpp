// The chain of digests that ties a run's rows to each other and to the run. Private to the journal.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/journal/journal.hpp"

namespace migc::runtime {

// A row of the table of events, its digest apart.
struct EventRow {
    std::string run;
    std::string kind;
    std::int64_t time_ms = 0;
    std::string body;  // JSON, exactly as stored
};

// What the chain of a run begins with: SHA-256 (32 bytes) over what the run is and the script that it runs.
std::string first_digest(const RunSummary& about, std::string_view script_copy);

// SHA-256 over the digest before and every field of the row.
std::string next_digest(std::string_view previous, const EventRow& row);

}  // namespace migc::runtime
