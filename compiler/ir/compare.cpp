#include "compiler/ir/compare.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace migc {

std::optional<Amount> amount_of(const Value& value) {
    if (const auto* number = value.get_if<std::int64_t>())
        return Amount{Unit::Number, static_cast<double>(*number)};
    if (const auto* quantity = value.get_if<Quantity>()) return Amount{Unit::Number, quantity->amount};
    if (const auto* percent = value.get_if<Percent>()) return Amount{Unit::Percent, percent->value};
    if (const auto* duration = value.get_if<Duration>())
        return Amount{Unit::Duration, static_cast<double>(duration->milliseconds)};
    if (const auto* json = value.get_if<Json>(); json != nullptr && *json && (*json)->is_number())
        return Amount{Unit::Number, (*json)->get<double>()};
    return std::nullopt;
}

std::optional<Amount> amount_like(const Value& value, const Value& other) {
    const auto* text = value.get_if<std::string>();
    if (text == nullptr) return amount_of(value);
    if (other.get_if<Duration>() != nullptr)
        if (const auto duration = parse_duration(*text)) return amount_of(Value(*duration));
    if (other.get_if<Percent>() != nullptr && text->ends_with('%')) {
        double number = 0;
        const char* const end = text->data() + text->size() - 1;
        if (const auto read = std::from_chars(text->data(), end, number);
            read.ec == std::errc() && read.ptr == end)
            return Amount{Unit::Percent, number};
    }
    if (other.get_if<Quantity>() != nullptr || other.get_if<std::int64_t>() != nullptr)
        if (const auto quantity = parse_quantity(*text)) return amount_of(Value(*quantity));
    return std::nullopt;
}

std::optional<std::string> text_of(const Value& value) {
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* resource = value.get_if<ResourceRef>()) return resource->name;
    if (const auto* json = value.get_if<Json>(); json != nullptr && *json && (*json)->is_string())
        return (*json)->get<std::string>();
    return std::nullopt;
}

bool equal(const Value& left, const Value& right) {
    if (left.is_unknown() || right.is_unknown()) return false;
    if (same(left, right)) return true;
    const bool exact = left.get_if<std::int64_t>() != nullptr && right.get_if<std::int64_t>() != nullptr;
    if (exact || left.is_absent() || right.is_absent()) return false;
    const auto a = amount_like(left, right);
    const auto b = amount_like(right, left);
    if (a && b) return a->unit == b->unit && a->value == b->value;
    const auto one = text_of(left);
    return one && one == text_of(right);
}

}  // namespace migc
