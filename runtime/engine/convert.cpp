#include "runtime/engine/convert.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/engine/text.hpp"
#include "runtime/engine/yaml.hpp"

namespace migc::runtime {
namespace {

using ir::TypeKind;
using Converted = tl::expected<Value, std::string>;

// Deeper data than this is garbage, and would exhaust the stack where it is walked.
constexpr int deepest = 200;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Converted refuse(std::string_view text, std::string_view kind) {
    return tl::unexpected(fmt::format("`{}` is no {}", printable(text, 80), kind));
}

template <typename Parsed>
Converted wrap(tl::expected<Parsed, std::string> parsed) {
    if (!parsed) return tl::unexpected(parsed.error());
    return Value(std::move(*parsed));
}

Converted int_from(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return refuse(text, "int");
    return Value(number);
}

Converted bool_from(std::string_view text) {
    if (text == "true") return Value(true);
    if (text == "false") return Value(false);
    return refuse(text, "bool");
}

Converted percent_from(std::string_view text) {
    std::string_view digits = text;
    if (digits.ends_with('%')) digits.remove_suffix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return refuse(text, "percent");
    return Value(Percent{number});
}

Converted json_from(std::string_view text) {
    auto read = read_format(std::string(text), "json", "");
    return read ? std::move(read) : refuse(text, "JSON");
}

Converted from_text(const std::string& whole, const ir::Type& type) {
    const std::string_view text = trimmed(whole);
    switch (type.kind) {
        case TypeKind::Int:
            return int_from(text);
        case TypeKind::Bool:
        case TypeKind::Condition:
            return bool_from(text);
        case TypeKind::Percent:
            return percent_from(text);
        case TypeKind::Duration:
            return wrap(parse_duration(text));
        case TypeKind::Quantity:
            return wrap(parse_quantity(text));
        case TypeKind::Resource:
            return Value(ResourceRef{type.resource, std::string(text)});
        default:
            return Value(whole);
    }
}

Converted list_from(const List& items, const ir::Type& type) {
    if (type.kind != TypeKind::List || !type.element) return Value(items);
    List list;
    for (const Value& item : items) {
        auto element = convert(item, *type.element);
        if (!element) return element;
        list.push_back(std::move(*element));
    }
    return Value(std::move(list));
}

Converted from_data(const nlohmann::json& data, const Value& value, const ir::Type& type) {
    if (type.kind == TypeKind::List && data.is_array()) {
        List items;
        for (const auto& item : data) items.push_back(plain(item));
        return list_from(items, type);
    }
    if (type.kind == TypeKind::Json || type.kind == TypeKind::Plan || type.kind == TypeKind::Any)
        return value;
    if (data.is_number_float() && type.kind == TypeKind::Percent) return Value(Percent{data.get<double>()});
    return refuse(data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), show(type));
}

Converted from_int(std::int64_t number, const Value& value, const ir::Type& type) {
    if (type.kind == TypeKind::Percent) return Value(Percent{static_cast<double>(number)});
    if (type.kind == TypeKind::Quantity) return wrap(parse_quantity(std::to_string(number)));
    if (type.kind == TypeKind::String) return Value(show(value));
    if (type.kind == TypeKind::Bool || type.kind == TypeKind::List) return refuse(show(value), show(type));
    return value;
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
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = trimmed(std::string_view(text).substr(begin, end - begin));
        if (!line.empty()) lines.emplace_back(std::string(line));
        begin = end + 1;
    }
    return Value(std::move(lines));
}

bool is_utf8(const std::string& text) {
    try {
        return !nlohmann::json(text).dump().empty();
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

Converted text_of(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return Value(std::move(text));
}

}  // namespace

Converted convert(const Value& value, const ir::Type& type) {
    if (const auto* text = value.get_if<std::string>()) return from_text(*text, type);
    if (const auto* items = value.get_if<List>()) return list_from(*items, type);
    if (const auto* data = value.get_if<Json>(); data != nullptr && *data)
        return from_data(**data, value, type);
    if (const auto* number = value.get_if<std::int64_t>()) return from_int(*number, value, type);
    return value;
}

Converted read_format(const std::string& text, const std::string& format, const std::string& pointer) {
    const bool data = format == "json" || format == "yaml" || !pointer.empty();
    if (data && trimmed(text).empty()) return Value(Absent{});
    if (!is_utf8(text)) return tl::unexpected(std::string("the answer is not UTF-8 text"));
    if (data) {
        const auto parsed = format == "yaml" ? parse_yaml(text) : parse_json(text);
        if (!parsed)
            return tl::unexpected(fmt::format("the answer is not {}", format == "yaml" ? "YAML" : "JSON"));
        return at_pointer(*parsed, pointer);
    }
    return format == "lines" ? Converted(lines_of(text)) : text_of(text);
}

Converted parse_parameter(const ir::Type& type, std::string_view text) {
    if (type.kind == TypeKind::Json) return json_from(text);
    if (type.kind != TypeKind::List) return convert(Value(std::string(text)), type);
    const auto data = parse_yaml(std::string(text));
    if (!data || !data->is_array()) return refuse(text, "list");
    return convert(Value(std::make_shared<const nlohmann::json>(*data)), type);
}

}  // namespace migc::runtime
