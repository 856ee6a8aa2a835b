#include "compiler/service/navigate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/sema/analyse.hpp"

namespace migc::service {

using sema::Definition;
using sema::DefinitionKind;
using syntax::TokenKind;

namespace {

std::string code_block(std::string_view text) {
    return fmt::format("```mig\n{}\n```\n", text);
}

// The statement or item around a place, up to its block: `let health = "..."`, `stage staging`.
std::string statement_around(const Analysis& analysis, Span span) {
    const auto& tokens = analysis.tokens();
    const auto is_end = [&](const syntax::Token& t) {
        const std::string_view text = analysis.sources().text(t.span);
        return t.kind == TokenKind::Comment ||
               (t.kind == TokenKind::Punctuation && (text == ";" || text == "<" || text == ">"));
    };
    const auto at = std::lower_bound(
        tokens.begin(), tokens.end(), span.begin,
        [](const syntax::Token& token, std::uint32_t offset) { return token.span.begin < offset; });
    if (at == tokens.end()) return {};
    auto first = at, last = at;
    while (first != tokens.begin() && !is_end(*(first - 1))) --first;
    while (last + 1 != tokens.end() && !is_end(*(last + 1))) ++last;
    return std::string(analysis.sources().text({span.file, first->span.begin, last->span.end}));
}

std::string describe(const Analysis& analysis, const Definition& d) {
    switch (d.kind) {
        case DefinitionKind::Verb:
        case DefinitionKind::Probe: {
            const char* kind = d.kind == DefinitionKind::Verb ? "verb" : "probe";
            const std::string head =
                fmt::format("{} {}{}", kind, d.name, d.type.empty() ? "" : ": " + d.type);
            return fmt::format("{}\n{}\n\n---\n{}", code_block(head), d.documentation,
                               code_block(analysis.sources().text(d.whole)));
        }
        case DefinitionKind::Stage:
            return code_block(statement_around(analysis, d.span));
        case DefinitionKind::Name:
            break;
    }
    // The declaration of a verb may be long, and its file another one.
    const bool is_here = d.span.file == analysis.file();
    return fmt::format("`{}`: {}\n\n{}", d.name, d.type,
                       is_here ? code_block(statement_around(analysis, d.span)) : "");
}

std::optional<Hover> hover_setting(const Analysis& analysis, std::uint32_t offset) {
    for (const auto& token : analysis.tokens()) {
        if (token.kind != TokenKind::Word || token.span.end < offset || token.span.begin > offset) continue;
        for (const auto& [name, type] : sema::settings())
            if (name == analysis.sources().text(token.span))
                return Hover{
                    fmt::format("`{}`: {}\n\nof the running stage and its environment", name, ir::show(type)),
                    token.span};
    }
    return {};
}

}  // namespace

std::optional<Hover> hover(const Analysis& analysis, std::uint32_t offset) {
    const auto found = analysis.find(offset);
    if (!found.definition) return hover_setting(analysis, offset);
    return Hover{describe(analysis, *found.definition), found.span};
}

std::optional<Span> definition(const Analysis& analysis, std::uint32_t offset) {
    const auto found = analysis.find(offset);
    if (!found.definition) return {};
    return analysis.name_span(*found.definition);
}

std::vector<Span> references(const Analysis& analysis, std::uint32_t offset, bool declaration) {
    const auto found = analysis.find(offset);
    std::vector<Span> result;
    if (!found.definition) return result;
    if (declaration) result.push_back(analysis.name_span(*found.definition));
    for (const auto& use : analysis.symbols().uses)
        if (use.declared == found.definition->span) result.push_back(use.span);
    const auto in_order = [](Span a, Span b) {
        return std::pair(a.file, a.begin) < std::pair(b.file, b.begin);
    };
    std::sort(result.begin(), result.end(), in_order);
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

// ------------------------------------------------------------------ rename

namespace {

// A stage without `in` is named after its environment.
bool names_environment(const Analysis& analysis, const Definition& d) {
    const auto& stages = analysis.tree().stages;
    return std::any_of(stages.begin(), stages.end(), [&](const syntax::Stage& stage) {
        return stage.name.span == d.span && !stage.environment;
    });
}

bool is_parameter(const Analysis& analysis, const Definition& d) {
    const auto& params = analysis.tree().params;
    return std::any_of(params.begin(), params.end(),
                       [&](const syntax::Param& p) { return p.name.span == d.span; });
}

tl::expected<const Definition*, std::string> renamed(const Analysis& analysis, std::uint32_t offset) {
    const auto found = analysis.find(offset);
    const auto refuse = [](std::string why) { return tl::unexpected(std::move(why)); };
    if (!found.definition)
        return refuse(
            "here stands no name of this script; names of workloads and environments are those of "
            "migc.yaml and of the cluster");
    const Definition& d = *found.definition;
    if (d.kind == DefinitionKind::Verb || d.kind == DefinitionKind::Probe)
        return refuse(
            fmt::format("`{}` is a phrase: its words are spread over each use; change the "
                        "declaration, and `migc check` names every use",
                        d.name));
    if (d.span.file != analysis.file())
        return refuse(fmt::format("`{}` is declared in {}; rename it there", d.name,
                                  analysis.sources().file(d.span.file).name()));
    if (analysis.sources().text(analysis.name_span(d)) != d.name)
        return refuse(fmt::format("`{}` stands for the words of an optional part of the phrase", d.name));
    for (const auto& environment : analysis.inventory().environments)
        if (is_parameter(analysis, d) && environment.set.contains(d.name))
            return refuse(fmt::format("{} sets `{}` for {}; it would have no effect any more",
                                      analysis.inventory().file_name, d.name, environment.name));
    if (d.kind == DefinitionKind::Stage && names_environment(analysis, d))
        return refuse(
            fmt::format("the stage `{0}` is named after the environment in which it runs; write "
                        "`stage NAME in {0}` to give it another name",
                        d.name));
    return &d;
}

// Nothing if the word can be a new name; else why not.
std::string objection(const Analysis& analysis, const std::string& word) {
    SourceMap sources;
    const FileId file = sources.add("", word);
    const auto tokens = syntax::tokenize(sources, file);
    const bool is_word = tokens.size() == 1 && tokens[0].span.size() == word.size();
    if (is_word && tokens[0].kind == TokenKind::Keyword)
        return fmt::format("`{}` is a word of the language", word);
    if (!is_word || tokens[0].kind != TokenKind::Word)
        return fmt::format("`{}` is no name: letters, digits, `_` and, within, `-`", word);
    for (const auto& [setting, type] : sema::settings())
        if (setting == word) return fmt::format("`{}` stands for the running stage's {}", word, setting);
    if (word == "true" || word == "false") return fmt::format("`{}` is a value", word);
    const bool is_used =
        std::any_of(analysis.tokens().begin(), analysis.tokens().end(), [&](const syntax::Token& token) {
            return token.kind == TokenKind::Word && analysis.sources().text(token.span) == word;
        });
    return is_used ? fmt::format("the word `{}` stands in this script already; it would get another meaning",
                                 word)
                   : "";
}

}  // namespace

tl::expected<Span, std::string> renamable(const Analysis& analysis, std::uint32_t offset) {
    const auto d = renamed(analysis, offset);
    if (!d) return tl::unexpected(d.error());
    // The place that was asked about: a use, or the declaration.
    return analysis.find(offset).span;
}

tl::expected<std::vector<Edit>, std::string> rename(const Analysis& analysis, std::uint32_t offset,
                                                    const std::string& new_name) {
    const auto d = renamed(analysis, offset);
    if (!d) return tl::unexpected(d.error());
    if (!analysis.is_mig())
        return tl::unexpected(
            std::string("the script has a statement that is no Mig; what is used in it cannot be told"));
    std::vector<Edit> edits;
    if (new_name == (*d)->name) return edits;
    if (auto why = objection(analysis, new_name); !why.empty()) return tl::unexpected(std::move(why));
    for (const Span span : references(analysis, offset, true)) edits.push_back({span, new_name});
    return edits;
}

}  // namespace migc::service
