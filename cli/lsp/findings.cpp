// Findings, as an editor shows them, and what mends them.

#include "cli/lsp/server.hpp"
#include "cli/lsp/uri.hpp"
#include "compiler/diagnostics/explanations.hpp"

namespace migc::lsp {

using service::Analysis;

namespace {

int severity(Severity severity) {
    return severity == Severity::Error ? 1 : severity == Severity::Warning ? 2 : 3;
}

// The message, and what belongs to it without being a place.
std::string text_of(const Diagnostic& d) {
    std::string text = d.message;
    if (!d.primary_label.empty()) text += "\n" + d.primary_label;
    for (const auto& note : d.notes) text += "\n" + note;
    return text;
}

}  // namespace

Json Server::finding(const Analysis& analysis, const Diagnostic& d) {
    Json result = {{"range", range(analysis, d.span)},
                   {"severity", severity(d.severity)},
                   {"code", info(d.code).id},
                   {"source", "migc"},
                   {"message", text_of(d)}};
    if (const std::string path = cached("checks.md", explanations()); !path.empty())
        result["codeDescription"] = {{"href", uri_of(path) + "#" + anchor(info(d.code))}};
    Json related = Json::array();
    for (const auto& label : d.labels)
        if (Json at = location(analysis, label.span); !at.is_null())
            related.push_back({{"location", std::move(at)}, {"message", label.text}});
    if (!related.empty()) result["relatedInformation"] = std::move(related);
    return result;
}

void Server::publish(const std::string& uri, Document& document, std::vector<Json>& out) {
    std::map<std::string, Json> by_uri;
    by_uri[uri] = Json::array();
    for (const auto& old : document.published) by_uri[old] = Json::array();
    // The library's own text, opened to read: as a script it would declare everything twice.
    const bool is_library = !cache_.empty() && path_of(uri).starts_with(cache_.string() + "/");
    if (!is_library) {
        Analysis& analysis = this->analysis(uri, document);
        for (const auto& d : analysis.diagnostics().all()) {
            const std::string where = uri_of_file(analysis, d.span.file);
            // Another document that is open tells its findings itself.
            if (where.empty() || (where != uri && documents_.contains(where))) continue;
            by_uri.try_emplace(where, Json::array()).first->second.push_back(finding(analysis, d));
        }
    }
    document.published.clear();
    for (auto& [where, findings] : by_uri) {
        if (!findings.empty()) document.published.insert(where);
        Json parameters = {{"uri", where}, {"diagnostics", std::move(findings)}};
        if (where == uri && !document.version.is_null()) parameters["version"] = document.version;
        out.push_back(published(std::move(parameters)));
    }
}

std::vector<Json> Server::idle() {
    std::vector<Json> out;
    for (const std::string& uri : changed_)
        if (const auto found = documents_.find(uri); found != documents_.end())
            publish(uri, found->second, out);
    changed_.clear();
    return out;
}

Json Server::code_actions(const Json& parameters) {
    const Place at = place(parameters, false);
    const auto offset = [&](const char* end) {
        return at.document.text.offset(position(parameters.at("range").at(end)));
    };
    const std::uint32_t begin = offset("start"), end = offset("end");
    Json result = Json::array();
    for (const auto& d : at.analysis.diagnostics().all()) {
        if (uri_of_file(at.analysis, d.span.file) != at.uri || d.span.begin > end || d.span.end < begin)
            continue;
        for (const auto& fix : d.fixes) {
            Json changes = Json::object();
            for (const Edit& edit : fix.edits)
                for (auto& json : edits(at.analysis, {edit}))
                    changes[uri_of_file(at.analysis, edit.span.file)].push_back(std::move(json));
            result.push_back({{"title", fix.title},
                              {"kind", "quickfix"},
                              {"isPreferred", fix.safe},
                              {"diagnostics", {finding(at.analysis, d)}},
                              {"edit", {{"changes", std::move(changes)}}}});
        }
    }
    return result;
}

}  // namespace migc::lsp
