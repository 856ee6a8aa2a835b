// Short forms for what natives answer, and for what they are given.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/support/json_text.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

Reading unknown(std::string reason);
// Unknown, and waiting cannot mend it: the fault is in what migc was given.
Reading mistaken(std::string reason);
Reading absent(std::string why = {});
// Of a JSON value, in plain form where it is a scalar.
Reading json_reading(const nlohmann::json& value);
// A reading of this object of the API server, with its identity and its revision.
Reading read_from(const nlohmann::json& object, Reading reading);

// As if a tool had printed `output` and ended well.
Answer well(std::string output);
// As if a tool had refused: exit status 1, the reason on standard error. Nothing was done.
Answer refused(std::string reason);
// Likewise of an inverse, which leaves what is there as it is, so as not to destroy it.
Answer left_alone(std::string why);

// What a failed tool said, on one line, with its name before it: "kubectl: Error from server: ..".
std::string complaint(const std::string& tool, const Answer& answer);

// Arguments by position; one that is missing is absent.
const Value& argument(const std::vector<Value>& arguments, std::size_t index);
// The argument as text; "" if absent. An image, a path, a URL are strings; a resource is its name.
std::string text_argument(const std::vector<Value>& arguments, std::size_t index);
// The fallback if absent or no whole number.
std::int64_t int_argument(const std::vector<Value>& arguments, std::size_t index, std::int64_t fallback);
// Whether an optional word was given: true for everything but absent and false.
bool bool_argument(const std::vector<Value>& arguments, std::size_t index);
// A list; a single value is a list of one, absent an empty one.
List list_argument(const std::vector<Value>& arguments, std::size_t index);
// A JSON argument; null if absent.
nlohmann::json json_argument(const std::vector<Value>& arguments, std::size_t index);

// The JSON that a value stands for: a text is a string, absent is null.
nlohmann::json as_json(const Value& value);

// "a, b, c and 4 more".
std::string enumerate(const std::vector<std::string>& items, std::size_t shown = 3);

}  // namespace migc::runtime::inline natives
