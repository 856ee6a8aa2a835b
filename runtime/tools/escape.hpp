// Text that others wrote (tool output, file names), made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace migc::runtime {

enum class Newlines { Kept, Escaped };

// The text with everything escaped that a terminal would obey or that would show it in another order than it
// is: control characters (C0, DEL, C1), bidirectional controls, line and paragraph separators, and bytes that
// are not UTF-8. "\n", "\r" and "\t" are written so, others as "\x1b" or "\u202e". Printable text is
// unchanged.
std::string escaped(std::string_view text, Newlines newlines = Newlines::Escaped);

}  // namespace migc::runtime
