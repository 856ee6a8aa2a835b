// What a tool's answer tells of whether it has begun, and whether it refused.
#pragma once

#include <string>
#include <string_view>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// Whether what a tool has printed on standard output so far tells that it has begun to change something.
bool has_begun(std::string_view tool, const std::string& output);

// Whether the tool said no before it did anything: the command was refused as a whole. The table, by tool, is
// in refusals.cpp; of a tool that is not in it nobody can tell.
bool was_refused(std::string_view tool, const Answer& answer);
// Of a refusal: because somebody wrote after we had looked. It is worth looking again.
bool was_outrun(const Answer& answer);

}  // namespace migc::runtime::inline natives
