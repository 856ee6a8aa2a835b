// Reading JSON that may have any shape, and small texts made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc::runtime::inline world {

using Object = nlohmann::json;

// The part at a JSON pointer; null where there is none.
const Object* part(const Object& object, const char* pointer);
// The part if it has the wanted type, else the fallback (an empty text, an empty object).
std::int64_t number_at(const Object& object, const char* pointer, std::int64_t fallback);
std::string text_at(const Object& object, const char* pointer, std::string fallback = {});
const Object& object_at(const Object& object, const char* pointer);
const Object& list_at(const Object& object, const char* pointer);
// Whether it is there, and true.
bool flag_at(const Object& object, const char* pointer);

// A null in a manifest means that the field is not there.
Object without_nulls(const Object& object);

// As kubectl and terraform print it; bytes that are not UTF-8 are replaced. An indent below 0 gives one line.
std::string printed(const Object& object, int indent = 4);

// The value where the text is JSON, else the text.
Object json_or_text(std::string_view text);

// `length` characters that kubernetes would use in a name, decided by the text.
std::string name_suffix(std::string_view text, std::size_t length);

// In the form of a UUID, decided by the text.
std::string uuid(std::string_view text);

// 2026-01-10T01:00:00Z, from and to milliseconds since 1970.
std::string timestamp(std::int64_t milliseconds);
// Sat, 10 Jan 2026 01:00:00 GMT
std::string http_date(std::int64_t milliseconds);
std::optional<std::int64_t> parse_timestamp(const std::string& text);

// Whether all wanted labels are there with these values.
bool has_labels(const Object& labels, const Object& wanted);
// "app=web", "app==web", "tier!=test", told apart; without a value where there is no sign.
struct Requirement {
    std::string key;
    std::optional<std::string> value;
    bool negated = false;
};
Requirement requirement_of(std::string_view text);
// A selector as kubectl's -l takes it: "app=web,tier!=test,x". Null if it is of a form that is not known
// here.
std::optional<bool> selected(const Object& labels, std::string_view selector);

}  // namespace migc::runtime::inline world
