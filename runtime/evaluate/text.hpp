// Words for people: phrases with their values filled in, and what a tool complained about.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/program.hpp"
#include "compiler/support/text.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline evaluation {

// "scale (target: workload) to (replicas: int)" with [webapi, 4] is "scale webapi to 4".
// An optional part whose value is absent is left out; a secret is not shown.
std::string phrase(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                   const std::vector<Value>& values);

// "2026-01-10T01:00:00.250Z".
std::string iso_time(Time time);

// Valid UTF-8 on one line, without control characters and secrets, at most `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 1000);

// A value that is short enough to be read within a sentence; nothing for a digest, a text of several lines.
std::optional<std::string> readable(const Value& value);

// One sentence about an answer that is no success: "kubectl exited with 1: not found".
std::string failure_text(const std::string& tool, const Answer& answer);

}  // namespace migc::runtime::inline evaluation
