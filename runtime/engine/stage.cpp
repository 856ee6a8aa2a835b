#include "runtime/engine/stage.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/engine/converge.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/steps.hpp"
#include "runtime/engine/still_ours.hpp"
#include "runtime/evaluate/effect.hpp"
#include "runtime/evaluate/place.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline engine {

// An effect that may have begun, and whose outcome is not written down, is in doubt.
Outcome untrusted_result(const RunContext& run) {
    return run.open_effects > 0 || run.recorder.lost_outcome() ? Outcome::InDoubt : Outcome::Held;
}

StageFlow::StageFlow(StageRun& stage, std::function<UndoEnd()> undo_earlier)
    : stage_(stage), undo_earlier_(std::move(undo_earlier)) {}

StageEnd StageFlow::run() {
    return end(begin());
}

// Of a run that goes on, the stage is where it was; only its gates are asked again, and not before an undo.
StageEnd StageFlow::begin() {
    if (!announce()) return untrusted();
    if (const auto failure = stage_.past.failure) return fail({ResultKind::Failed, *failure});
    Steps asked(stage_, {});
    Result gates = asked.block(stage_.stage.gates, stage_.scope, StepId::gates_of(stage_.stage.name));
    if (gates.done()) gates = asked.freeze(StepId::gates_of(stage_.stage.name).child(0));
    if (gates.done()) gates = asked.evidence(StepId::gates_of(stage_.stage.name).child("evidence"));
    if (!gates.done()) return fail(gates);
    if (stage_.changes.empty() && !take_baselines(stage_)) return untrusted();
    return steps();
}

bool StageFlow::announce() {
    if (!stage_.past.begun) stage_.environment.settings["stage-began"] = iso_time(stage_.run.tools.now());
    const events::StageBegun begun{{stage_.stage.name}, stage_.environment.journal()};
    if (!stage_.past.begun) return stage_.run.recorder.record(begun);
    stage_.run.recorder.tell(begun);
    return stage_.run.recorder.trusted();
}

StageEnd StageFlow::steps() {
    const StepContext course;
    Result verdict = Steps(stage_, course)
                         .block(stage_.definition.steps, stage_.scope, StepId::steps_of(stage_.stage.name));
    if (verdict.done()) verdict = Waiter(stage_, course).guard();
    stage_.sort_changes();
    if (verdict.done()) verdict = Converge(stage_, course).all_changes();
    if (verdict.done()) verdict = StillOurs(stage_).all();
    if (!verdict.done()) return fail(verdict);
    stage_.passed = true;
    stage_.run.passed.insert(stage_.stage.name);
    return {Outcome::Done, {}};
}

// With a tool that is another program by now nothing was looked at, and nothing is undone by itself.
Result StageFlow::held_by_tool(const Result& verdict) const {
    if (verdict.kind != ResultKind::Failed && verdict.kind != ResultKind::Closed) return verdict;
    const auto why = stage_.run.tools.changed_program();
    return why ? Result{ResultKind::Held, *why + nothing_more} : verdict;
}

StageEnd StageFlow::fail(const Result& failed) {
    const Result verdict = held_by_tool(failed);
    switch (verdict.kind) {
        case ResultKind::Untrusted:
            return untrusted();
        case ResultKind::Closed:
            return {Outcome::Refused, "a gate is closed: " + verdict.message};
        case ResultKind::InDoubt:
            return {Outcome::InDoubt, verdict.message};
        case ResultKind::Held:
            return {Outcome::Held, verdict.message, verdict.why};
        case ResultKind::Stopped:
            return {Outcome::Held,
                    fmt::format("stopped by the operator; `migc resume {0}` goes on, `migc undo {0}` "
                                "takes it back",
                                stage_.run.recorder.run())};
        default:
            break;
    }
    const auto& block = stage_.on_failure();
    if (!block) return {Outcome::Held, verdict.message + "; the stage does not say what is to be done then"};
    return failure_block(*block, verdict.message);
}

Result StageFlow::undo(bool all, const std::string& reason) {
    undid_ = true;
    StageUndo undo(stage_);
    undo_end_ = std::max(undo_end_, undo.run(reason));
    if (!undo.message().empty()) undo_message_ = undo.message();
    if (all && undo_end_ < UndoEnd::InDoubt && undo_earlier_)
        undo_end_ = std::max(undo_end_, undo_earlier_());
    if (undo_end_ == UndoEnd::Untrusted) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    return {};
}

// A message that could not be sent changes nothing about the state of the world.
bool StageFlow::only_says(const ir::Step& step) const {
    if (step.kind != ir::StepKind::Call) return false;
    const ir::Verb& verb = stage_.run.program.verbs.at(step.verb);
    return verb.action && verb.effects.empty() && verb.undo.kind == ir::UndoKind::None;
}

StageEnd StageFlow::failure_block(const std::vector<ir::Step>& block, const std::string& reason) {
    if (!stage_.run.recorder.record(events::StageFailed{{stage_.stage.name}, printable(reason, 4000)}))
        return untrusted();
    StepContext course;
    course.purpose = Purpose::Failure;
    Steps steps(stage_, course, [&](bool all) { return undo(all, reason); });
    Result verdict;
    for (std::size_t i = 0; i < block.size() && verdict.done(); ++i) {
        verdict =
            steps.statement(block[i], stage_.scope, StepId::failure_block_of(stage_.stage.name).child(i + 1));
        if (verdict.kind == ResultKind::Failed && only_says(block[i])) verdict = {};
    }
    if (verdict.kind == ResultKind::Untrusted) return untrusted();
    if (undo_end_ > UndoEnd::Undone) return {result_of(undo_end_), reason + "; " + undo_message_};
    if (verdict.kind == ResultKind::InDoubt) return {Outcome::InDoubt, reason + "; " + verdict.message};
    if (undid_ && verdict.done()) {
        const std::string stands = left_by_failure_block();
        return stands.empty() ? StageEnd{Outcome::Undone, reason}
                              : StageEnd{Outcome::Held, reason + "; something stands: " + stands};
    }
    return {Outcome::Held, verdict.done() ? reason : reason + "; " + verdict.message, verdict.why};
}

// What the failure block itself has made otherwise than the stage found it: no undo takes that back.
std::string StageFlow::left_by_failure_block() {
    std::string left;
    Evaluator snapshot = stage_.evaluator.snapshot();
    std::set<std::string> seen;
    for (const Change& change : stage_.in_failure) {
        const ir::Verb* verb = stage_.verb(change.verb);
        if (verb == nullptr) continue;
        const Scope scope = scope_of(stage_, change);
        for (const ir::Effect& effect : verb->effects) {
            const std::string phrase = snapshot.describe(effect.probe, scope);
            const Value* before = found_by_stage(phrase);
            if (effect.becomes == ir::Becomes::Different || before == nullptr || !seen.insert(phrase).second)
                continue;
            const Reading now = snapshot.evaluate(effect.probe, scope);
            if (is_as_before(*before, now.value, now.value)) continue;
            const auto text = readable(now.value);
            const auto was = readable(*before);
            left += fmt::format("{}{} is {}{}", left.empty() ? "" : ", ", phrase, text ? *text : "otherwise",
                                was ? ", was " + *was : "");
        }
    }
    return left;
}

// What was there before anything of the stage, its failure block included, changed it.
const Value* StageFlow::found_by_stage(const std::string& phrase) const {
    for (const auto* changes : {&stage_.changes, &stage_.in_failure})
        for (const Change& change : *changes)
            if (const auto found = change.before.find(phrase); found != change.before.end())
                return &found->second;
    return nullptr;
}

StageEnd StageFlow::untrusted() const {
    return {untrusted_result(stage_.run), stage_.run.recorder.failure()};
}

StageEnd StageFlow::end(StageEnd end) {
    events::StageEnded ended{{stage_.stage.name}, end.result, end.message};
    // Evidence for a later run of another stage: what passed here.
    if (stage_.passed) {
        ended.environment = stage_.environment.name;
        ended.changes = stage_.run.changes();
        ended.place = trust::to_json(place_of(stage_.run.program, stage_.run.eval_context.inventory,
                                              stage_.stage, stage_.environment));
    }
    ended.approvals = stage_.run.take_approvals();
    const bool written = stage_.run.recorder.record(ended);
    const bool worse = end.result == Outcome::InDoubt || end.result == Outcome::UndoFailed;
    return written || worse ? end : untrusted();
}

}  // namespace migc::runtime::inline engine
