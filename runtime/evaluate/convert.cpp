#include "runtime/evaluate/convert.hpp"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/documents/yaml_tree.hpp"
#include "compiler/semantics/compute.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/text.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline evaluation {
namespace {

using ir::TypeKind;
using Converted = tl::expected<Value, std::string>;

// Deeper data than this is garbage, and would exhaust the stack where it is walked.
constexpr int deepest = 200;

Converted refuse(std::string_view text, std::string_view kind) {
    if (trimmed(text).empty()) return tl::unexpected(fmt::format("an empty answer is no {}", kind));
    return tl::unexpected(fmt::format("`{}` is no {}", printable(text, 80), kind));
}

template <typename Parsed>
Converted wrap(tl::expected<Parsed, std::string> parsed) {
    if (!parsed) return tl::unexpected(parsed.error());
    return Value(std::move(*parsed));
}

Converted int_from(std::string_view text) {
    const auto number = whole_number(text);
    return number ? Converted(Value(*number)) : refuse(text, "int");
}

Converted bool_from(std::string_view text) {
    if (text == "true") return Value(true);
    if (text == "false") return Value(false);
    return refuse(text, "bool");
}

Converted percent_of(double number, std::string_view text, BareNumber bare) {
    if (!std::isfinite(number)) return refuse(text, "percent");
    if (bare == BareNumber::Refused)
        return tl::unexpected(fmt::format(
            "`{0}` has no % sign, so that it could be {0} of 100 or of 1: the declaration says which by "
            "`as percent` or `as ratio` behind its `read`",
            printable(text, 80)));
    return Value(Percent{bare == BareNumber::Ratio ? semantics::without_noise(number * 100) : number});
}

Converted percent_from(std::string_view text, BareNumber bare) {
    std::string_view digits = text;
    if (digits.ends_with('%')) {
        digits.remove_suffix(1);
        bare = BareNumber::Percent;
    }
    const auto number = whole_number<double>(digits);
    return number ? percent_of(*number, text, bare) : refuse(text, "percent");
}

// A word that names something: "" names nothing.
Converted name_from(std::string_view text, const ir::Type& type) {
    if (text.empty()) return refuse(text, show(type));
    return Value(ResourceRef{type.resource, std::string(text)});
}

Converted json_from(std::string_view text) {
    auto read = read_format(std::string(text), "json", "");
    return read ? std::move(read) : refuse(text, "JSON");
}

Converted from_text(const std::string& whole, const ir::Type& type, BareNumber bare) {
    const std::string_view text = trimmed(whole);
    switch (type.kind) {
        case TypeKind::Int:
            return int_from(text);
        case TypeKind::Bool:
        case TypeKind::Condition:
            return bool_from(text);
        case TypeKind::Percent:
            return percent_from(text, bare);
        case TypeKind::Duration:
            return wrap(parse_duration(text));
        case TypeKind::Quantity:
            return wrap(parse_quantity(text));
        case TypeKind::Resource:
            return name_from(text, type);
        case TypeKind::Url:
        case TypeKind::Path:
        case TypeKind::Image:
        case TypeKind::Environment:
            return text.empty() ? refuse(text, show(type)) : Converted(Value(whole));
        default:
            return Value(whole);
    }
}

// A value whose type only the run can tell, and what natives hand over as it is.
bool takes_anything(const ir::Type& type) {
    return type.kind == TypeKind::Any || type.kind == TypeKind::Json || type.kind == TypeKind::Plan ||
           type.kind == TypeKind::Secret;
}

Converted list_from(const List& items, const ir::Type& type, BareNumber bare) {
    if (type.kind != TypeKind::List && !takes_anything(type)) return refuse(show(Value(items)), show(type));
    if (type.kind != TypeKind::List || !type.element) return Value(items);
    List list;
    for (const Value& item : items) {
        auto element = convert(item, *type.element, bare);
        if (!element) return element;
        list.push_back(std::move(*element));
    }
    return Value(std::move(list));
}

Converted from_data(const nlohmann::json& data, const Value& value, const ir::Type& type, BareNumber bare) {
    if (type.kind == TypeKind::List && data.is_array()) {
        List items;
        for (const auto& item : data) items.push_back(plain(item));
        return list_from(items, type, bare);
    }
    if (takes_anything(type)) return value;
    if (data.is_boolean() && type.kind == TypeKind::Bool) return Value(data.get<bool>());
    const std::string text = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (data.is_string() || data.is_number_float()) {
        const auto& whole = data.is_string() ? data.get_ref<const std::string&>() : text;
        const bool is_amount = type.kind == TypeKind::Percent || type.kind == TypeKind::Quantity;
        if (data.is_string() || is_amount) return from_text(whole, type, bare);
    }
    return refuse(text, show(type));
}

Converted from_int(std::int64_t number, const Value& value, const ir::Type& type, BareNumber bare) {
    switch (type.kind) {
        case TypeKind::Int:
            return value;
        case TypeKind::Percent:
            return percent_of(static_cast<double>(number), show(value), bare);
        case TypeKind::Quantity:
            return wrap(parse_quantity(std::to_string(number)));
        case TypeKind::String:
            return Value(show(value));
        default:
            return takes_anything(type) ? Converted(value) : refuse(show(value), show(type));
    }
}

// Of a value that has its type already; only what is written alike is taken for another one.
Converted from_typed(const Value& value, const ir::Type& type) {
    const auto is = [&](TypeKind kind, bool holds) { return type.kind == kind && holds; };
    if (value.is_absent() || value.is_unknown() || takes_anything(type)) return value;
    if (const auto* percent = value.get_if<Percent>();
        percent != nullptr && is(TypeKind::Percent, std::isfinite(percent->value)))
        return value;
    if (const auto* quantity = value.get_if<Quantity>();
        quantity != nullptr && is(TypeKind::Quantity, std::isfinite(quantity->amount)))
        return value;
    if (is(TypeKind::Duration, value.get_if<Duration>() != nullptr)) return value;
    if (value.get_if<bool>() != nullptr) {
        if (type.kind == TypeKind::Bool || type.kind == TypeKind::Condition) return value;
        if (type.kind == TypeKind::String) return Value(show(value));
    }
    if (const auto* resource = value.get_if<ResourceRef>(); resource != nullptr)
        if (type.kind == TypeKind::Resource || type.kind == TypeKind::String) return value;
    return refuse(show(value), show(type));
}

// The answer `parse` gives for text that is no data at all.
std::optional<nlohmann::json> parse_json(const std::string& text) {
    bool too_deep = false;
    const auto guard = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        too_deep = too_deep || depth > deepest;
        return !too_deep;
    };
    auto data = nlohmann::json::parse(text, guard, false);
    if (data.is_discarded() || too_deep) return std::nullopt;
    return data;
}

Converted at_pointer(const nlohmann::json& data, const std::string& pointer) {
    if (pointer.empty()) return plain(data);
    try {
        const nlohmann::json::json_pointer place(pointer);
        return data.contains(place) ? plain(data.at(place)) : Value(Absent{});
    } catch (const nlohmann::json::exception&) {
        return tl::unexpected(fmt::format("`{}` is no JSON pointer into the answer", printable(pointer)));
    }
}

Value lines_of(const std::string& text) {
    List lines;
    for (const std::string& line : split(text, '\n'))
        if (!trimmed(line).empty()) lines.emplace_back(std::string(trimmed(line)));
    return Value(std::move(lines));
}

Converted as_text_value(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return Value(std::move(text));
}

}  // namespace

BareNumber bare_number(std::string_view format) {
    if (format.ends_with("ratio")) return BareNumber::Ratio;
    return format.ends_with("percent") ? BareNumber::Percent : BareNumber::Refused;
}

Converted convert(const Value& value, const ir::Type& type, BareNumber bare) {
    if (const auto* text = value.get_if<std::string>()) return from_text(*text, type, bare);
    if (const auto* items = value.get_if<List>()) return list_from(*items, type, bare);
    if (const auto* data = value.get_if<Json>(); data != nullptr && *data)
        return from_data(**data, value, type, bare);
    if (const auto* number = value.get_if<std::int64_t>()) return from_int(*number, value, type, bare);
    return from_typed(value, type);
}

Converted read_format(const std::string& text, const std::string& format, const std::string& pointer) {
    const bool data = format == "json" || format == "yaml" || !pointer.empty();
    if (data && trimmed(text).empty()) return Value(Absent{});
    if (!is_utf8(text)) return tl::unexpected(std::string("the answer is not UTF-8 text"));
    if (data) {
        const auto parsed =
            format == "yaml" ? documents::yaml_to_json(text, documents::Scalars::Values) : parse_json(text);
        if (!parsed)
            return tl::unexpected(fmt::format("the answer is not {}", format == "yaml" ? "YAML" : "JSON"));
        return at_pointer(*parsed, pointer);
    }
    return format == "lines" ? Converted(lines_of(text)) : as_text_value(text);
}

Converted parse_parameter(const ir::Type& type, std::string_view text) {
    if (type.kind == TypeKind::Json) return json_from(text);
    if (type.kind == TypeKind::Percent && !text.ends_with('%'))
        return tl::unexpected(fmt::format("`{0}` is no percentage: write {0}%", printable(text, 80)));
    if (type.kind != TypeKind::List) return convert(Value(std::string(text)), type);
    const auto data = documents::yaml_to_json(text, documents::Scalars::Values);
    if (!data || !data->is_array()) return refuse(text, "list");
    return convert(Value(std::make_shared<const nlohmann::json>(*data)), type);
}

}  // namespace migc::runtime::inline evaluation
