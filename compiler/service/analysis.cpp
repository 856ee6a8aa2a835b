#include "compiler/service/analysis.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "compiler/checks/checks.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/findings/allow.hpp"
#include "compiler/service/repair.hpp"
#include "compiler/support/project_path.hpp"

namespace migc::service {

namespace fs = std::filesystem;

using syntax::TokenKind;

namespace {

bool before(Span a, Span b) {
    return std::tuple(a.file, a.begin, a.end) < std::tuple(b.file, b.begin, b.end);
}

}  // namespace

Analysis::Analysis(const Request& request) {
    const SuggestionBudget budget;
    script_.file = script_.sources.add(request.path, request.text);
    script_.has_file = fs::path(request.path).is_absolute();
    script_.inventory = project::load_inventory(script_.folder(), script_.sources, script_.diagnostics);
    project_is_fine_ = !script_.diagnostics.has_errors();
    syntax::Memory none;
    parse(request.memory ? *request.memory : none);
    lower(request);
    sort_symbols();
}

const Diagnostics& Analysis::diagnostics() {
    if (is_checked_) return script_.diagnostics;
    is_checked_ = true;
    const SuggestionBudget budget;
    if (project_is_fine_) check();
    script_.diagnostics.sort();
    return script_.diagnostics;
}

void Analysis::parse(syntax::Memory& memory) {
    Diagnostics syntax_errors;
    if (!syntax::check_text(script_.sources, script_.file, syntax_errors)) {
        is_mig_ = false;
    } else {
        script_.tree =
            syntax::parse_again(script_.sources, script_.file, syntax_errors, memory, tokens_.emplace());
        is_mig_ = !syntax_errors.has_errors();
        const bool is_empty = script_.tree.stages.empty() && script_.tree.verbs.empty() &&
                              script_.tree.probes.empty() && script_.tree.params.empty() &&
                              script_.tree.lets.empty();
        if (!is_mig_ && is_empty) {
            // The findings are those of the text as it stands; the repaired one serves to see what else is
            // there.
            Diagnostics ignored;
            std::string text = repaired(script_.sources, script_.file, *tokens_);
            const std::string name = script_.sources.file(script_.file).name();
            script_.file = script_.sources.add(name, std::move(text));
            std::vector<syntax::Token> repaired_tokens;
            script_.tree =
                syntax::parse_again(script_.sources, script_.file, ignored, memory, repaired_tokens);
        }
    }
    for (auto& d : syntax_errors.all()) script_.diagnostics.all().push_back(std::move(d));
}

const std::vector<syntax::Token>& Analysis::tokens() const {
    if (!tokens_) tokens_ = syntax::tokenize(script_.sources, 0);
    return *tokens_;
}

void Analysis::lower(const Request& request) {
    const auto read = [&](const std::string& path, const fs::path& home) {
        return project_path(home, path) ? request.read_file(path) : std::nullopt;
    };
    script_.bind(request.library, read, &symbols_);
    if (!is_mig_) drop_consequences();
}

std::size_t Analysis::count(std::string_view keyword) const {
    return static_cast<std::size_t>(std::count_if(tokens().begin(), tokens().end(), [&](const auto& token) {
        return token.kind == TokenKind::Keyword && script_.sources.text(token.span) == keyword;
    }));
}

// Whether what a finding misses is in the text all the same, in a statement that was left out.
bool Analysis::is_written(const Diagnostic& diagnostic) const {
    constexpr std::array binders = {"let", "param", "as", "for", "stage"};
    if (diagnostic.code == Code::UnknownPhrase)
        return count("verb") > script_.tree.verbs.size() || count("probe") > script_.tree.probes.size() ||
               count("use") > script_.tree.uses.size();
    if (diagnostic.code != Code::UnknownName) return diagnostic.code == Code::NothingToDo;
    const std::string_view name = script_.sources.text(diagnostic.span);
    const auto& all = tokens();
    for (std::size_t i = 1; i < all.size(); ++i) {
        const bool binds =
            std::find(binders.begin(), binders.end(), script_.sources.text(all[i - 1].span)) != binders.end();
        if (binds && script_.sources.text(all[i].span) == name) return true;
    }
    return false;
}

// Findings that would be gone if the broken statements were whole.
void Analysis::drop_consequences() {
    std::erase_if(script_.diagnostics.all(), [&](const Diagnostic& d) { return is_written(d); });
}

// Of a stage with a broken statement, or one that repeats it, nobody can say yet what it lacks; nor of a name
// that nothing uses it.
bool Analysis::is_consequence(const Diagnostic& diagnostic, const std::vector<Span>& broken) const {
    if (broken.empty() || diagnostic.span.file != script_.file) return false;
    if (diagnostic.code == Code::Unused) return true;
    const auto inside = [](const syntax::Stage& stage, Span s) {
        return s.begin >= stage.span.begin && s.begin <= stage.span.end + 1;
    };
    const auto is_broken = [&](const syntax::Stage& stage) {
        return std::any_of(broken.begin(), broken.end(), [&](Span s) { return inside(stage, s); });
    };
    const auto repeats_broken = [&](const syntax::Stage& stage) {
        return stage.repeats &&
               std::any_of(script_.tree.stages.begin(), script_.tree.stages.end(), [&](const auto& other) {
                   return other.name.text == stage.repeats->text && is_broken(other);
               });
    };
    return std::any_of(
        script_.tree.stages.begin(), script_.tree.stages.end(), [&](const syntax::Stage& stage) {
            return inside(stage, diagnostic.span) && (is_broken(stage) || repeats_broken(stage));
        });
}

// Checks need a program without errors. Where only a statement is broken they look at the rest, unless a
// stage is missing: then the order of the stages, and what is undone where, could not be told.
void Analysis::check() {
    const auto is_syntax = [](const Diagnostic& d) {
        return d.code == Code::Syntax || d.code == Code::MissingSemicolon;
    };
    const auto& all = script_.diagnostics.all();
    const auto stops = [&](const Diagnostic& d) { return d.severity == Severity::Error && !is_syntax(d); };
    if (std::any_of(all.begin(), all.end(), stops)) return;
    if (!is_mig_ && count("stage") != script_.tree.stages.size()) return;
    if (!ir::verify(script_.program).empty()) return;
    std::vector<Span> broken;
    for (const auto& d : all)
        if (is_syntax(d)) broken.push_back(d.span);
    Diagnostics found;
    checks::run({script_.program, script_.inventory, script_.sources}, found);
    for (auto& d : found.all())
        if (!is_consequence(d, broken)) script_.diagnostics.all().push_back(std::move(d));
    findings::apply_decisions({script_.file, {}, false}, script_.inventory, script_.sources,
                              script_.diagnostics);
}

// ------------------------------------------------------------------ symbols

void Analysis::sort_symbols() {
    auto& [definitions, uses] = symbols_;
    std::stable_sort(definitions.begin(), definitions.end(),
                     [](const auto& a, const auto& b) { return before(a.span, b.span); });
    const auto same_place = [](const auto& a, const auto& b) { return a.span == b.span; };
    definitions.erase(std::unique(definitions.begin(), definitions.end(), same_place), definitions.end());
    std::stable_sort(uses.begin(), uses.end(),
                     [](const auto& a, const auto& b) { return before(a.span, b.span); });
    uses.erase(std::unique(
                   uses.begin(), uses.end(),
                   [](const auto& a, const auto& b) { return a.span == b.span && a.declared == b.declared; }),
               uses.end());
}

const sema::Definition* Analysis::definition(Span declared) const {
    const auto& all = symbols_.definitions;
    const auto found = std::lower_bound(all.begin(), all.end(), declared,
                                        [](const auto& d, Span span) { return before(d.span, span); });
    return found != all.end() && found->span == declared ? &*found : nullptr;
}

Analysis::Found Analysis::find(std::uint32_t offset) const {
    Found found;
    const auto consider = [&](Span span, const sema::Definition* definition) {
        const bool inside = span.file == script_.file && span.begin <= offset && offset <= span.end;
        if (inside && definition && (!found.definition || span.size() < found.span.size()))
            found = {definition, span};
    };
    for (const auto& d : symbols_.definitions) consider(name_span(d), &d);
    for (const auto& use : symbols_.uses)
        if (use.span.begin <= offset && offset <= use.span.end) consider(use.span, definition(use.declared));
    return found;
}

Span Analysis::name_span(const sema::Definition& definition) const {
    const std::string_view text = script_.sources.text(definition.span);
    if (definition.kind != sema::DefinitionKind::Name || !text.starts_with('(')) return definition.span;
    const std::size_t at = text.find(definition.name, 1);
    if (at == std::string_view::npos) return definition.span;
    const auto begin = definition.span.begin + static_cast<std::uint32_t>(at);
    return {definition.span.file, begin, begin + static_cast<std::uint32_t>(definition.name.size())};
}

}  // namespace migc::service
