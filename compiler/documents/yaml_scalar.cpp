#include "compiler/documents/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "compiler/support/text.hpp"

namespace migc::documents {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::ranges::find(words, text) != words.end();
}

constexpr std::array<std::string_view, 4> nulls = {"~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> yes = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> no = {"false", "False", "FALSE"};

bool only(std::string_view text, std::string_view characters) {
    return text.find_first_not_of(characters) == std::string_view::npos;
}

// A sign, digits, a fraction, an exponent: what JSON reads, and a `+`, `.5` and `5.` besides.
nlohmann::json number(std::string_view text) {
    const bool may_be = !text.empty() && only(text, "0123456789+-.eE") &&
                        text.find_first_of("0123456789") != std::string_view::npos;
    if (!may_be) return nlohmann::json::value_t::discarded;
    const bool negative = text.front() == '-';
    std::string digits(negative || text.front() == '+' ? text.substr(1) : text);
    if (digits.starts_with('.')) digits.insert(0, "0");
    if (digits.ends_with('.')) digits += "0";
    while (digits.size() > 1 && digits[0] == '0' && std::isdigit(static_cast<unsigned char>(digits[1])) != 0)
        digits.erase(0, 1);
    return nlohmann::json::parse((negative ? "-" : "") + digits, nullptr, false);
}

// `12:30` is 750 for a reader of YAML 1.1, and `12:30.5` a fraction; `8080:80` and an address are texts for
// all.
bool is_sexagesimal(std::string_view digits) {
    const std::size_t point = std::min(digits.find('.'), digits.size());
    const auto parts = split(digits.substr(0, point), ':');
    return parts.size() > 1 && !parts[0].empty() && only(parts[0], "0123456789_") &&
           only(digits.substr(point), "0123456789_.") &&
           std::all_of(parts.begin() + 1, parts.end(), [](const std::string& part) {
               const auto number = whole_number<unsigned>(part);
               return part.size() <= 2 && number && *number < 60;
           });
}

}  // namespace

nlohmann::json meaning_of_plain(std::string_view text) {
    if (text.empty() || is_one_of(text, nulls)) return nullptr;
    if (is_one_of(text, yes)) return true;
    if (is_one_of(text, no)) return false;
    const bool is_prefixed = text.starts_with("0x") || text.starts_with("0o");
    if (is_prefixed) {
        std::int64_t value = 0;
        const auto [end, error] =
            std::from_chars(text.data() + 2, text.data() + text.size(), value, text[1] == 'x' ? 16 : 8);
        if (error == std::errc() && end == text.data() + text.size()) return value;
    }
    auto parsed = number(text);
    return parsed.is_discarded() ? nlohmann::json(std::string(text)) : parsed;
}

std::string ambiguity_of_plain(std::string_view text) {
    static constexpr std::array<std::string_view, 6> words = {"yes", "no", "on", "off", "y", "n"};
    const std::string_view digits = text.substr(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0);
    const bool is_octal = digits.size() > 1 && digits[0] == '0' && only(digits, "01234567");
    const bool has_underscores = digits.find('_') != std::string_view::npos && only(digits, "0123456789_.") &&
                                 std::isdigit(static_cast<unsigned char>(digits[0])) != 0;
    if (!is_one_of(lower_case(text), words) && !is_octal && !is_sexagesimal(digits) && !has_underscores)
        return {};
    return fmt::format(
        "YAML readers differ in what `{}` without quotes is; put it in quotes, or write what is meant", text);
}

nlohmann::json value_of_plain(std::string_view text) {
    return ambiguity_of_plain(text).empty() ? meaning_of_plain(text) : nlohmann::json(std::string(text));
}

bool may_be_plain(std::string_view text, bool in_brackets) {
    const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    if (text.empty() || !(is_letter(text.front()) || text.front() == '/' || text.front() == '_'))
        return false;
    const std::string_view punctuation = in_brackets ? "_./-+@=" : "_./-+@=:$~^()% ";
    const bool allowed = std::ranges::all_of(
        text, [&](char c) { return is_letter(c) || punctuation.find(c) != std::string_view::npos; });
    if (!allowed || text.back() == ' ' || text.back() == ':' || text.find(": ") != std::string_view::npos)
        return false;
    // A number, a date or a time for one reader or the other.
    if (only(lower_case(text), "0123456789abcdefx_:.+-tz ") &&
        std::isdigit(static_cast<unsigned char>(text[0])) != 0)
        return false;
    return meaning_of_plain(text).is_string() && ambiguity_of_plain(text).empty();
}

}  // namespace migc::documents
