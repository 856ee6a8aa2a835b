// Somebody else writes to what the script changes. Their write matters only where it falls between what the
// run does with the same thing: before it looks, between its look and its act, behind the act, before it is
// verified, at the end, and likewise in the undo. What the engine then does is what
// docs/explanation/reliability.md promises.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"

namespace migc::prove {

std::vector<std::size_t> Lowering::settable(const std::vector<Touch>& touches) {
    std::vector<std::size_t> result;
    for (const Touch& touch : touches)
        if (touch.is_visible()) result.push_back(touch.variable);
    return result;
}

// Whether, and to which of them; after that it goes on at `then`, or right behind.
void Lowering::somebody_else(const std::string& text, Span span, const std::vector<std::size_t>& variables,
                             bool undoing, std::optional<Label> then) {
    if (!others_ || variables.empty()) return;
    Choice choice = begin_choice(text, span);
    choice.others = true;
    choice.undoing = undoing;
    std::vector<std::pair<std::size_t, Label>> writes;
    for (const std::size_t variable : variables) {
        const auto same = [&](const auto& one) { return one.first == variable; };
        if (std::any_of(writes.begin(), writes.end(), same)) continue;
        writes.emplace_back(variable, label());
        option(choice, fmt::format("somebody else sets {}", out_.variables[variable].name),
               writes.back().second);
    }
    end_choice(std::move(choice));
    out_.choices.back().point = false;
    const Label on = label();
    jump(on);
    const auto theirs = static_cast<std::uint16_t>(out_.values.of_others());
    for (const auto& [variable, written] : writes) {
        const Label not_first = label(), not_here = label();
        place(written);
        set(out_.variables[variable].now, theirs);
        set(others_of_[variable].theirs, theirs);
        // Where this run has written nothing yet, it is theirs that it finds, and goes back to.
        emit(Op::IfIs, others_of_[variable].here, yes, not_here);
        set(out_.variables[variable].origins[now_->index], theirs);
        place(not_here);
        emit(Op::IfIsNot, others_of_[variable].ours, nothing, not_first);
        set(out_.variables[variable].origins.back(), theirs);
        place(not_first);
        if (undoing) note_trouble();
        jump(then ? *then : on);
    }
    place(on);
}

// What a step finds when it looks may be somebody else's already. An inverse leaves that alone where it is
// what it was to take back.
void Lowering::before_looking(Label at, Label back, const std::string& text, Span span,
                              const std::vector<Touch>& effects, const StepContext& course, Label not_ours) {
    const Label past = label();
    jump(past);
    place(at);
    std::vector<std::size_t> open, kept;
    for (const std::size_t variable : settable(effects)) {
        const bool is_own =
            course.undoing != nullptr && std::ranges::any_of(course.undoing->touches, [&](const Touch& mine) {
                return mine.variable == variable || may_be_one(mine.variable, variable);
            });
        (is_own ? kept : open).push_back(variable);
    }
    const bool undoing = course.purpose != Purpose::Forward;
    somebody_else(text, span, open, undoing);
    somebody_else(text, span, kept, undoing, not_ours);
    // An earlier step of the stage has changed it, and it is not as that one left it.
    if (!undoing)
        for (const std::size_t variable : open) {
            const Label fine = label();
            emit(Op::IfIsNot, others_of_[variable].here, yes, fine);
            emit(Op::IfSame, out_.variables[variable].now, others_of_[variable].ours, fine);
            set(excuse_, WentWrong);
            jump(course.exits.held);
            place(fine);
        }
    jump(back);
    place(past);
}

// It is as this run has written it.
void Lowering::own(std::size_t variable) {
    if (!others_) return;
    emit(Op::Copy, others_of_[variable].ours, out_.variables[variable].now);
    set(others_of_[variable].here, yes);
}

// A step of the script says what is to be, and has looked at what was there. What only brings something back
// must not meet somebody else's write.
void Lowering::overwrite(const Touch& touch, const StepContext& course) {
    if (!others_ || !touch.is_visible()) return;
    const Variable& variable = out_.variables[touch.variable];
    if (course.purpose == Purpose::Forward) return set(others_of_[touch.variable].theirs, nothing);
    const Label fine = label();
    emit(Op::IfIs, others_of_[touch.variable].theirs, nothing, fine);
    emit(Op::IfDiffer, variable.now, others_of_[touch.variable].theirs, fine);
    end({.outcome = Outcome::Undone,
         .violation = Violation::Overwritten,
         .text = fmt::format("{} was not what this run had left", variable.name),
         .span = own_span(variable.span)});
    place(fine);
}

// At its end a stage is done only if all is still as this run has written it.
void Lowering::look_at_all(const StageState& stage, Label held) {
    if (!others_) return;
    std::vector<std::size_t> all;
    for (const Change* change : stage.changes)
        for (const std::size_t variable : settable(change->touches))
            if (change->seen) all.push_back(variable);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    somebody_else(fmt::format("the end of stage {}", stage.stage->name), stage.stage->span, all, false);
    for (const std::size_t variable : all) {
        const Label fine = label();
        emit(Op::IfIsNot, others_of_[variable].here, yes, fine);
        emit(Op::IfSame, out_.variables[variable].now, others_of_[variable].ours, fine);
        note(fmt::format("{} is not what this run has left", out_.variables[variable].name),
             stage.stage->span);
        set(excuse_, WentWrong);
        jump(held);
        place(fine);
    }
}

// An undo takes back only what this run has left.
void Lowering::keep_theirs(const Change& change, Label theirs) {
    if (!others_) return;
    for (const Touch& touch : change.touches) {
        if (!touch.is_visible()) continue;
        const Label fine = label();
        emit(Op::IfSame, out_.variables[touch.variable].now, touch.before, fine);
        emit(Op::IfDiffer, out_.variables[touch.variable].now, others_of_[touch.variable].ours, theirs);
        place(fine);
    }
}

// What a condition reads of what this stage has changed.
void Lowering::variables_in(const ir::Expr& expression, const Names& names, std::vector<std::size_t>& found) {
    if (const auto variable = variable_of(expression, names); variable && now_->touched.contains(*variable))
        found.push_back(*variable);
    for (const ir::Expr& child : expression.children) variables_in(child, names, found);
}

// Whether a write over somebody else's is refused. A version tells the API server, the content of a file
// tells migc, and terraform compares the serial of its state; docker and curl have no precondition.
void Lowering::may_overwrite(const ir::Verb& verb, const std::string& text, Span span) {
    const bool versioned =
        std::any_of(verb.captures.begin(), verb.captures.end(), [this](const ir::Capture& one) {
            return semantics::role_of(program_, one.value) == ir::Role::Version;
        });
    const bool unguarded = semantics::runs(verb.action, "docker") || semantics::runs(verb.action, "curl");
    if (versioned || !verb.action || (verb.action->tool == "native" && !unguarded)) return;
    only_a_run_tells(
        fmt::format("whether `{}` is refused where somebody else has changed that since it was looked at",
                    text),
        span);
}

// What a command does that has no effect, nobody can look at before it is taken back.
void Lowering::may_overwrite_unseen(const std::string& text, Span span) {
    if (others_)
        only_a_run_tells(
            fmt::format("whether `{}`, or its undo, writes over what somebody else has written", text), span);
}

// What another step of the stage has changed later, it has found as somebody else may have set it once more:
// with that step undone, it looks like this one's own.
void Lowering::may_be_set_again(const Change& change) {
    if (!others_ || !change.seen) return;
    const auto is_inside = [](const Change& part, const Change& whole) {
        const Change* outer = part.outer;
        while (outer != nullptr && outer != &whole) outer = outer->outer;
        return outer == &whole;
    };
    const auto first = std::ranges::find(now_->changes, &change);
    for (auto later = first; later != now_->changes.end(); ++later)
        for (const std::size_t variable : settable((*later)->touches)) {
            if (*later == &change || is_inside(**later, change) || !concerns(change.touches, variable))
                continue;
            const Label alone = label();
            for (const std::uint16_t open : {NotBegun, Already})
                emit(Op::IfIs, (*later)->status, open, alone);
            only_a_run_tells(
                fmt::format("whether somebody else has set {} once more before `{}` changed it again",
                            out_.variables[variable].name, (*later)->text),
                change.span);
            place(alone);
        }
}

}  // namespace migc::prove
