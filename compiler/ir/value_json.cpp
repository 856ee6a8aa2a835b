// Values as the journal and the events write them.
#include <charconv>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

#include "compiler/ir/value.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/escape.hpp"

namespace migc {

namespace {

using JsonValue = nlohmann::json;

constexpr int deepest = 200;  // levels of nested lists that are read back; no probe answers with more

// JSON holds UTF-8 only; other bytes are written in hexadecimal.
JsonValue text_to_json(const std::string& text) {
    if (is_utf8(text)) return text;
    return {{"bytes", hexadecimal(text)}};
}

std::optional<std::string> bytes_from(const std::string& digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        unsigned byte = 0;
        const char* end = digits.data() + i + 2;
        if (std::from_chars(digits.data() + i, end, byte, 16).ptr != end) return std::nullopt;
        out += static_cast<char>(byte);
    }
    return out;
}

// Scalars and lists stand for themselves; what JSON has no type for is an object with one telling key.
struct Writer {
    JsonValue operator()(const Absent&) const { return nullptr; }
    JsonValue operator()(const Unknown& unknown) const { return {{"unknown", text_to_json(unknown.reason)}}; }
    JsonValue operator()(bool value) const { return value; }
    JsonValue operator()(std::int64_t value) const { return value; }
    JsonValue operator()(const std::string& value) const { return text_to_json(value); }
    JsonValue operator()(const Percent& percent) const { return {{"percent", percent.value}}; }
    JsonValue operator()(const Duration& duration) const { return {{"duration_ms", duration.milliseconds}}; }
    JsonValue operator()(const Quantity& quantity) const {
        return {{"quantity", text_to_json(quantity.text)}};
    }
    JsonValue operator()(const ResourceRef& resource) const {
        return {{"resource", text_to_json(resource.type)}, {"name", text_to_json(resource.name)}};
    }
    JsonValue operator()(const List& list) const {
        JsonValue array = JsonValue::array();
        for (const Value& value : list) array.push_back(to_json(value));
        return array;
    }
    JsonValue operator()(const Json& json) const { return {{"json", json ? *json : JsonValue()}}; }
};

std::optional<std::string> text_from(const JsonValue& json) {
    if (json.is_string()) return json.get<std::string>();
    const auto bytes = json.is_object() ? json.find("bytes") : json.end();
    if (bytes == json.end() || !bytes->is_string()) return std::nullopt;
    return bytes_from(bytes->get<std::string>());
}

std::optional<Value> quantity_from(const std::string& text) {
    auto quantity = parse_quantity(text);
    return quantity ? *quantity : Quantity{text, std::numeric_limits<double>::quiet_NaN()};
}

// What Writer makes of the types that JSON lacks; nothing for an object that it did not make.
std::optional<Value> tagged_from(const JsonValue& json) {
    const std::string& key = json.begin().key();
    const JsonValue& content = json.begin().value();
    if (key == "json") return std::make_shared<const JsonValue>(content);
    if (key == "percent" && content.is_number()) return Percent{content.get<double>()};
    if (key == "duration_ms" && content.is_number_integer()) return Duration{content.get<std::int64_t>()};
    const auto text = key == "bytes" ? text_from(json) : text_from(content);
    if (!text) return std::nullopt;
    if (key == "bytes") return *text;
    if (key == "unknown") return Unknown{*text};
    if (key == "quantity") return quantity_from(*text);
    return std::nullopt;
}

std::optional<Value> resource_from(const JsonValue& json) {
    if (!json.contains("resource") || !json.contains("name")) return std::nullopt;
    const auto type = text_from(json["resource"]);
    const auto resource_name = text_from(json["name"]);
    if (!type || !resource_name) return std::nullopt;
    return ResourceRef{*type, *resource_name};
}

Value read(const JsonValue& json, int depth) {
    if (depth > deepest) return Unknown{"the value is nested too deeply"};
    if (json.is_array()) {
        List list;
        for (const JsonValue& element : json) list.push_back(read(element, depth + 1));
        return list;
    }
    if (!json.is_object()) return plain(json);
    const auto value = json.size() == 1   ? tagged_from(json)
                       : json.size() == 2 ? resource_from(json)
                                          : std::nullopt;
    return value.value_or(plain(json));
}

}  // namespace

nlohmann::json to_json(const Value& value) {
    return std::visit(Writer{}, value.data);
}

Value from_json(const nlohmann::json& json) {
    return read(json, 0);
}

}  // namespace migc
