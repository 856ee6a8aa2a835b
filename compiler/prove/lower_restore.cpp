// Whether an inverse brings back what there was.
#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"

namespace migc::prove {

// What a value is worked out of, as far as it is not known.
void Lowering::sources(Term term, std::set<Term>& found) const {
    if (known(term) != nullptr) return;
    const auto made = made_of_.find(term);
    if (made == made_of_.end() || texts_.contains(term)) found.insert(term);
    if (made != made_of_.end())
        for (const Term part : made->second) sources(part, found);
}

// Whether it is, or was read of, what the change had looked at before it did anything.
bool Lowering::is_of_before(Term source, const Change& change, std::size_t variable) const {
    if (late_.contains(source) || outside_.contains(source) || texts_.contains(source)) return false;
    if (const auto from = read_from(source); from && (*from == variable || concerns(change.touches, *from)))
        return true;
    const auto is_it = [&](const auto& one) {
        return one.second.condition == nullptr && one.second.term == source;
    };
    if (std::ranges::any_of(change.names->own(), is_it)) return true;
    const auto asked = asked_about_.find(source);
    return asked != asked_about_.end() && std::ranges::any_of(asked->second, [&](Term about) {
               return about.id != absent && std::ranges::count(variable_arguments_[variable], about) > 0;
           });
}

// Whether two questions to one probe may be about one thing: what is left out may be any.
bool Lowering::may_be_one(std::size_t a, std::size_t b) const {
    const auto alike = [this](Term one, Term other) {
        const bool open = known(one) == nullptr || known(other) == nullptr;
        return one == other || open || one == Term{false, absent} || other == Term{false, absent};
    };
    return variable_probe_[a] == variable_probe_[b] && variable_probe_[a] != no_probe &&
           std::ranges::equal(variable_arguments_[a], variable_arguments_[b], alike);
}

// How much is known of what an inverse declares, beside what was there.
Lowering::Evidence Lowering::evidence(const ir::Step& step, const Names& inner, Term declared,
                                      const Change& change, std::size_t variable) const {
    if (const auto from = read_from(declared)) {
        if (*from == variable) return Evidence::Comparison;
        if (meet(place_of(*from), place_of(variable)) == Meeting::Same) return Evidence::Word;
        if (!may_be_one(*from, variable)) return Evidence::Comparison;
    } else if (!computed(declared)) {
        return Evidence::Comparison;
    }
    std::set<Term> found;
    sources(declared, found);
    // What it was, with something before or behind it, is another text.
    if (texts_.contains(declared) &&
        std::ranges::all_of(found, [&](Term one) { return one == declared || read_from(one) == variable; }))
        return Evidence::Comparison;
    const bool text = std::ranges::any_of(found, [this](Term one) { return texts_.contains(one); });
    found.clear();
    const ir::Verb& verb = program_.verbs.at(step.verb);
    for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
        const auto given = inner.own().find(verb.parameters[i].name);
        const bool is_late = has_probe(step.arguments[i], inner);
        if (given != inner.own().end() && given->second.condition == nullptr && !is_late)
            sources(given->second.term, found);
    }
    const bool before =
        std::ranges::any_of(found, [&](Term one) { return is_of_before(one, change, variable); });
    return before && !text ? Evidence::Word : Evidence::None;
}

// It is taken to be as it was, unless it is known to be.
void Lowering::believe(const Touch& mine, Term declared, const std::function<void()>& back,
                       const std::string& text, Evidence evidence, Span span) {
    const std::string& name = out_.variables[mine.variable].name;
    if (evidence == Evidence::Word)
        tell_once(out_.trusted, "trust " + text + name, fmt::format("that `{}` brings back {}", text, name),
                  span);
    const Label as_it_was = label();
    emit(Op::IfSame, as_register(declared), mine.before, as_it_was);
    if (evidence == Evidence::None)
        only_a_run_tells(fmt::format("whether `{}` brings back {}", text, name), span);
    place(as_it_was);
    back();
}

// What a step of an inverse brings back of the change that it is for.
void Lowering::restore(const ir::Step& step, const ir::Verb& verb, const Names& inner,
                       const std::vector<Touch>& effects, const std::string& text,
                       const StepContext& course) {
    if (course.undoing == nullptr) return;
    const Change& change = *course.undoing;
    const auto back = [&](const Touch& touch) { take_back(touch.variable, touch.before); };
    for (const Touch& mine : change.touches) {
        const bool hidden = variable_probe_[mine.variable] == no_probe;
        bool direct = false;
        for (const Touch& effect : effects) {
            const bool is_it = effect.variable == mine.variable;
            // Different from what it was: more is not declared, and the inverse is another such step.
            if (is_it && !effect.is_visible() && !mine.is_visible()) back(mine);
            direct = direct || is_it;
            const bool visible = effect.is_visible() && mine.is_visible();
            if (hidden || !visible || (!is_it && (direct || !may_be_one(effect.variable, mine.variable))))
                continue;
            const Evidence known = evidence(step, inner, effect.declared, change, mine.variable);
            if (is_it && known == Evidence::Comparison) continue;
            direct = true;
            // The same probe, asked about something that is only known in a run.
            const auto both = [&] {
                back(mine);
                if (!is_it) take_back(effect.variable, effect.before);
            };
            const bool own = change.undo == &change.verb->undo && known == Evidence::Comparison;
            believe(mine, effect.declared, both, text,
                    own                             ? Evidence::Word
                    : known == Evidence::Comparison ? Evidence::None
                                                    : known,
                    change.span);
        }
        if (!direct && verb.action && (hidden || (verb.effects.empty() && !course.sees_effects)) &&
            acts_for(verb, inner, change)) {
            back(mine);
            const std::string& name = out_.variables[mine.variable].name;
            tell_once(out_.trusted, "trust " + text + name,
                      fmt::format("that `{}` brings back {}", text, name), change.span);
        }
    }
    for (const Derived& one : change.derived) derived_back(one, step, inner, effects, text, change);
}

// Whether a command without an effect may be what brings something back. What by its declaration leaves
// nothing to undo only says something, unless it is told about the change.
bool Lowering::acts_for(const ir::Verb& verb, const Names& inner, const Change& change) const {
    if (!verb.effects.empty() || verb.undo.kind != ir::UndoKind::None) return true;
    const auto& theirs = change.names->own();
    return std::ranges::any_of(inner.own(), [&](const auto& one) {
        return one.second.condition == nullptr && one.second.term.id != absent &&
               std::ranges::any_of(theirs, [&](const auto& other) {
                   return other.second.condition == nullptr && other.second.term == one.second.term;
               });
    });
}

// What follows from something is back when that is.
void Lowering::derived_back(const Derived& one, const ir::Step& step, const Names& inner,
                            const std::vector<Touch>& effects, const std::string& text,
                            const Change& change) {
    const Touch from{one.from, one.from_before, {}, ir::Becomes::Value};
    for (const Touch& effect : effects) {
        if (effect.variable != one.from) continue;
        const Evidence known = evidence(step, inner, effect.declared, change, one.from);
        if (known == Evidence::Comparison) continue;
        believe(
            from, effect.declared, [&] { take_back(one.from, one.from_before); }, text, known, change.span);
    }
    // What the step itself sets is compared.
    if (std::ranges::count(effects, one.variable, &Touch::variable) > 0) return;
    const Label not_back = label();
    emit(Op::IfDiffer, out_.variables[one.from].now, one.from_before, not_back);
    take_back(one.variable, one.before);
    place(not_back);
}

}  // namespace migc::prove
