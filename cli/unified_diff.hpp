// What changes between two texts, in the form that `patch` and reviewers read.
#pragma once

#include <string>
#include <string_view>

namespace migc::cli {

// "--- path", "+++ path" and the changed lines with three around them; empty for the same text.
std::string unified_diff(std::string_view before, std::string_view after, const std::string& path);

}  // namespace migc::cli
