// What a script says must always, or never, be so.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"

namespace migc::prove {
// ------------------------------------------------------------------ what came before

void Lowering::watch_verified() {
    if (invariant_ == nullptr) return;
    for (const StageState& state : stages_)
        if (!verified_.contains(state.environment)) verified_[state.environment] = new_register(no);
}

void Lowering::mark_verified(const std::string& environment) {
    if (const auto found = verified_.find(environment); found != verified_.end()) set(found->second, yes);
}

void Lowering::mark_changed(std::size_t variable) {
    const auto found = verified_.find(out_.variables[variable].environment);
    if (found != verified_.end()) set(found->second, no);
}

// `production changed before staging verified`: this is a step forward in production, and it is so.
Term Lowering::changed_before(const ir::Expr& probe, const Names& names) {
    const ir::Probe& declared = program_.probes.at(probe.declaration);
    const Names* inner = probe_names(probe, names);
    const auto name = [&](std::size_t i) {
        const Value* value = known(evaluate(declared.role.arguments.at(i), *inner));
        return value == nullptr ? std::string() : migc::show(*value);
    };
    const std::string later = name(0), earlier = name(1);
    const bool changes = event_ != nullptr && event_->forward && now_->environment == later &&
                         std::any_of(event_->effects.begin(), event_->effects.end(), [&](const Touch& touch) {
                             return out_.variables[touch.variable].environment == later;
                         });
    if (!changes) return {false, no};
    const auto verified = verified_.find(earlier);
    if (verified == verified_.end()) return {false, yes};
    return negated({true, verified->second});
}

// `claim data shrinks`: what it asks for is below what it was before this change; without a name, of any.
Term Lowering::falls(const ir::Expr& probe, const Names& names) {
    const ir::Probe& declared = program_.probes.at(probe.declaration);
    const ir::Expr& measure = declared.role.arguments.front();
    if (event_ == nullptr || measure.kind != ir::ExprKind::Probe) return {false, no};
    const Names* inner = probe_names(probe, names);
    const auto arguments = probe_arguments(measure, *inner);
    const bool of_any = std::ranges::count(arguments, Term{false, absent}) > 0;
    if (!of_any) measured(measure, arguments);
    if (of_any) measure_touched(measure);
    Term result{false, no};
    for (std::size_t i = 0; i < out_.variables.size(); ++i) {
        if (variable_probe_[i] != measure.declaration) continue;
        if (out_.variables[i].environment != now_->environment && !out_.variables[i].environment.empty())
            continue;
        bool meant = arguments.size() == variable_arguments_[i].size();
        for (std::size_t k = 0; k < arguments.size() && meant; ++k)
            meant = arguments[k] == variable_arguments_[i][k] || arguments[k] == Term{false, absent};
        if (!meant) continue;
        auto [past, is_new] = past_.try_emplace(i);
        if (is_new) past->second = new_register();
        // What is gone asks for nothing; what is there for the first time had nothing to fall from.
        const Term now = measure_now(i), before{true, past->second};
        const Term kept =
            apply({FunctionKind::Compare, "a comparison", ir::Comparison::AtMost, {}}, before, now);
        const Term none = apply({FunctionKind::Or, "or"}, apply({FunctionKind::IsAbsent, "is absent"}, now),
                                apply({FunctionKind::IsAbsent, "is absent"}, before));
        result =
            apply({FunctionKind::Or, "or"}, result, negated(apply({FunctionKind::Or, "or"}, none, kept)));
    }
    return result;
}

// The variable that holds what is asked for; a new one, where no step has an effect on the very probe.
std::size_t Lowering::measured(const ir::Expr& measure, const std::vector<Term>& arguments) {
    return variable(measure.declaration, arguments, measure.span);
}

// Without a name any thing is meant: also those that are changed in another way.
void Lowering::measure_touched(const ir::Expr& measure) {
    const ir::Probe& declared = program_.probes.at(measure.declaration);
    if (declared.parameters.size() != 1) return;
    const std::string& type = declared.parameters.front().type.resource;
    for (const Touch& touch : event_->effects)
        for (const checks::ResourceKey& thing : place_of(touch.variable).things) {
            const ResourceRef one{type, thing.name()};
            if (thing.of == checks::ResourceKey::Of::Object && resources_.thing(one) == thing)
                measured(measure, {literal(Value(one))});
        }
}

Term Lowering::measure_now(std::size_t variable) {
    watching_ = true;
    const Term result = as_influenced({true, out_.variables[variable].now}, variable_probe_[variable],
                                      variable_arguments_[variable]);
    watching_ = false;
    return result;
}

void Lowering::forget_the_past() {
    for (const auto& [variable, past] : past_)
        copy(past, apply({FunctionKind::Last, "the last"}, {true, past}, measure_now(variable)));
}

// What a probe says that comes up to another one when the world has caught up: `converges of target ready is
// replicas of target`.
std::optional<Term> Lowering::settled(const ir::Expr& probe, const Names& names) {
    const ir::Probe& declared = program_.probes.at(probe.declaration);
    if (!declared.converges || declared.converges->kind != ir::ExprKind::Compare) return std::nullopt;
    const ir::Expr& condition = *declared.converges;
    const bool of_itself = condition.comparison == ir::Comparison::Is &&
                           condition.children.at(0).kind == ir::ExprKind::Probe &&
                           condition.children[0].declaration == probe.declaration;
    if (!of_itself || depth_ >= deepest) return std::nullopt;
    const Term result = of_probe(condition.children.at(1), probe, names);
    if (invariant_ != nullptr)
        tell_once(out_.trusted, "settles " + declared.signature,
                  fmt::format("that `{}` comes up to `{}`, and stays there while pods are replaced",
                              phrase_of(probe.declaration, probe_arguments(probe, names)),
                              phrase_of(condition.children[1].declaration,
                                        probe_arguments(condition.children[1], *probe_names(probe, names)))),
                  invariant_->span);
    return result;
}

// ------------------------------------------------------------------ where it is looked at

Term Lowering::judged() {
    watching_ = true;
    const Term holds = evaluate(invariant_->condition, *globals_);
    watching_ = false;
    return invariant_->never ? negated(holds) : holds;
}

void Lowering::broken(const std::string& when, Span span) {
    const std::string text = fmt::format("`{}` does not hold", invariant_->text);
    note(fmt::format("{}, {}", when, text), span);
    end({.outcome = Outcome::Held, .violation = Violation::Property, .text = text, .span = span});
}

// It is taken to hold at the beginning: as long as it is what it was then, nothing has broken it.
void Lowering::look(const Event& event) {
    if (invariant_ == nullptr) return;
    event_ = &event;
    const Term holds = judged();
    event_ = nullptr;
    const Label fine = label(), wrong = label();
    auto [beginning, is_new] = from_beginning_.try_emplace(now_->environment);
    if (is_new) beginning->second = new_register(yes);
    if (!holds.is_register) {
        if (holds.id == no) jump(wrong);
        if (holds.id != no) jump(fine);
    } else {
        emit(Op::IfIs, holds.id, yes, fine);
        emit(Op::IfIs, holds.id, no, wrong);
        if (!invariant_->never) emit(Op::IfIs, holds.id, absent, wrong);
        emit(Op::IfSame, holds.id, beginning->second, fine);
        for (const Term& need : event.needs)
            if (need.is_register) emit(Op::IfSame, holds.id, need.id, fine);
        undecided(fmt::format("after `{}` only a run can tell whether it holds", event.text), event.span);
        jump(fine);
    }
    place(wrong);
    broken(fmt::format("after `{}`", event.text), event.span);
    place(fine);
    forget_the_past();
}

// A stop with one way on, so that it is known that a run comes here.
void Lowering::undecided(const std::string& why, Span span) {
    Choice choice = begin_choice(why, span, false);
    choice.undecided = true;
    end_choice(std::move(choice));
}

// Of the way back: it is taken to be so, and the proof is none. An invariant has a search of its own.
void Lowering::only_a_run_tells(const std::string& what, Span span) {
    if (invariant_ == nullptr) undecided(what + ", only a run can tell", own_span(span));
}

void Lowering::look_at_beginning() {
    if (invariant_ == nullptr) return;
    for (StageState& state : stages_) {
        now_ = &state;
        const auto found = from_beginning_.find(state.environment);
        if (found == from_beginning_.end()) continue;
        const Register kept = found->second;
        from_beginning_.erase(found);
        const Term holds = judged();
        const Label on = label();
        if (holds.is_register) {
            emit(Op::Copy, kept, holds.id);
            // A world in which it is broken before anything is begun is none that is asked about.
            emit(Op::IfIsNot, holds.id, no, on);
            end({.outcome = Outcome::Refused, .ruled_out = true});
        } else if (holds.id == no) {
            broken("before anything is begun", invariant_->span);
        } else {
            set(kept, static_cast<std::uint16_t>(holds.id));
        }
        place(on);
    }
    forget_the_past();
}

}  // namespace migc::prove
