#include "runtime/engine/steps.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "runtime/engine/call.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/place.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline engine {
namespace {

using ir::StepKind;

// Whether it has the same value whenever it is evaluated.
bool is_fixed(const ir::Expr& value) {
    const bool constant = value.kind == ir::ExprKind::Literal || value.kind == ir::ExprKind::List ||
                          value.kind == ir::ExprKind::Local || value.kind == ir::ExprKind::Param;
    return constant && std::all_of(value.children.begin(), value.children.end(), is_fixed);
}

// What an earlier try has found out; nothing in the first one, or where nothing is tried again.
template <typename T>
std::optional<T> remembered(Tries* tries, std::map<StepId, T> Tries::*kind, const StepId& id) {
    if (tries == nullptr) return std::nullopt;
    const std::lock_guard lock(tries->mutex);
    const auto found = (tries->*kind).find(id);
    return found == (tries->*kind).end() ? std::nullopt : std::optional(found->second);
}

template <typename T>
void keep(Tries* tries, std::map<StepId, T> Tries::*kind, const StepId& id, const T& value) {
    if (tries == nullptr) return;
    const std::lock_guard lock(tries->mutex);
    (tries->*kind).insert_or_assign(id, value);
}

// Whether all that a step was to change was seen to be as before.
bool is_untouched(const Change& change) {
    return !change.before.empty() &&
           std::all_of(change.before.begin(), change.before.end(), [&](const auto& before) {
               const auto now = change.observed.find(before.first);
               return now != change.observed.end() && equal(before.second, now->second);
           });
}

Finding finding_of(const Result& verdict) {
    if (verdict.done()) return Finding::Holds;
    return verdict.kind == ResultKind::Failed || verdict.kind == ResultKind::Closed ? Finding::Fails
                                                                                    : Finding::Unknown;
}

}  // namespace

Steps::Steps(StageRun& stage, StepContext course, std::function<Result(bool)> undo)
    : stage_(stage), course_(course), undo_(std::move(undo)) {}

Result Steps::may_go_on() {
    if (!stage_.run.recorder.trusted()) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    if (course_.cancelled != nullptr && *course_.cancelled)
        return {ResultKind::Cancelled, "another branch failed"};
    if (course_.deadline && time_left() <= 0) return {ResultKind::Failed, "its time is over"};
    if (course_.purpose != Purpose::Forward) return {};
    if (stage_.run.stopping()) return {ResultKind::Stopped, "stopped by the operator"};
    return Waiter(stage_, course_).guard();
}

Result Steps::block(const std::vector<ir::Step>& steps, Scope& scope, const StepId& parent,
                    std::size_t first) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (Result verdict = may_go_on(); !verdict.done()) return verdict;
        if (Result verdict = statement(steps[i], scope, parent.child(first + i)); !verdict.done())
            return verdict;
    }
    return {};
}

Result Steps::statement(const ir::Step& step, Scope& scope, const StepId& id) {
    const auto otherwise = [&]() -> Result {
        if (step.kind == StepKind::Gate) return gate(step, scope, id);
        if (step.kind == StepKind::Hold)
            return {ResultKind::Held, "held, as the failure block says", Reason::AskedFor};
        return undo_ ? undo_(step.kind == StepKind::UndoAll) : Result{};
    };
    return semantics::Walk::statement(*this, otherwise, step, scope, id);
}

Result Steps::call(const ir::Step& step, Scope& scope, const StepId& id) {
    const ir::Verb& verb = stage_.run.program.verbs.at(step.verb);
    stage_.run.recorder.tell(events::StepBegun{stage_.about(id, step.text)});
    Scope inner(&stage_.run.globals, scope.depth() + 1);
    const auto before = course_.purpose == Purpose::Forward ? stage_.change(id) : std::nullopt;
    const bool known = before && before->acted && !before->undone;
    if (const auto bound = bind_arguments(stage_.evaluator, verb, step, scope, inner,
                                          known ? before->arguments : nlohmann::json::object());
        !bound)
        return not_begun(step.text, id, bound.error());
    if (Result verdict = may_change(verb, inner); !verdict.done()) return verdict;
    if (!verb.action) return composite(step, verb, inner, scope, id);
    const auto in_time = hurried(step, verb, scope, inner);
    Call one(stage_, course_, in_time ? *in_time : step, verb, scope, inner, id);
    Result verdict = one.run();
    if (course_.purpose == Purpose::Forward) accept_files(stage_, verb);
    if (!verdict.done() || step.name.empty()) return verdict;
    const bool secret = verb.result_type && verb.result_type->kind == ir::TypeKind::Secret;
    if (const auto noted = is_made_again(course_, verb, id) ? std::nullopt : known_name(id)) {
        bind_noted(scope, step.name, *noted);
        return {};
    }
    if (secret)
        return keep_secret(step.name, one.result, captured_form(stage_.evaluator.kept(), one.result), scope,
                           id);
    scope.bind(step.name, one.result);
    return note(step.name, to_json(one.result), id);
}

std::int64_t Steps::time_left() const {
    return *course_.deadline - stage_.run.tools.now();
}

// The step with a limit that ends with the composite around it; nothing if its own ends earlier.
std::optional<ir::Step> Steps::hurried(const ir::Step& step, const ir::Verb& verb, const Scope& outer,
                                       const Scope& inner) {
    if (!course_.deadline) return std::nullopt;
    const auto given = milliseconds(stage_.evaluator, step.within, outer);
    const auto own = given ? given : milliseconds(stage_.evaluator, verb.within, inner);
    const ir::Tool* tool = verb.action ? stage_.run.program.tool(verb.action->tool) : nullptr;
    const auto of_tool = tool != nullptr ? milliseconds(stage_.evaluator, tool->within, inner) : std::nullopt;
    const std::int64_t left = std::max<std::int64_t>(time_left(), 1);
    if (left >= own.value_or(of_tool.value_or(semantics::default_action_ms))) return std::nullopt;
    ir::Step result = step;
    result.within.emplace();
    result.within->type.kind = ir::TypeKind::Duration;
    result.within->value = Value(Duration{left});
    return result;
}

// Undoing and what a failure block does are never kept from acting.
Result Steps::may_change(const ir::Verb& verb, const Scope& inner) {
    if (course_.purpose != Purpose::Forward) return {};
    if (verb.mutates())
        if (Result open = still_open(stage_); !open.done()) return open;
    return as_reviewed(stage_, verb, inner);
}

Result Steps::not_begun(const std::string& text, const StepId& id, const std::string& why) {
    events::StepOutcome ended{stage_.about(id, text), Outcome::Failed, why};
    ended.acted = false;
    if (course_.purpose != Purpose::Inverse && !stage_.run.recorder.record(ended))
        return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    return {ResultKind::Failed, fmt::format("{}: {}", text, why)};
}

// What a composite needs and captures is found out before its first step, and once.
tl::expected<nlohmann::json, Result> Steps::composite_captures(const ir::Verb& verb, Scope& inner,
                                                               const std::string& text, const StepId& id) {
    const auto known = stage_.past.captures.find(id);
    if (recalls() && known != stage_.past.captures.end()) {
        inner.bind_all(known->second);
        return known->second;
    }
    Evaluator snapshot = stage_.evaluator.snapshot();
    if (const auto met = check_needs(snapshot, stage_.run.program, verb, inner); !met)
        return tl::unexpected(course_.purpose == Purpose::Inverse
                                  ? Result{ResultKind::Held, met.error().message, met.error().why}
                                  : not_begun(text, id, met.error().message));
    const auto captured = read_captures(snapshot, verb, inner);
    if (!captured) return tl::unexpected(not_begun(text, id, captured.error()));
    if (verb.needs.empty() && verb.captures.empty()) return *captured;
    if (Result noted = remember(Noted::Captures, *captured, id); !noted.done()) return tl::unexpected(noted);
    return *captured;
}

// Undone by undoing what was done inside, unless it has an inverse of its own: then it is a change of its
// own.
Result Steps::composite(const ir::Step& step, const ir::Verb& verb, Scope& inner, const Scope& outer,
                        const StepId& id) {
    const bool own_undo =
        step.undo || verb.undo.kind == ir::UndoKind::Steps || verb.undo.kind == ir::UndoKind::Irreversible;
    const std::string text = describe_call(verb, inner);
    const auto captured = composite_captures(verb, inner, text, id);
    if (!captured) return captured.error();
    const bool recorded = own_undo && course_.purpose == Purpose::Forward;
    if (recorded && !stage_.change(id)) {
        events::Intent intent{{stage_.about(id, text), verb.signature, "", inner.journal(), *captured}};
        intent.composite = true;
        intent.own_undo = step.undo.has_value();
        if (step.undo) intent.scope = outer.journal();
        if (!stage_.run.recorder.record(intent))
            return {ResultKind::Untrusted, stage_.run.recorder.failure()};
        stage_.add(Change(intent));
    }
    Result verdict = tries(step, verb, inner, outer, id, text);
    if (!recorded || verdict.kind == ResultKind::Untrusted) return verdict;
    const Outcome result = verdict.done()                        ? Outcome::Done
                           : verdict.kind == ResultKind::InDoubt ? Outcome::InDoubt
                                                                 : Outcome::Failed;
    const events::StepOutcome ended{stage_.about(id, text), result, verdict.message};
    if (!stage_.run.recorder.record(ended)) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    stage_.conclude(id, ended);
    return verdict;
}

// `within` bounds all of it, tries and pauses included.
Result Steps::tries(const ir::Step& step, const ir::Verb& verb, Scope& inner, const Scope& outer,
                    const StepId& id, const std::string& text) {
    StepContext course = course_;
    const auto given = milliseconds(stage_.evaluator, step.within, outer);
    const auto within = given ? given : milliseconds(stage_.evaluator, verb.within, inner);
    if (within) {
        const Time end = stage_.run.tools.now() + *within;
        course.deadline = course.deadline ? std::min(*course.deadline, end) : end;
    }
    Tries found;
    if (step.retry && course.tries == nullptr) course.tries = &found;
    Steps inside(stage_, course, undo_);
    const auto one_try = [&] { return inside.block(verb.steps, inner, id); };
    Result verdict = one_try();
    if (step.retry) verdict = inside.try_again(step, outer, id, text, std::move(verdict), one_try);
    if (verdict.kind == ResultKind::Failed && within && inside.time_left() <= 0)
        verdict.message =
            fmt::format("{} was not done within {}: {}", text, shown_duration(*within), verdict.message);
    return verdict;
}

// Only as far as nothing took effect: what is done stays done, and what failed half way is not repeated.
Result Steps::try_again(const ir::Step& step, const Scope& outer, const StepId& id, const std::string& text,
                        Result failed, const std::function<Result()>& one_try) {
    const Reading more = stage_.evaluator.evaluate(*step.retry, outer);
    const auto* count = more.value.get_if<std::int64_t>();
    const auto every =
        milliseconds(stage_.evaluator, step.every, outer).value_or(semantics::default_retry_ms);
    for (std::int64_t left = count == nullptr ? 0 : *count; left > 0; --left) {
        const bool has_time = !course_.deadline || time_left() > every;
        const bool may = failed.kind == ResultKind::Failed && course_.purpose == Purpose::Forward &&
                         has_time && !stage_.run.stopping() && had_no_effect(id);
        if (!may) break;
        const std::string state = fmt::format("{}; tried again in {}", failed.message, shown_duration(every));
        stage_.run.recorder.tell(events::Waiting{stage_.about(id, text), printable(state)});
        Waiter(stage_, course_).rest(every);
        if (stage_.run.hurried()) break;
        failed = one_try();
    }
    return failed;
}

bool Steps::had_no_effect(const StepId& id) {
    const auto changes = stage_.changes_inside(id);
    return std::all_of(changes.begin(), changes.end(), [](const Change& change) {
        return change.state != ChangeState::Failed || !change.acted || is_untouched(change);
    });
}

Result Steps::check(const std::string& text, const StepId& id, Result verdict, Time begun) {
    const events::Checked checked{stage_.about(id, text), finding_of(verdict), printable(verdict.message),
                                  stage_.run.tools.now() - begun, stage_.run.take_approvals()};
    if (!stage_.run.recorder.record(checked)) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
    if (!verdict.done()) verdict.message = fmt::format("{}: {}", text, verdict.message);
    return verdict;
}

// An inverse that is begun anew decides anew.
bool Steps::recalls() const {
    return course_.purpose != Purpose::Inverse || course_.undoing->inverse_begun();
}

std::optional<Value> Steps::known_name(const StepId& id) const {
    if (auto name = remembered(course_.tries, &Tries::names, id)) return name;
    const auto found = stage_.past.names.find(id);
    return recalls() && found != stage_.past.names.end() ? std::optional(found->second) : std::nullopt;
}

// What held once need not hold after the steps that followed it.
bool Steps::was_held(const StepId& id) const {
    return recalls() && stage_.past.held.contains(id);
}

Result Steps::verify(const ir::Step& step, Scope& scope, const StepId& id) {
    if (was_held(id)) return {};
    const Time begun = stage_.run.tools.now();
    const std::string text = stage_.evaluator.describe(step, scope);
    stage_.run.recorder.tell(events::StepBegun{stage_.about(id, text)});
    Waiter waiter(stage_, course_);
    const auto given = milliseconds(stage_.evaluator, step.within, scope);
    std::int64_t limit = given ? *given : waiter.declared_limit(*step.condition, scope);
    if (course_.deadline) limit = std::min(limit, std::max<std::int64_t>(time_left(), 0));
    return check(text, id, waiter.until({*step.condition, scope, id, text, limit}), begun);
}

Result Steps::soak(const ir::Step& step, Scope& scope, const StepId& id) {
    if (was_held(id)) return {};
    const Time begun = stage_.run.tools.now();
    const std::string text = stage_.evaluator.describe(step, scope);
    stage_.run.recorder.tell(events::StepBegun{stage_.about(id, text)});
    const auto duration = milliseconds(stage_.evaluator, step.value, scope);
    if (!duration)
        return check(text, id, {ResultKind::Failed, "how long to soak could not be found out"}, begun);
    const auto soaked = stage_.past.soaked.find(id);
    const Soaked before = soaked == stage_.past.soaked.end() ? Soaked{} : soaked->second;
    if (course_.deadline && *duration - before.seen_ms > time_left())
        return check(
            text, id,
            {ResultKind::Failed, fmt::format("it would last longer than the {} that are left for all of it",
                                             shown_duration(std::max<std::int64_t>(time_left(), 0)))},
            begun);
    return check(text, id,
                 Waiter(stage_, course_).soak({*step.condition, scope, id, text, *duration}, before), begun);
}

// The journal has of a secret what it keeps of it.
void Steps::bind_noted(Scope& scope, const std::string& name, const Value& noted) {
    const auto* form = noted.get_if<Json>();
    const bool kept = form != nullptr && is_kept_secret(**form);
    if (kept)
        scope.bind_journaled(name, **form);
    else
        scope.bind(name, noted);
}

Result Steps::keep_secret(const std::string& name, const Value& value, nlohmann::json kept, Scope& scope,
                          const StepId& id) {
    scope.bind_secret(name, value, kept);
    return kept.is_null() ? Result{} : note(name, kept, id);
}

Result Steps::note(const std::string& name, const nlohmann::json& value, const StepId& id) {
    return remember(Noted::Name, value, id, name);
}

Result Steps::remember(Noted kind, const nlohmann::json& value, const StepId& id, const std::string& name) {
    if (stage_.note(id, kind, value, name)) return {};
    return {ResultKind::Untrusted, stage_.run.recorder.failure()};
}

Result Steps::let(const ir::Step& step, Scope& scope, const StepId& id) {
    if (const auto noted = known_name(id)) {
        bind_noted(scope, step.name, *noted);
        return {};
    }
    const Reading reading = stage_.evaluator.evaluate(*step.value, scope);
    if (reading.value.is_unknown())
        return {ResultKind::Failed, fmt::format("{}: {}", step.text, explain(reading))};
    if (step.value->type.kind == ir::TypeKind::Secret)
        return keep_secret(step.name, reading.value,
                           kept_form(stage_.evaluator.kept(), *step.value, scope, reading.value), scope, id);
    scope.bind(step.name, reading.value);
    keep(course_.tries, &Tries::names, id, reading.value);
    return note(step.name, to_json(reading.value), id);
}

Result Steps::choose(const ir::Step& step, Scope& scope, const StepId& id) {
    const auto decided = stage_.past.decisions.find(id);
    std::optional<bool> holds = remembered(course_.tries, &Tries::decisions, id);
    if (holds) {
        // As in the try before.
    } else if (recalls() && decided != stage_.past.decisions.end()) {
        holds = decided->second;
    } else {
        const Reading reading = stage_.evaluator.evaluate(*step.condition, scope);
        holds = truth(reading.value);
        if (!holds) return {ResultKind::Failed, fmt::format("{}: {}", step.text, explain(reading))};
        if (Result noted = remember(Noted::Decision, *holds, id); !noted.done()) return noted;
    }
    keep(course_.tries, &Tries::decisions, id, *holds);
    Scope inner(&scope, scope.depth());
    return *holds ? block(step.body, inner, id) : block(step.otherwise, inner, id, step.body.size() + 1);
}

Result Steps::loop(const ir::Step& step, Scope& scope, const StepId& id) {
    const auto listed = stage_.past.lists.find(id);
    const auto before = remembered(course_.tries, &Tries::lists, id);
    const bool known = before || (recalls() && listed != stage_.past.lists.end());
    const Reading reading = before  ? Reading{*before, {}, false}
                            : known ? Reading{listed->second, {}, false}
                                    : stage_.evaluator.evaluate(*step.value, scope);
    const auto* items = reading.value.get_if<List>();
    if (items == nullptr) {
        const std::string why =
            reading.value.is_unknown() ? explain(reading) : "there is no list to go through";
        return {ResultKind::Failed, fmt::format("{}: {}", step.text, why)};
    }
    keep(course_.tries, &Tries::lists, id, reading.value);
    if (!known && !is_fixed(*step.value))
        if (Result noted = remember(Noted::List, to_json(reading.value), id); !noted.done()) return noted;
    for (std::size_t i = 0; i < items->size(); ++i) {
        Scope inner(&scope, scope.depth());
        inner.bind(step.name, (*items)[i]);
        Result verdict = block(step.body, inner, id.turn(i + 1));
        if (!verdict.done()) return verdict;
    }
    return {};
}

// Where the tools allow it, each branch has its own thread. The first failure lets the others finish the step
// that they are in; the heaviest end of a branch is the end of all.
Result Steps::parallel(const ir::Step& step, Scope& scope, const StepId& id) {
    std::atomic<bool> failed = course_.cancelled != nullptr && *course_.cancelled;
    std::vector<Result> verdicts(step.body.size());
    const auto branch = [&](std::size_t i) {
        StepContext course = course_;
        course.cancelled = &failed;
        Steps steps(stage_, course, undo_);
        Scope inner(&scope, scope.depth());
        // An exception would end the process, and leave the other branches unrecorded.
        const auto attempt = [&](const auto& work) {
            try {
                work();
            } catch (const std::exception& error) {
                verdicts[i] = {ResultKind::InDoubt,
                               fmt::format("a mistake in migc itself: {}", error.what())};
            }
        };
        attempt([&] {
            verdicts[i] = steps.may_go_on();
            if (verdicts[i].done()) verdicts[i] = steps.statement(step.body[i], inner, id.child(i + 1));
        });
        attempt([&] { stage_.run.flush(); });  // what comes next may take as long as the other branches do
        if (!verdicts[i].done()) failed = true;
    };
    if (stage_.run.tools.concurrent()) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < step.body.size(); ++i) threads.emplace_back(branch, i);
    } else {
        for (std::size_t i = 0; i < step.body.size(); ++i) branch(i);
    }
    const auto worst = std::max_element(verdicts.begin(), verdicts.end(),
                                        [](const Result& a, const Result& b) { return a.kind < b.kind; });
    return worst == verdicts.end() ? Result{} : *worst;
}

// Closed unless it is known to be open.
Result Steps::gate(const ir::Step& step, Scope& scope, const StepId& id) {
    const Time begun = stage_.run.tools.now();
    const Reading reading = stage_.evaluator.evaluate(*step.condition, scope);
    if (truth(reading.value) == true) return check(step.text, id, {ResultKind::Done, reading.why}, begun);
    return closed(step.text, id, explain(reading), begun);
}

Result Steps::freeze(const StepId& id) {
    const auto why = frozen_now(stage_);
    return why ? closed(freeze_gate(), id, *why, stage_.run.tools.now()) : Result{};
}

Result Steps::evidence(const StepId& id) {
    if (const auto& repeated = stage_.stage.repeats; repeated && stage_.run.passed.contains(*repeated))
        if (const auto why = is_elsewhere(stage_.run.eval_context, *repeated, stage_.environment);
            !why.empty())
            return closed(evidence_gate(*repeated), id, why, stage_.run.tools.now());
    const auto wanted = wanted_evidence(stage_);
    if (!wanted) return {};
    const Time begun = stage_.run.tools.now();
    const std::string text = evidence_gate(*wanted);
    if (const std::string& because = stage_.run.options.without_evidence; !because.empty())
        return check(text, id, {ResultKind::Done, "NOT ASKED FOR: " + because}, begun);
    const Reading reading = read_evidence(stage_.run.eval_context, *wanted);
    if (truth(reading.value) == true) return check(text, id, {ResultKind::Done, reading.why}, begun);
    return closed(text, id, explain(reading), begun);
}

Result Steps::closed(const std::string& text, const StepId& id, const std::string& why, Time begun) {
    if (emergency(stage_.run.program) != nullptr)
        return check(text, id, {ResultKind::Done, "WAIVED BY THE EMERGENCY: " + why}, begun);
    return check(text, id, {ResultKind::Closed, why}, begun);
}

}  // namespace migc::runtime::inline engine
