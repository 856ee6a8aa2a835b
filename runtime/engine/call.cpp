#include "runtime/engine/call.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "runtime/engine/still_ours.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/effect.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/natives/refusals.hpp"
#include "runtime/tools/error_text.hpp"
#include "runtime/tools/identity.hpp"

namespace migc::runtime::inline engine {
namespace {

constexpr std::int64_t first_look_ms = 100;
constexpr std::int64_t longest_look_ms = 2'000;
// A tool that exited by itself and said that it failed: its effect is not worth waiting long for.
constexpr std::int64_t after_failure_ms = 5'000;
// One that was ended by a signal said nothing, and what it had asked a server for may still come.
constexpr std::int64_t after_signal_ms = 30'000;
// What is neither as it was nor as the accepted command made it for so long was changed by somebody else.
constexpr std::int64_t third_value_ms = 5'000;
// So often a command is given anew that was refused because somebody else had written something beside it.
constexpr int most_tries = 6;

std::int64_t patience(const Answer& answer, std::int64_t limit) {
    if (answer.succeeded() || (answer.ending != Ending::Exited && answer.ending != Ending::Signalled))
        return limit;
    return std::min(limit, answer.ending == Ending::Exited ? after_failure_ms : after_signal_ms);
}

bool is_version(const ir::Program& program, const ir::Expr& value) {
    return semantics::role_of(program, value) == ir::Role::Version;
}

std::string warned(const Answer& answer) {
    return answer.succeeded() ? printable(fmt::format("{}", fmt::join(warnings(answer.errors), "; "))) : "";
}

// An object is too long to be read in a message.
std::string shown_reading(const EffectTarget& target) {
    if (target.remade() && target.identity_now == gone) return "gone with the object that it was a field of";
    if (target.remade()) return "of one that was deleted and made anew";
    const auto* object = target.observed.get_if<Json>();
    if (object == nullptr || !(*object)->is_object()) return printable(show(target.observed), 200);
    return equal(target.before, target.observed) ? "as it was" : "neither as it was nor as it is to be";
}

// Such a verb changes nothing, as it says, so it can be begun anew whatever became of it.
bool only_yields(const ir::Verb& verb) {
    return verb.action && verb.effects.empty() && verb.undo.kind == ir::UndoKind::None && verb.result;
}

Outcome undone_result(Outcome outcome) {
    if (outcome == Outcome::Done) return Outcome::Undone;
    return outcome == Outcome::Already ? Outcome::NothingToUndo : outcome;
}

}  // namespace

void EffectTarget::see(const Reading& reading) {
    observed = reading.value;
    identity_now = reading.identity;
    revision = reading.revision;
}

bool EffectTarget::remade() const {
    return !identity.empty() && !identity_now.empty() && identity != identity_now;
}

bool taken(const EffectTarget& target, const Value& reading) {
    if (reading.is_unknown()) return false;
    switch (target.effect->becomes) {
        case ir::Becomes::Absent:
            return reading.is_absent();
        case ir::Becomes::Different:
            return !equal(target.before, reading);
        case ir::Becomes::Value:
            break;
    }
    return has_become(target.before, target.declared, reading);
}

bool is_made_again(const StepContext& course, const ir::Verb& verb, const StepId& id) {
    if (course.purpose != Purpose::Inverse || !only_yields(verb)) return false;
    const bool open = course.undoing->open_parts.contains(id);
    if (open || !verb.result_type || verb.result_type->kind != ir::TypeKind::Plan) return open;
    return course.undoing->open_parts.empty();
}

std::string describe_call(const ir::Verb& verb, const Scope& inner) {
    std::vector<Value> values;
    for (const ir::Parameter& parameter : verb.parameters) {
        const Binding* binding = inner.find(parameter.name);
        if (binding == nullptr)
            values.emplace_back("..");
        else
            values.push_back(binding->condition == nullptr ? binding->value
                                                           : Value(condition_text(*binding)));
    }
    return phrase(verb.signature, verb.parameters, values);
}

tl::expected<void, std::string> bind_arguments(Evaluator& evaluator, const ir::Verb& verb,
                                               const ir::Step& step, const Scope& scope, Scope& inner,
                                               const nlohmann::json& known) {
    const auto bound = evaluator.bind(verb.parameters, step.arguments, scope, inner, true, known);
    if (bound) return {};
    return tl::unexpected(
        fmt::format("the value of `{}`: {}", bound.error().name, explain(bound.error().reading)));
}

bool keeps_what_is_new(const ir::Program& program, const ir::Expr& need) {
    return semantics::role_of(program, need) == ir::Role::Permanence;
}

tl::expected<void, Unmet> check_needs(Evaluator& evaluator, const ir::Program& program, const ir::Verb& verb,
                                      const Scope& inner) {
    for (const ir::Expr& need : verb.needs) {
        const Reading reading = evaluator.evaluate(need, inner);
        if (truth(reading.value) == false && keeps_what_is_new(program, need))
            return tl::unexpected(Unmet{"it stays as it is: " + explain(reading), Reason::Stays});
        if (truth(reading.value) != true)
            return tl::unexpected(Unmet{fmt::format("what `{}` needs does not hold: {}",
                                                    describe_call(verb, inner), explain(reading))});
    }
    return {};
}

tl::expected<nlohmann::json, std::string> read_captures(Evaluator& evaluator, const ir::Verb& verb,
                                                        Scope& inner) {
    nlohmann::json captures = nlohmann::json::object();
    for (const ir::Capture& capture : verb.captures) {
        const Reading reading = evaluator.evaluate(capture.value, inner);
        // The fault is in what the step was given: that says all there is to say.
        if (reading.value.is_unknown() && reading.permanent) return tl::unexpected(reading.why);
        if (reading.value.is_unknown())
            return tl::unexpected(fmt::format("`{}` could not be captured, so there would be no undo: {}",
                                              capture.name, explain(reading)));
        if (capture.value.type.kind == ir::TypeKind::Secret) {
            captures[capture.name] = captured_form(evaluator.kept(), reading.value);
            inner.bind_secret(capture.name, reading.value, captures[capture.name]);
            continue;
        }
        captures[capture.name] = to_json(reading.value);
        inner.bind(capture.name, reading.value);
    }
    return captures;
}

bool works_alone(StageRun& stage, const ir::Verb& verb, bool exited) {
    const NativeEntry* native = native_of(stage, verb);
    return native != nullptr && (native->exclusive ? exited : native->edits_files);
}

bool proves(StageRun& stage, const ir::Verb& verb, const Scope& inner, bool exited) {
    if (works_alone(stage, verb, exited)) return true;
    Evaluator asking = stage.evaluator.snapshot();
    asking.asks_writers = true;
    const std::string manager = stage.environment.setting("manager");
    return !manager.empty() && !verb.effects.empty() &&
           std::all_of(verb.effects.begin(), verb.effects.end(), [&](const ir::Effect& effect) {
               return asking.evaluate(effect.probe, inner).writer == manager;
           });
}

Call::Call(StageRun& stage, const StepContext& course, const ir::Step& step, const ir::Verb& verb,
           const Scope& outer, Scope& inner, StepId id)
    : stage_(stage),
      course_(course),
      step_(step),
      verb_(verb),
      outer_(outer),
      inner_(inner),
      id_(std::move(id)),
      text_(describe_call(verb, inner)) {}

Result Call::run() {
    begun_ = stage_.run.tools.now();
    if (auto verdict = resume()) return *verdict;
    Result verdict = attempt();
    if (verdict.done() && verb_.result) result = stage_.evaluator.evaluate(*verb_.result, inner_).value;
    return verdict;
}

// Looks, and acts on what was seen. A command that was refused because somebody had written beside what it
// changes has done nothing: then it is looked again, and what is there is as it was.
Result Call::attempt() {
    std::vector<EffectTarget> first;
    for (int left = most_tries;;) {
        outrun_ = false;
        if (Result verdict = prepare(); !verdict.done()) {
            if (!outrun_) return verdict;
            if (--left == 0 || stage_.run.hurried() || stage_.run.stopping())
                return not_begun(verdict.message);
            rest_before(left);
            continue;
        }
        if (!first.empty() && !found_as(first)) return not_ours(std::move(first), refusal_);
        if (course_.backward != nullptr && (!first.empty() || !found_as_decided()))
            if (const Result held = course_.backward->look_again(); !held.done())
                return conclude(Outcome::Held, held.message, true, held.why);
        if (holds_already()) return already();
        if (!intend()) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
        const Action action = act();
        if (--left == 0 || !was_only_outrun(action)) return decide(action);
        if (first.empty()) first = targets_;
        refusal_ = failure_text(verb_.action->tool, action.answer);
        rest_before(left);
    }
}

// Before the next of so many tries that are left.
void Call::rest_before(int left) {
    withdraw();
    Waiter(stage_, course_).rest(first_look_ms << (most_tries - left));
}

std::set<std::string> Call::names() {
    std::set<std::string> all;
    for (const EffectTarget& target : targets_)
        all.merge(names_in(stage_.evaluator, target.effect->probe, inner_));
    return all;
}

bool Call::was_only_outrun(const Action& action) {
    if (!action.begun || !action.answer.refused || !was_outrun(action.answer) || targets_.empty())
        return false;
    if (stage_.run.hurried() || stage_.run.stopping()) return false;
    static_cast<void>(look());
    return untouched();
}

// The intent of a command that has provably done nothing is void: the next one takes its place.
void Call::withdraw() {
    if (intended_) --stage_.run.open_effects;
    intended_ = false;
    targets_.clear();
}

bool Call::found_as(const std::vector<EffectTarget>& first) const {
    return std::equal(first.begin(), first.end(), targets_.begin(), targets_.end(),
                      [](const EffectTarget& then, const EffectTarget& now) {
                          return then.identity == now.identity &&
                                 is_as_before(then.before, then.declared, now.before);
                      });
}

// Whether all is as it was when the undo decided to take it back: its command writes over what was captured
// since. Of several commands, each may also be about something else.
bool Call::found_as_decided() const {
    const auto& found = course_.backward->found;
    return std::all_of(targets_.begin(), targets_.end(), [&](const EffectTarget& target) {
        const auto then = found.find(target.phrase);
        if (then == found.end()) return course_.in_parts;
        const Reading& reading = then->second;
        return equal(reading.value, target.before) && reading.identity == target.identity &&
               (reading.version.empty() || target.version.empty() || reading.version == target.version);
    });
}

// Somebody else was faster, and made of it what it is now. An undo meets this step, and leaves it.
Result Call::not_ours(std::vector<EffectTarget> first, const std::string& refusal) {
    for (std::size_t i = 0; i < first.size() && i < targets_.size(); ++i)
        first[i].see({targets_[i].before, {}, false, {}, targets_[i].identity});
    targets_ = std::move(first);
    if (course_.purpose == Purpose::Forward) stage_.add(Change(intent()));
    ownership_ = Ownership::NotOurs;
    return conclude(course_.purpose == Purpose::Inverse ? Outcome::Held : Outcome::Failed,
                    fmt::format("{}; {}, which is not ours: somebody else changed it", refusal, readings()),
                    true);
}

// What an earlier process did of this call: all of it, provably nothing (then nothing is decided here), or
// nobody knows.
std::optional<Result> Call::resume() {
    switch (course_.purpose) {
        case Purpose::Forward:
            return resume_forward();
        case Purpose::Failure:
            return resume_in_failure();
        case Purpose::Inverse:
            break;
    }
    return resume_inverse();
}

void Call::recall(const events::Call& then) {
    const auto of = [](const auto& values, const std::string& phrase) {
        const auto found = values.find(phrase);
        return found == values.end() ? decltype(found->second)() : found->second;
    };
    targets_.clear();
    Evaluator snapshot = stage_.evaluator.snapshot();
    for (const ir::Effect& effect : verb_.effects) {
        EffectTarget target{&effect, stage_.evaluator.describe(effect.probe, inner_), {}, {}, {}};
        target.before = of(then.before, target.phrase);
        target.declared = of(then.declared, target.phrase);
        target.identity = of(then.identities, target.phrase);
        target.see(snapshot.evaluate(effect.probe, inner_));
        targets_.push_back(std::move(target));
    }
}

bool Call::all_taken() const {
    return !targets_.empty() && std::all_of(targets_.begin(), targets_.end(), [](const EffectTarget& t) {
        return !t.remade() && taken(t, t.observed);
    });
}

bool Call::untouched() const {
    return !targets_.empty() && std::all_of(targets_.begin(), targets_.end(), [](const EffectTarget& t) {
        if (t.remade()) return false;
        return t.effect->becomes == ir::Becomes::Value ? is_as_before(t.before, t.declared, t.observed)
                                                       : equal(t.before, t.observed);
    });
}

// An intent of an inverse or of a failure block, whose outcome nobody wrote down.
std::optional<Result> Call::reconcile(const events::Call& intent) {
    constexpr int looks = 5;
    constexpr std::int64_t pause_ms = 500;
    Waiter waiter(stage_, course_);
    bool was_untouched = false;
    for (int i = 0; i < looks; ++i) {
        if (i > 0) waiter.rest(pause_ms);
        recall(intent);
        if (targets_.empty()) break;
        if (all_taken() && is_proved(false)) return conclude(Outcome::Done, "found out afterwards", true);
        if (untouched() && std::exchange(was_untouched, true)) break;
    }
    const bool begin_anew = untouched();
    targets_.clear();
    if (begin_anew) return std::nullopt;
    ownership_ = Ownership::Unproved;
    return conclude(Outcome::InDoubt, "it was begun before, and how it went could not be found out", true);
}

// Whether what is there is known to be this run's own work though no tool said so: the thing itself tells who
// wrote it, or nobody else can have.
bool Call::is_proved(bool exited) {
    return proves(stage_, verb_, inner_, exited);
}

std::optional<Result> Call::resume_inverse() {
    if (is_made_again(course_, verb_, id_)) return std::nullopt;
    if (course_.undoing->finished_parts.contains(id_)) return Result{};
    const auto open = course_.undoing->open_parts.find(id_);
    return open == course_.undoing->open_parts.end() ? std::nullopt : reconcile(open->second);
}

// A message that may have been sent is not sent again.
std::optional<Result> Call::resume_in_failure() {
    const ResumeState& past = stage_.past;
    if (past.done.contains(id_)) return Result{};
    const auto open = past.open.find(id_);
    if (open == past.open.end()) return std::nullopt;
    if (verb_.effects.empty() && verb_.undo.kind == ir::UndoKind::None)
        return conclude(Outcome::Failed, "it was begun before the run was interrupted, and is not repeated",
                        true);
    return reconcile(open->second);
}

std::optional<Result> Call::resume_forward() {
    const auto change = stage_.change(id_);
    if (!change || change->undone || !change->acted) return std::nullopt;
    inner_.bind_all(change->captures);
    switch (change->state) {
        case ChangeState::Done:
        case ChangeState::Already:
            if (verb_.result) result = stage_.evaluator.evaluate(*verb_.result, inner_).value;
            return Result{};
        case ChangeState::Begun:
        case ChangeState::InDoubt:
            return Result{ResultKind::InDoubt, text_ + ": how it went could not be found out"};
        case ChangeState::Failed:
            break;
    }
    recall(*change);
    const bool ours = change->ownership == Ownership::Ours;
    if (all_taken() && (ours || is_proved(false)))
        return conclude(Outcome::Done, "found out afterwards", true);
    if (ours && !targets_.empty() && !untouched()) half_done_ = change;
    targets_.clear();
    return std::nullopt;
}

// What the first try found is what an undo goes back to, not what it left half done.
void Call::keep_way_back() {
    // The version is that of the newest look: of an older one the server would refuse for ever.
    for (const ir::Capture& capture : verb_.captures)
        if (!is_version(stage_.run.program, capture.value) && half_done_->captures.contains(capture.name))
            captures_[capture.name] = half_done_->captures.at(capture.name);
    inner_.bind_all(captures_);
    for (EffectTarget& target : targets_)
        if (const auto before = half_done_->before.find(target.phrase); before != half_done_->before.end())
            target.before = before->second;
}

// What an inverse needs may still be coming up: pods that an earlier inverse has started.
tl::expected<void, Unmet> Call::needs(Evaluator& snapshot) {
    auto met = check_needs(snapshot, stage_.run.program, verb_, inner_);
    if (met || course_.backward == nullptr || met.error().why == Reason::Stays || stage_.run.hurried())
        return met;
    course_.backward->settle();
    snapshot.look_anew();
    return check_needs(snapshot, stage_.run.program, verb_, inner_);
}

// Where somebody has written while it was looked, that is for `attempt`: it looks again.
Result Call::not_seen(const Evaluator& snapshot, const std::string& why) {
    outrun_ = snapshot.outrun();
    return outrun_ ? Result{ResultKind::Failed, why} : not_begun(why);
}

Result Call::prepare() {
    // An inverse that would do harm leaves things as they are.
    Evaluator snapshot = stage_.evaluator.snapshot();
    if (const auto met = needs(snapshot); !met)
        return course_.purpose == Purpose::Inverse
                   ? conclude(Outcome::Held, met.error().message, false, met.error().why)
                   : not_begun(met.error().message);
    auto captured = read_captures(snapshot, verb_, inner_);
    if (!captured) return not_seen(snapshot, captured.error());
    captures_ = std::move(*captured);
    if (Result verdict = read_effects(snapshot); !verdict.done()) return verdict;
    // What an earlier step of this stage changed is as that one left it: what is not is somebody else's.
    if (course_.purpose != Purpose::Inverse)
        if (Result verdict = StillOurs(stage_).before(snapshot, id_, names()); !verdict.done())
            return verdict;
    if (half_done_) keep_way_back();
    const auto command = snapshot.preview(*verb_.action, inner_);
    if (!command) return not_begun(command.error());
    command_ = command->text;
    return {};
}

Result Call::read_effects(Evaluator& snapshot) {
    for (const ir::Effect& effect : verb_.effects) {
        EffectTarget target{&effect, stage_.evaluator.describe(effect.probe, inner_), {}, {}, {}};
        const Reading before = snapshot.evaluate(effect.probe, inner_);
        const Reading declared = effect.value ? snapshot.evaluate(*effect.value, inner_) : Reading{};
        if (before.value.is_unknown())
            return not_seen(snapshot, fmt::format("{}: {}", target.phrase, explain(before)));
        if (declared.value.is_unknown())
            return not_seen(snapshot,
                            fmt::format("what {} is to become: {}", target.phrase, explain(declared)));
        target.before = before.value;
        target.identity = before.identity;
        target.version = before.version;
        target.declared = declared.value;
        targets_.push_back(std::move(target));
    }
    return {};
}

bool Call::holds_already() const {
    return !targets_.empty() && std::all_of(targets_.begin(), targets_.end(), [](const EffectTarget& target) {
        return target.effect->becomes != ir::Becomes::Different && taken(target, target.before);
    });
}

Result Call::already() {
    for (EffectTarget& target : targets_) {
        target.observed = target.before;
        target.identity_now = target.identity;
    }
    if (course_.purpose == Purpose::Forward) stage_.add(Change(intent()));
    if (verb_.result) result = stage_.evaluator.evaluate(*verb_.result, inner_).value;
    std::string text;
    for (const EffectTarget& target : targets_)
        if (const auto value = readable(target.observed))
            text += fmt::format("{}{} is {}", text.empty() ? "" : ", ", target.phrase, *value);
    if (text.empty()) text = targets_.front().phrase + " is as it should be";
    return conclude(Outcome::Already, text + " already", true);
}

List Call::workloads() const {
    List found;
    for (const EffectTarget& target : targets_)
        for (const ir::Expr& argument : target.effect->probe.children) {
            const Reading reading = stage_.evaluator.evaluate(argument, inner_);
            const auto* resource = reading.value.get_if<ResourceRef>();
            if (resource != nullptr && resource->type == "workload") found.push_back(reading.value);
        }
    return found;
}

std::vector<std::string> Call::workload_names() const {
    std::vector<std::string> names;
    for (const Value& workload : workloads()) names.push_back(show(workload));
    return names;
}

// What the call found, or has `made` where there was nothing.
Texts Call::identities(bool made) const {
    Texts all;
    for (const EffectTarget& target : targets_)
        if (const auto& which = target.identity.empty() && made ? target.identity_now : target.identity;
            !which.empty())
            all[target.phrase] = which;
    return all;
}

// What a command left that writes under its tool's own name: whoever uses the same tool writes under that,
// too.
Texts Call::revisions() const {
    Texts all;
    if (!semantics::writes_as_its_tool(verb_) || course_.purpose == Purpose::Inverse) return all;
    for (const EffectTarget& target : targets_)
        if (!target.revision.empty())
            all[target.phrase] = target.revision + " " + iso_time(stage_.run.tools.now());
    return all;
}

events::Call Call::intent() const {
    events::Call intent{stage_.about(id_, text_), verb_.signature, printable(command_, 4000)};
    for (const ir::Parameter& parameter : verb_.parameters) {
        const Binding* binding = inner_.find(parameter.name);
        if (binding == nullptr || binding->condition != nullptr) continue;
        intent.arguments[parameter.name] = binding->secret ? binding->kept : to_json(binding->value);
    }
    for (const EffectTarget& target : targets_) {
        intent.before[target.phrase] = target.before;
        if (target.effect->becomes != ir::Becomes::Different)
            intent.declared[target.phrase] = target.declared;
    }
    intent.captures = captures_;
    intent.workloads = workload_names();
    intent.identities = identities(false);
    intent.own_undo = step_.undo.has_value();
    if (step_.undo) intent.scope = outer_.journal();
    intent.failure_block = course_.purpose == Purpose::Failure;
    return intent;
}

// Durable before anything is begun.
bool Call::intend() {
    events::Call call = intent();
    Event::Body body = events::Intent{call};
    if (course_.purpose == Purpose::Inverse) {
        call.step = course_.undoing->step;
        body = events::UndoIntent{call, id_};
    }
    if (!stage_.run.recorder.record(body)) return false;
    const bool forward = course_.purpose == Purpose::Forward;
    const std::optional<Change> before = forward ? stage_.change(id_) : std::nullopt;
    if (forward) stage_.add(Change(call));
    if (!stage_.run.flush()) {
        if (forward) stage_.put_back(id_, before);
        return false;
    }
    ++stage_.run.open_effects;
    intended_ = true;
    return true;
}

std::int64_t Call::effect_limit() {
    const auto given = milliseconds(stage_.evaluator, step_.within, outer_);
    return given ? *given : milliseconds(stage_.evaluator, verb_.within, inner_).value_or(default_effect_ms);
}

// 0: the tool's own limit.
std::int64_t Call::action_limit() {
    const auto given = milliseconds(stage_.evaluator, step_.within, outer_);
    return given ? *given : milliseconds(stage_.evaluator, verb_.within, inner_).value_or(0);
}

Call::Action Call::act_once() {
    if (!stage_.run.flush()) return {{}, false, stage_.run.recorder.failure()};
    auto answer = stage_.evaluator.act(*verb_.action, inner_, action_limit());
    if (!answer) return {{}, false, answer.error()};
    const bool begun = answer->ending != Ending::NotStarted;
    const std::string refusal = begun ? "" : failure_text(verb_.action->tool, *answer);
    return {std::move(*answer), begun, refusal};
}

// Tries again only what has provably had no effect.
Call::Action Call::act() {
    const Reading more = step_.retry ? stage_.evaluator.evaluate(*step_.retry, outer_)
                                     : Reading{Value(std::int64_t{0}), {}, false};
    const auto* tries = more.value.get_if<std::int64_t>();
    const auto every =
        milliseconds(stage_.evaluator, step_.every, outer_).value_or(semantics::default_retry_ms);
    Action action = act_once();
    for (std::int64_t left = tries == nullptr ? 0 : *tries; left > 0; --left) {
        if (action.begun && action.answer.succeeded()) break;
        // Only what is as it was seen: what somebody else has made of it meanwhile is theirs.
        if (action.begun && !action.answer.refused &&
            (targets_.empty() || observe(after_failure_ms, false) != Seen::NotTaken || !untouched()))
            break;
        if (stage_.run.stopping()) break;
        Waiter(stage_, course_).rest(every);
        if (stage_.run.hurried()) break;
        action = act_once();
    }
    return action;
}

Call::Seen Call::look() {
    Seen seen = Seen::Taken;
    Evaluator snapshot = stage_.evaluator.snapshot();
    for (EffectTarget& target : targets_) {
        const Reading reading = snapshot.evaluate(target.effect->probe, inner_);
        target.see(reading);
        if (reading.value.is_unknown()) return reading.permanent ? Seen::Hopeless : Seen::Unreadable;
        if (target.remade() || !taken(target, target.observed)) seen = Seen::NotTaken;
    }
    return seen;
}

// A value that is neither what was there nor what an accepted command makes it does not become that by
// waiting.
Call::Seen Call::observe(std::int64_t limit_ms, bool accepted) {
    const Time begun = stage_.run.tools.now();
    Time last_hope = begun;
    Time last_expected = begun;
    Waiter waiter(stage_, course_);
    for (std::int64_t pause = first_look_ms;; pause = std::min(pause * 2, longest_look_ms)) {
        const Seen seen = look();
        const Time now = stage_.run.tools.now();
        if (seen != Seen::Hopeless) last_hope = now;
        if (!accepted || seen != Seen::NotTaken || untouched()) last_expected = now;
        const std::int64_t left =
            std::min({begun + limit_ms, last_hope + after_failure_ms, last_expected + third_value_ms}) - now;
        if (seen == Seen::Taken || left <= 0) return seen;
        if (stage_.run.hurried()) return Seen::NotAwaited;
        waiter.rest(std::min(pause, left));
    }
}

// Why the first of the effects that cannot be read cannot be read.
std::string Call::obstacle() const {
    for (const EffectTarget& target : targets_)
        if (const auto* no = target.observed.get_if<Unknown>(); no != nullptr && !no->reason.empty())
            return ": " + printable(no->reason);
    return {};
}

std::string Call::readings() const {
    std::string text;
    for (const EffectTarget& target : targets_)
        text += fmt::format("{}{} is {}", text.empty() ? "" : ", ", target.phrase, shown_reading(target));
    return text;
}

Result Call::decide(const Action& action) {
    if (!action.begun) return not_begun(action.refusal);
    // What was made has the identity that its server told, whoever is there by now.
    if (targets_.size() == 1 && targets_.front().identity.empty())
        targets_.front().identity = action.answer.identity;
    const bool complained = !action.answer.succeeded();
    const std::string said = complained ? failure_text(verb_.action->tool, action.answer) : "";
    if (course_.purpose == Purpose::Inverse && complained && !action.answer.held.empty())
        return conclude(Outcome::Held, printable(action.answer.held), false);
    if (action.answer.refused) return decide_refused(said);
    if (targets_.empty()) return decide_unseen(action);
    const Seen seen = observe(patience(action.answer, effect_limit()), action.answer.succeeded());
    if (seen == Seen::Taken) return decide_taken(action.answer, said);
    if (seen == Seen::NotTaken) return decide_not_taken(action.answer, said);
    if (complained) ownership_ = Ownership::Unproved;
    const std::string why = seen == Seen::NotAwaited
                                ? "the operator asked twice to stop, so its effect was not waited for"
                                : "whether it took effect could not be found out" + obstacle();
    return conclude(Outcome::InDoubt, why + (said.empty() ? "" : "; " + said), true);
}

// It has done nothing: what is there otherwise than before is somebody else's.
Result Call::decide_refused(const std::string& said) {
    static_cast<void>(look());
    const bool changed = std::any_of(targets_.begin(), targets_.end(), [](const EffectTarget& target) {
        return target.remade() || (!target.observed.is_unknown() && !equal(target.before, target.observed));
    });
    ownership_ = Ownership::NotOurs;
    if (!changed || untouched()) return conclude(Outcome::Failed, said, true);
    std::vector<EffectTarget> first = targets_;
    for (EffectTarget& target : targets_) {
        target.before = target.observed;
        target.identity = target.identity_now;
    }
    return not_ours(std::move(first), said);
}

// What was declared is there. That is this call's work if its tool said so, or if the thing itself does.
Result Call::decide_taken(const Answer& answer, const std::string& said) {
    if (answer.succeeded()) return decide_done(answer);
    const bool is_stated = std::none_of(targets_.begin(), targets_.end(), [](const EffectTarget& target) {
        return target.effect->becomes == ir::Becomes::Different;
    });
    const bool exited = answer.ending == Ending::Exited;
    const bool proved = is_proved(exited);
    if (proved && is_stated)
        return conclude(Outcome::Done, fmt::format("{}, but {}", said, readings()), true);
    // A tool that counts up what it could not do has changed something, and not what was asked for.
    if (exited && !is_stated)
        return conclude(Outcome::Failed,
                        fmt::format("{}; something changed all the same: {}", said, readings()), true);
    if (!proved) ownership_ = Ownership::Unproved;
    return conclude(exited ? Outcome::Failed : Outcome::InDoubt,
                    fmt::format("{}; {}, and whether this run or somebody else made it so is not known", said,
                                readings()),
                    true);
}

// An inverse may have put back what is this run's, and left the rest to a person.
Result Call::decide_done(const Answer& answer) {
    if (course_.purpose != Purpose::Inverse || answer.held.empty())
        return conclude(Outcome::Done, warned(answer), true);
    return conclude(Outcome::Held, printable(answer.held), true);
}

Result Call::decide_not_taken(const Answer& answer, const std::string& said) {
    const bool complained = !answer.succeeded();
    const std::string what = complained ? said : "the command went well, but did not take effect";
    accepted_ = !complained;
    // Taken on, and to be done by and by: it may come yet.
    if (!complained && untouched() && !answer.reason.empty())
        return conclude(Outcome::InDoubt, printable(answer.reason), true);
    if (!complained && !untouched())
        return conclude(
            Outcome::Failed,
            fmt::format("the command went well, and then somebody else changed it: {}", readings()), true);
    // Half done: by this run, if nobody else can have been at it. Nothing done: what comes yet may be this
    // command's late effect, or somebody else's work.
    const bool exited = answer.ending == Ending::Exited;
    const bool unclear =
        untouched() ? !works_alone(stage_, verb_, exited) : !all_different() && !is_proved(exited);
    if (complained && unclear) ownership_ = Ownership::Unproved;
    return conclude(Outcome::Failed, fmt::format("{}; {}", what, readings()), true);
}

bool Call::all_different() const {
    return std::all_of(targets_.begin(), targets_.end(), [](const EffectTarget& target) {
        return target.effect->becomes == ir::Becomes::Different;
    });
}

// Without an effect to look at, the command's own word is all there is. Where the declaration says that
// nothing is left to undo, there is nothing to be in doubt about.
Result Call::decide_unseen(const Action& action) {
    if (action.answer.succeeded()) return conclude(Outcome::Done, warned(action.answer), true);
    const ir::Undo& undo = semantics::way_back(step_, verb_);
    const bool decided = action.answer.ending == Ending::Exited || undo.kind == ir::UndoKind::None;
    return conclude(decided ? Outcome::Failed : Outcome::InDoubt,
                    failure_text(verb_.action->tool, action.answer), true);
}

// An inverse that would take a tool that was replaced is left to a person.
Result Call::not_begun(const std::string& message) {
    const bool inverse = course_.purpose == Purpose::Inverse;
    if (const auto why = inverse ? stage_.run.tools.changed_program() : std::nullopt)
        return conclude(Outcome::Held, *why, false);
    return conclude(Outcome::Failed, message, false);
}

events::StepOutcome Call::step_outcome(Outcome outcome, const std::string& message, bool acted) {
    const bool forward = course_.purpose == Purpose::Forward;
    events::StepOutcome ended{stage_.about(id_, text_), outcome, message};
    for (const EffectTarget& target : targets_)
        if (!target.observed.is_unknown()) ended.observed[target.phrase] = target.observed;
    ended.acted = acted;
    ended.took_ms = stage_.run.tools.now() - begun_;
    ended.accepted = accepted_;
    ended.ownership = ownership_;
    if (outcome == Outcome::Done && forward)
        ended.supersedes = StillOurs(stage_).superseded_by(id_, verb_, names());
    ended.identities = identities(outcome == Outcome::Done || outcome == Outcome::Already);
    if (outcome == Outcome::Done) ended.revisions = revisions();
    // What was so already has no intent: its outcome says what it is about.
    if (outcome == Outcome::Already && forward) ended.call = intent();
    return ended;
}

Result Call::conclude(Outcome outcome, const std::string& message, bool acted, Reason why) {
    const events::StepOutcome ended = step_outcome(outcome, message, acted);
    bool written = true;
    if (course_.purpose != Purpose::Inverse)
        written = stage_.run.recorder.record(ended);
    else if (course_.in_parts)
        written = stage_.run.recorder.record(
            events::UndoOutcome{stage_.about(course_.undoing->step, text_), id_, undone_result(outcome),
                                message, ended.observed, ended.identities, acted, ended.took_ms},
            why);
    if (!written) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    // Where the inverse as a whole is told, its outcome is still to be written.
    const bool told = course_.purpose != Purpose::Inverse || course_.in_parts;
    if (intended_ && told) --stage_.run.open_effects;
    intended_ = false;
    if (course_.purpose == Purpose::Forward) stage_.conclude(id_, ended);
    if (course_.purpose == Purpose::Failure && acted && outcome != Outcome::Already)
        stage_.add_in_failure(Change(intent()));
    if (course_.purpose == Purpose::Failure) stage_.conclude_in_failure(ended);
    if (course_.said != nullptr && outcome == Outcome::Done && !message.empty())
        *course_.said += (course_.said->empty() ? "" : "; ") + message;
    // What a refused or failed command found afterwards is not what this run has written.
    const bool wrote = outcome == Outcome::Done || outcome == Outcome::Already;
    if (wrote && course_.purpose != Purpose::Forward) stage_.knows(ended.identities);
    if (course_.backward != nullptr && wrote)
        for (const auto& [phrase, value] : ended.observed) {
            const auto identity = ended.identities.find(phrase);
            course_.backward->found[phrase] = {
                value, {}, false, {}, identity == ended.identities.end() ? "" : identity->second};
        }
    if (course_.written != nullptr && wrote) {
        course_.written->values.insert(ended.observed.begin(), ended.observed.end());
        for (const auto& [phrase, identity] : ended.identities)
            course_.written->identities[phrase] = identity;
    }
    if (outcome == Outcome::InDoubt) return {ResultKind::InDoubt, fmt::format("{}: {}", text_, message)};
    if (outcome == Outcome::Held) return {ResultKind::Held, fmt::format("{}: {}", text_, message), why};
    if (outcome == Outcome::Failed) return {ResultKind::Failed, fmt::format("{}: {}", text_, message)};
    return {};
}

}  // namespace migc::runtime::inline engine
