#include "runtime/evaluate/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "compiler/semantics/phrase.hpp"
#include "compiler/support/escape.hpp"
#include "runtime/tools/error_text.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline evaluation {

std::string phrase(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                   const std::vector<Value>& values) {
    return semantics::phrase(signature, parameters, values,
                             [](const Value& value) { return printable(show(value)); });
}

std::string iso_time(Time time) {
    return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(time / 1000)), time % 1000);
}

std::string printable(std::string_view text, std::size_t limit) {
    // What is cut off could be the rest of a secret, which is then known no more.
    constexpr std::size_t longest_rest = std::size_t{64} << 10;
    std::string shown(text.substr(0, limit));
    if (secrets().any())
        shown = secrets().apply(std::string(text.substr(0, limit + longest_rest))).substr(0, limit);
    return one_line(shown);
}

std::optional<std::string> readable(const Value& value) {
    constexpr std::size_t longest = 60;
    const std::string text = show(value);
    if (text.size() > longest || text.find('\n') != std::string::npos) return std::nullopt;
    return printable(text, longest);
}

std::string failure_text(const std::string& tool, const Answer& answer) {
    const std::string words = printable(last_words(error_text(answer)));
    const std::string tail = words.empty() ? "" : ": " + words;
    // A native is no program that people know: its reason stands for itself.
    const std::string reason = answer.ending == Ending::Exited ? words : printable(answer.reason);
    if (tool == "native" && !reason.empty()) return reason;
    const std::string because = answer.reason.empty() ? tail : ": " + printable(answer.reason);
    switch (answer.ending) {
        case Ending::Exited:
            return fmt::format("{} exited with {}{}", tool, answer.status, tail);
        case Ending::Signalled:
            return fmt::format("{} was ended by signal {}{}", tool, answer.status, tail);
        case Ending::TimedOut:
            return fmt::format("{} took too long{}", tool, because);
        case Ending::NotStarted:
            return fmt::format("{} could not be started{}", tool, because);
    }
    return tool;
}

}  // namespace migc::runtime::inline evaluation
