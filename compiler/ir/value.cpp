#include "compiler/ir/value.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace migc {

namespace {

using JsonValue = nlohmann::json;

bool same_lists(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Value& x, const Value& y) { return same(x, y); });
}

// A JSON value with its scalars, and a list in it, as the plain values that say the same.
Value unwrapped(const Value& value) {
    const Json* json = value.get_if<Json>();
    if (json == nullptr) return value;
    if (!*json) return Absent{};
    if (!(*json)->is_array()) return plain(**json);
    List list;
    for (const JsonValue& element : **json) list.push_back(plain(element));
    return list;
}

// A quantity, or what JSON writes for one: the string "20Gi", the number 2.
std::optional<double> amount(const Value& value) {
    if (const auto* quantity = value.get_if<Quantity>()) return quantity->amount;
    if (const auto* number = value.get_if<std::int64_t>()) return static_cast<double>(*number);
    if (const auto* json = value.get_if<Json>(); json != nullptr && (*json)->is_number())
        return (*json)->get<double>();
    const auto* text = value.get_if<std::string>();
    const auto parsed = text == nullptr ? tl::make_unexpected(std::string()) : parse_quantity(*text);
    return parsed ? std::optional(parsed->amount) : std::nullopt;
}

bool says(const std::string& text, const Duration& duration) {
    const auto parsed = parse_duration(text);
    return parsed && *parsed == duration;
}

// A string and a value of another type that is written like it in JSON.
bool says(const std::string& text, const Value& value) {
    if (const auto* duration = value.get_if<Duration>()) return says(text, *duration);
    return value.get_if<Percent>() != nullptr && text == show(value);
}

bool same_kind_equal(const Value& a, const Value& b) {
    return std::visit(
        [&]<typename T>(const T& x) {
            const T& y = *b.get_if<T>();
            if constexpr (std::is_same_v<T, Unknown>)
                return false;
            else if constexpr (std::is_same_v<T, Quantity>)
                return x.amount == y.amount;
            else if constexpr (std::is_same_v<T, List>)
                return same_lists(x, y);
            else if constexpr (std::is_same_v<T, Json>)
                return *x == *y;
            else
                return x == y;
        },
        a.data);
}

std::string show_duration(std::int64_t milliseconds) {
    if (milliseconds == 0) return "0s";
    std::string out = milliseconds < 0 ? "-" : "";
    // The magnitude of the smallest integer fits into the unsigned type only.
    auto rest = static_cast<std::uint64_t>(milliseconds);
    if (milliseconds < 0) rest = 0 - rest;
    constexpr std::array<std::pair<std::uint64_t, const char*>, 4> units = {
        {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}}};
    for (const auto& [size, name] : units) {
        const std::uint64_t count = rest / size;
        rest %= size;
        if (count > 0) out += fmt::format("{}{}", count, name);
    }
    return out;
}

std::string show_list(const List& list) {
    std::string out;
    for (const Value& value : list) out += (out.empty() ? "" : ", ") + show(value);
    return "[" + out + "]";
}

std::string show_json(const Json& json) {
    if (!json) return "absent";
    const Value value = plain(*json);
    if (value.get_if<Json>() == nullptr) return show(value);
    return json->dump(-1, ' ', false, JsonValue::error_handler_t::replace);
}

struct Shower {
    std::string operator()(const Absent&) const { return "absent"; }
    std::string operator()(const Unknown& unknown) const {
        return fmt::format("unknown ({})", unknown.reason);
    }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const Percent& percent) const { return fmt::format("{}%", percent.value); }
    std::string operator()(const Duration& duration) const { return show_duration(duration.milliseconds); }
    std::string operator()(const Quantity& quantity) const { return quantity.text; }
    std::string operator()(const ResourceRef& resource) const { return resource.name; }
    std::string operator()(const List& list) const { return show_list(list); }
    std::string operator()(const Json& json) const { return show_json(json); }
};

}  // namespace

bool same(const Value& left, const Value& right) {
    const Value a = unwrapped(left);
    const Value b = unwrapped(right);
    if (a.data.index() == b.data.index()) return same_kind_equal(a, b);
    if (a.get_if<Quantity>() != nullptr || b.get_if<Quantity>() != nullptr) {
        const auto x = amount(a);
        const auto y = amount(b);
        return x && y && *x == *y;
    }
    if (const auto* text = a.get_if<std::string>()) return says(*text, b);
    if (const auto* text = b.get_if<std::string>()) return says(*text, a);
    return false;
}

std::string show(const Value& value) {
    return std::visit(Shower{}, value.data);
}

Value plain(const nlohmann::json& json) {
    if (json.is_null()) return Absent{};
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_string()) return json.get<std::string>();
    const bool fits =
        !json.is_number_unsigned() || json.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    if (json.is_number_integer() && fits) return json.get<std::int64_t>();
    constexpr double largest_exact = 9007199254740992.0;  // 2^53: up to here a double is one integer
    if (json.is_number_float()) {
        const auto number = json.get<double>();
        if (std::abs(number) <= largest_exact && std::trunc(number) == number)
            return static_cast<std::int64_t>(number);
    }
    return std::make_shared<const nlohmann::json>(json);
}

}  // namespace migc
