#include "runtime/tools/error_text.hpp"

#include <algorithm>

#include <re2/re2.h>

#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline tools {
namespace {

constexpr std::string_view warning_mark = "Warning: ";
// Behind this kubectl goes on to teach about field managers.
constexpr std::string_view lesson = "Please review the fields above";

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t'))
            line.remove_suffix(1);
        if (line.starts_with(lesson)) break;
        if (!line.empty()) lines.emplace_back(line);
    }
    return lines;
}

// kubernetes quotes the whole object back that has the wrong value in it.
std::string without_objects(std::string line) {
    static const re2::RE2 quoted(R"re((patch: )?Invalid value: "\{.*?\}": )re");
    static const re2::RE2 printed(R"(Invalid value: [\w.\[\]]+\{.*?\}: )");
    re2::RE2::GlobalReplace(&line, quoted, "");
    re2::RE2::GlobalReplace(&line, printed, "");
    return line;
}

std::string joined(const std::vector<std::string>& lines, std::size_t first) {
    std::string text;
    for (std::size_t i = first; i < lines.size(); ++i)
        text += (i == first ? "" : " ") + without_objects(lines[i]);
    return text;
}

}  // namespace

std::string error_text(const Answer& answer) {
    return secrets().apply(answer.errors.empty() ? answer.output : answer.errors);
}

std::string last_words(std::string_view text) {
    const auto lines = lines_of(text);
    if (lines.empty()) return {};
    std::size_t first = lines.size() - 1;
    while (first > 0 && lines[first].starts_with("* ")) --first;
    return joined(lines, first);
}

std::string without_warnings(std::string_view text) {
    const auto lines = lines_of(text);
    auto others = lines;
    std::erase_if(others, [](const std::string& line) { return line.starts_with(warning_mark); });
    return joined(others.empty() ? lines : others, 0);
}

std::vector<std::string> warnings(std::string_view text) {
    std::vector<std::string> found;
    for (const std::string& line : lines_of(text))
        if (line.starts_with(warning_mark)) found.push_back(line.substr(warning_mark.size()));
    return found;
}

}  // namespace migc::runtime::inline tools
