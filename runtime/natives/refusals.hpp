// What tells that a tool has begun; whether it refused is asked for with was_refused
// (runtime/tools/natives.hpp).
#pragma once

#include <string>
#include <string_view>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// Whether what a tool has printed on standard output so far tells that it has begun to change something.
bool has_begun(std::string_view tool, const std::string& output);

}  // namespace migc::runtime
