#include "runtime/engine/steps.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "runtime/engine/call.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/kept_secrets.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/engine/wait.hpp"

namespace migc::runtime {
namespace {

using ir::StepKind;

// Whether it has the same value whenever it is evaluated.
bool is_fixed(const ir::Expr& value) {
    const bool constant = value.kind == ir::ExprKind::Literal || value.kind == ir::ExprKind::List ||
                          value.kind == ir::ExprKind::Local || value.kind == ir::ExprKind::Param;
    return constant && std::all_of(value.children.begin(), value.children.end(), is_fixed);
}

const char* checked_result(const Verdict& verdict) {
    if (verdict.done()) return "held";
    return verdict.fate == Fate::Failed || verdict.fate == Fate::Closed ? "failed" : "unknown";
}

}  // namespace

Steps::Steps(StageRun& stage, Course course, std::function<Verdict(bool)> undo)
    : stage_(stage), course_(course), undo_(std::move(undo)) {}

Verdict Steps::may_go_on() {
    if (!stage_.run.recorder.trusted()) return {Fate::Untrusted, stage_.run.recorder.failure()};
    if (course_.cancelled != nullptr && *course_.cancelled) return {Fate::Cancelled, "another branch failed"};
    if (course_.purpose != Purpose::Forward) return {};
    if (stage_.run.stopping()) return {Fate::Stopped, "stopped by the operator"};
    return Waiter(stage_, course_).guard();
}

Verdict Steps::block(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
                     std::size_t first) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (Verdict verdict = may_go_on(); !verdict.done()) return verdict;
        if (Verdict verdict = statement(steps[i], scope, prefix + std::to_string(first + i)); !verdict.done())
            return verdict;
    }
    return {};
}

Verdict Steps::statement(const ir::Step& step, Scope& scope, const std::string& id) {
    switch (step.kind) {
        case StepKind::Call:
            return call(step, scope, id);
        case StepKind::Verify:
            return verify(step, scope, id);
        case StepKind::Soak:
            return soak(step, scope, id);
        case StepKind::Let:
            return let(step, scope, id);
        case StepKind::If:
            return choose(step, scope, id);
        case StepKind::For:
            return loop(step, scope, id);
        case StepKind::Parallel:
            return parallel(step, scope, id);
        case StepKind::Gate:
            return gate(step, scope, id);
        case StepKind::Undo:
        case StepKind::UndoAll:
            return undo_ ? undo_(step.kind == StepKind::UndoAll) : Verdict{};
        case StepKind::Hold:
            break;
    }
    return {Fate::Held, "held, as the failure block says"};
}

Verdict Steps::call(const ir::Step& step, Scope& scope, const std::string& id) {
    const ir::Verb& verb = stage_.run.program.verbs.at(step.verb);
    auto begun = stage_.about(id);
    begun["text"] = step.text;
    stage_.run.recorder.tell(EventKind::StepBegun, begun);
    Scope inner(&stage_.run.globals, scope.depth() + 1);
    const auto before = course_.purpose == Purpose::Forward ? stage_.change(id) : std::nullopt;
    const bool known = before && before->acted && !before->undone;
    if (const auto bound = bind_arguments(stage_.evaluator, verb, step, scope, inner,
                                          known ? before->arguments : nlohmann::json::object());
        !bound)
        return not_begun(step.text, id, bound.error());
    if (Verdict verdict = may_change(verb, inner); !verdict.done()) return verdict;
    if (!verb.action) return composite(step, verb, inner, scope, id);
    Call one(stage_, course_, step, verb, scope, inner, id);
    Verdict verdict = one.run();
    if (course_.purpose == Purpose::Forward) accept_files(stage_, verb);
    if (!verdict.done() || step.name.empty()) return verdict;
    const bool secret = verb.result_type && verb.result_type->kind == ir::TypeKind::Secret;
    if (const Value* noted = known_name(id)) {
        bind_noted(scope, step.name, *noted);
        return {};
    }
    if (secret)
        return keep(step.name, one.result, captured_form(stage_.evaluator.kept(), one.result), scope, id);
    scope.bind(step.name, one.result);
    return note(step.name, to_json(one.result), id);
}

// Undoing and what a failure block does are never kept from acting.
Verdict Steps::may_change(const ir::Verb& verb, const Scope& inner) {
    if (course_.purpose != Purpose::Forward) return {};
    if (verb.mutates())
        if (Verdict open = still_open(stage_); !open.done()) return open;
    return as_reviewed(stage_, verb, inner);
}

Verdict Steps::not_begun(const std::string& text, const std::string& id, const std::string& why) {
    auto body = stage_.about(id);
    body.update({{"text", text}, {"result", "failed"}, {"message", why}, {"acted", false}});
    if (course_.purpose != Purpose::Inverse && !stage_.run.recorder.record(EventKind::Outcome, body))
        return {Fate::Untrusted, stage_.run.recorder.failure()};
    return {Fate::Failed, fmt::format("{}: {}", text, why)};
}

// What a composite needs and captures is found out before its first step, and once.
tl::expected<nlohmann::json, Verdict> Steps::composite_captures(const ir::Verb& verb, Scope& inner,
                                                                const std::string& text,
                                                                const std::string& id) {
    const auto known = stage_.past.captures.find(id);
    if (recalls() && known != stage_.past.captures.end()) {
        inner.bind_all(known->second);
        return known->second;
    }
    Evaluator glance = stage_.evaluator.glance();
    if (const auto met = check_needs(glance, stage_.run.program, verb, inner); !met)
        return tl::unexpected(course_.purpose == Purpose::Inverse ? Verdict{Fate::Held, met.error()}
                                                                  : not_begun(text, id, met.error()));
    const auto captured = read_captures(glance, verb, inner);
    if (!captured) return tl::unexpected(not_begun(text, id, captured.error()));
    if (verb.needs.empty() && verb.captures.empty()) return *captured;
    if (Verdict noted = remember("captures", *captured, id); !noted.done()) return tl::unexpected(noted);
    return *captured;
}

// Undone by undoing what was done inside, unless it has an inverse of its own: then it is a change of its
// own.
Verdict Steps::composite(const ir::Step& step, const ir::Verb& verb, Scope& inner, const Scope& outer,
                         const std::string& id) {
    const bool own_undo =
        step.undo || verb.undo.kind == ir::UndoKind::Steps || verb.undo.kind == ir::UndoKind::Irreversible;
    const std::string text = describe_call(verb, inner);
    const auto captured = composite_captures(verb, inner, text, id);
    if (!captured) return captured.error();
    const bool recorded = own_undo && course_.purpose == Purpose::Forward;
    if (recorded && !stage_.change(id)) {
        auto body = stage_.about(id);
        body.update({{"text", text},
                     {"verb", verb.signature},
                     {"command", ""},
                     {"arguments", inner.journal()},
                     {"captures", *captured}});
        if (step.undo) body.update({{"own_undo", true}, {"scope", outer.journal()}});
        if (!stage_.run.recorder.record(EventKind::Intent, body))
            return {Fate::Untrusted, stage_.run.recorder.failure()};
        stage_.add(Change::from_intent(body));
    }
    Verdict verdict = block(verb.steps, inner, id + ".");
    if (!recorded || verdict.fate == Fate::Untrusted) return verdict;
    auto body = stage_.about(id);
    const char* result = verdict.done() ? "done" : verdict.fate == Fate::InDoubt ? "in-doubt" : "failed";
    body.update({{"text", text}, {"result", result}, {"message", verdict.message}, {"acted", true}});
    if (!stage_.run.recorder.record(EventKind::Outcome, body))
        return {Fate::Untrusted, stage_.run.recorder.failure()};
    stage_.conclude(id, body);
    return verdict;
}

Verdict Steps::check(const std::string& text, const std::string& id, Verdict verdict, Time begun) {
    auto body = stage_.about(id);
    body.update({{"text", text},
                 {"result", checked_result(verdict)},
                 {"message", printable(verdict.message)},
                 {"took_ms", stage_.run.tools.now() - begun}});
    if (!stage_.run.recorder.record(EventKind::Checked, body))
        return {Fate::Untrusted, stage_.run.recorder.failure()};
    if (!verdict.done()) verdict.message = fmt::format("{}: {}", text, verdict.message);
    return verdict;
}

// An inverse that is begun anew decides anew.
bool Steps::recalls() const {
    return course_.purpose != Purpose::Inverse || course_.undoing->inverse_begun();
}

const Value* Steps::known_name(const std::string& id) const {
    const auto found = stage_.past.names.find(id);
    return recalls() && found != stage_.past.names.end() ? &found->second : nullptr;
}

// What held once need not hold after the steps that followed it.
bool Steps::was_held(const std::string& id) const {
    return recalls() && stage_.past.held.contains(id);
}

Verdict Steps::verify(const ir::Step& step, Scope& scope, const std::string& id) {
    if (was_held(id)) return {};
    const Time begun = stage_.run.tools.now();
    const std::string text = stage_.evaluator.describe(step, scope);
    auto body = stage_.about(id);
    body["text"] = text;
    stage_.run.recorder.tell(EventKind::StepBegun, body);
    Waiter waiter(stage_, course_);
    const auto given = milliseconds(stage_.evaluator, step.within, scope);
    const std::int64_t limit = given ? *given : waiter.declared_limit(*step.condition, scope);
    return check(text, id, waiter.until({*step.condition, scope, id, text, limit}), begun);
}

Verdict Steps::soak(const ir::Step& step, Scope& scope, const std::string& id) {
    if (was_held(id)) return {};
    const Time begun = stage_.run.tools.now();
    const std::string text = stage_.evaluator.describe(step, scope);
    auto body = stage_.about(id);
    body["text"] = text;
    stage_.run.recorder.tell(EventKind::StepBegun, body);
    const auto duration = milliseconds(stage_.evaluator, step.value, scope);
    if (!duration) return check(text, id, {Fate::Failed, "how long to soak could not be found out"}, begun);
    const auto soaked = stage_.past.soaked.find(id);
    const Soaked before = soaked == stage_.past.soaked.end() ? Soaked{} : soaked->second;
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

Verdict Steps::keep(const std::string& name, const Value& value, nlohmann::json kept, Scope& scope,
                    const std::string& id) {
    scope.bind_secret(name, value, kept);
    return kept.is_null() ? Verdict{} : note(name, kept, id);
}

Verdict Steps::note(const std::string& name, const nlohmann::json& value, const std::string& id) {
    auto body = stage_.about(id);
    body.update({{"name", name}, {"value", value}});
    if (stage_.run.recorder.record(EventKind::Noted, body)) return {};
    return {Fate::Untrusted, stage_.run.recorder.failure()};
}

// For a run that is resumed; of no interest to who watches.
Verdict Steps::remember(const std::string& kind, const nlohmann::json& value, const std::string& id) {
    auto body = stage_.about(id);
    body.update({{"kind", kind}, {"value", value}});
    if (stage_.run.recorder.record(EventKind::Noted, body)) return {};
    return {Fate::Untrusted, stage_.run.recorder.failure()};
}

Verdict Steps::let(const ir::Step& step, Scope& scope, const std::string& id) {
    if (const Value* noted = known_name(id)) {
        bind_noted(scope, step.name, *noted);
        return {};
    }
    const Reading reading = stage_.evaluator.evaluate(*step.value, scope);
    if (reading.value.is_unknown()) return {Fate::Failed, fmt::format("{}: {}", step.text, explain(reading))};
    if (step.value->type.kind == ir::TypeKind::Secret)
        return keep(step.name, reading.value,
                    kept_form(stage_.evaluator.kept(), *step.value, scope, reading.value), scope, id);
    scope.bind(step.name, reading.value);
    return note(step.name, to_json(reading.value), id);
}

Verdict Steps::choose(const ir::Step& step, Scope& scope, const std::string& id) {
    const auto decided = stage_.past.decisions.find(id);
    std::optional<bool> holds;
    if (recalls() && decided != stage_.past.decisions.end()) {
        holds = decided->second;
    } else {
        const Reading reading = stage_.evaluator.evaluate(*step.condition, scope);
        holds = truth(reading.value);
        if (!holds) return {Fate::Failed, fmt::format("{}: {}", step.text, explain(reading))};
        if (Verdict noted = remember("decision", *holds, id); !noted.done()) return noted;
    }
    Scope inner(&scope, scope.depth());
    return *holds ? block(step.body, inner, id + ".")
                  : block(step.otherwise, inner, id + ".", step.body.size() + 1);
}

Verdict Steps::loop(const ir::Step& step, Scope& scope, const std::string& id) {
    const auto listed = stage_.past.lists.find(id);
    const bool known = recalls() && listed != stage_.past.lists.end();
    const Reading reading =
        known ? Reading{listed->second, {}, false} : stage_.evaluator.evaluate(*step.value, scope);
    const auto* items = reading.value.get_if<List>();
    if (items == nullptr) {
        const std::string why =
            reading.value.is_unknown() ? explain(reading) : "there is no list to go through";
        return {Fate::Failed, fmt::format("{}: {}", step.text, why)};
    }
    if (!known && !is_fixed(*step.value))
        if (Verdict noted = remember("list", to_json(reading.value), id); !noted.done()) return noted;
    for (std::size_t i = 0; i < items->size(); ++i) {
        Scope inner(&scope, scope.depth());
        inner.bind(step.name, (*items)[i]);
        Verdict verdict = block(step.body, inner, fmt::format("{}[{}].", id, i + 1));
        if (!verdict.done()) return verdict;
    }
    return {};
}

// Where the tools allow it, each branch has its own thread. The first failure lets the others finish the step
// that they are in; the heaviest end of a branch is the end of all.
Verdict Steps::parallel(const ir::Step& step, Scope& scope, const std::string& id) {
    std::atomic<bool> failed = course_.cancelled != nullptr && *course_.cancelled;
    std::vector<Verdict> verdicts(step.body.size());
    const auto branch = [&](std::size_t i) {
        Course course = course_;
        course.cancelled = &failed;
        Steps steps(stage_, course, undo_);
        Scope inner(&scope, scope.depth());
        // An exception would end the process, and leave the other branches unrecorded.
        const auto attempt = [&](const auto& work) {
            try {
                work();
            } catch (const std::exception& error) {
                verdicts[i] = {Fate::InDoubt, fmt::format("a mistake in migc itself: {}", error.what())};
            }
        };
        attempt([&] {
            verdicts[i] = steps.may_go_on();
            if (verdicts[i].done())
                verdicts[i] = steps.statement(step.body[i], inner, fmt::format("{}.{}", id, i + 1));
        });
        attempt([&] { stage_.run.settle(); });  // what comes next may take as long as the other branches do
        if (!verdicts[i].done()) failed = true;
    };
    if (stage_.run.tools.concurrent()) {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < step.body.size(); ++i) threads.emplace_back(branch, i);
    } else {
        for (std::size_t i = 0; i < step.body.size(); ++i) branch(i);
    }
    const auto worst = std::max_element(verdicts.begin(), verdicts.end(),
                                        [](const Verdict& a, const Verdict& b) { return a.fate < b.fate; });
    return worst == verdicts.end() ? Verdict{} : *worst;
}

// Closed unless it is known to be open.
Verdict Steps::gate(const ir::Step& step, Scope& scope, const std::string& id) {
    const Time begun = stage_.run.tools.now();
    const Reading reading = stage_.evaluator.evaluate(*step.condition, scope);
    if (truth(reading.value) == true) return check(step.text, id, {Fate::Done, reading.why}, begun);
    return closed(step.text, id, explain(reading), begun);
}

Verdict Steps::freeze(const std::string& id) {
    const auto why = frozen_now(stage_);
    return why ? closed("no freeze", id, *why, stage_.run.tools.now()) : Verdict{};
}

Verdict Steps::closed(const std::string& text, const std::string& id, const std::string& why, Time begun) {
    if (emergency(stage_.run.program) != nullptr)
        return check(text, id, {Fate::Done, "WAIVED BY THE EMERGENCY: " + why}, begun);
    return check(text, id, {Fate::Closed, why}, begun);
}

}  // namespace migc::runtime
