// Formats with a place and a sentence per finding: JSON, GitHub's annotations, GitLab's code quality report.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/diagnostics/render.hpp"
#include "compiler/findings/report.hpp"
#include "compiler/support/outside_text.hpp"

namespace migc::findings {
namespace {

using Json = nlohmann::ordered_json;

// A message may quote bytes that are no UTF-8.
std::string text_of(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// The sentence, and what is known beside it.
std::string with_notes(const Diagnostic& d) {
    std::string result = d.message;
    if (!d.primary_label.empty()) result += ": " + d.primary_label;
    for (const auto& note : d.notes) result += "\n" + note;
    for (const auto& fix : d.fixes) result += "\nfix: " + fix.title;
    return result;
}

std::string_view command(Severity severity) {
    return severity == Severity::Note ? "notice" : name(severity);
}

std::string annotation(const Finding& finding) {
    const Diagnostic& d = *finding.diagnostic;
    const std::string title = fmt::format("{}: {}", info(d.code).id, info(d.code).title);
    std::string place;
    if (d.span.file < finding.sources->size()) {
        const SourceFile& file = finding.sources->file(d.span.file);
        const Position begin = file.position(d.span.begin), end = file.position(d.span.end);
        place = fmt::format("file={},line={},endLine={},",
                            outside_text(file_of(d, *finding.sources), Sink::GitHubProperty), begin.line,
                            end.line);
        // GitHub takes columns only within one line, and the last one as part of the range.
        if (begin.line == end.line)
            place +=
                fmt::format("col={},endColumn={},", begin.column, std::max(begin.column, end.column - 1));
    }
    return fmt::format("::{} {}title={}::{}\n", command(d.severity), place,
                       outside_text(title, Sink::GitHubProperty), outside_text(with_notes(d), Sink::GitHub));
}

std::string_view gitlab_severity(Severity severity) {
    return severity == Severity::Error ? "critical" : severity == Severity::Warning ? "major" : "info";
}

}  // namespace

std::string as_json(const std::vector<Finding>& findings) {
    Json array = Json::array();
    for (const auto& finding : findings) {
        if (!finding.is_new()) continue;
        array.push_back(Json::parse(render_json_object(*finding.diagnostic, *finding.sources)));
        array.back()["fingerprint"] = finding.fingerprint;
    }
    return text_of(array);
}

std::string as_github(const std::vector<Finding>& findings) {
    std::string result;
    for (const auto& finding : findings)
        if (finding.is_new()) result += annotation(finding);
    return result;
}

std::string as_gitlab(const std::vector<Finding>& findings) {
    Json array = Json::array();
    for (const auto& finding : findings) {
        if (!finding.is_new()) continue;
        const Diagnostic& d = *finding.diagnostic;
        const bool has_place = d.span.file < finding.sources->size();
        const SourceFile* file = has_place ? &finding.sources->file(d.span.file) : nullptr;
        array.push_back({{"description", outside_text(d.message, Sink::Line)},
                         {"check_name", info(d.code).id},
                         {"fingerprint", finding.fingerprint},
                         {"severity", gitlab_severity(d.severity)},
                         {"location",
                          {{"path", file_of(d, *finding.sources)},
                           {"lines",
                            {{"begin", file ? file->position(d.span.begin).line : 1},
                             {"end", file ? file->position(d.span.end).line : 1}}}}}});
    }
    return text_of(array);
}

}  // namespace migc::findings
