// Percentiles of measured times.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

// 95 of "p95"; 1 to 99. The error says how one is written.
tl::expected<int, std::string> percentile_named(const std::string& name);

// By nearest rank: the smallest value that so many percent of all values do not exceed. 0 of no values.
double percentile(std::vector<double> values, int percent);

}  // namespace migc::runtime::inline natives
