// The way back, as engine/undo.cpp goes it.
#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"

namespace migc::prove {

using ir::StepKind;
using ir::UndoKind;

void Lowering::worsen(UndoEnd end) {
    const Label heavier = label();
    for (std::uint16_t worse = end; worse <= UndoInDoubt; ++worse) emit(Op::IfIs, undo_end_, worse, heavier);
    set(undo_end_, end);
    place(heavier);
}

void Lowering::mark_undone(const Change& change) {
    set(change.status, Undone);
    for (const Change* part : change.inner) {
        const Label skip = label();
        emit(Op::IfIs, part->status, NotBegun, skip);
        set(part->status, Undone);
        place(skip);
    }
}

// The variables that `after P` looks at: what P depends on, or what is read in the same way and was changed
// in this stage.
std::vector<std::size_t> Lowering::followed(const StageState& stage, const Change& change) {
    std::vector<std::size_t> result;
    const ir::Expr& after = *change.undo->after;
    if (after.kind != ir::ExprKind::Probe) return result;
    const ir::Probe& probe = program_.probes.at(after.declaration);
    if (const auto own = variable_of(after, *change.names)) return {*own};
    if (!probe.depends.empty()) {
        const Names* names = probe_names(after, *change.names);
        for (const ir::Expr& base : probe.depends)
            if (const auto found = variable_of(base, *names)) result.push_back(*found);
        return result;
    }
    for (const Change* other : stage.changes)
        for (const Touch& touch : other->touches) {
            const std::uint32_t declaration = variable_probe_[touch.variable];
            if (concerns(change.touches, touch.variable) || !touch.is_visible() || declaration == no_probe)
                continue;
            if (reads_through(program_.probes.at(declaration)) != reads_through(probe)) continue;
            if (std::find(result.begin(), result.end(), touch.variable) == result.end())
                result.push_back(touch.variable);
        }
    return result;
}

// Runs the change's inverse, and writes down how it went.
void Lowering::run_inverse(Change& change, Label next) {
    StepContext course;
    course.purpose = Purpose::Inverse;
    course.undoing = &change;
    course.sees_effects = has_effects(change.undo->steps);
    const Label failed = label(), held = label(), in_doubt = label();
    course.exits = {failed, held, in_doubt, held, held, held};
    // An inverse is lowered in the stage that the change was made in.
    Names* names = new_names(change.names);
    block(change.undo->steps, *names, course);
    mark_undone(change);
    set(ran_, 1);
    jump(next);
    for (const auto& [exit, end] :
         {std::pair(failed, UndoFailed), {held, UndoHeld}, {in_doubt, UndoInDoubt}}) {
        place(exit);
        worsen(end);
        jump(next);
    }
}

bool Lowering::has_effects(const std::vector<ir::Step>& steps) const {
    return std::any_of(steps.begin(), steps.end(), [this](const ir::Step& step) {
        if (has_effects(step.body) || has_effects(step.otherwise)) return true;
        if (step.kind != StepKind::Call) return false;
        const ir::Verb& verb = program_.verbs.at(step.verb);
        return !verb.effects.empty() || (!verb.action && has_effects(verb.steps));
    });
}

void Lowering::undo_one(Change& change, Label next, Label stop) {
    const bool seen = change.seen && !change.touches.empty();
    const ir::Undo& undo = *change.undo;
    if (undo.kind == UndoKind::None) {
        const Label stays = label();
        if (seen) unless_as_before(change.touches, stays);
        mark_undone(change);
        jump(next);
        place(stays);
        if (!seen) return;
        note(fmt::format("`{}` stays as it is: {}", change.text, undo.reason), change.span);
        return leave_as_declared(next);
    }
    const Label theirs = label();
    if (seen) {
        const std::string text = fmt::format("the undo of `{}`", change.text);
        somebody_else(text, change.span, settable(change.touches), true);
        Choice choice = begin_choice(text, change.span);
        choice.undoing = true;
        option(choice, "what is there cannot be read", aside([&] { leave(UndoInDoubt, next); }));
        option(choice, "the operator stops the undo here", aside([&] { leave(UndoHeld, stop); }));
        end_choice(std::move(choice));
        const Label differs = label();
        unless_as_before(change.touches, differs);
        note(fmt::format("`{}`: nothing to undo", change.text), change.span);
        mark_undone(change);
        jump(next);
        place(differs);
        may_be_set_again(change);
        keep_theirs(change, theirs);
    }
    if (undo.kind == UndoKind::Irreversible) {
        note(fmt::format("`{}` cannot be undone: {}", change.text, undo.reason), change.span);
        return leave_as_declared(stop);
    }
    if (undo.kind == UndoKind::ByCaller) {
        worsen(UndoHeld);
        return jump(next);
    }
    note(fmt::format("undo of `{}`", change.text), change.span);
    run_inverse(change, next);
    if (!others_ || !seen) return;
    place(theirs);
    note(fmt::format("`{}` is not undone: somebody else has changed it since", change.text), change.span);
    leave(UndoHeld, next);
}

// Nobody has wanted that.
void Lowering::leave(UndoEnd end, Label next) {
    note_trouble();
    worsen(end);
    jump(next);
}

void Lowering::leave_as_declared(Label next) {
    set(excuse_, Declared);
    worsen(UndoHeld);
    jump(next);
}

void Lowering::unless_as_before(const std::vector<Touch>& touches, Label differs) {
    for (const Touch& touch : touches)
        emit(Op::IfDiffer, out_.variables[touch.variable].now, touch.before, differs);
}

// A composite with an inverse of its own that was begun speaks for what is inside.
void Lowering::unless_alone(const Change& change, Label spoken_for) {
    for (const Change* outer = change.outer; outer != nullptr; outer = outer->outer)
        emit(Op::IfIsNot, outer->status, NotBegun, spoken_for);
}

// What may be somebody else's work is left, and told.
void Lowering::leave_unproved(const Change& change) {
    if (!change.seen) return;
    const Label known = label();
    emit(Op::IfIsNot, change.status, Unproved, known);
    unless_alone(change, known);
    note(fmt::format("`{}` is not undone: who made it so is not known", change.text), change.span);
    leave(UndoHeld, known);
    place(known);
}

void Lowering::note_trouble() {
    const Label declared = label();
    emit(Op::IfIs, excuse_, Declared, declared);
    set(excuse_, WentWrong);
    place(declared);
}

void Lowering::skip_unless_open(const Change& change, Label skip) {
    const Label open = label();
    emit(Op::IfIs, change.status, Done, open);
    emit(Op::IfIsNot, change.status, Failed, skip);
    place(open);
    unless_alone(change, skip);
}

// Last first; inverses that follow something wait until that is as it was.
void Lowering::undo_routine(StageState& stage) {
    place(stage.undo);
    now_ = &stage;
    const Label stop = label(), over = label();
    struct Deferred {
        Change* change;
        Register in_place = 0;
        Label body = 0;
        Register back = 0;
        std::vector<std::pair<std::size_t, Register>> follows = {};  // what it was when the undo began
    };
    std::vector<Deferred> deferred;
    const auto unless_as_found = [&](const Deferred& one, Label otherwise) {
        for (const auto& [variable, start] : one.follows)
            emit(Op::IfDiffer, out_.variables[variable].now, out_.variables[variable].origins[stage.index],
                 otherwise);
    };
    const auto if_moved = [&](const Deferred& one, Label moved) {
        for (const auto& [variable, start] : one.follows)
            emit(Op::IfDiffer, out_.variables[variable].now, start, moved);
    };
    for (auto last = stage.changes.rbegin(); last != stage.changes.rend(); ++last) {
        Change* const change = *last;
        if (!semantics::waits(*change->undo)) continue;
        const auto follows = followed(stage, *change);
        Deferred& one = deferred.emplace_back(Deferred{change, new_register(), label(), new_register()});
        for (const std::size_t variable : follows) {
            one.follows.emplace_back(variable, new_register());
            emit(Op::Copy, one.follows.back().second, out_.variables[variable].now);
        }
        // In place: nothing of it was changed, and the inverse has a reason to run all the same.
        set(one.in_place, 0);
        if (semantics::runs_in_place(*change->verb)) {
            const Label changed = label();
            unless_as_found(one, changed);
            set(one.in_place, 1);
            place(changed);
        }
    }
    for (auto last = stage.changes.rbegin(); last != stage.changes.rend(); ++last) {
        Change* const change = *last;
        const Label next = label(), past = label();
        const auto waits = std::ranges::find(deferred, change, &Deferred::change);
        leave_unproved(*change);
        skip_unless_open(*change, past);
        if (waits != deferred.end()) {
            emit(Op::IfIs, waits->in_place, 0, past);
            call_routine(waits->back, waits->body);
        } else {
            undo_one(*change, next, stop);
        }
        place(next);
        for (Deferred& one : deferred) {
            const bool concerned =
                std::any_of(one.follows.begin(), one.follows.end(),
                            [&](const auto& followed) { return concerns(change->touches, followed.first); });
            if (!concerned || one.change == change) continue;
            const Label not_due = label(), moved = label();
            emit(Op::IfIs, one.in_place, 1, not_due);
            skip_unless_open(*one.change, not_due);
            unless_as_found(one, not_due);
            if_moved(one, moved);
            jump(not_due);
            place(moved);
            call_routine(one.back, one.body);
            place(not_due);
        }
        place(past);
    }
    // The rest: what they follow has moved, if not back; or it has not, and there is no reason to run.
    for (Deferred& one : deferred) {
        const Label skip = label(), run = label();
        skip_unless_open(*one.change, skip);
        emit(Op::IfIs, one.in_place, 1, skip);
        if_moved(one, run);
        if (!one.change->seen) {
            note(fmt::format("`{}` is left as it is: what its undo follows was not changed by this stage",
                             one.change->text),
                 one.change->span);
            worsen(UndoHeld);
            jump(skip);
        } else if (!semantics::runs_in_place(*one.change->verb)) {
            note(fmt::format("`{}`: nothing to undo, what it follows was not changed", one.change->text),
                 one.change->span);
            for (const Touch& touch : one.change->touches) take_back(touch.variable, touch.before);
            mark_undone(*one.change);
            jump(skip);
        }
        place(run);
        call_routine(one.back, one.body);
        place(skip);
    }
    jump(over);
    for (Deferred& one : deferred) {
        place(one.body);
        const Label end = label();
        undo_one(*one.change, end, end);
        place(end);
        go_back(one.back);
    }
    place(stop);
    place(over);
    check_restored(stage);
    go_back(stage.undo_return);
}

// What was restored must be there, and the cluster must have caught up with it.
void Lowering::check_restored(StageState& stage) {
    const Label nothing_ran = label();
    emit(Op::IfIs, ran_, 0, nothing_ran);
    if (others_) {
        std::vector<std::size_t> visible;
        for (const Change* change : stage.changes)
            for (const Touch& touch : change->touches)
                if (touch.is_visible() && change->seen) visible.push_back(touch.variable);
        somebody_else(fmt::format("after the undo of {}", stage.stage->name), stage.stage->span, visible,
                      true);
    }
    for (const std::size_t variable : stage.touched) {
        const Label right = label();
        for (const Change* change : stage.changes)
            for (const Touch& touch : change->touches) {
                if (touch.variable != variable || !touch.is_visible()) continue;
                const Label later = label();
                emit(Op::IfIsNot, change->status, Undone, later);
                emit(Op::IfSame, out_.variables[variable].now, touch.before, right);
                note(fmt::format("{} is not as it was before", out_.variables[variable].name), change->span);
                worsen(UndoFailed);
                jump(right);
                place(later);
            }
        place(right);
    }
    if (converges(stage)) {
        const Label on = label();
        Choice choice =
            begin_choice(fmt::format("after the undo of {}", stage.stage->name), stage.stage->span);
        choice.undoing = true;
        option(choice, "what was restored is not caught up with in time",
               aside([&] { leave(UndoFailed, on); }));
        end_choice(std::move(choice));
        place(on);
    }
    place(nothing_ran);
}

// Whether the cluster has to catch up with something that a stage changes.
bool Lowering::converges(const StageState& stage) const {
    return std::any_of(stage.changes.begin(), stage.changes.end(), [this](const Change* change) {
        return std::any_of(change->verb->effects.begin(), change->verb->effects.end(),
                           [this](const ir::Effect& effect) {
                               return program_.probes.at(effect.probe.declaration).converges.has_value();
                           });
    });
}

// The statements of a failure block, and how the stage ends after them.
void Lowering::failure_block(StageState& stage, const std::vector<ir::Step>& block, Names& names) {
    const Label failed = label(), held = label(), in_doubt = label();
    bool undoes = false, all = false;
    for (const ir::Step& step : block) {
        now_ = &stage;
        if (step.kind == StepKind::Undo || step.kind == StepKind::UndoAll) {
            undoes = true;
            note("the stage is undone", step.span);
            set(ran_, 0);
            call_routine(stage.undo_return, stage.undo);
            if (step.kind != StepKind::UndoAll) continue;
            all = true;
            for (std::size_t i = stage.index; i-- > 0;) {
                const Label enough = label();
                emit(Op::IfIs, undo_end_, UndoInDoubt, enough);
                note(fmt::format("the stage {} is undone", stages_[i].stage->name), step.span);
                call_routine(stages_[i].undo_return, stages_[i].undo);
                place(enough);
            }
            continue;
        }
        if (step.kind == StepKind::Hold) {
            set(excuse_, Declared);
            jump(held);
            break;
        }
        StepContext course;
        course.purpose = Purpose::Failure;
        const bool only_says = step.kind == StepKind::Call && program_.verbs.at(step.verb).action &&
                               program_.verbs.at(step.verb).effects.empty() &&
                               program_.verbs.at(step.verb).undo.kind == UndoKind::None;
        const Label on = label();
        course.exits = {only_says ? on : failed, held, in_doubt, held, held, held};
        statement(step, names, course);
        place(on);
    }
    to_results();
    jump(!undoes ? result_held_ : all ? undone_all_ : stage.undone);
    place(failed);
    place(held);
    to_results();
    jump(result_held_);
    place(in_doubt);
    jump(result_in_doubt_);
}

}  // namespace migc::prove
