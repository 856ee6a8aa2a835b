// Reading JSON that may lack what is looked for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc {

// The text that an object has under a key; empty if there is none, or if it is no object.
std::string text_of(const nlohmann::json& object, const char* key);

// What an object has under a key; null if there is nothing, or if it is no object.
const nlohmann::json& member(const nlohmann::json& object, const std::string& key);
// By JSON pointer (RFC 6901): a missing or differently typed field is null, "" or the fallback.
const nlohmann::json& field(const nlohmann::json& json, const std::string& pointer);
std::string text_field(const nlohmann::json& json, const std::string& pointer);
std::int64_t int_field(const nlohmann::json& json, const std::string& pointer, std::int64_t fallback = 0);

// A string as it is, and everything else as JSON.
std::string plain_text(const nlohmann::json& value);

// Whether a text is a JSON pointer; `field` and its like take nothing else.
bool is_pointer(const std::string& text);
// Whether one pointer leads to what the other does, or to what holds it.
bool pointer_holds(std::string_view outer, std::string_view inner);
// A key as it stands in a JSON pointer.
std::string pointer_token(std::string_view key);

}  // namespace migc
