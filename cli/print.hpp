// The one way in which a command prints: no text that comes from elsewhere reaches a terminal or a log as it
// is.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/driver/script.hpp"
#include "runtime/session/ready.hpp"

namespace migc::cli {

using driver::Script;

// Text with what a terminal acts on, line breaks included, written as \\x1b.
std::string shown_argument(std::string_view text);

// What a text argument of a message is replaced by; numbers stay. Whatever else could hold text is refused.
template <typename Argument>
auto shown_argument_of(const Argument& argument) {
    if constexpr (std::is_convertible_v<const Argument&, std::string_view>) {
        return shown_argument(argument);
    } else {
        static_assert(std::is_arithmetic_v<Argument>, "make a text of it first");
        return argument;
    }
}

// A message of our own words around arguments from anywhere.
template <typename... Arguments>
std::string message(fmt::format_string<const Arguments&...> format, const Arguments&... arguments) {
    return fmt::format(fmt::runtime(fmt::string_view(format)), shown_argument_of(arguments)...);
}

// Of a whole output with line breaks of its own, some of it perhaps text from elsewhere.
void print_lines(std::FILE* to, std::string_view text);
// Of one whose renderer has made such text safe already, and perhaps coloured the rest.
void print_rendered(std::FILE* to, std::string_view text);

enum class Document {
    Json,    // of whatever
    Ready,   // made for a program that reads it: annotations, a picture
    Source,  // what the user gave, back to him
};
void print_document(Document kind, std::string_view text);

// What a command was asked: for a program, or for a person.
void print_answer(bool as_json, const nlohmann::json& json, std::string_view text);

// The diagnostics to the standard error, in colour on a terminal, and a line with their number.
void print(const Script& script);
void print(const Diagnostics& diagnostics, const SourceMap& sources);
// The same if there are errors; else only how many warnings there are.
void print_errors(const Script& script);

// Prints a message to the standard output; to the standard error.
template <typename... Arguments>
void say(fmt::format_string<const Arguments&...> format, const Arguments&... arguments) {
    print_rendered(stdout, message(format, arguments...));
}
template <typename... Arguments>
void tell(fmt::format_string<const Arguments&...> format, const Arguments&... arguments) {
    print_rendered(stderr, message(format, arguments...));
}

constexpr int refused = 2;  // the exit code: the script or the command line is at fault
using session::locked;

// Prints "migc: message" to standard error, with what would disturb a terminal escaped; gives the exit code.
int refuse(const std::string& message, int exit_code = refused);
// The same of one of several lines, in which each text from elsewhere is on one of them, if it has those.
int refuse(const session::Refusal& refusal);

// Of what a command was asked to write: 0, and what it has replaced is told; or why it was not written, and
// the exit code.
int written(const tl::expected<std::string, std::string>& note);

}  // namespace migc::cli
