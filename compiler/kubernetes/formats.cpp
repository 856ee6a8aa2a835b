#include "compiler/kubernetes/formats.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "compiler/support/find.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

constexpr std::string_view decimal_digits = "0123456789";
constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view large_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_one_of(char c, std::initializer_list<std::string_view> sets) {
    return std::ranges::any_of(sets,
                               [&](std::string_view set) { return set.find(c) != std::string_view::npos; });
}
bool is_alphanumeric(char c) {
    return is_one_of(c, {decimal_digits, small_letters, large_letters});
}

}  // namespace

// "web-1": small letters, digits and `-`, neither at the beginning nor at the end.
bool is_dns_label(std::string_view text) {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::ranges::all_of(text, [](char c) {
               return is_one_of(c, {decimal_digits, small_letters, "-"});
           });
}
bool is_dns_name(std::string_view text) {
    return text.size() <= 253 && std::ranges::all_of(split(text, '.'), is_dns_label);
}
// The value of a label, and the last part of its name.
bool is_label_value(std::string_view text) {
    return text.size() <= 63 &&
           (text.empty() || (is_alphanumeric(text.front()) && is_alphanumeric(text.back()))) &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, {"-_."}); });
}
bool is_label_name(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
    return !name.empty() && is_label_value(name) &&
           (slash == std::string_view::npos || is_dns_name(text.substr(0, slash)));
}
bool is_config_key(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text != "." && !text.starts_with("..") &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, {"-_."}); });
}

// "1500m", "2Gi", "1e3".
bool is_quantity(std::string_view text) {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view before = text.substr(0, number), unit = text.substr(number);
    if (before.find_first_of(decimal_digits) == std::string_view::npos || std::ranges::count(before, '.') > 1)
        return false;
    if (unit.size() > 1 && (unit[0] == 'e' || unit[0] == 'E')) {
        const std::string_view exponent = unit.substr(unit[1] == '-' || unit[1] == '+' ? 2 : 1);
        return !exponent.empty() && exponent.find_first_not_of(decimal_digits) == std::string_view::npos;
    }
    return unit.empty() || listed("n u m k M G T P E Ki Mi Gi Ti Pi Ei", unit);
}

// In units of one; the text must be a quantity.
double amount_of(const nlohmann::json& value) {
    if (value.is_number()) return value.get<double>();
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    std::size_t used = 0;
    double number = 0;
    try {
        number = std::stod(text, &used);
    } catch (const std::exception&) {
        return 0;
    }
    constexpr std::array<std::pair<std::string_view, double>, 15> units = {{{"n", 1e-9},
                                                                            {"u", 1e-6},
                                                                            {"m", 1e-3},
                                                                            {"k", 1e3},
                                                                            {"M", 1e6},
                                                                            {"G", 1e9},
                                                                            {"T", 1e12},
                                                                            {"P", 1e15},
                                                                            {"E", 1e18},
                                                                            {"Ki", 0x1p10},
                                                                            {"Mi", 0x1p20},
                                                                            {"Gi", 0x1p30},
                                                                            {"Ti", 0x1p40},
                                                                            {"Pi", 0x1p50},
                                                                            {"Ei", 0x1p60}}};
    for (const auto& [unit, factor] : units)
        if (text.substr(used) == unit) return number * factor;
    return number;
}

bool is_schedule(std::string_view text) {
    if (text.starts_with('@')) return text.size() > 1;
    std::vector<std::string> fields = split(text, ' ');
    std::erase(fields, "");
    if (!fields.empty() && (fields[0].starts_with("TZ=") || fields[0].starts_with("CRON_TZ=")))
        fields.erase(fields.begin());
    return fields.size() == 5;
}

bool is_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return true;  // version 6
    const auto parts = split(text, '.');
    return parts.size() == 4 && std::ranges::all_of(parts, [](const std::string& part) {
               return !part.empty() && part.size() <= 3 &&
                      part.find_first_not_of(decimal_digits) == std::string::npos;
           });
}
std::string ReplicaRange::text() const {
    return fmt::format("{}..{}", least, most);
}

std::optional<ReplicaRange> replica_range(std::string_view text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return std::nullopt;
    const auto least = whole_number<std::int64_t>(text.substr(0, dots));
    const auto most = whole_number<std::int64_t>(text.substr(dots + 2));
    return least && most ? std::optional(ReplicaRange{*least, *most}) : std::nullopt;
}

std::string why_no_range(std::string_view text) {
    const auto range = replica_range(text);
    if (!range) return fmt::format("`{}` is no range of replicas, such as \"2..6\"", text);
    if (range->least >= 1 && range->most >= range->least) return {};
    return fmt::format(
        "`{}` is no range of replicas: the lower number is at least 1, and not above the other", text);
}

}  // namespace migc::kubernetes
