// Which known word was probably meant by an unknown one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migc {

// How many letters must be added, removed, replaced or swapped with their neighbour to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidates that could be meant, the nearest first, at most `most` of them. A word may differ from a
// candidate in about one letter of three; upper and lower case count as the same.
std::vector<std::string> nearest_ones(std::string_view word, const std::vector<std::string>& candidates,
                                      std::size_t most = 3);

// The first of them, if there is one.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace migc
