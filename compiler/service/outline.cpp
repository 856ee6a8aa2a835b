#include "compiler/service/outline.hpp"

#include <algorithm>

#include "compiler/syntax/format.hpp"

namespace migc::service {

namespace {

std::string text(const Analysis& analysis, Span span) {
    return std::string(analysis.sources().text(span));
}

}  // namespace

std::vector<Part> outline(const Analysis& analysis) {
    const syntax::File& tree = analysis.tree();
    std::vector<Part> result;
    for (const auto& p : tree.params)
        result.push_back({PartKind::Param, p.name.text, p.type.text, p.span, p.name.span});
    for (const auto& l : tree.lets) result.push_back({PartKind::Let, l.name.text, "", l.span, l.name.span});
    for (const auto& s : tree.stages)
        result.push_back({PartKind::Stage, s.name.text, s.environment ? "in " + s.environment->text : "",
                          s.span, s.name.span});
    for (const auto& v : tree.verbs)
        result.push_back(
            {PartKind::Verb, text(analysis, v.signature_span), "verb", v.span, v.signature_span});
    for (const auto& p : tree.probes)
        result.push_back(
            {PartKind::Probe, text(analysis, p.signature_span), p.type.text, p.span, p.signature_span});
    for (const auto& t : tree.tools)
        result.push_back({PartKind::Tool, t.name.text, "tool", t.span, t.name.span});
    for (const auto& r : tree.resources)
        result.push_back({PartKind::Resource, r.name.text, "resource", r.span, r.name.span});
    std::sort(result.begin(), result.end(),
              [](const Part& a, const Part& b) { return a.span.begin < b.span.begin; });
    return result;
}

std::vector<Span> blocks(const Analysis& analysis) {
    std::vector<Span> result;
    std::vector<std::uint32_t> open;
    for (const auto& token : analysis.tokens()) {
        if (token.kind != syntax::TokenKind::Punctuation) continue;
        const std::string_view bracket = analysis.sources().text(token.span);
        if (bracket == "<") open.push_back(token.span.begin);
        if (bracket != ">" || open.empty()) continue;
        result.push_back({analysis.file(), open.back(), token.span.end});
        open.pop_back();
    }
    return result;
}

std::optional<std::vector<Edit>> format(const Analysis& analysis) {
    if (!analysis.is_mig()) return {};
    const std::string_view before = analysis.sources().file(analysis.file()).text();
    const std::string after = syntax::format(analysis.sources(), analysis.tokens());
    if (after == before) return std::vector<Edit>{};
    // Only the lines that differ, so that the cursor and marks elsewhere stay.
    const auto common = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    auto first = static_cast<std::size_t>(common.first - before.begin());
    while (first > 0 && before[first - 1] != '\n') --first;
    std::size_t same = 0;
    const std::size_t most = std::min(before.size(), after.size()) - first;
    while (same < most && before[before.size() - 1 - same] == after[after.size() - 1 - same]) ++same;
    // The part behind begins with a line.
    while (same > 0 && before[before.size() - same - 1] != '\n') --same;
    const Span span{analysis.file(), static_cast<std::uint32_t>(first),
                    static_cast<std::uint32_t>(before.size() - same)};
    return std::vector<Edit>{{span, after.substr(first, after.size() - same - first)}};
}

}  // namespace migc::service
