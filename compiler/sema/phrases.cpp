// Binding a phrase to the declaration that it uses, and saying what was probably meant where there is none.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/sema/lowering.hpp"
#include "compiler/semantics/calls.hpp"

namespace migc::sema {

using ir::Type;
using ir::TypeKind;

namespace {

std::string_view word_for(DeclarationKind kind) {
    return kind == DeclarationKind::Verb ? "verb" : "probe";
}

void collect_labels(const syntax::Signature& signature, std::vector<std::string>& labels) {
    for (const auto& part : signature) {
        if (part.kind == syntax::SignatureKind::Label) labels.push_back(part.name.text);
        collect_labels(part.parts, labels);
    }
}

// How well a declaration's labels are met by a phrase's words: 2 for a word that is there, 1 for one that is
// nearly there, minus what is missing.
int likeness(const syntax::Signature& signature, const syntax::Expr& phrase) {
    std::vector<std::string> labels;
    collect_labels(signature, labels);
    int score = 0;
    for (const auto& label : labels) {
        int best = -1;
        SuggestionBudget::spend(phrase.children.size());
        for (const auto& part : phrase.children) {
            if (part.kind != syntax::ExprKind::Word) continue;
            if (part.text == label) best = 2;
            if (best < 1 && label.size() > 2 && nearest(part.text, std::vector<std::string>{label})) best = 1;
        }
        score += best;
    }
    return score;
}

}  // namespace

Lowering::Bound Lowering::bind(const syntax::Expr& phrase, DeclarationKind kind, Scope& scope) {
    std::vector<Bound> matching;
    for (const Declaration* candidate : library_.candidates(phrase, kind))
        if (auto binding = match(candidate->signature(), phrase))
            matching.push_back({candidate, std::move(*binding)});
    if (matching.empty()) {
        unknown_phrase(phrase, kind);
        return {};
    }
    if (matching.size() > 1) {
        const auto unfit = [&](const Bound& bound) {
            return !arguments_fit(*bound.declaration, bound.binding, scope);
        };
        // If none fits, the first is as good as any for saying why.
        if (std::ranges::all_of(matching, unfit)) return std::move(matching.front());
        std::erase_if(matching, unfit);
    }
    const auto more_special = [](const Bound& a, const Bound& b) {
        return a.binding.labels > b.binding.labels;
    };
    std::ranges::stable_sort(matching, more_special);
    if (matching.size() > 1 && matching[0].binding.labels == matching[1].binding.labels) {
        auto& d = diagnostics_.report(Code::AmbiguousPhrase, phrase.span,
                                      fmt::format("two {}s match `{}`", word_for(kind), text(phrase.span)));
        for (const auto& bound : matching) d.label(bound.declaration->span(), "declared here");
    }
    return std::move(matching.front());
}

bool Lowering::arguments_fit(const Declaration& declaration, const Binding& binding, Scope& scope) {
    const std::vector<ir::Parameter> all = parameters(declaration.signature());
    for (std::size_t i = 0; i < binding.slots.size() && i < all.size(); ++i)
        if (binding.slots[i] && !might_fit(*binding.slots[i], all[i].type, scope)) return false;
    return true;
}

// A quick look that reports nothing: enough to tell declarations of the same words apart.
bool Lowering::might_fit(const syntax::Expr& e, const Type& expected, Scope& scope) {
    const Type& type =
        expected.kind == TypeKind::List && e.kind != syntax::ExprKind::List ? *expected.element : expected;
    const bool is_word = e.kind == syntax::ExprKind::Word || e.is_name();
    if (is_word) {
        const std::string& word = e.kind == syntax::ExprKind::Word ? e.text : e.children.front().text;
        if (const Meaning* meaning = scope.find(word)) return fits(meaning->type, type);
        return type.kind == TypeKind::Resource || type.kind == TypeKind::Any ||
               (type.kind == TypeKind::Bool && (word == "true" || word == "false")) ||
               (type.kind == TypeKind::Environment && is_place(word));
    }
    if (e.kind == syntax::ExprKind::String)
        return is_textual(type.kind) || type.kind == TypeKind::Any || type.kind == TypeKind::Json;
    if (e.kind == syntax::ExprKind::Number)
        return type.kind == TypeKind::Int || type.kind == TypeKind::Percent ||
               type.kind == TypeKind::Duration || type.kind == TypeKind::Quantity ||
               type.kind == TypeKind::Any || type.kind == TypeKind::Json;
    return true;
}

std::vector<ir::Expr> Lowering::arguments(const Bound& bound, const std::vector<ir::Parameter>& all,
                                          Span call, Scope& scope) {
    std::vector<ir::Expr> result;
    const std::size_t slots = bound.binding.slots.size();
    for (std::size_t i = 0; i < all.size(); ++i) {
        ir::Expr argument = bad(call);
        if (i >= slots) {
            argument.type = simple(TypeKind::Bool);
            argument.value = static_cast<bool>(bound.binding.flags[i - slots]);
        } else if (const syntax::Expr* given = bound.binding.slots[i]) {
            argument = expr(*given, all[i].type, scope);
            if (all[i].type.kind == TypeKind::Condition && argument.name.empty())
                argument.name = text(given->span);
            const bool is_name = argument.kind == ir::ExprKind::Local || argument.kind == ir::ExprKind::Param;
            if (Meaning* meaning = all[i].type.consumed && is_name ? scope.find(argument.name) : nullptr) {
                meaning->used_up = true;
                meaning->used_up_at = argument.span;
                if (meaning->borrowed)
                    diagnostics_.report(
                        Code::UsedUp, argument.span,
                        fmt::format("`{}` is used up here, which its declaration does not say",
                                    argument.name),
                        fmt::format("write `({}: consumed plan)`, so that no caller uses it twice",
                                    argument.name));
            }
        } else {
            argument.type = all[i].type;  // not given: absent
        }
        const ir::Expr& stands_for = semantics::argument_for(all[i], argument);
        if (&stands_for != &argument) argument = stands_for;
        result.push_back(std::move(argument));
    }
    return result;
}

// What people write who come from another language, and what it is in this one.
void Lowering::hint_of_other_words(Diagnostic& d, const syntax::Expr& phrase) const {
    constexpr auto than = std::to_array<std::array<std::string_view, 2>>({{"less", "below"},
                                                                          {"fewer", "below"},
                                                                          {"smaller", "below"},
                                                                          {"lower", "below"},
                                                                          {"more", "above"},
                                                                          {"greater", "above"},
                                                                          {"larger", "above"},
                                                                          {"higher", "above"}});
    constexpr std::array waiting = {"wait", "sleep", "pause", "delay"};
    const auto& parts = phrase.children;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
        for (const auto& [word, ours] : than)
            if (parts[i].text == word && parts[i + 1].text == "than") {
                const Span span{parts[i].span.file, parts[i].span.begin, parts[i + 1].span.end};
                d.notes.clear();
                d.note(fmt::format("`{} than` is written `{}`; there are `at least` and `at most`, too", word,
                                   ours));
                d.fixes.push_back(write_instead(span, std::string(ours)));
                return;
            }
    if (std::ranges::find(waiting, parts.front().text) == waiting.end()) return;
    d.notes.clear();
    d.note(
        "time alone shows nothing: `verify CONDITION within 5m;` waits until something is so, and "
        "`soak 5m while CONDITION;` sees that it stays so");
}

void Lowering::unknown_phrase(const syntax::Expr& phrase, DeclarationKind kind) {
    if (missing_semicolon(phrase, kind)) return;
    std::vector<std::pair<int, const Declaration*>> ranked;
    if (SuggestionBudget::spend(1))
        for (const Declaration* d : library_.all(kind))
            if (const int score = likeness(d->signature(), phrase); score > 0) ranked.emplace_back(score, d);
    std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) { return a.first > b.first; });
    auto& d = diagnostics_.report(
        Code::UnknownPhrase, phrase.span,
        fmt::format("there is no {} of the form `{}`", word_for(kind), text(phrase.span)));
    for (std::size_t i = 0; i < std::min<std::size_t>(3, ranked.size()); ++i)
        d.note(fmt::format("{} `{}`", i == 0 ? "nearest:" : "     or:", text(ranked[i].second->span())));
    const auto other = kind == DeclarationKind::Verb ? DeclarationKind::Probe : DeclarationKind::Verb;
    for (const Declaration* candidate : library_.candidates(phrase, other))
        if (match(candidate->signature(), phrase)) {
            d.notes.clear();
            d.note(other == DeclarationKind::Probe
                       ? "this is a probe: it reads a state, so it belongs behind `verify`, `soak`, `if` or "
                         "`let`"
                       : "this is a verb: it changes something, so it is a statement of its own");
        }
    hint_of_other_words(d, phrase);
    if (d.notes.empty())
        d.note("`migc verbs` lists the phrases; a file of yours can declare more, with `verb` and `probe`");
}

// Two statements without a `;` between them look like one long phrase: cut it where a line ends and see.
bool Lowering::missing_semicolon(const syntax::Expr& phrase, DeclarationKind kind) {
    const auto matches = [&](std::size_t first, std::size_t last) {
        const auto candidates = library_.candidates(phrase, kind);
        return std::ranges::any_of(candidates, [&](const Declaration* c) {
            return match(c->signature(), phrase, first, last).has_value();
        });
    };
    for (std::size_t i = 1; i < phrase.children.size(); ++i) {
        const Span before = phrase.children[i - 1].span, after = phrase.children[i].span;
        if (sources_.begin(before).line == sources_.begin(after).line) continue;
        if (!matches(0, i) && !matches(i, phrase.children.size())) continue;
        const Span end{before.file, before.end, before.end};
        auto& d = diagnostics_.report(Code::MissingSemicolon, end, "this statement needs a `;` at its end");
        d.label(after, "the next statement begins here");
        d.fixes.push_back({"add `;`", {{end, ";"}}, true});
        return true;
    }
    return false;
}

}  // namespace migc::sema
