// Which answers of a tool say no before anything was done.
#pragma once

#include <string>
#include <string_view>

#include "runtime/tools/tools.hpp"

namespace migc::runtime {

// Whether a tool that failed has certainly done nothing: what is seen afterwards is then not its doing. False
// where it may have begun, and for a tool that nothing is known of. `answer` is as the tool gave it.
bool was_refused(std::string_view tool, const Answer& answer);

// Whether what a tool has printed on standard output so far tells that it has begun to change something.
bool has_begun(std::string_view tool, const std::string& output);

}  // namespace migc::runtime
