// How much memory a computed value takes, so that a few lines of script cannot ask for all of it: a text of a
// text of a text doubles with each line.
#pragma once

#include <cstddef>

#include "compiler/ir/value.hpp"

namespace migc::semantics {

// What a check, a proof or a plan works out by itself; what is heavier is not known to it.
constexpr std::size_t heaviest_known = std::size_t{256} << 10;
// What a run works out from a script; what is heavier is a mistake.
constexpr std::size_t heaviest_value = std::size_t{16} << 20;

// In bytes: of texts their length, of lists what is in them, of everything else next to nothing. A JSON
// document is shared, and counts as nothing.
std::size_t weight(const Value& value);

}  // namespace migc::semantics
