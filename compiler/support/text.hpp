// Small texts taken apart and put together.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migc {

// Without the white space around it.
std::string_view trimmed(std::string_view text);

// With the letters of ASCII in small.
std::string lower_case(std::string_view text);

// What stands between separators; of an empty text one empty part.
std::vector<std::string> split(std::string_view text, char separator);
std::string joined(const std::vector<std::string>& words, std::string_view separator = " ");
// Whether a text has a word, between others than letters, digits and these characters.
bool has_word(std::string_view text, std::string_view word, std::string_view others);
// Whether one of the space-separated words is this one.
bool listed(std::string_view list, std::string_view word);

// The number that the text is, and nothing else.
template <typename Number = std::int64_t>
std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace migc
