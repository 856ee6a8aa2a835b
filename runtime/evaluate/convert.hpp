// From what tools and files say to values of the type that a declaration promises.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"

namespace migc::runtime::inline evaluation {

// What a number without a `%` means where a percent is expected: 0.05 could be 5 % as well as 0.05 %, so that
// only the declaration can say it.
enum class BareNumber { Refused, Percent, Ratio };

// Of a command's format: "ratio", "yaml percent", or neither.
BareNumber bare_number(std::string_view format);

// A value as the type wants it: the text "200" as int, the text "20Gi" as quantity, a JSON array as list.
// Absent and unknown stay what they are. What is no number is none: NaN, an infinity, "", a truth. The error
// is a part of a sentence: "`abc` is no int".
tl::expected<Value, std::string> convert(const Value& value, const ir::Type& type,
                                         BareNumber bare = BareNumber::Refused);

// What an answer holds: "json", "yaml", "lines" or "text", and in the first two what stands at a JSON pointer
// (empty: the whole). Empty data is absent; a pointer that leads nowhere is absent.
tl::expected<Value, std::string> read_format(const std::string& text, const std::string& format,
                                             const std::string& pointer);

// A script parameter as given by --set or by `set` in migc.yaml: "4", "5m", "[a, b]" for lists of words.
tl::expected<Value, std::string> parse_parameter(const ir::Type& type, std::string_view text);

}  // namespace migc::runtime::inline evaluation
