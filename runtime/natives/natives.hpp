// The table of natives. Each stands in the file of its function, as a row (rows.hpp).
#pragma once

#include <string_view>
#include <vector>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// Null if there is none of that name.
const NativeEntry* find_native(std::string_view name);
const std::vector<NativeEntry>& all_natives();

}  // namespace migc::runtime::inline natives
