#include "compiler/support/json_text.hpp"

namespace migc {

namespace {

const nlohmann::json null;

}  // namespace

std::string text_of(const nlohmann::json& object, const char* key) {
    const nlohmann::json& found = member(object, key);
    return found.is_string() ? found.get<std::string>() : std::string();
}

const nlohmann::json& member(const nlohmann::json& object, const std::string& key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found == object.end() ? null : *found;
}

const nlohmann::json& field(const nlohmann::json& json, const std::string& pointer) {
    const nlohmann::json::json_pointer path(pointer);
    return json.contains(path) ? json.at(path) : null;
}

std::string text_field(const nlohmann::json& json, const std::string& pointer) {
    const nlohmann::json& found = field(json, pointer);
    return found.is_string() ? found.get<std::string>() : std::string();
}

std::int64_t int_field(const nlohmann::json& json, const std::string& pointer, std::int64_t fallback) {
    const nlohmann::json& found = field(json, pointer);
    return found.is_number_integer() ? found.get<std::int64_t>() : fallback;
}

std::string plain_text(const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_pointer(const std::string& text) {
    try {
        const nlohmann::json::json_pointer pointer(text);
        return true;
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

bool pointer_holds(std::string_view outer, std::string_view inner) {
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char c : key) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return token;
}

}  // namespace migc
