// What a person types into a shell in place of a native of an inverse, when migc is not at hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// One word of a command as a shell reads it: plain ones as they are, others in quotes.
std::string shell_word(std::string_view word);
// What a command prints, as one word: "$(..)".
std::string printed_by(const std::string& command);

}  // namespace migc::runtime::inline natives
