// Text of somebody else's making (names of files, messages, what tools say), as each place that shows it can
// bear it: there is no sign in it that the place would act on. See escape.hpp for what a terminal acts on.
#pragma once

#include <string>
#include <string_view>

namespace migc {

enum class Sink {
    Line,            // within a line of a terminal, a log, or GitLab's report
    GitHub,          // the message of an annotation, of one or several lines
    GitHubProperty,  // its file or title
    Markdown,        // within a line or a table's cell: no markup, mention, reference or address
    MarkdownCode,    // the same, as code
    Dot,             // within a quoted label of Graphviz
    Mermaid,         // within a quoted label of Mermaid
    UriPath,         // the path of a URI: what RFC 3986 reserves, but for `/`, is written as %XX
};

std::string outside_text(std::string_view text, Sink sink);

// A whole output for a log: no line of it is a command to the machine that keeps the log, as `::add-mask::x`
// is to GitHub's runner.
std::string log_text(std::string_view text);

// JSON as it was dumped, with what a terminal acts on written as \u009b: it means the same.
std::string json_for_terminal(std::string_view json);

}  // namespace migc
