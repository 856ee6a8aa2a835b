// Stages in their order, and the ends that a run can come to.

#include <fmt/format.h>

#include "compiler/prove/lower.hpp"
#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/step_id.hpp"

namespace migc::prove {
Lowering::Lowering(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
                   const ir::Invariant* invariant, bool others)
    : program_(program),
      inventory_(inventory),
      facts_(facts),
      manifests_(inventory.root, files_),
      resources_(program, inventory, manifests_),
      invariant_(invariant),
      others_(others) {
    for (const ir::Verb& verb : program.verbs)
        for (const ir::Effect& effect : verb.effects)
            if (effect.probe.kind == ir::ExprKind::Probe) written_.insert(effect.probe.declaration);
}

// What does not differ from run to run is the same here as there; a folder is called by its relative path.
void Lowering::read_settings(StageState& stage) {
    stage.environment = stage.stage->environment.empty() ? stage.stage->name : stage.stage->environment;
    stage.settings["environment"] = stage.environment;
    const project::Environment* entry = inventory_.environment(stage.environment);
    if (entry != nullptr && entry->terraform) {
        stage.settings["terraform-dir"] = entry->terraform->directory;
        stage.settings["var-file"] = entry->terraform->var_file;
    }
    for (const ir::Parameter& parameter : program_.parameters) {
        if (parameter.type.kind == ir::TypeKind::Secret) continue;
        if (const auto given = facts_.parameters.find(parameter.name); given != facts_.parameters.end())
            stage.parameters[parameter.name] = given->second;
        else if (entry != nullptr && entry->set.contains(parameter.name)) {
            if (auto value = facts_.parse(parameter.type, entry->set.at(parameter.name).text))
                stage.parameters[parameter.name] = std::move(*value);
        } else if (parameter.default_value)
            stage.parameters[parameter.name] = semantics::constant(*parameter.default_value);
    }
}

void Lowering::lets(Names& names) {
    for (const ir::Step& let : program_.lets) names.bind(let.name, {snapshot(evaluate(*let.value, names))});
}

void Lowering::stage(StageState& state, Label next) {
    now_ = &state;
    const Label prologue = label(), begin = label(), failed = label(), stopped = label(), in_doubt = label(),
                held = label(), closed = label();
    remark(Remark::Kind::Heading, fmt::format("stage {}", state.stage->name), state.stage->span);
    jump(prologue);
    place(begin);
    Names* names = new_names(globals_);
    StepContext course;
    course.exits = {failed, stopped, in_doubt, held, closed, failed};
    block(state.stage->gates, *names, course);
    block(state.definition->steps, *names, course);
    look_at_all(state, held);
    if (converges(state)) {
        Choice choice =
            begin_choice(fmt::format("the end of stage {}", state.stage->name), state.stage->span);
        option(choice, "a change is not caught up with in time", failed);
        end_choice(std::move(choice));
    }
    jump(next);
    place(closed);
    set(excuse_, Declared);
    jump(refused_);
    place(in_doubt);
    set(excuse_, WentWrong);
    jump(in_doubt_);
    place(held);
    place(stopped);
    jump(stopped_);
    place(failed);
    const auto& block = state.stage->on_failure ? state.stage->on_failure : state.definition->on_failure;
    if (block)
        failure_block(state, *block, *names);
    else
        jump(result_held_);
    state.prologue = prologue;
    state.begin = begin;
}

// What the stage finds, kept for the way back. It is lowered last, when all is known that the stage touches.
void Lowering::prologue(const StageState& state) {
    place(state.prologue);
    for (const std::size_t variable : state.touched)
        if (state.index > 0) {
            emit(Op::Copy, out_.variables[variable].origins[state.index], out_.variables[variable].now);
            if (others_) set(others_of_[variable].here, no);
        }
    jump(state.begin);
}

void Lowering::end(Ending ending) {
    emit(Op::End, 0, 0, static_cast<Label>(out_.endings.size()));
    out_.endings.push_back(std::move(ending));
}

// Every variable is as it was when the stage, or the run, began.
void Lowering::end_undone(const std::set<std::size_t>& variables, std::size_t stage) {
    const Label wrong = label();
    for (const std::size_t variable : variables)
        emit(Op::IfDiffer, out_.variables[variable].now, out_.variables[variable].origins[stage], wrong);
    end({.outcome = Outcome::Undone});
    place(wrong);
    end({.outcome = Outcome::Undone, .violation = Violation::NotRestored});
}

// What differs is named by the run, and there is a reason why it was left.
void Lowering::end_standing(Outcome outcome) {
    const Label some = label(), unlisted = label();
    for (std::size_t i = 0; i < out_.variables.size(); ++i) {
        const Variable& variable = out_.variables[i];
        const Label covered = label(), next = label();
        emit(Op::IfSame, variable.now, variable.origins.back(), next);
        // An undo that did not bring back what it should says so.
        if (outcome == Outcome::UndoFailed) emit(Op::IfIs, excuse_, NoExcuse, some);
        for (const Change& change : changes_) {
            if (!concerns(change.touches, i)) continue;
            for (const std::uint16_t open : {Begun, Done, Failed, InDoubt, Unproved})
                emit(Op::IfIs, change.status, open, covered);
        }
        // Somebody else's value the run has met: it says so.
        if (others_) emit(Op::IfSame, variable.now, others_of_[i].theirs, covered);
        jump(unlisted);
        place(covered);
        if (outcome != Outcome::Refused) emit(Op::IfIs, excuse_, NoExcuse, some);
        place(next);
    }
    const Label declared = label();
    emit(Op::IfIs, excuse_, Declared, declared);
    end({.outcome = outcome});
    place(declared);
    end({.outcome = outcome, .declared = true});
    place(some);
    end({.outcome = outcome, .violation = Violation::NoReason});
    place(unlisted);
    end({.outcome = outcome, .violation = Violation::NotListed});
}

// `migc undo RUN`, after the run was stopped or is held because nobody could see.
void Lowering::undo_everything() {
    place(stopped_);
    note("the run is held; then the operator says `migc undo`");
    set(undo_end_, AllUndone);
    set(ran_, 0);
    for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage) {
        const Label enough = label();
        emit(Op::IfIs, undo_end_, UndoInDoubt, enough);
        call_routine(stage->undo_return, stage->undo);
        place(enough);
    }
    to_results();
    jump(undone_all_);
}

// Where not everything was undone, that is the result.
void Lowering::to_results() {
    emit(Op::IfIs, undo_end_, UndoHeld, result_held_);
    emit(Op::IfIs, undo_end_, UndoFailed, result_failed_);
    emit(Op::IfIs, undo_end_, UndoInDoubt, result_in_doubt_);
}

void Lowering::ends() {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < out_.variables.size(); ++i) all.insert(i);
    for (const StageState& stage : stages_) {
        place(stage.undone);
        end_undone(stage.touched, stage.index);
    }
    place(undone_all_);
    end_undone(all, stages_.size());
    place(in_doubt_);
    for (const auto& [result, outcome] : {std::pair(result_in_doubt_, Outcome::InDoubt),
                                          {result_held_, Outcome::Held},
                                          {result_failed_, Outcome::UndoFailed},
                                          {refused_, Outcome::Refused}}) {
        place(result);
        end_standing(outcome);
    }
    place(done_);
    end({.outcome = Outcome::Done});
}

System Lowering::run() {
    undo_end_ = new_register(AllUndone);
    excuse_ = new_register(NoExcuse);
    ran_ = new_register(0);
    for (Label* one : {&done_, &stopped_, &in_doubt_, &refused_, &undone_all_, &result_held_, &result_failed_,
                       &result_in_doubt_})
        *one = label();
    globals_ = new_names(nullptr);
    lets(*globals_);
    for (const ir::Stage& stage : program_.stages) {
        StageState& state = stages_.emplace_back();
        state.stage = &stage;
        state.definition = &semantics::stage_with_steps(program_, stage);
        state.index = stages_.size() - 1;
        state.undo = label();
        state.undo_return = new_register();
        state.undone = label();
        read_settings(state);
    }
    const Label beginning = label(), begin = label();
    jump(beginning);
    place(begin);
    watch_verified();
    for (StageState& state : stages_) {
        const Label next = state.index + 1 == stages_.size() ? done_ : label();
        stage(state, next);
        if (state.index + 1 < stages_.size()) place(next);
    }
    undo_everything();
    for (StageState& state : stages_) undo_routine(state);
    for (const StageState& state : stages_) prologue(state);
    place(beginning);
    look_at_beginning();
    jump(begin);
    ends();
    now_ = nullptr;
    finish();
    return std::move(out_);
}

System lower(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
             const ir::Invariant* invariant, bool others) {
    return Lowering(program, inventory, facts, invariant, others).run();
}

}  // namespace migc::prove
