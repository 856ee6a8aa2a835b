// What a tool printed for people, cut to what a person wants to read of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// What a tool printed for people: its complaints, else its output; without what is secret. Done before
// anything is cut off: of a secret that was cut, the rest could not be told any more.
std::string error_text(const Answer& answer);

// The end of it: its last line, with the line that a list of points belongs to. Whole objects that a
// server quotes back are left out. May hold several blanks and control characters.
std::string last_words(std::string_view text);

// Everything but warnings; all of it if there are only warnings. Objects are left out as above.
std::string without_warnings(std::string_view text);

// What stands behind "Warning: " on each line that begins so.
std::vector<std::string> warnings(std::string_view text);

}  // namespace migc::runtime::inline tools
