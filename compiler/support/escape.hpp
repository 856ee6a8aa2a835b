// Text from elsewhere (sources, tools, file names) made safe to show: whoever wrote it must not be able to
// move the cursor, hide a word or turn the direction of a line in an operator's terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace migc {

struct Character {
    char32_t code = 0;
    std::size_t size = 0;  // bytes; 0 only at the end of the text
    bool valid = false;    // false: the byte belongs to no well-formed UTF-8 sequence
};

// The character that `text` begins with; a malformed sequence is taken one byte at a time.
Character first_character(std::string_view text);

bool is_utf8(std::string_view text);

// How many code points the text has: how many columns it takes, as far as migc is concerned.
std::size_t character_count(std::string_view text);

enum class Newlines { Escaped, Kept };

// The text with C0 and C1 controls, DEL, malformed bytes, line and paragraph separators, bidirectional and
// zero-width characters written as \n, \r, \t, \x1b or \u202e. Everything else stays as it is.
std::string escaped(std::string_view text, Newlines newlines = Newlines::Escaped);

// Valid UTF-8 without control characters; the ends of lines and tabs are blanks.
std::string one_line(const std::string& text);

}  // namespace migc
