// Reading literals that carry a unit.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "compiler/source/escape.hpp"

namespace migc {

namespace {

struct TimeUnit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<TimeUnit, 5> time_units = {
    {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};

struct Suffix {
    std::string_view name;
    int decimal_exponent;  // times ten to the power of this
    int binary_exponent;   // times two to the power of this
};

constexpr std::array<Suffix, 16> suffixes = {{{"", 0, 0},
                                              {"n", -9, 0},
                                              {"u", -6, 0},
                                              {"m", -3, 0},
                                              {"k", 3, 0},
                                              {"M", 6, 0},
                                              {"G", 9, 0},
                                              {"T", 12, 0},
                                              {"P", 15, 0},
                                              {"E", 18, 0},
                                              {"Ki", 0, 10},
                                              {"Mi", 0, 20},
                                              {"Gi", 0, 30},
                                              {"Ti", 0, 40},
                                              {"Pi", 0, 50},
                                              {"Ei", 0, 60}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::size_t leading_digits(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

// How much of the text is a decimal number: an optional sign, digits, optionally a point and digits.
std::size_t number_size(std::string_view text) {
    std::size_t size = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    const std::size_t whole = leading_digits(text.substr(size));
    size += whole;
    if (whole == 0 || !text.substr(size).starts_with('.')) return whole == 0 ? 0 : size;
    const std::size_t fraction = leading_digits(text.substr(size + 1));
    return fraction == 0 ? 0 : size + 1 + fraction;
}

// "e3" or "E-3", but not "E" (exa) and "Ei".
std::optional<int> exponent(std::string_view text) {
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
    text.remove_prefix(text[1] == '+' && text.substr(2, 1) != "-" ? 2 : 1);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || std::abs(value) > 30) return std::nullopt;
    return value;
}

std::optional<Suffix> suffix(std::string_view text) {
    if (const auto power = exponent(text)) return Suffix{text, *power, 0};
    const auto known =
        std::find_if(suffixes.begin(), suffixes.end(), [&](const Suffix& one) { return one.name == text; });
    return known == suffixes.end() ? std::nullopt : std::optional(*known);
}

// Rounded once, by the conversion from decimal: 300m and 0.3 are the same amount.
double scaled(std::string_view number, const Suffix& by) {
    if (number.starts_with('+')) number.remove_prefix(1);
    const std::string text = fmt::format("{}e{}", number, by.decimal_exponent);
    double value = std::numeric_limits<double>::infinity();
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::ldexp(value, by.binary_exponent);
}

}  // namespace

tl::expected<Duration, std::string> parse_duration(std::string_view text) {
    const auto fail = [&](std::string_view why) {
        return tl::make_unexpected(fmt::format("`{}` is no duration: {}", escaped(text), why));
    };
    if (text.empty()) return fail("write a number and a unit, such as 90s, 5m, 1h30m or 250ms");
    std::int64_t total = 0;
    std::int64_t previous_unit = std::numeric_limits<std::int64_t>::max();
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t digits = leading_digits(rest);
        if (digits == 0) return fail("write whole numbers with a unit each, such as 90s, 5m, 1h30m or 250ms");
        std::int64_t count = 0;
        if (std::from_chars(rest.data(), rest.data() + digits, count).ec != std::errc())
            return fail("it is too long");
        rest.remove_prefix(digits);
        const auto letters = std::find_if(rest.begin(), rest.end(), is_digit);
        const std::string_view name = rest.substr(0, static_cast<std::size_t>(letters - rest.begin()));
        const auto unit = std::find_if(time_units.begin(), time_units.end(),
                                       [&](const TimeUnit& one) { return one.name == name; });
        if (unit == time_units.end()) return fail("the units are d, h, m, s and ms");
        if (unit->milliseconds >= previous_unit)
            return fail("write the larger unit first, and each unit once");
        previous_unit = unit->milliseconds;
        std::int64_t part = 0;
        if (__builtin_mul_overflow(count, unit->milliseconds, &part) ||
            __builtin_add_overflow(total, part, &total))
            return fail("it is too long");
        rest.remove_prefix(name.size());
    }
    return Duration{total};
}

std::string shown_duration(std::int64_t milliseconds) {
    const std::int64_t seconds = milliseconds / 1000;
    if (std::abs(seconds) < 60 && milliseconds % 1000 != 0)
        return fmt::format("{:.1f}s", static_cast<double>(milliseconds) / 1000);
    if (seconds == 0) return "0s";
    std::string out = seconds < 0 ? "-" : "";
    std::int64_t rest = std::abs(seconds);
    for (const auto& [size, name] : {std::pair{3600, "h "}, {60, "m "}, {1, "s "}}) {
        if (rest >= size) out += fmt::format("{}{}", rest / size, name);
        rest %= size;
    }
    out.pop_back();
    return out;
}

tl::expected<Quantity, std::string> parse_quantity(std::string_view text) {
    const std::size_t digits = number_size(text);
    const auto by = suffix(text.substr(digits));
    const double value =
        digits == 0 || !by ? std::numeric_limits<double>::infinity() : scaled(text.substr(0, digits), *by);
    if (std::isfinite(value)) return Quantity{std::string(text), value};
    return tl::make_unexpected(
        fmt::format("`{}` is no quantity: write a number and one of m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, "
                    "Ei, such as 500m, 2 or 20Gi",
                    escaped(text)));
}

}  // namespace migc
