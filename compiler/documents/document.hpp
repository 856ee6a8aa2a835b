// Values in configuration files that people write: JSON with comments, YAML, terraform's .tfvars.
// A value is read, set or removed at a pointer; nothing but its own bytes changes.
//
// A pointer is a JSON pointer (RFC 6901). On a list a token `key=value` picks the element whose `key` has
// that value; the number behind the last one stands for a new element. A YAML file of several documents is a
// list of them; the only document of a file may be picked, too. Where two elements fit, that is an error.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/documents/text.hpp"

namespace migc::documents {

enum class Format { Json, Yaml, Tfvars };

// By the ending of the name: .json, .yaml, .yml, .tfvars. Nothing for every other one.
std::optional<Format> format_of(std::string_view path);

constexpr std::size_t size_limit = std::size_t{4} << 20;  // bytes of a file
constexpr int deepest = 64;                               // levels of lists and maps
constexpr std::size_t most_values = 100'000;

// What keeps a value from being read or changed: one sentence for people, and where in the text it is.
struct Problem {
    std::string message;
    std::size_t offset = 0;
};

struct Lookup {
    std::optional<nlohmann::json> value;  // nothing if there is no such place, and for null
    Range range;      // the value's bytes, or those of the last place on the way that is there
    std::string why;  // if there is no value: what is missing
};

// The value at a pointer; "" is the whole file.
tl::expected<Lookup, Problem> read(std::string_view text, Format format, std::string_view pointer);

struct Edited {
    std::string text;
    nlohmann::json value;  // at the pointer, as it now reads
};

// The text with the value at the pointer set; what is missing on the way is made: a list for `0` or
// `key=value`, else a map. The value keeps its
// kind where the place has one: what stands in quotes in YAML stays a string, as does a value of a ConfigMap.
// A list or map is never replaced by a single value. The result has been read again and compared: where
// anything else would have changed, there is a problem in place of a text.
tl::expected<Edited, Problem> set(std::string_view text, Format format, std::string_view pointer,
                                  const nlohmann::json& value);

// Why no value at all can be set at the pointer; nothing if it depends on the value, or can be done.
std::optional<Problem> why_not_set(std::string_view text, Format format, std::string_view pointer);

// The text without the value at the pointer, its key and the comment behind it; as it is if there is no such
// place.
tl::expected<std::string, Problem> remove(std::string_view text, Format format, std::string_view pointer);

// The pointer that leads through these names, whatever characters are in them.
std::string pointer_to(const std::vector<std::string>& names);

}  // namespace migc::documents
