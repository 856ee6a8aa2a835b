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
#include "compiler/support/escape.hpp"
#include "compiler/support/text.hpp"

namespace migc {

namespace {

struct TimeUnit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<TimeUnit, 5> time_units = {
    {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};

// Times ten to the power of one, and two to the power of the other.
struct Scale {
    int decimal_exponent = 0;
    int binary_exponent = 0;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::size_t leading_digits(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
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
    const auto value = whole_number<int>(text);
    return value && std::abs(*value) <= 30 ? value : std::nullopt;
}

// Each letter stands for a thousand times the one before, or with an `i` for 1024 times.
std::optional<Scale> scale(std::string_view suffix) {
    constexpr std::string_view decimal = "num kMGTPE", binary = " KMGTPE";
    if (suffix.empty()) return Scale{};
    if (const auto power = exponent(suffix)) return Scale{*power, 0};
    const std::size_t small = decimal.find(suffix[0]), large = binary.find(suffix[0]);
    if (suffix[0] == ' ') return std::nullopt;
    if (suffix.size() == 1 && small != std::string_view::npos)
        return Scale{3 * (static_cast<int>(small) - 3), 0};
    if (suffix.substr(1) == "i" && large != std::string_view::npos)
        return Scale{0, 10 * static_cast<int>(large)};
    return std::nullopt;
}

// Rounded once, by the conversion from decimal: 300m and 0.3 are the same amount.
double scaled(std::string_view number, const Scale& by) {
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
        const auto letters = std::ranges::find_if(rest, is_digit);
        const std::string_view name = rest.substr(0, static_cast<std::size_t>(letters - rest.begin()));
        const auto unit =
            std::ranges::find_if(time_units, [&](const TimeUnit& one) { return one.name == name; });
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
    const auto by = scale(text.substr(digits));
    const double value =
        digits == 0 || !by ? std::numeric_limits<double>::infinity() : scaled(text.substr(0, digits), *by);
    if (std::isfinite(value)) return Quantity{std::string(text), value};
    return tl::make_unexpected(
        fmt::format("`{}` is no quantity: write a number and one of m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, "
                    "Ei, such as 500m, 2 or 20Gi",
                    escaped(text)));
}

}  // namespace migc
