#include <cstdint>

#include <fmt/format.h>

#include "runtime/tools/escape.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t size = 1;
    bool valid = false;  // otherwise one byte that is not UTF-8
};

// How many bytes a UTF-8 sequence with this first byte has; 0 if none begins so.
std::size_t sequence_size(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

bool well_formed(char32_t code, std::size_t size) {
    if (size == 3) return code >= 0x800 && (code < 0xD800 || code > 0xDFFF);
    if (size == 4) return code >= 0x10000 && code <= 0x10FFFF;
    return true;
}

Character first_character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t size = sequence_size(first);
    if (size == 0 || size > text.size()) return {first, 1, false};
    char32_t code = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80) return {first, 1, false};
        code = (code << 6U) | (byte & 0x3FU);
    }
    return well_formed(code, size) ? Character{code, size, true} : Character{first, 1, false};
}

bool obeyed_by_terminals(char32_t code) {
    const bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    const bool bidirectional = code == 0x061C || code == 0x200E || code == 0x200F ||
                               (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    const bool separator = code == 0x2028 || code == 0x2029;
    return control || bidirectional || separator;
}

std::string escape_sequence(const Character& character) {
    switch (character.code) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            break;
    }
    const auto code = static_cast<std::uint32_t>(character.code);
    const bool one_byte = !character.valid || code < 0x80;
    return one_byte ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
}

bool plain_word(std::string_view word) {
    constexpr std::string_view alphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-";
    return !word.empty() && word.find_first_not_of(alphabet) == std::string_view::npos;
}

std::string with_each(std::string_view text, std::string_view special, std::string_view before) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) result += before;
        result += c;
    }
    return result;
}

std::string single_quoted(std::string_view word) {
    std::string result = "'";
    for (const char c : word) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

std::string shown_word(const std::string& word) {
    if (plain_word(word)) return word;
    if (escaped(word) == word) return single_quoted(word);
    // Only this form of quotes understands escapes. Backslashes of the word itself are doubled first.
    return "$'" + escaped(with_each(word, "\\'", "\\")) + "'";
}

}  // namespace

std::string escaped(std::string_view text, Newlines newlines) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const bool kept_newline = character.code == '\n' && newlines == Newlines::Kept;
        if (character.valid && (kept_newline || !obeyed_by_terminals(character.code))) {
            result += text.substr(0, character.size);
        } else {
            result += escape_sequence(character);
        }
        text.remove_prefix(character.size);
    }
    return result;
}

std::string shown(const std::vector<std::string>& argv) {
    std::string line;
    for (const std::string& word : argv) {
        if (!line.empty()) line += ' ';
        line += shown_word(word);
    }
    return line;
}

}  // namespace migc::runtime
