// Short forms for what natives answer, and for what they are given.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

using nlohmann::json;

// What each of these is told is a whole text, or a format and what goes into it.
Reading unknown(std::string reason);
// Unknown, and waiting cannot mend it: the fault is in what migc was given.
Reading mistaken(std::string reason);
Reading absent(std::string why = {});
// What is waited for does not hold yet; it does not, and waiting cannot mend it.
Reading not_yet(std::string why);
Reading never(std::string why);
// Unknown; whether waiting can mend it is known to whoever asked.
Reading not_known(std::string reason, bool permanent);
// Of a JSON value, in plain form where it is a scalar.
Reading json_reading(const json& value);
// Of a JSON value that stays one.
Reading as_it_is(json value);
// A reading of this object of the API server, with its identity and its revision.
Reading read_from(const json& object, Reading reading);

// As if a tool had printed `output` and ended well.
Answer well(std::string output);
// As if a tool had refused: exit status 1, the reason on standard error. Nothing was done.
Answer refused(std::string reason);
// As if a tool had failed after it may have begun: exit status 1, the reason on standard error.
Answer went_wrong(std::string reason);
// Likewise of an inverse, which leaves what is there as it is, so as not to destroy it.
Answer left_alone(std::string why);

// What a failed tool said, on one line, with its name before it: "kubectl: Error from server: ..".
std::string complaint(const std::string& tool, const Answer& answer);

// Arguments by position; one that is missing is absent.
const Value& argument(const Arguments& arguments, std::size_t index);
// The argument as text; "" if absent. An image, a path, a URL are strings; a resource is its name.
std::string text_argument(const Arguments& arguments, std::size_t index);
// The fallback if absent or no whole number.
std::int64_t int_argument(const Arguments& arguments, std::size_t index, std::int64_t fallback);
// Whether an optional word was given: true for everything but absent and false.
bool bool_argument(const Arguments& arguments, std::size_t index);
// A list; a single value is a list of one, absent an empty one.
List list_argument(const Arguments& arguments, std::size_t index);
// The values as words of a command.
std::vector<std::string> words_of(const List& values);
// A JSON argument; null if absent.
json json_argument(const Arguments& arguments, std::size_t index);

// The JSON that a value stands for: a text is a string, absent is null.
json as_json(const Value& value);

// The texts as a value.
Value list_of(const std::vector<std::string>& texts);
// Puts more words behind the words of a command.
void append(std::vector<std::string>& words, const std::vector<std::string>& more);
// "a, b, c and 4 more".
std::string enumerate(const std::vector<std::string>& items, std::size_t shown = 3);

template <typename... Args>
Reading unknown(fmt::format_string<Args...> words, Args&&... args) {
    return unknown(fmt::format(words, std::forward<Args>(args)...));
}

template <typename... Args>
Reading mistaken(fmt::format_string<Args...> words, Args&&... args) {
    return mistaken(fmt::format(words, std::forward<Args>(args)...));
}

template <typename... Args>
Reading absent(fmt::format_string<Args...> words, Args&&... args) {
    return absent(fmt::format(words, std::forward<Args>(args)...));
}

template <typename... Args>
Reading not_yet(fmt::format_string<Args...> words, Args&&... args) {
    return not_yet(fmt::format(words, std::forward<Args>(args)...));
}

template <typename... Args>
Reading never(fmt::format_string<Args...> words, Args&&... args) {
    return never(fmt::format(words, std::forward<Args>(args)...));
}

template <typename... Args>
Answer refused(fmt::format_string<Args...> words, Args&&... args) {
    return refused(fmt::format(words, std::forward<Args>(args)...));
}

}  // namespace migc::runtime::inline natives
