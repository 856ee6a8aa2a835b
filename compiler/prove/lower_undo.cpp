// The way back, as engine/undo.cpp goes it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"

namespace migc::prove {

using ir::StepKind;
using ir::UndoKind;

namespace {

std::string reads_through(const ir::Probe& probe) {
    if (!probe.read) return "";
    if (probe.read->tool != "native") return probe.read->tool;
    return probe.read->through.empty() ? "files" : fmt::format("{}", fmt::join(probe.read->through, ","));
}

bool is_visible(const Touch& touch) {
    return touch.becomes != ir::Becomes::Different;
}

}  // namespace

void Lowering::worsen(std::uint16_t end) {
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
            const bool own = std::any_of(change.touches.begin(), change.touches.end(),
                                         [&](const Touch& one) { return one.variable == touch.variable; });
            if (own || !is_visible(touch) || declaration == ~std::uint32_t{0}) continue;
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
    place(failed);
    worsen(UndoFailed);
    jump(next);
    place(held);
    worsen(UndoHeld);
    jump(next);
    place(in_doubt);
    worsen(UndoInDoubt);
    jump(next);
}

bool Lowering::has_effects(const std::vector<ir::Step>& steps) const {
    return std::any_of(steps.begin(), steps.end(), [this](const ir::Step& step) {
        if (has_effects(step.body) || has_effects(step.otherwise)) return true;
        if (step.kind != StepKind::Call) return false;
        const ir::Verb& verb = program_.verbs.at(step.verb);
        return !verb.effects.empty() || (!verb.action && has_effects(verb.steps));
    });
}

void Lowering::undo_one(StageState& stage, Change& change, Label next, Label stop) {
    (void)stage;
    const bool seen = change.seen && !change.touches.empty();
    const auto untouched = [&](Label differs) {
        for (const Touch& touch : change.touches)
            emit(Op::IfDiffer, out_.variables[touch.variable].now, touch.before, differs);
    };
    if (change.undo->kind == UndoKind::None) {
        const Label stays = label();
        if (seen) untouched(stays);
        mark_undone(change);
        jump(next);
        place(stays);
        if (!seen) return;
        remark(Remark::Kind::Note, fmt::format("`{}` stays as it is: {}", change.text, change.undo->reason),
               change.span);
        set(excuse_, Declared);
        worsen(UndoHeld);
        return jump(next);
    }
    const Label theirs = label();
    if (seen) {
        somebody_else(fmt::format("the undo of `{}`", change.text), change.span, settable(change.touches),
                      std::nullopt, true);
        Choice choice = begin_choice(fmt::format("the undo of `{}`", change.text), change.span);
        choice.undoing = true;
        const Label unreadable = label(), stopped = label(), on = label();
        option(choice, "what is there cannot be read", unreadable);
        option(choice, "the operator stops the undo here", stopped);
        end_choice(std::move(choice));
        jump(on);
        place(unreadable);
        note_trouble();
        worsen(UndoInDoubt);
        jump(next);
        place(stopped);
        note_trouble();
        worsen(UndoHeld);
        jump(stop);
        place(on);
        const Label differs = label();
        untouched(differs);
        remark(Remark::Kind::Note, fmt::format("`{}`: nothing to undo", change.text), change.span);
        mark_undone(change);
        jump(next);
        place(differs);
        keep_theirs(change, theirs);
    }
    if (change.undo->kind == UndoKind::Irreversible) {
        remark(Remark::Kind::Note,
               fmt::format("from `{}` there is no way back: {}", change.text, change.undo->reason),
               change.span);
        set(excuse_, Declared);
        worsen(UndoHeld);
        return jump(stop);
    }
    if (change.undo->kind == UndoKind::ByCaller) {
        worsen(UndoHeld);
        return jump(next);
    }
    remark(Remark::Kind::Note, fmt::format("undo of `{}`", change.text), change.span);
    run_inverse(change, next);
    if (!others_ || !seen) return;
    place(theirs);
    remark(Remark::Kind::Note,
           fmt::format("`{}` is not undone: somebody else has changed it since", change.text), change.span);
    note_trouble();
    worsen(UndoHeld);
    jump(next);
}

// What may be somebody else's work is left, and told.
void Lowering::leave_unproved(const Change& change) {
    if (!change.seen) return;
    const Label known = label();
    emit(Op::IfIsNot, change.status, Unproved, known);
    for (const Change* outer = change.outer; outer != nullptr; outer = outer->outer)
        emit(Op::IfIsNot, outer->status, NotBegun, known);
    remark(Remark::Kind::Note, fmt::format("`{}` is not undone: who made it so is not known", change.text),
           change.span);
    note_trouble();
    worsen(UndoHeld);
    place(known);
}

void Lowering::note_trouble() {
    const Label declared = label();
    emit(Op::IfIs, excuse_, Declared, declared);
    set(excuse_, WentWrong);
    place(declared);
}

// Last first; inverses that follow something wait until that is as it was.
void Lowering::undo_routine(StageState& stage) {
    place(stage.undo);
    now_ = &stage;
    const Label stop = label(), over = label();
    std::vector<Change*> order(stage.changes.rbegin(), stage.changes.rend());
    struct Deferred {
        Change* change;
        std::vector<std::size_t> follows;
        std::vector<Register> at_start;
        Register in_place = 0;
        Label body = 0;
        Register back = 0;
    };
    std::vector<Deferred> deferred;
    const auto skip_unless_open = [&](const Change& change, Label skip) {
        const Label open = label();
        emit(Op::IfIs, change.status, Done, open);
        emit(Op::IfIsNot, change.status, Failed, skip);
        place(open);
        for (const Change* outer = change.outer; outer != nullptr; outer = outer->outer)
            emit(Op::IfIsNot, outer->status, NotBegun, skip);
    };
    for (Change* change : order) {
        if (change->undo->kind != UndoKind::Steps || !change->undo->after) continue;
        Deferred one{change, followed(stage, *change), {}, new_register(), label(), new_register()};
        for (const std::size_t variable : one.follows) {
            one.at_start.push_back(new_register());
            emit(Op::Copy, one.at_start.back(), out_.variables[variable].now);
        }
        // In place: nothing of it was changed, and the inverse has a reason to run all the same.
        set(one.in_place, 0);
        if (semantics::runs_in_place(*change->verb)) {
            const Label changed = label();
            for (const std::size_t variable : one.follows)
                emit(Op::IfDiffer, out_.variables[variable].now,
                     out_.variables[variable].origins[stage.index], changed);
            set(one.in_place, 1);
            place(changed);
        }
        deferred.push_back(std::move(one));
    }
    const auto is_deferred = [&](const Change* change) {
        return std::find_if(deferred.begin(), deferred.end(),
                            [&](const Deferred& one) { return one.change == change; });
    };
    for (Change* change : order) {
        const Label next = label(), past = label();
        const auto waits = is_deferred(change);
        leave_unproved(*change);
        skip_unless_open(*change, past);
        if (waits != deferred.end()) {
            emit(Op::IfIs, waits->in_place, 0, past);
            call_routine(waits->back, waits->body);
        } else {
            undo_one(stage, *change, next, stop);
        }
        place(next);
        for (Deferred& one : deferred) {
            const bool concerned =
                std::any_of(one.follows.begin(), one.follows.end(), [&](std::size_t variable) {
                    return std::any_of(change->touches.begin(), change->touches.end(),
                                       [&](const Touch& touch) { return touch.variable == variable; });
                });
            if (!concerned || one.change == change) continue;
            const Label not_due = label(), moved = label();
            emit(Op::IfIs, one.in_place, 1, not_due);
            skip_unless_open(*one.change, not_due);
            for (const std::size_t variable : one.follows)
                emit(Op::IfDiffer, out_.variables[variable].now,
                     out_.variables[variable].origins[stage.index], not_due);
            for (std::size_t i = 0; i < one.follows.size(); ++i)
                emit(Op::IfDiffer, out_.variables[one.follows[i]].now, one.at_start[i], moved);
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
        for (std::size_t i = 0; i < one.follows.size(); ++i)
            emit(Op::IfDiffer, out_.variables[one.follows[i]].now, one.at_start[i], run);
        if (!one.change->seen) {
            remark(Remark::Kind::Note,
                   fmt::format("`{}` is left as it is: what its undo follows was not changed by this stage",
                               one.change->text),
                   one.change->span);
            worsen(UndoHeld);
            jump(skip);
        } else if (!semantics::runs_in_place(*one.change->verb)) {
            remark(Remark::Kind::Note,
                   fmt::format("`{}`: nothing to undo, what it follows was not changed", one.change->text),
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
        undo_one(stage, *one.change, end, end);
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
                if (is_visible(touch) && change->seen) visible.push_back(touch.variable);
        somebody_else(fmt::format("after the undo of {}", stage.stage->name), stage.stage->span, visible,
                      std::nullopt, true);
    }
    for (const std::size_t variable : stage.touched) {
        const Label right = label();
        for (const Change* change : stage.changes)
            for (const Touch& touch : change->touches) {
                if (touch.variable != variable || touch.becomes == ir::Becomes::Different) continue;
                const Label later = label();
                emit(Op::IfIsNot, change->status, Undone, later);
                emit(Op::IfSame, out_.variables[variable].now, touch.before, right);
                remark(Remark::Kind::Note,
                       fmt::format("{} is not as it was before", out_.variables[variable].name),
                       change->span);
                worsen(UndoFailed);
                jump(right);
                place(later);
            }
        place(right);
    }
    const auto converges = [this](const Change* change) {
        return std::any_of(change->verb->effects.begin(), change->verb->effects.end(),
                           [this](const ir::Effect& effect) {
                               return program_.probes.at(effect.probe.declaration).converges.has_value();
                           });
    };
    if (std::any_of(stage.changes.begin(), stage.changes.end(), converges)) {
        const Label late = label(), on = label();
        Choice choice =
            begin_choice(fmt::format("after the undo of {}", stage.stage->name), stage.stage->span);
        choice.undoing = true;
        option(choice, "what was restored is not caught up with in time", late);
        end_choice(std::move(choice));
        jump(on);
        place(late);
        note_trouble();
        worsen(UndoFailed);
        place(on);
    }
    place(nothing_ran);
}

// The statements of a failure block, and how the stage ends after them.
void Lowering::failure_block(StageState& stage, const std::vector<ir::Step>& block, Names& names,
                             Label to_result) {
    (void)to_result;
    const Label failed = label(), held = label(), in_doubt = label();
    bool undoes = false, all = false;
    for (const ir::Step& step : block) {
        now_ = &stage;
        if (step.kind == StepKind::Undo || step.kind == StepKind::UndoAll) {
            undoes = true;
            remark(Remark::Kind::Note, "the stage is undone", step.span);
            set(ran_, 0);
            call_routine(stage.undo_return, stage.undo);
            if (step.kind != StepKind::UndoAll) continue;
            all = true;
            for (std::size_t i = stage.index; i-- > 0;) {
                const Label enough = label();
                emit(Op::IfIs, undo_end_, UndoInDoubt, enough);
                remark(Remark::Kind::Note, fmt::format("the stage {} is undone", stages_[i].stage->name),
                       step.span);
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
    emit(Op::IfIs, undo_end_, UndoHeld, result_held_);
    emit(Op::IfIs, undo_end_, UndoFailed, result_failed_);
    emit(Op::IfIs, undo_end_, UndoInDoubt, result_in_doubt_);
    jump(!undoes ? result_held_ : all ? undone_all_ : undone_[stage.index]);
    place(failed);
    place(held);
    emit(Op::IfIs, undo_end_, UndoFailed, result_failed_);
    emit(Op::IfIs, undo_end_, UndoInDoubt, result_in_doubt_);
    jump(result_held_);
    place(in_doubt);
    jump(result_in_doubt_);
}

}  // namespace migc::prove
