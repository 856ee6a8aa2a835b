#include "runtime/world/json.hpp"

#include <algorithm>
#include <ctime>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "compiler/support/text.hpp"

namespace migc::runtime::inline world {
namespace {

// One requirement of a selector.
bool requirement_holds(const Object& labels, const std::string& text) {
    const auto [key, value, negated] = requirement_of(text);
    if (!value && key.starts_with('!')) return !labels.contains(key.substr(1));
    if (!value) return labels.contains(key);
    const auto label = labels.find(key);
    return (label != labels.end() && *label == *value) != negated;
}

// The element that a part of a pointer names; null if there is none.
const Object* child(const Object& object, std::string_view name) {
    if (object.is_object()) {
        const auto found = object.find(name);
        return found == object.end() ? nullptr : &*found;
    }
    const auto index = object.is_array() ? whole_number<std::size_t>(name) : std::nullopt;
    return index && *index < object.size() ? &object[*index] : nullptr;
}

}  // namespace

const Object* part(const Object& object, const char* pointer) {
    // Plain names need no copies; the simulation asks for them all the time.
    const Object* found = &object;
    std::string_view rest(pointer);
    while (!rest.empty() && rest.find('~') == std::string_view::npos) {
        const std::size_t end = std::min(rest.find('/', 1), rest.size());
        found = child(*found, rest.substr(1, end - 1));
        if (found == nullptr) return nullptr;
        rest.remove_prefix(end);
    }
    if (rest.empty()) return found;
    const Object::json_pointer where{std::string(rest)};
    return found->contains(where) ? &found->at(where) : nullptr;
}

std::int64_t number_at(const Object& object, const char* pointer, std::int64_t fallback) {
    const Object* found = part(object, pointer);
    return found && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
}

std::string text_at(const Object& object, const char* pointer, std::string fallback) {
    const Object* found = part(object, pointer);
    return found && found->is_string() ? found->get<std::string>() : fallback;
}

const Object& object_at(const Object& object, const char* pointer) {
    static const Object none = Object::object();
    const Object* found = part(object, pointer);
    return found && found->is_object() ? *found : none;
}

const Object& list_at(const Object& object, const char* pointer) {
    static const Object none = Object::array();
    const Object* found = part(object, pointer);
    return found && found->is_array() ? *found : none;
}

bool flag_at(const Object& object, const char* pointer) {
    const Object* found = part(object, pointer);
    return found && *found == true;
}

std::string printed(const Object& object, int indent) {
    return object.dump(indent, ' ', false, Object::error_handler_t::replace);
}

Object json_or_text(std::string_view text) {
    Object value = Object::parse(text, nullptr, false);
    return value.is_discarded() ? Object(std::string(text)) : value;
}

std::string name_suffix(std::string_view text, std::size_t length) {
    // Kubernetes leaves out vowels and look-alikes, so that a name never spells a word.
    constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
    const std::string hex = sha256(text);
    std::string suffix;
    for (std::size_t i = 0; i < length; ++i)
        suffix += alphabet[static_cast<std::size_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16)) %
                           alphabet.size()];
    return suffix;
}

std::string uuid(std::string_view text) {
    const std::string hex = sha256(text);
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                       hex.substr(16, 4), hex.substr(20, 12));
}

std::string timestamp(std::int64_t milliseconds) {
    return fmt::format("{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)));
}

std::string http_date(std::int64_t milliseconds) {
    return fmt::format("{:%a, %d %b %Y %T GMT}", fmt::gmtime(static_cast<std::time_t>(milliseconds / 1000)));
}

std::optional<std::int64_t> parse_timestamp(const std::string& text) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (!end || *end != '\0') return std::nullopt;
    return static_cast<std::int64_t>(timegm(&parts)) * 1000;
}

bool has_labels(const Object& labels, const Object& wanted) {
    if (!wanted.is_object()) return true;
    for (const auto& [key, value] : wanted.items())
        if (!labels.is_object() || !labels.contains(key) || labels[key] != value) return false;
    return true;
}

Requirement requirement_of(std::string_view text) {
    const std::size_t sign = text.find('=');
    if (sign == std::string_view::npos) return {std::string(text), std::nullopt};
    const bool negated = sign > 0 && text[sign - 1] == '!';
    const std::size_t value = std::min(text.find_first_not_of('=', sign), text.size());
    return {std::string(text.substr(0, negated ? sign - 1 : sign)), std::string(text.substr(value)), negated};
}

std::optional<bool> selected(const Object& labels, std::string_view selector) {
    if (selector.find_first_of("() ") != std::string_view::npos) return std::nullopt;
    return std::ranges::all_of(split(selector, ','), [&](const std::string& one) {
        return one.empty() || requirement_holds(labels, one);
    });
}

Object without_nulls(const Object& object) {
    if (!object.is_object() && !object.is_array()) return object;
    Object result = object;
    for (auto at = result.begin(); at != result.end();) {
        if (object.is_object() && at->is_null()) {
            at = result.erase(at);
            continue;
        }
        *at = without_nulls(*at);
        ++at;
    }
    return result;
}

}  // namespace migc::runtime::inline world
