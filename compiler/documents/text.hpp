// Places in a text, and changes of it that touch nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace migc::documents {

// A half-open range of bytes.
struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool contains(std::size_t at) const { return begin <= at && at < end; }
};

struct Edit {
    Range range;  // replaced; an empty one inserts
    std::string text;
};

// The text after all edits; they do not overlap, and those of one place come in the order given.
std::string applied(std::string_view text, std::vector<Edit> edits);

// The first byte of the line that holds `at`.
std::size_t line_begin(std::string_view text, std::size_t at);
// The line's break (`\n` or `\r\n`), or the text's end.
std::size_t line_end(std::string_view text, std::size_t at);
// The first byte of the next line, or the text's end.
std::size_t next_line(std::string_view text, std::size_t at);
// The 1-based number of the line.
std::size_t line_number(std::string_view text, std::size_t at);

// The blanks before the first other character of the line that holds `at`.
std::string_view indentation(std::string_view text, std::size_t at);
// Whether nothing but blanks stands between the line's begin and `at`.
bool is_first_of_line(std::string_view text, std::size_t at);
// The first byte from `at` on that is no space and no tab.
std::size_t skip_blanks(std::string_view text, std::size_t at);
// The same over line breaks and the comments of YAML, too.
std::size_t skip_space(std::string_view text, std::size_t at);
// One past the last byte before `at` that is no space and no tab.
std::size_t before_blanks(std::string_view text, std::size_t at);

// "\r\n" if the text's first line ends so, else "\n".
std::string newline_of(std::string_view text);
// What one level is indented by: as the first line that is indented deeper than the one before it.
std::string unit_of(std::string_view text);

}  // namespace migc::documents
