#include "runtime/engine/undo.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/support/text.hpp"
#include "runtime/engine/converge.hpp"
#include "runtime/engine/steps.hpp"
#include "runtime/engine/still_ours.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/effect.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/identity.hpp"

namespace migc::runtime::inline engine {
namespace {

using ir::UndoKind;

std::string phrase_of(Evaluator& evaluator, const ir::Expr& expression, const Scope& scope) {
    return expression.kind == ir::ExprKind::Probe ? evaluator.describe(expression, scope) : "what it follows";
}

Outcome outcome_of(const Result& verdict) {
    switch (verdict.kind) {
        case ResultKind::Done:
            return Outcome::Undone;
        case ResultKind::InDoubt:
            return Outcome::InDoubt;
        case ResultKind::Failed:
            return Outcome::Failed;
        default:
            return Outcome::Held;
    }
}

UndoEnd end_of(Outcome result) {
    if (result == Outcome::Undone || result == Outcome::NothingToUndo) return UndoEnd::Undone;
    if (result == Outcome::Held) return UndoEnd::Held;
    return result == Outcome::Failed ? UndoEnd::Failed : UndoEnd::InDoubt;
}

bool meet(const std::set<std::string>& some, const std::set<std::string>& others) {
    return std::any_of(some.begin(), some.end(),
                       [&](const std::string& name) { return others.count(name) != 0; });
}

// Whether two fields of a thing have nothing in common: `*` stands for any element of a list.
bool are_apart(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return false;
    const std::vector<std::string> some = split(a, '/'), others = split(b, '/');
    for (std::size_t i = 0; i < std::min(some.size(), others.size()); ++i)
        if (some[i] != others[i] && some[i] != "*" && others[i] != "*") return true;
    return false;
}

bool in_parts(const ir::Program& program, const std::vector<ir::Step>& steps) {
    return steps.size() != 1 || steps.front().kind != ir::StepKind::Call ||
           !program.verbs.at(steps.front().verb).action;
}

}  // namespace

// A change, how it is taken back, and the names that its inverse can see.
struct StageUndo::Inverse {
    Change* change = nullptr;
    const ir::Verb* verb = nullptr;
    const ir::Undo* undo = nullptr;
    std::shared_ptr<Scope> scope;
    Value start;            // of `after P`: P when the undo began
    bool tried = false;     // it has run, or was left: once is enough without a person
    bool in_place = false;  // nothing that the stage did changed P: there is nothing to wait for
    [[nodiscard]] bool follows() const { return semantics::waits(*undo); }
    [[nodiscard]] bool deferred() const { return follows() && !in_place; }
};

namespace {

List as_list(const Value& value) {
    const auto* items = value.get_if<List>();
    return items == nullptr ? List{} : *items;
}

bool within(const List& part, const List& whole) {
    return std::all_of(part.begin(), part.end(), [&](const Value& one) {
        return std::any_of(whole.begin(), whole.end(), [&](const Value& other) { return equal(one, other); });
    });
}

// Of an effect that is a list, a step that failed half-way leaves a part: all that was there, and nothing
// that it did not declare.
bool is_part(const Value* before, const Value& now, const Value* declared) {
    const bool lists = declared != nullptr && declared->get_if<List>() != nullptr &&
                       now.get_if<List>() != nullptr && before != nullptr;
    return lists && within(as_list(*before), as_list(now)) && within(as_list(now), as_list(*declared));
}

}  // namespace

Outcome result_of(UndoEnd end) {
    switch (end) {
        case UndoEnd::Undone:
            return Outcome::Undone;
        case UndoEnd::Held:
            return Outcome::Held;
        case UndoEnd::Failed:
            return Outcome::UndoFailed;
        default:
            return Outcome::InDoubt;
    }
}

StageUndo::StageUndo(StageRun& stage) : stage_(stage) {}

void StageUndo::worsen(UndoEnd end, const std::string& message) {
    if (end <= end_) return;
    end_ = end;
    message_ = message;
}

// Inside a composite with an inverse of its own: that one speaks for it.
bool StageUndo::covered(const Change& change) const {
    return std::any_of(stage_.changes.begin(), stage_.changes.end(),
                       [&](const Change& outer) { return change.step.is_inside(outer.step); });
}

std::optional<StageUndo::Inverse> StageUndo::prepare(Change& change) {
    Inverse inverse;
    inverse.change = &change;
    inverse.verb = stage_.verb(change.verb);
    const ir::Step* step = change.own_undo ? semantics::find_step(stage_.run.program, change.step) : nullptr;
    if (step != nullptr && step->undo) inverse.undo = &*step->undo;
    if (!change.own_undo && inverse.verb != nullptr) inverse.undo = &inverse.verb->undo;
    if (inverse.verb == nullptr || inverse.undo == nullptr) return std::nullopt;
    inverse.scope = std::make_shared<Scope>(scope_of(stage_, change));
    return inverse;
}

// Last first.
std::vector<StageUndo::Inverse> StageUndo::collect() {
    stage_.sort_changes();
    std::vector<Inverse> inverses;
    for (auto change = stage_.changes.rbegin(); change != stage_.changes.rend(); ++change) {
        if (!change->to_undo() || covered(*change)) continue;
        if (auto inverse = prepare(*change)) {
            if (inverse->follows()) inverse->start = start(*inverse);
            const Value* baseline = find_value(stage_.baselines, change->step);
            inverse->in_place = inverse->follows() && semantics::runs_in_place(*inverse->verb) &&
                                baseline != nullptr && equal(*baseline, inverse->start);
            inverses.push_back(std::move(*inverse));
        } else {
            conclude(*change, Outcome::InDoubt, "the script does not say any more how this step is undone");
        }
    }
    return inverses;
}

UndoEnd StageUndo::run(const std::string& reason) {
    if (!stage_.run.recorder.record(events::UndoBegun{{stage_.stage.name}, printable(reason)}))
        return UndoEnd::Untrusted;
    auto inverses = collect();
    remember_earlier();
    undo_all(inverses);
    if (!stopped_) run_overdue(inverses);
    if (stage_.run.recorder.trusted()) check_restored();
    if (!stage_.run.recorder.trusted()) worsen(UndoEnd::Untrusted, stage_.run.recorder.failure());
    return end_;
}

void StageUndo::undo_all(std::vector<Inverse>& inverses) {
    for (Inverse& inverse : inverses) {
        if (!stage_.run.recorder.trusted()) return;
        if (stage_.run.stopping()) {
            worsen(UndoEnd::Held, "the undo was stopped by the operator");
            stopped_ = true;
            return;
        }
        if (!inverse.deferred() && !undo_one(inverse)) {
            stopped_ = true;
            return;
        }
        run_due(inverses);
    }
}

Value StageUndo::after(const Inverse& inverse) {
    return stage_.evaluator.evaluate(*inverse.undo->after, *inverse.scope).value;
}

// As it was when the stage's first undo began: that one may have been cut off after it changed it.
Value StageUndo::start(const Inverse& inverse) {
    const StepId& step = inverse.change->step;
    if (const Value* known = find_value(stage_.undo_starts, step)) return *known;
    const Value value = after(inverse);
    if (value.is_unknown()) return value;
    stage_.undo_starts[step] = value;
    stage_.note(step, events::Noted::Kind::UndoStart, to_json(value),
                phrase_of(stage_.evaluator, *inverse.undo->after, *inverse.scope));
    return value;
}

// Inverses that run right after what they follow is as it was before the stage.
void StageUndo::run_due(std::vector<Inverse>& inverses) {
    for (Inverse& inverse : inverses) {
        if (!inverse.deferred() || inverse.tried || !inverse.change->to_undo() || inverse.start.is_unknown())
            continue;
        const Value* baseline = find_value(stage_.baselines, inverse.change->step);
        if (baseline == nullptr) continue;
        const Value now = after(inverse);
        if (equal(now, *baseline) && !equal(now, inverse.start)) undo_one(inverse);
    }
}

// The rest: what they follow changed, if not to what it was, so they run; or it did not, and they have no
// reason to.
void StageUndo::run_overdue(std::vector<Inverse>& inverses) {
    for (Inverse& inverse : inverses) {
        if (!inverse.deferred() || inverse.tried || !inverse.change->to_undo() ||
            !stage_.run.recorder.trusted())
            continue;
        const Value now = after(inverse);
        const std::string what = phrase_of(stage_.evaluator, *inverse.undo->after, *inverse.scope);
        if (now.is_unknown() || inverse.start.is_unknown()) {
            conclude(*inverse.change, Outcome::InDoubt,
                     fmt::format("whether {} was changed back could not be found out", what));
        } else if (equal(now, inverse.start) && inverse.verb->effects.empty()) {
            // Nobody can see what it left, so nobody may say that nothing is left.
            conclude(
                *inverse.change, Outcome::Held,
                fmt::format("{} was not changed by this stage, so there is nothing to go back to", what));
        } else if (equal(now, inverse.start) && !semantics::runs_in_place(*inverse.verb) && !put_back_) {
            skipped_.push_back(&inverse);
            conclude(*inverse.change, Outcome::NothingToUndo,
                     fmt::format("skipped: {} was not changed back", what));
        } else {
            undo_one(inverse);
        }
    }
}

namespace {

bool is_untouched(const Change& change, const std::string& phrase, const Value& now) {
    const Value* before = find_value(change.before, phrase);
    const Value* declared = find_value(change.declared, phrase);
    if (before == nullptr) return false;
    return declared == nullptr ? equal(*before, now) : is_as_before(*before, *declared, now);
}

// What a step declared is its work if its command was accepted; what it merely found afterwards need not be.
bool is_own_work(const Change& change, const std::string& phrase, const Value& now) {
    if (change.ownership != Ownership::Ours) return false;
    const Value* before = find_value(change.before, phrase);
    const Value* observed = find_value(change.observed, phrase);
    const Value* declared = find_value(change.declared, phrase);
    if (change.resolved && observed == nullptr) return true;
    if (declared == nullptr) return observed != nullptr && equal(*observed, now);
    if (has_become(before == nullptr ? Value() : *before, *declared, now)) return true;
    return change.state == ChangeState::Failed && is_part(before, now, declared);
}

// Whether the way back looks at each field of an object by itself: it puts back those that are this run's,
// and holds the rest by name.
bool looks_at_each_field(const ir::Program& program, const ir::Undo& undo) {
    if (undo.kind != UndoKind::Steps || undo.steps.size() != 1 ||
        undo.steps.front().kind != ir::StepKind::Call)
        return false;
    return semantics::has_effect_on(program, program.verbs.at(undo.steps.front().verb), ir::Role::Object);
}

// The tools by which a command writes, or a probe reads.
std::vector<std::string> tools_of(const ir::Command& command) {
    return command.native.empty() ? std::vector{command.tool} : command.through;
}

// Whether a server that is read by the tool that wrote there can tell who it was.
bool writes_where_it_is_read(const ir::Program& program, const ir::Command& action,
                             const ir::Effect& effect) {
    const auto& read = program.probes.at(effect.probe.declaration).read;
    if (!read) return false;
    const auto writing = tools_of(action), reading = tools_of(*read);
    return std::any_of(writing.begin(), writing.end(), [&](const std::string& tool) {
        return std::find(reading.begin(), reading.end(), tool) != reading.end();
    });
}

std::string shown_reading(const Value& value) {
    const auto* object = value.get_if<Json>();
    return object != nullptr && (*object)->is_object() ? "otherwise" : printable(show(value), 200);
}

const char* who(bool may_be_block) {
    return may_be_block ? "the failure block, or somebody else," : "somebody else";
}

std::string whose(const Change& change, bool may_be_block) {
    if (change.ownership == Ownership::NotOurs)
        return "which is not ours: this run's own command was refused, and somebody else changed it";
    if (change.ownership == Ownership::Unproved)
        return "and whether this run or somebody else made it so is not known: its command reported a failure";
    if (may_be_block) return fmt::format("and {} changed it", who(may_be_block));
    return "which this run did not write: somebody else changed it";
}

}  // namespace

StageUndo::Found StageUndo::look_at(Evaluator& snapshot, const Inverse& inverse, const ir::Effect& effect) {
    const std::string phrase = snapshot.describe(effect.probe, *inverse.scope);
    const Reading reading = read_with_writer(snapshot, inverse, effect);
    found_[phrase] = reading;
    if (reading.value.is_unknown() && inverse.change->ownership == Ownership::NotOurs)
        return {
            State::Foreign,
            fmt::format("its command was refused, so it has done nothing, and whether all is as it was could "
                        "not be found out: {}: {}",
                        phrase, explain(reading))};
    if (reading.value.is_unknown())
        return {State::Unreadable, fmt::format("{}: {}", phrase, explain(reading))};
    const Change& change = *inverse.change;
    if (reading.identity == gone && stage_.is_remade(change, phrase, reading))
        return {State::Foreign,
                fmt::format("{} is gone with the object that it was a field of: {} deleted that", phrase,
                            who(may_be_block(inverse)))};
    if (is_untouched(change, phrase, reading.value)) return {State::Untouched, {}};
    if (stage_.is_remade(change, phrase, reading))
        return {State::Foreign,
                fmt::format("{} is {} of one that is not ours: {} deleted it and made it anew", phrase,
                            shown_reading(reading.value), who(may_be_block(inverse)))};
    if (stage_.run.options.overwrite) return {State::Ours, {}};
    if (stage_.wrote(phrase, reading.value) || is_own(inverse, phrase, reading)) {
        if (const std::string part = theirs_in(inverse, effect, phrase, reading.value); !part.empty())
            return {
                State::Foreign,
                fmt::format("{} holds {}, which this run did not write, and going back would take it away",
                            phrase, part)};
        if (reading.writer.empty()) return {State::Ours, {}};
        return {State::Foreign,
                fmt::format("{} is {}, and {} has written that since this run did: it is not ours any more",
                            phrase, shown_reading(reading.value), printable(reading.writer, 100))};
    }
    if (change.ownership == Ownership::Ours && looks_at_each_field(stage_.run.program, *inverse.undo))
        return {State::Ours, {}};
    return {State::Foreign,
            fmt::format("{} is {}, {}", phrase, shown_reading(reading.value),
                        whose(change, may_be_block(inverse))),
            change.ownership == Ownership::Unproved ? Reason::NotProved : Reason::None};
}

// What a step of the failure block has left of the same thing is not known here: nobody else is blamed for
// it.
bool StageUndo::may_be_block(const Inverse& inverse) {
    const std::set<std::string> names = names_of(inverse);
    return std::any_of(stage_.in_failure.begin(), stage_.in_failure.end(), [&](const Change& change) {
        const ir::Verb* verb = stage_.verb(change.verb);
        const Scope scope = scope_of(stage_, change);
        return verb != nullptr &&
               std::any_of(verb->effects.begin(), verb->effects.end(), [&](const ir::Effect& effect) {
                   return meet(names_in(stage_.evaluator, effect.probe, scope), names);
               });
    });
}

// What somebody else has put into a map that the way back sets as a whole.
std::string StageUndo::theirs_in(const Inverse& inverse, const ir::Effect& effect, const std::string& phrase,
                                 const Value& now) {
    const Value* before = find_value(inverse.change->before, phrase);
    const Value* declared = find_value(inverse.change->declared, phrase);
    const bool is_field = semantics::role_of(stage_.run.program, effect.probe) == ir::Role::Field;
    if (before == nullptr || declared == nullptr || !is_field) return {};
    return part_of_others(*before, *declared, now);
}

// With who else has written it since, where a server keeps that. Of what a person says was done nobody knows
// under which names it was written.
Reading StageUndo::read_with_writer(Evaluator& snapshot, const Inverse& inverse, const ir::Effect& effect) {
    const Change& change = *inverse.change;
    const auto& action = inverse.verb->action;
    const bool asks = action && !change.resolved && !stage_.run.options.overwrite &&
                      writes_where_it_is_read(stage_.run.program, *action, effect);
    snapshot.asks_others = asks;
    const std::string phrase = asks ? snapshot.describe(effect.probe, *inverse.scope) : "";
    snapshot.own_revision = asks ? stage_.own_revision(change, phrase) : "";
    const Value* before = asks ? find_value(change.before, phrase) : nullptr;
    const auto* text = before == nullptr ? nullptr : before->get_if<std::string>();
    snapshot.found_before = text == nullptr ? "" : *text;
    return snapshot.evaluate(effect.probe, *inverse.scope);
}

// Of a command that failed, the thing itself may tell in the end that it was this run that wrote it.
bool StageUndo::is_own(const Inverse& inverse, const std::string& phrase, const Reading& now) {
    const Change& change = *inverse.change;
    if (is_own_work(change, phrase, now.value)) return true;
    const Value* before = find_value(change.before, phrase);
    const Value* declared = find_value(change.declared, phrase);
    return change.ownership == Ownership::Unproved && declared != nullptr &&
           has_become(before == nullptr ? Value() : *before, *declared, now.value) &&
           proves(stage_, *inverse.verb, *inverse.scope, false);
}

std::set<std::string> StageUndo::names_of(const Inverse& inverse) {
    std::set<std::string> names;
    for (const ir::Effect& effect : inverse.verb->effects)
        names.merge(names_in(stage_.evaluator, effect.probe, *inverse.scope));
    return names;
}

// What a step changed is somebody else's now, or may be: what earlier steps did to the same is a part of
// that.
void StageUndo::leave(const Inverse& inverse) {
    left_.push_back({inverse.change, inverse.verb, names_of(inverse)});
}

// What was done, and is not there any more, though no undo has taken it back yet.
bool StageUndo::was_put_back_by_others(const Inverse& inverse) {
    const Change& change = *inverse.change;
    const bool was_there = change.state == ChangeState::Done || change.accepted;
    return was_there && change.ownership == Ownership::Ours && !inverse.verb->effects.empty() &&
           !stage_.past.cut_in_undo && !change.inverse_begun();
}

// Whether an earlier step that is to be undone changed the same.
bool StageUndo::is_on_top(const Inverse& inverse) {
    const std::set<std::string> names = names_of(inverse);
    return std::any_of(stage_.changes.begin(), stage_.changes.end(), [&](Change& change) {
        if (!change.to_undo() || covered(change) || !semantics::earlier(change.step, inverse.change->step))
            return false;
        const auto other = prepare(change);
        return other && meet(names_of(*other), names) &&
               may_change(stage_.run.program, *inverse.verb, *other->verb);
    });
}

const Change* StageUndo::left_around(const Inverse& inverse) {
    if (left_.empty() || stage_.run.options.overwrite) return nullptr;
    const std::set<std::string> names = names_of(inverse);
    const auto found = std::find_if(left_.begin(), left_.end(), [&](const Left& left) {
        return meet(left.names, names) && may_change(stage_.run.program, *left.verb, *inverse.verb);
    });
    return found == left_.end() ? nullptr : found->change;
}

// What a composite changed is what the steps inside of it changed.
StageUndo::Found StageUndo::look_inside(const Inverse& inverse) {
    for (Change& change : stage_.changes) {
        // One that failed may have been accepted, and changed by somebody else then.
        const bool has_acted =
            change.state == ChangeState::Done || (change.state == ChangeState::Failed && change.acted);
        const bool counts = change.to_undo() && !change.superseded && has_acted;
        if (!counts || !change.step.is_inside(inverse.change->step)) continue;
        const auto inner = prepare(change);
        if (!inner || inner->verb->effects.empty()) continue;
        if (Found found = look_at_all(*inner); found.state == State::Foreign) return found;
    }
    return {};
}

StageUndo::Found StageUndo::look(const Inverse& inverse) {
    found_.clear();
    if (inverse.verb->effects.empty()) return inverse.verb->action ? Found{} : look_inside(inverse);
    return look_at_all(inverse);
}

StageUndo::Found StageUndo::look_at_all(const Inverse& inverse) {
    Found worst{State::Untouched, "it is as it was before"};
    Evaluator snapshot = stage_.evaluator.snapshot();
    for (const ir::Effect& effect : inverse.verb->effects) {
        Found found = look_at(snapshot, inverse, effect);
        const bool heavier =
            found.state != State::Untouched && (worst.state == State::Untouched || found.state > worst.state);
        if (heavier) worst = std::move(found);
    }
    return worst;
}

// That nothing is there of what a command may have done is not believed at the first look: a cache, or
// another server, may answer with what was there a moment ago. One wait is for all: what was done before it
// is no moment ago any more.
StageUndo::Found StageUndo::look_twice(const Inverse& inverse) {
    constexpr std::int64_t pause_ms = 500;
    Found found = look(inverse);
    const bool is_seen = !inverse.verb->effects.empty() && inverse.change->acted;
    if (found.state != State::Untouched || !is_seen || stage_.run.hurried()) return found;
    if (!std::exchange(rested_, true)) Waiter(stage_, StepContext{}).rest(pause_ms);
    return look(inverse);
}

// False: the undo stops here.
bool StageUndo::undo_one(Inverse& inverse) {
    if (std::exchange(inverse.tried, true)) return true;
    Change& change = *inverse.change;
    Found found = look_twice(inverse);
    if (inverse.undo->kind == UndoKind::None) {
        // The step says that nothing is left; where one can see that something is, it is told.
        if (inverse.verb->effects.empty() || found.state == State::Untouched)
            stage_.mark_undone(change.step);
        else
            conclude(change, Outcome::Held, "it stays as it is: " + inverse.undo->reason, Reason::Stays);
        return true;
    }
    // Each call of an inverse that was cut off finds out by itself how far it came.
    if (change.inverse_begun() && found.state == State::Foreign) found = {};
    if (found.state == State::Untouched) {
        const bool put_back = was_put_back_by_others(inverse);
        put_back_ = put_back_ || put_back;
        if (put_back && is_on_top(inverse)) {
            leave(inverse);
            conclude(change, Outcome::Held,
                     "it is as it was before, and it was not this run that put it back");
            return true;
        }
        conclude(change, Outcome::NothingToUndo, found.message);
        // It may be the inverse of an undo that was cut off that has restored it.
        if (stage_.past.cut_in_undo) remember_all_restored(inverse);
        return true;
    }
    if (inverse.undo->kind == UndoKind::Irreversible) {
        conclude(change, Outcome::Held, "it cannot be undone: " + inverse.undo->reason, Reason::NoWayBack);
        return false;
    }
    if (found.state == State::Foreign) {
        // A refused command has changed nothing that an earlier step's change could be a part of.
        if (change.ownership != Ownership::NotOurs) leave(inverse);
        conclude(change, Outcome::Held, found.message, found.why);
    } else if (const Change* later = left_around(inverse)) {
        conclude(
            change, Outcome::Held,
            fmt::format("it is a part of what `{}` changed later, which was not taken back", later->text));
    } else if (found.state == State::Unreadable) {
        if (const auto why = stage_.run.tools.changed_program())
            conclude(change, Outcome::Held, *why);
        else
            conclude(change, Outcome::InDoubt, found.message);
    } else if (inverse.undo->kind == UndoKind::ByCaller) {
        conclude(change, Outcome::Held, "the step brought no inverse");
    } else if (const auto lost = lost_secret(stage_.evaluator, *inverse.undo, *inverse.scope)) {
        conclude(change, Outcome::Held, *lost);
    } else {
        run_steps(inverse);
    }
    return true;
}

void StageUndo::run_steps(Inverse& inverse) {
    Change& change = *inverse.change;
    Written written;
    StepContext course;
    course.purpose = Purpose::Inverse;
    course.undoing = &change;
    course.in_parts = in_parts(stage_.run.program, inverse.undo->steps);
    course.written = &written;
    std::string said;
    course.said = &said;
    Backward backward{found_,
                      [&] {
                          const Found found = look(inverse);
                          return found.state > State::Untouched
                                     ? Result{ResultKind::Held, found.message, found.why}
                                     : Result{};
                      },
                      [this] { settle(); }};
    course.backward = &backward;
    Scope scope(inverse.scope.get());
    const Result verdict = Steps(stage_, course).block(inverse.undo->steps, scope, change.step.undo());
    stage_.wrote(written.values);
    if (verdict.kind == ResultKind::Untrusted) return;
    std::string message =
        verdict.done() && verdict.message.empty() ? restored_text(inverse) : verdict.message;
    if (!verdict.done()) leave(inverse);
    if (!said.empty()) message += (message.empty() ? "" : "; ") + said;
    conclude(change, outcome_of(verdict), message, verdict.why, written);
    if (stage_.run.recorder.trusted()) stage_.run.open_effects = 0;
    if (verdict.done()) remember_all_restored(inverse);
}

// "replicas of webapi is 2 again".
std::string StageUndo::restored_text(const Inverse& inverse) {
    // What an undo of somebody else's making leaves is looked at when all is taken back, and not before.
    if (inverse.undo != &inverse.verb->undo) return {};
    std::string text;
    for (const ir::Effect& effect : inverse.verb->effects) {
        const std::string phrase = stage_.evaluator.describe(effect.probe, *inverse.scope);
        const Value* before = find_value(inverse.change->before, phrase);
        if (before == nullptr || effect.becomes == ir::Becomes::Different) continue;
        const auto value = readable(*before);
        text += fmt::format("{}{} is {}", text.empty() ? "" : ", ", phrase,
                            value ? *value + " again" : "as it was");
    }
    return text;
}

void StageUndo::conclude(Change& change, Outcome result, const std::string& message, Reason why,
                         const Written& written) {
    const bool recorded =
        stage_.run.recorder.record(events::UndoOutcome{stage_.about(change.step, change.text),
                                                       {},
                                                       result,
                                                       printable(message),
                                                       written.values,
                                                       written.identities},
                                   why);
    const UndoEnd end = end_of(result);
    change.undo_in_doubt = end == UndoEnd::InDoubt;
    if (end == UndoEnd::Undone && recorded) stage_.mark_undone(change.step);
    worsen(end, fmt::format("{}: {}", change.text, message));
}

// Of two steps that changed the same, the earlier one comes last here, and what it found is what must be
// there.
void StageUndo::remember_restored(Inverse& inverse) {
    for (const ir::Effect& effect : inverse.verb->effects) {
        const std::string phrase = stage_.evaluator.describe(effect.probe, *inverse.scope);
        const Value* before = find_value(inverse.change->before, phrase);
        if (before == nullptr) continue;
        const std::set<std::string> names = names_in(stage_.evaluator, effect.probe, *inverse.scope);
        const std::string field = field_of(effect, *inverse.scope);
        for (auto& [other, restored] : restored_)
            restored.changed_again =
                restored.changed_again || (meet(restored.names, names) && !are_apart(restored.field, field));
        restored_[phrase] = {
            {&effect, phrase, *before, {}, {}}, inverse.scope, inverse.change->step, names, field, false};
    }
}

std::string StageUndo::field_of(const ir::Effect& effect, const Scope& scope) {
    const ir::Program& program = stage_.run.program;
    if (semantics::role_of(program, effect.probe) != ir::Role::Field) return {};
    const ir::Expr* pointer = semantics::role_argument(program, effect.probe, 0);
    const Value value = pointer != nullptr ? stage_.evaluator.evaluate(*pointer, scope).value : Value();
    const auto* text = value.get_if<std::string>();
    return text != nullptr ? *text : "";
}

// A composite's inverse answers for all that was done inside of it.
void StageUndo::remember_all_restored(Inverse& inverse) {
    for (auto change = stage_.changes.rbegin(); change != stage_.changes.rend(); ++change)
        if (change->acted && change->state != ChangeState::Already &&
            change->step.is_inside(inverse.change->step))
            if (auto inner = prepare(*change)) remember_restored(*inner);
    remember_restored(inverse);
}

// What an undo that was cut off has restored must have converged, too, before this one says "undone".
void StageUndo::remember_earlier() {
    if (!stage_.past.cut_in_undo) return;
    for (auto change = stage_.changes.rbegin(); change != stage_.changes.rend(); ++change)
        if (change->undone && change->acted && change->state != ChangeState::Already && !covered(*change))
            if (auto inverse = prepare(*change); inverse && inverse->undo->kind == UndoKind::Steps)
                remember_all_restored(*inverse);
}

// What was changed on an object that this run had made is gone with the object.
bool StageUndo::went_with_its_object(const Restored& restored) {
    if (!stage_.evaluator.evaluate(restored.target.effect->probe, *restored.scope).value.is_absent())
        return false;
    const auto made_here = [&](const std::string& object) {
        return std::any_of(restored_.begin(), restored_.end(), [&](const auto& other) {
            return other.second.target.before.is_absent() &&
                   other.first.find("\"" + object + "\"") != std::string::npos;
        });
    };
    const auto& arguments = restored.target.effect->probe.children;
    return std::any_of(arguments.begin(), arguments.end(), [&](const ir::Expr& argument) {
        const Value value = stage_.evaluator.evaluate(argument, *restored.scope).value;
        const auto* resource = value.get_if<ResourceRef>();
        return resource != nullptr && made_here(stage_.evaluator.written(*resource));
    });
}

void StageUndo::settle() {
    StepContext course;
    course.purpose = Purpose::Inverse;
    Converge converge(stage_, course);
    for (const auto& [phrase, restored] : restored_)
        static_cast<void>(converge.caught_up(restored.target.effect->probe, *restored.scope, restored.step));
}

void StageUndo::check_restored() {
    StepContext course;
    course.purpose = Purpose::Inverse;
    Converge converge(stage_, course);
    const auto holds = [&](const Result& verdict) {
        if (!verdict.done())
            worsen(verdict.kind == ResultKind::Stopped ? UndoEnd::Held : UndoEnd::Failed,
                   fmt::format("after the undo, {}", verdict.message));
        return verdict.done();
    };
    for (const Inverse* inverse : skipped_)
        for (const ir::Effect& effect : inverse->verb->effects)
            holds(converge.caught_up(effect.probe, *inverse->scope, inverse->change->step));
    // While it is waited for one thing, somebody else may write the next: what was waited for is looked at
    // once more in the end.
    std::vector<const Restored*> awaited;
    bool waited = false;
    const auto is_back = [&](const Restored& restored) {
        const Result equal = holds_as_before(converge, restored);
        if (!holds(equal) && equal.kind == ResultKind::Failed) stands(restored.step, equal.message);
        return equal.done();
    };
    for (auto& [phrase, restored] : restored_) {
        if (went_with_its_object(restored) || !is_back(restored)) continue;
        const ir::Expr& probe = restored.target.effect->probe;
        if (!holds(converge.caught_up(probe, *restored.scope, restored.step))) continue;
        awaited.push_back(&restored);
        waited = waited || stage_.run.program.probes.at(probe.declaration).converges.has_value();
    }
    if (!waited) return;
    for (const Restored* restored : awaited) is_back(*restored);
}

Result StageUndo::holds_as_before(Converge& converge, const Restored& restored) {
    const ir::Effect& effect = *restored.target.effect;
    if (effect.becomes == ir::Becomes::Different || restored.changed_again) return {};
    // A field that was not there is not back if the thing is gone of which it would be one.
    const Change* change = stage_.find(restored.step);
    const auto is_there = [&](const Reading& reading) {
        return reading.identity != gone || change == nullptr ||
               !stage_.is_remade(*change, restored.target.phrase, reading);
    };
    return converge.equals(effect.probe, *restored.scope, restored.target.before, is_there);
}

// The step's own undo went well, and has not brought back what was there: whoever undoes the run again must
// look again.
void StageUndo::stands(const StepId& step, const std::string& message) {
    const Change* change = stage_.find(step);
    if (change == nullptr) return;
    stage_.run.recorder.record(events::UndoOutcome{stage_.about(step, change->text),
                                                   {},
                                                   Outcome::Failed,
                                                   printable("after the undo, " + message),
                                                   {},
                                                   {}},
                               Reason::None);
    stage_.mark_standing(step);
}

// What looking at each effect says: as declared, as before, or neither.
StageUndo::Reconciled StageUndo::look_back(const Inverse& inverse) {
    Reconciled reconciled;
    Evaluator snapshot = stage_.evaluator.snapshot();
    for (const ir::Effect& effect : inverse.verb->effects) {
        const std::string phrase = stage_.evaluator.describe(effect.probe, *inverse.scope);
        EffectTarget target{&effect, phrase, {}, {}, {}};
        if (const Value* before = find_value(inverse.change->before, phrase)) target.before = *before;
        if (const Value* declared = find_value(inverse.change->declared, phrase)) target.declared = *declared;
        const Reading reading = snapshot.evaluate(effect.probe, *inverse.scope);
        const Value& now = reading.value;
        const bool is_taken = taken(target, now) && !stage_.is_remade(*inverse.change, phrase, reading);
        const bool is_before = is_untouched(*inverse.change, phrase, now);
        reconciled.known = reconciled.known && (is_taken || is_before);
        reconciled.all_taken = reconciled.all_taken && is_taken;
        reconciled.all_before = reconciled.all_before && is_before;
        if (!now.is_unknown()) reconciled.observed[phrase] = now;
    }
    return reconciled;
}

// What was cut off may still be arriving: a server that answers late, a network that comes back.
StageUndo::Reconciled StageUndo::look_until_stable(const Inverse& inverse) {
    constexpr int looks = 5;
    constexpr std::int64_t pause_ms = 500;
    const StepContext course;
    Waiter waiter(stage_, course);
    Reconciled reconciled = look_back(inverse);
    for (int i = 1; i < looks && !(reconciled.known && reconciled.all_taken); ++i) {
        waiter.rest(pause_ms);
        Reconciled again = look_back(inverse);
        const bool stable = again.known && reconciled.known && again.all_before == reconciled.all_before &&
                            again.all_taken == reconciled.all_taken;
        reconciled = std::move(again);
        if (stable) break;
    }
    return reconciled;
}

Outcome StageUndo::reconciled_result(const Inverse& inverse, const Reconciled& reconciled,
                                     ReconcileFor purpose, bool& acted) {
    const bool seen = !inverse.verb->effects.empty();
    if (seen) {
        acted = !reconciled.all_before || (reconciled.known && reconciled.all_taken);
        if (!reconciled.known) return Outcome::InDoubt;
        if (!reconciled.all_taken) return Outcome::Failed;
        // The same may be somebody else's work: nobody has heard how the command ended.
        return reconciled.all_before || proves(stage_, *inverse.verb, *inverse.scope, false)
                   ? Outcome::Done
                   : Outcome::InDoubt;
    }
    acted = true;
    if (!inverse.verb->action) return Outcome::Failed;  // a composite that was cut off is half done
    if (inverse.undo->kind != UndoKind::None) return Outcome::InDoubt;
    if (purpose == ReconcileFor::Undo) return Outcome::Failed;
    acted = !inverse.verb->result;
    return acted ? Outcome::InDoubt : Outcome::Failed;
}

// What a step that was done, though nobody wrote it down, has changed of what earlier ones had left.
std::vector<StepId> StageUndo::superseded_by(const Inverse& inverse) {
    return StillOurs(stage_).superseded_by(inverse.change->step, *inverse.verb, names_of(inverse));
}

bool StageUndo::reconcile(Change& change, ReconcileFor purpose) {
    const auto inverse = prepare(change);
    Reconciled reconciled;
    bool acted = true;
    Outcome result = Outcome::InDoubt;
    if (inverse) {
        reconciled = look_until_stable(*inverse);
        result = reconciled_result(*inverse, reconciled, purpose, acted);
    }
    const bool known = result != Outcome::InDoubt;
    events::StepOutcome ended{stage_.about(change.step, change.text),
                              result,
                              known ? "found out afterwards" : "how it went could not be found out",
                              reconciled.observed,
                              acted,
                              true};
    if (inverse && result == Outcome::Done) ended.supersedes = superseded_by(*inverse);
    if (!stage_.run.recorder.record(ended)) return false;
    stage_.conclude(change.step, ended);
    stage_.wrote(known ? reconciled.observed : std::map<std::string, Value>{});
    return true;
}

namespace {

bool take_baselines_of(StageRun& stage, const std::vector<ir::Step>& steps, const Scope& scope,
                       const StepId& parent, std::size_t first = 1);

bool take_baseline(StageRun& stage, const ir::Step& step, const Scope& scope, const StepId& id) {
    const ir::Verb& verb = stage.run.program.verbs.at(step.verb);
    const ir::Undo& undo = semantics::way_back(step, verb);
    if (verb.action && !undo.after) return true;
    Scope inner(step.undo ? &scope : &stage.run.globals, scope.depth() + 1);
    // What depends on names that are bound later has no baseline: it is decided at the end of an undo.
    const bool bound = bind_arguments(stage.evaluator, verb, step, scope, inner).has_value();
    if (!verb.action && bound) return take_baselines_of(stage, verb.steps, inner, id);
    if (!undo.after) return true;
    const Reading reading = stage.evaluator.evaluate(*undo.after, inner);
    if (reading.value.is_unknown()) return true;
    if (stage.baselines.contains(id)) return true;
    stage.baselines[id] = reading.value;
    return stage.note(id, events::Noted::Kind::Baseline, to_json(reading.value),
                      phrase_of(stage.evaluator, *undo.after, inner));
}

bool take_baselines_of(StageRun& stage, const std::vector<ir::Step>& steps, const Scope& scope,
                       const StepId& parent, std::size_t first) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const ir::Step& step = steps[i];
        const StepId id = parent.child(first + i);
        if (step.kind == ir::StepKind::Call && !take_baseline(stage, step, scope, id)) return false;
        if (step.kind != ir::StepKind::If && step.kind != ir::StepKind::Parallel) continue;
        if (!take_baselines_of(stage, step.body, scope, id) ||
            !take_baselines_of(stage, step.otherwise, scope, id, step.body.size() + 1))
            return false;
    }
    return true;
}

}  // namespace

bool take_baselines(StageRun& stage) {
    return take_baselines_of(stage, stage.definition.steps, stage.scope, StepId::steps_of(stage.stage.name));
}

}  // namespace migc::runtime::inline engine
