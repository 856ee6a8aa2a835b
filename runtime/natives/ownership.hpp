// Whose work it is that a probe reads, where a native has proof of it.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// The reading with this run as its writer, if that is proven and the engine asks for it.
Reading written_by_us(Host& host, Reading reading, bool proven);

// What a command has written into its output file. One that was cut off together with migc never gave the
// file its name: then what lies beside it under the name that it had until then. "" if there is nothing.
std::string output_so_far(const std::filesystem::path& file);

}  // namespace migc::runtime::inline natives
