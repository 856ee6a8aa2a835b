// SARIF 2.1.0: what code scanning and editors read.
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/findings/report.hpp"
#include "compiler/support/outside_text.hpp"

namespace migc::findings {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* source_root = "%SRCROOT%";

Json message(std::string_view text) {
    return {{"text", text}};
}

Json artifact(Span span, const SourceMap& sources) {
    Diagnostic only_place{};
    only_place.span = span;
    const std::string path = file_of(only_place, sources);
    if (path == "-") return {{"uri", "stdin"}};
    // A relative URI must stay below the root.
    if (path.starts_with("../") || path.starts_with('/'))
        return {{"uri", "file://" + outside_text(std::filesystem::absolute(path).lexically_normal().string(),
                                                 Sink::UriPath)}};
    return {{"uri", outside_text(path, Sink::UriPath)}, {"uriBaseId", source_root}};
}

Json region(Span span, const SourceMap& sources) {
    const SourceFile& file = sources.file(span.file);
    const Position begin = file.position(span.begin), end = file.position(span.end);
    return {{"startLine", begin.line},
            {"startColumn", begin.column},
            {"endLine", end.line},
            {"endColumn", end.column}};
}

// The standard library is part of migc: there is no file of it that a viewer could show.
bool is_embedded(Span span, const SourceMap& sources) {
    const std::string& name = sources.file(span.file).name();
    return name.starts_with("std/") && !std::filesystem::exists(name);
}

Json location(Span span, const SourceMap& sources) {
    return {{"physicalLocation",
             {{"artifactLocation", artifact(span, sources)}, {"region", region(span, sources)}}}};
}

Json related_locations(const Diagnostic& d, const SourceMap& sources) {
    Json result = Json::array();
    for (const auto& label : d.labels) {
        if (label.span.file >= sources.size()) continue;
        const bool embedded = is_embedded(label.span, sources);
        Json one = embedded ? Json::object() : location(label.span, sources);
        one["id"] = result.size() + 1;
        one["message"] =
            message(embedded ? fmt::format("{} ({})", label.text, sources.location(label.span)) : label.text);
        result.push_back(std::move(one));
    }
    return result;
}

Json fix_of(const Fix& fix, const SourceMap& sources) {
    Json changes = Json::array();
    std::vector<FileId> files;
    for (const auto& edit : fix.edits) {
        std::size_t at = 0;
        while (at < files.size() && files[at] != edit.span.file) ++at;
        if (at == files.size()) {
            files.push_back(edit.span.file);
            changes.push_back(
                {{"artifactLocation", artifact(edit.span, sources)}, {"replacements", Json::array()}});
        }
        changes[at]["replacements"].push_back(
            {{"deletedRegion", region(edit.span, sources)}, {"insertedContent", message(edit.replacement)}});
    }
    return {{"description", message(fix.title)}, {"artifactChanges", std::move(changes)}};
}

Json suppressions(const Finding& finding) {
    if (finding.known)
        return Json::array({{{"kind", "external"}, {"justification", "it is in the baseline"}}});
    if (!finding.silenced) return Json::array();
    const Silenced& s = *finding.silenced;
    return Json::array({{{"kind", s.in_source ? "inSource" : "external"},
                         {"justification", s.reason},
                         {"location", location(s.by, *finding.sources)}}});
}

std::string explained(const Diagnostic& d) {
    std::string text = d.message;
    if (!d.primary_label.empty()) text += ": " + d.primary_label;
    for (const auto& note : d.notes) text += ".\n" + note;
    return text + ".";
}

Json result_of(const Finding& finding) {
    const Diagnostic& d = *finding.diagnostic;
    Json result = {{"ruleId", info(d.code).id},
                   {"ruleIndex", static_cast<std::size_t>(d.code)},
                   {"level", name(d.severity)},
                   {"message", message(explained(d))}};
    if (d.span.file < finding.sources->size()) {
        result["locations"] = Json::array({location(d.span, *finding.sources)});
        if (Json related = related_locations(d, *finding.sources); !related.empty())
            result["relatedLocations"] = std::move(related);
    }
    Json fixes = Json::array();
    for (const auto& fix : d.fixes)
        if (!fix.edits.empty()) fixes.push_back(fix_of(fix, *finding.sources));
    if (!fixes.empty()) result["fixes"] = std::move(fixes);
    result["partialFingerprints"] = {{"migc/v1", finding.fingerprint}};
    if (Json by = suppressions(finding); !by.empty()) result["suppressions"] = std::move(by);
    return result;
}

Json rule_of(const CodeInfo& code) {
    std::string title(code.title), pascal;
    bool upper = true;
    for (const char c : title) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter) pascal += upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = !letter;
    }
    const std::string markdown = fmt::format("{}\n\nRefused:\n\n```\n{}\n```\n\nAccepted:\n\n```\n{}\n```\n",
                                             code.explanation, code.bad, code.good);
    return {{"id", code.id},
            {"name", pascal},
            {"shortDescription", message(code.title)},
            {"fullDescription", message(code.explanation)},
            {"help",
             {{"text", fmt::format("{}\nRefused: {}\nAccepted: {}", code.explanation, code.bad, code.good)},
              {"markdown", markdown}}},
            {"defaultConfiguration", {{"level", name(code.severity)}}}};
}

}  // namespace

std::string as_sarif(const std::vector<Finding>& findings, const std::string& version) {
    Json rules = Json::array(), results = Json::array();
    for (const auto& code : all_codes()) rules.push_back(rule_of(code));
    for (const auto& finding : findings) results.push_back(result_of(finding));
    const Json log = {
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         {{{"tool", {{"driver", {{"name", "migc"}, {"version", version}, {"rules", std::move(rules)}}}}},
           {"originalUriBaseIds",
            {{source_root, {{"description", message("the folder in which migc check was started")}}}}},
           {"columnKind", "unicodeCodePoints"},
           {"results", std::move(results)}}}}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace migc::findings
