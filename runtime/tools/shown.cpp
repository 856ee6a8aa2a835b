#include "compiler/source/escape.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime {

namespace {

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

std::string shown(const std::vector<std::string>& argv) {
    std::string line;
    for (const std::string& word : argv) {
        if (!line.empty()) line += ' ';
        line += shown_word(word);
    }
    return line;
}

}  // namespace migc::runtime
