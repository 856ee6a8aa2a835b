#include "compiler/semantics/compute.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "compiler/ir/compare.hpp"

namespace migc::semantics {
namespace {

using ir::Comparison;
using ir::Operation;

template <typename Number>
bool holds(Comparison comparison, Number left, Number right) {
    switch (comparison) {
        case Comparison::Below:
            return left < right;
        case Comparison::Above:
            return left > right;
        case Comparison::AtLeast:
            return left >= right;
        default:
            return left <= right;
    }
}

std::optional<bool> ints_hold(Comparison comparison, const Value& left, const Value& right) {
    const auto* a = left.get_if<std::int64_t>();
    const auto* b = right.get_if<std::int64_t>();
    return a != nullptr && b != nullptr ? std::optional(holds(comparison, *a, *b)) : std::nullopt;
}

Computed mistake(std::string reason) {
    return {Value(Unknown{reason}), std::move(reason), true};
}

bool is_amount(const Value& value) {
    return amount_of(value).has_value();
}

// NaN and infinities are below nothing, above nothing, and not even themselves.
bool is_no_number(const Value& value) {
    const auto amount = amount_of(value);
    return amount && !std::isfinite(amount->value);
}

// Why two values are not of one kind, so that not even "it is another one" is an answer; a number and a text
// that is none, 5 and 5%. Nothing if they can be compared, or if neither is a number.
std::optional<Computed> incomparable(const Value& left, const Value& right, const Shown& shown) {
    if (!is_amount(left) && !is_amount(right)) return std::nullopt;
    if (left.is_absent() || right.is_absent()) return std::nullopt;
    const auto a = amount_like(left, right);
    const auto b = amount_like(right, left);
    if (a && b && a->unit == b->unit) return std::nullopt;
    const std::string why = fmt::format("`{}` and `{}` cannot be compared", shown(left), shown(right));
    // A text may be another one, and a number, at the next look.
    const bool permanent = text_of(left) == std::nullopt && text_of(right) == std::nullopt;
    return Computed{Value(Unknown{why}), why, permanent};
}

Computed order(Comparison comparison, const Value& left, const Value& right, const Shown& shown) {
    if (const auto exact = ints_hold(comparison, left, right)) return {Value(*exact), {}, false};
    if (left.is_absent() || right.is_absent())
        return {Value(Unknown{"there is nothing to compare with: it is absent"}), {}, false};
    if (auto no = incomparable(left, right, shown)) return *no;
    const auto a = amount_like(left, right);
    const auto b = amount_like(right, left);
    if (!a || !b) return mistake(fmt::format("`{}` and `{}` cannot be compared", shown(left), shown(right)));
    return {Value(holds(comparison, a->value, b->value)), {}, false};
}

Computed matches(const Value& left, const Value& right, const Shown& shown) {
    const auto pattern = text_of(right);
    if (!pattern) return mistake("`matches` wants a regular expression on its right");
    const RE2 expression(*pattern, RE2::Quiet);
    if (!expression.ok())
        return mistake(fmt::format("`{}` is no regular expression: {}", shown(right), expression.error()));
    if (left.is_absent()) return {Value(false), {}, false};
    const std::string text = text_of(left).value_or(show(left));
    // At worst each letter is compared with every part of the expression: seconds, from here on.
    constexpr std::size_t most = 100'000'000;
    if (text.size() * static_cast<std::size_t>(expression.ProgramSize()) > most)
        return {Value(Unknown{"the regular expression is too large for so long a text"}), {}, false};
    return {Value(RE2::PartialMatch(text, expression)), {}, false};
}

bool among(const List& items, const Value& wanted) {
    return std::ranges::any_of(items, [&](const Value& item) { return equal(item, wanted); });
}

Computed is_equal(const Value& left, const Value& right, bool wanted, const Shown& shown) {
    if (equal(left, right)) return {Value(wanted), {}, false};
    if (auto no = incomparable(left, right, shown)) return *no;
    return {Value(!wanted), {}, false};
}

Computed contains(const Value& whole, const Value& part) {
    if (whole.is_absent()) return {Value(false), {}, false};
    if (const auto* items = whole.get_if<List>()) return {Value(among(*items, part)), {}, false};
    if (const auto* json = whole.get_if<Json>(); json != nullptr && *json && !(*json)->is_string()) {
        if ((*json)->is_object()) return {Value((*json)->contains(show(part))), {}, false};
        for (const auto& item : **json)
            if (equal(plain(item), part)) return {Value(true), {}, false};
        return {Value(false), {}, false};
    }
    return {Value(text_of(whole).value_or(show(whole)).find(show(part)) != std::string::npos), {}, false};
}

Computed one_of(const Value& left, const Value& right, bool wanted, const Shown& shown) {
    const auto* items = right.get_if<List>();
    if (items == nullptr) return mistake("`one of` wants a list on its right");
    if (among(*items, left)) return {Value(wanted), {}, false};
    for (const Value& item : *items)
        if (auto no = incomparable(left, item, shown)) return *no;
    return {Value(!wanted), {}, false};
}

Computed overflow() {
    return mistake("the result of the calculation does not fit into 64 bits");
}

Computed whole_numbers(Operation operation, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool overflows = false;
    switch (operation) {
        case Operation::Add:
            overflows = __builtin_add_overflow(a, b, &result);
            break;
        case Operation::Subtract:
            overflows = __builtin_sub_overflow(a, b, &result);
            break;
        case Operation::Multiply:
            overflows = __builtin_mul_overflow(a, b, &result);
            break;
        case Operation::Divide:
            if (b == 0) return mistake("a division by zero");
            overflows = a == std::numeric_limits<std::int64_t>::min() && b == -1;
            if (!overflows) result = a / b;
            break;
    }
    return overflows ? overflow() : Computed{Value(result), {}, false};
}

// 5m + 30s, 5m * 2: the unit is kept; 5m * 5m has none.
Computed durations(Operation operation, const Value& left, const Value& right) {
    const auto* a = left.get_if<Duration>();
    const auto* b = right.get_if<Duration>();
    const bool sum = operation == Operation::Add || operation == Operation::Subtract;
    const auto* factor = (a != nullptr ? right : left).get_if<std::int64_t>();
    Computed result;
    if (sum && a != nullptr && b != nullptr) {
        result = whole_numbers(operation, a->milliseconds, b->milliseconds);
    } else if (!sum && a != nullptr && factor != nullptr) {
        result = whole_numbers(operation, a->milliseconds, *factor);
    } else if (operation == Operation::Multiply && b != nullptr && factor != nullptr) {
        result = whole_numbers(operation, *factor, b->milliseconds);
    } else {
        return mistake("these durations cannot be calculated with");
    }
    if (const auto* milliseconds = result.value.get_if<std::int64_t>())
        result.value = Value(Duration{*milliseconds});
    return result;
}

double combine(Operation operation, double a, double b) {
    switch (operation) {
        case Operation::Add:
            return a + b;
        case Operation::Subtract:
            return a - b;
        case Operation::Multiply:
            return a * b;
        default:
            return a / b;
    }
}

Computed amounts(Operation operation, const Value& left, const Value& right, const Shown& shown) {
    const auto a = amount_of(left);
    const auto b = amount_of(right);
    if (!a || !b)
        return mistake(fmt::format("`{}` and `{}` cannot be calculated with", shown(left), shown(right)));
    if (operation == Operation::Divide && b->value == 0) return mistake("a division by zero");
    const double result = combine(operation, a->value, b->value);
    if (!std::isfinite(result)) return overflow();
    if (a->unit == Unit::Percent || b->unit == Unit::Percent)
        return {Value(Percent{without_noise(result)}), {}, false};
    return {Value(Quantity{fmt::format("{}", result), result}), {}, false};
}

}  // namespace

double without_noise(double number) {
    // A double holds any number of 15 digits.
    const std::string text = fmt::format("{:.15g}", number);
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Computed compare(Comparison comparison, const Value& left, const Value& right, const Shown& shown) {
    if (left.is_unknown()) return {left, {}, false};
    if (right.is_unknown()) return {right, {}, false};
    for (const Value* side : {&left, &right})
        if (is_no_number(*side)) return {Value(Unknown{show(*side) + " is no number"}), {}, false};
    switch (comparison) {
        case Comparison::Is:
            return is_equal(left, right, true, shown);
        case Comparison::IsNot:
            return is_equal(left, right, false, shown);
        case Comparison::Matches:
            return matches(left, right, shown);
        case Comparison::Contains:
            return contains(left, right);
        case Comparison::OneOf:
            return one_of(left, right, true, shown);
        case Comparison::NotOneOf:
            return one_of(left, right, false, shown);
        default:
            return order(comparison, left, right, shown);
    }
}

Computed calculate(Operation operation, const Value& left, const Value& right, const Shown& shown) {
    if (left.is_unknown()) return {left, {}, false};
    if (right.is_unknown()) return {right, {}, false};
    const auto* a = left.get_if<std::int64_t>();
    const auto* b = right.get_if<std::int64_t>();
    if (a != nullptr && b != nullptr) return whole_numbers(operation, *a, *b);
    if (left.get_if<Duration>() != nullptr || right.get_if<Duration>() != nullptr)
        return durations(operation, left, right);
    return amounts(operation, left, right, shown);
}

}  // namespace migc::semantics
