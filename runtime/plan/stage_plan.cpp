#include "runtime/plan/stage_plan.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "runtime/engine/call.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/natives/terraform.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime::inline plans {

using ir::StepKind;
namespace {

constexpr std::size_t most_steps = 2'000;  // of a stage that a plan shows

// By the program that a step changes something with.
std::string layer_of(const ir::Command& action) {
    const std::string& tool =
        action.tool == "native" && !action.through.empty() ? action.through.front() : action.tool;
    constexpr std::array<std::pair<const char*, const char*>, 6> layers = {{{"terraform", "infrastructure"},
                                                                            {"kubectl", "cluster"},
                                                                            {"docker", "images"},
                                                                            {"git", "files"},
                                                                            {"native", "files"},
                                                                            {"curl", "web"}}};
    const auto known = std::ranges::find_if(layers, [&](const auto& one) { return one.first == tool; });
    return known == layers.end() ? tool : known->second;
}

// Null if it is none.
const nlohmann::json* object_in(const Value& value) {
    const auto* object = value.get_if<Json>();
    return object != nullptr && *object != nullptr && (*object)->is_object() ? object->get() : nullptr;
}

bool is_not_to_be_had(const Reading& reading) {
    return reading.value.is_unknown() && known_after(reading.value).empty();
}

bool makes_plan(const ir::Verb& verb) {
    return verb.role.role == ir::Role::MakesPlan || verb.role.role == ir::Role::MakesDestroyingPlan;
}

// A name that is made when the step runs: another one each time.
bool is_made_up(const ir::Program& program, const ir::Expr& value) {
    return semantics::role_of(program, value) == ir::Role::Fresh;
}

// What may be another one each time that it is asked for, without anything having changed that matters.
bool is_passing(const ir::Program& program, const ir::Expr& value) {
    const ir::Role role = semantics::role_of(program, value);
    return role == ir::Role::Fresh || role == ir::Role::RunFile || role == ir::Role::Version;
}

}  // namespace

StagePlanner::StagePlanner(const EvalContext& eval_context, const StageEnvironment& environment,
                           const Scope& globals, Foreseen& foreseen)
    : program_(eval_context.program),
      evaluator_(eval_context, environment),
      globals_(globals),
      scope_(&globals),
      foreseen_(foreseen) {
    evaluator_.globals = &globals;
    evaluator_.foresight = &foreseen;
    evaluator_.changed_workloads = [this] { return workloads_; };
}

std::vector<PlanStep> StagePlanner::steps(const ir::Stage& stage, const ir::Stage& definition) {
    block(definition.steps, scope_, "", 1);
    const auto& failure = stage.on_failure ? stage.on_failure : definition.on_failure;
    if (failure) times_.failure(*failure, longest(*failure, globals_));
    return std::move(steps_);
}

std::vector<PlanGate> StagePlanner::gates(const std::vector<ir::Step>& gates) {
    std::vector<PlanGate> result;
    for (const ir::Step& gate : gates) {
        const Reading reading = evaluator_.evaluate(*gate.condition, scope_);
        const bool open = truth(reading.value) == true;
        result.push_back({gate.text, open, open ? "" : explain(reading), known_after(reading.value)});
    }
    return result;
}

void StagePlanner::block(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
                         std::size_t first) {
    for (std::size_t i = 0; i < steps.size() && !is_full(); ++i)
        statement(steps[i], scope, prefix + std::to_string(first + i));
}

// A few lines of rounds within rounds make more steps than anybody could read, or memory hold.
bool StagePlanner::is_full() const {
    return steps_.size() > most_steps;
}

void StagePlanner::statement(const ir::Step& step, Scope& scope, const std::string& id) {
    if (is_full()) return;
    if (steps_.size() == most_steps) {
        add_problem(
            id, PlanStepKind::Statement, step.text,
            fmt::format(
                "a plan shows at most {} steps, and this stage has more: what comes from here on was not "
                "looked at. Divide it into several scripts",
                most_steps));
        return;
    }
    semantics::Walk::statement(
        *this, [&] { add(id, PlanStepKind::Statement, step.text); }, step, scope, id);
}

PlanStep& StagePlanner::add(const std::string& id, PlanStepKind kind, const std::string& text) {
    steps_.push_back({id, kind, text});
    return steps_.back();
}

void StagePlanner::add_problem(const std::string& id, PlanStepKind kind, const std::string& text,
                               std::string problem) {
    add(id, kind, text).problems.push_back(std::move(problem));
}

// ------------------------------------------------------------------ calls

void StagePlanner::call(const ir::Step& step, Scope& scope, const std::string& id) {
    const ir::Verb& verb = program_.verbs.at(step.verb);
    Scope inner(&globals_, scope.depth() + 1);
    if (const auto bound = bind_arguments(evaluator_, verb, step, scope, inner); bound) {
        PlanStep entry{id, PlanStepKind::Call, describe_call(verb, with_known_after(inner))};
        foreseen_.take_identities();
        needs(verb, inner, entry);
        captures(verb, inner, entry);
        verb.action ? action(step, verb, scope, inner, std::move(entry))
                    : composite(step, verb, scope, inner, std::move(entry));
    } else {
        add_problem(id, PlanStepKind::Call, step.text, "it cannot begin: " + bound.error());
        assume(step, scope);
    }
    if (!step.name.empty()) scope.bind(step.name, foreseen_.yield(id));
}

void StagePlanner::action(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner,
                          PlanStep entry) {
    entry.action.emplace().layer = layer_of(*verb.action);
    command(verb, inner, entry);
    if (makes_plan(verb)) remember_state(entry);
    const auto declared = effects(verb, inner, entry);
    entry.objects = foreseen_.take_identities();
    if (!entry.action->already) foreseen_.done(entry.number, verb, inner, evaluator_, declared);
    // An inverse meets what the step has left.
    inverse_commands_.clear();
    entry.undo = undo(step, verb, scope, inner);
    entry.action->undo_commands = std::move(inverse_commands_);
    times(step, verb, scope, inner);
    steps_.push_back(std::move(entry));
}

// Told itself only where there is something to tell: it is taken back as a whole, or it cannot begin.
void StagePlanner::composite(const ir::Step& step, const ir::Verb& verb, const Scope& scope, Scope& inner,
                             PlanStep entry) {
    const std::string id = entry.number;
    const ir::UndoKind kind = semantics::way_back(step, verb).kind;
    const bool as_a_whole = step.undo || kind == ir::UndoKind::Steps || kind == ir::UndoKind::Irreversible;
    if (as_a_whole) entry.undo = undo(step, verb, scope, inner);
    entry.limit = limit_of_all(step, verb, scope, inner);
    if (as_a_whole || !entry.limit.empty() || !entry.problems.empty()) steps_.push_back(std::move(entry));
    const std::size_t first = steps_.size();
    const std::int64_t undo_before = times_.undo_ms, steps_before = times_.steps_ms;
    block(verb.steps, inner, id + ".", 1);
    const std::int64_t once = times_.steps_ms - steps_before;
    times_.steps_ms = steps_before +
                      semantics::composite_bound(step, verb, once, number_in(scope), number_in(inner)).act_ms;
    if (as_a_whole) times_.undo_ms = undo_before + longest_undo(step, verb, {}, scope, inner);
    for (std::size_t i = first; as_a_whole && i < steps_.size(); ++i)
        if (steps_[i].undo) steps_[i].undo = PlanUndo{ir::UndoKind::Steps, "with " + id};
}

// What bounds a composite as a whole; "" if nothing does.
std::string StagePlanner::limit_of_all(const ir::Step& step, const ir::Verb& verb, const Scope& scope,
                                       const Scope& inner) {
    const auto given = milliseconds(evaluator_, step.within, scope);
    const auto within = given ? given : milliseconds(evaluator_, verb.within, inner);
    std::string text = within ? shown_duration(*within) + " for all of it" : "";
    const auto more = step.retry ? number_in(scope)(*step.retry) : std::nullopt;
    if (!more || *more <= 0) return text;
    const auto every = milliseconds(evaluator_, step.every, scope).value_or(semantics::default_retry_ms);
    return fmt::format("{}{}tried again at most {}, every {}", text, text.empty() ? "" : "; ",
                       *more == 1 ? "once" : fmt::format("{} times", *more), shown_duration(every));
}

// What terraform will plan only the run can know, but not from which state: one that somebody has applied to
// since is another one than was reviewed. Once is enough.
void StagePlanner::remember_state(PlanStep& entry) {
    if (std::exchange(state_is_known_, true)) return;
    const auto state = state_identity(evaluator_);
    if (!state) return;
    const std::string which = state->lineage.empty()
                                  ? "empty"
                                  : fmt::format("serial {} of lineage {}", state->serial, state->lineage);
    entry.seen["state"] = Value(which);
}

void StagePlanner::needs(const ir::Verb& verb, const Scope& inner, PlanStep& entry) {
    for (const ir::Expr& need : verb.needs) {
        const Reading reading = evaluator_.evaluate(need, inner);
        if (truth(reading.value) == true) continue;
        const std::string after = known_after(reading.value);
        if (after.empty())
            entry.problems.push_back("what it needs does not hold: " + explain(reading));
        else
            entry.needs.push_back(fmt::format("{} ({})", subject(need, inner), after));
    }
}

// What a condition is about: "id of image cr.example.com/web:3".
std::string StagePlanner::subject(const ir::Expr& condition, const Scope& names) {
    if (condition.kind == ir::ExprKind::Probe) return evaluator_.describe(condition, with_known_after(names));
    for (const ir::Expr& child : condition.children)
        if (std::string text = subject(child, names); !text.empty()) return text;
    return {};
}

void StagePlanner::captures(const ir::Verb& verb, Scope& inner, PlanStep& entry) {
    entry.captures.emplace();
    for (const ir::Capture& capture : verb.captures) {
        Reading reading = evaluator_.evaluate(capture.value, inner);
        if (is_made_up(program_, capture.value)) reading = {foreseen_.yield(entry.number), {}, false};
        if (is_not_to_be_had(reading))
            entry.problems.push_back(
                fmt::format("`{}` cannot be captured: {}", capture.name, explain(reading)));
        if (capture.value.type.kind == ir::TypeKind::Secret) {
            keep(capture, reading, inner, entry);
            continue;
        }
        entry.captures->emplace(capture.name, shown_capture(reading).text);
        remember(capture.name, reading.value, capture.value, entry);
        inner.bind(capture.name, reading.value);
    }
}

// What the plan saw, to be compared with what a run will see; of `expression`, which yielded the value.
void StagePlanner::remember(const std::string& name, const Value& value, const ir::Expr& expression,
                            PlanStep& entry) {
    if (!value.is_unknown() && object_in(value) == nullptr && !is_passing(program_, expression))
        entry.seen[name] = value;
}

// "secret/creds", where the probe is about a thing; else the probe.
std::string StagePlanner::what_is_kept(const ir::Expr& value, const Scope& inner) {
    for (const ir::Expr& argument : value.children) {
        const Value given = evaluator_.evaluate(argument, inner).value;
        if (const auto* thing = given.get_if<ResourceRef>()) return evaluator_.written(*thing);
    }
    return value.kind == ir::ExprKind::Probe ? evaluator_.describe(value, inner) : value.name;
}

// A secret is kept for the undo, and somebody must be able to open it then.
void StagePlanner::keep(const ir::Capture& capture, const Reading& reading, Scope& inner, PlanStep& entry) {
    inner.bind_secret(capture.name, reading.value, captured_form(evaluator_.kept(), reading.value));
    if (is_not_to_be_had(reading) || reading.value.is_absent()) return;
    entry.captures->emplace(capture.name, "(secret)");
    if (evaluator_.kept() == nullptr) return;
    const std::string what = "the previous value of " + what_is_kept(capture.value, inner);
    const auto keeper = evaluator_.kept()->keeper();
    entry.kept.push_back(
        keeper ? fmt::format("{} is kept encrypted; only {} can undo it", what, *keeper)
               : fmt::format("{} cannot be kept here: {}; once the run has ended, its undo will be held",
                             what, keeper.error()));
}

void StagePlanner::command(const ir::Verb& verb, const Scope& inner, PlanStep& entry) {
    auto line = evaluator_.preview(*verb.action, with_known_after(inner));
    if (line) {
        entry.action->command = std::move(*line);
        return;
    }
    entry.known = known_after(Value(Unknown{line.error()}));
    if (entry.known.empty()) entry.problems.push_back(line.error());
}

std::vector<Declared> StagePlanner::effects(const ir::Verb& verb, const Scope& inner, PlanStep& entry) {
    entry.action->already = !verb.effects.empty();
    std::vector<Declared> declared;
    for (const ir::Effect& one : verb.effects) {
        effect(one, inner, entry, declared);
        remember_workloads(one.probe, inner);
    }
    // Without what it needs it does not even begin.
    if (!entry.problems.empty() || !entry.needs.empty()) entry.action->already = false;
    return declared;
}

void StagePlanner::effect(const ir::Effect& effect, const Scope& inner, PlanStep& entry,
                          std::vector<Declared>& declared) {
    const std::string phrase = evaluator_.describe(effect.probe, inner);
    const std::string told_phrase = evaluator_.describe(effect.probe, with_known_after(inner));
    const Reading before = evaluator_.evaluate(effect.probe, inner);
    const Reading after = effect.value ? evaluator_.evaluate(*effect.value, inner) : Reading{};
    const bool different = effect.becomes == ir::Becomes::Different;
    if (different || !equal(before.value, after.value)) entry.action->already = false;
    PlanEffect told{told_phrase, shown_capture(before),
                    different ? PlanValue{"different"} : shown_capture(after)};
    const auto *from = before.value.get_if<Json>(), *to = after.value.get_if<Json>();
    if (from != nullptr && to != nullptr) told.fields = differences(**from, **to);
    if (const auto* object = object_in(before.value)) told.was = *object;
    if (entry.problems.empty() && is_not_to_be_had(before))
        entry.problems.push_back(fmt::format("{}: {}", phrase, explain(before)));
    if (entry.problems.empty() && is_not_to_be_had(after))
        entry.problems.push_back(fmt::format("what {} is to become: {}", phrase, explain(after)));
    entry.action->effects.push_back(std::move(told));
    declared.push_back({phrase, different ? Value(Unknown{}) : after.value});
}

void StagePlanner::remember_workloads(const ir::Expr& probe, const Scope& inner) {
    for (const ir::Expr& argument : probe.children) {
        const Value value = evaluator_.evaluate(argument, inner).value;
        const auto* resource = value.get_if<ResourceRef>();
        const bool known =
            std::any_of(workloads_.begin(), workloads_.end(), [&](const Value& w) { return same(w, value); });
        if (resource != nullptr && resource->type == "workload" && !known) workloads_.push_back(value);
    }
}

// ------------------------------------------------------------------ other statements

void StagePlanner::verify(const ir::Step& step, const Scope& scope, const std::string& id) {
    const semantics::Bound bound = semantics::verify_bound(program_, step, number_in(scope));
    add(id, PlanStepKind::Verify, evaluator_.describe(step, with_known_after(scope))).limit =
        shown_duration(bound.total());
    times_.verify(bound);
}

void StagePlanner::soak(const ir::Step& step, const Scope& scope, const std::string& id) {
    const auto limit = milliseconds(evaluator_, step.value, scope);
    add(id, PlanStepKind::Soak, evaluator_.describe(step, with_known_after(scope))).limit =
        limit ? shown_duration(*limit) : "unknown";
    times_.soak(limit.value_or(0));
}

void StagePlanner::let(const ir::Step& step, Scope& scope, const std::string& id) {
    const Reading reading = evaluator_.evaluate(*step.value, scope);
    const PlanValue shown = bind_let(step, reading, evaluator_.kept(), scope);
    PlanStep& entry = add(id, PlanStepKind::Let, fmt::format("{} = {}", step.name, shown.text));
    if (step.value->type.kind != ir::TypeKind::Secret) remember(step.name, reading.value, *step.value, entry);
    if (is_not_to_be_had(reading))
        entry.problems.push_back(fmt::format("`{}` cannot be had: {}", step.name, explain(reading)));
}

void StagePlanner::choose(const ir::Step& step, Scope& scope, const std::string& id) {
    const Reading reading = evaluator_.evaluate(*step.condition, scope);
    const auto holds = truth(reading.value);
    if (const std::string after = known_after(reading.value); !after.empty()) {
        add(id, PlanStepKind::If, step.text).known = "which way it goes is " + after;
        return both_ways(step, scope, id);
    }
    if (!holds)
        return add_problem(id, PlanStepKind::If, step.text,
                           "which way it goes cannot be found out: " + explain(reading));
    Scope inner(&scope, scope.depth());
    if (*holds) return block(step.body, inner, id + ".", 1);
    block(step.otherwise, inner, id + ".", step.body.size() + 1);
}

// What one of both ways changes is known after the whole.
void StagePlanner::both_ways(const ir::Step& step, Scope& scope, const std::string& id) {
    const Foreseen::State before = foreseen_.state();
    const semantics::Times times_before = times_;
    semantics::Times longest = times_before;
    Foreseen::Keys touched;
    for (const bool holds : {true, false}) {
        foreseen_.go_back_to(before);
        times_ = times_before;
        perhaps(holds ? step.body : step.otherwise, scope, id + ".", holds ? 1 : step.body.size() + 1,
                fmt::format("only if {} {}", id, holds ? "holds" : "does not hold"));
        touched.merge(Foreseen::touched(before, foreseen_.state()));
        longest.beside(times_before, times_);
    }
    times_ = longest;
    foreseen_.go_back_to(before);
    foreseen_.unsettle(touched, id);
}

void StagePlanner::perhaps(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
                           std::size_t first, const std::string& when) {
    const std::size_t begin = steps_.size();
    Scope inner(&scope, scope.depth());
    block(steps, inner, prefix, first);
    for (std::size_t i = begin; i < steps_.size(); ++i)
        if (steps_[i].when.empty()) steps_[i].when = when;
}

void StagePlanner::loop(const ir::Step& step, Scope& scope, const std::string& id) {
    const Reading reading = evaluator_.evaluate(*step.value, scope);
    const auto* items = reading.value.get_if<List>();
    if (const std::string after = known_after(reading.value); !after.empty()) {
        add(id, PlanStepKind::For, step.text).known = "what it goes through is " + after;
        return some_times(step, scope, id, reading.value);
    }
    if (items == nullptr)
        return add_problem(id, PlanStepKind::For, step.text,
                           "what it goes through cannot be found out: " + explain(reading));
    for (std::size_t i = 0; i < items->size() && !is_full(); ++i) {
        Scope inner(&scope, scope.depth());
        inner.bind(step.name, (*items)[i]);
        block(step.body, inner, fmt::format("{}[{}].", id, i + 1), 1);
    }
}

// Nobody knows yet how often, and for what: one round stands for all of them. A round may meet what another
// one has changed, so it is planned in a world in which each has been gone through.
void StagePlanner::some_times(const ir::Step& step, Scope& scope, const std::string& id, const Value& list) {
    const Foreseen::State before = foreseen_.state();
    const semantics::Times times_before = times_;
    const std::size_t first = steps_.size();
    Foreseen::Keys touched;
    for (const bool told : {false, true}) {
        Scope inner(&scope, scope.depth());
        inner.bind(step.name, list);
        perhaps(step.body, inner, id + "[..].", 1, fmt::format("for each of {}", id));
        touched.merge(Foreseen::touched(before, foreseen_.state()));
        foreseen_.go_back_to(before);
        foreseen_.unsettle(touched, id);
        if (told) break;
        steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(first), steps_.end());
        times_ = times_before;
    }
}

// Branches go on side by side: what one changes, another may meet or not.
void StagePlanner::parallel(const ir::Step& step, Scope& scope, const std::string& id) {
    const Foreseen::State before = foreseen_.state();
    const semantics::Times times_before = times_;
    const auto alone = each_alone(step, scope, id);
    std::vector<Foreseen::Keys> touched;
    for (const Foreseen::State& state : alone) touched.push_back(Foreseen::touched(before, state));
    semantics::Times longest = times_before;
    Foreseen::Keys contested;
    for (std::size_t i = 0; i < step.body.size(); ++i) {
        Foreseen::Keys others;
        for (std::size_t j = 0; j < touched.size(); ++j)
            if (j != i) others.insert(touched[j].begin(), touched[j].end());
        for (const Foreseen::Key& key : touched[i])
            if (others.contains(key)) contested.insert(key);
        foreseen_.go_back_to(before);
        foreseen_.unsettle(others, id);
        times_ = times_before;
        branch(step.body[i], scope, fmt::format("{}.{}", id, i + 1));
        longest.beside(times_before, times_);
    }
    times_ = longest;
    foreseen_.go_back_to(before);
    for (std::size_t i = 0; i < alone.size(); ++i) foreseen_.take(touched[i], alone[i]);
    foreseen_.unsettle(contested, id);
}

void StagePlanner::branch(const ir::Step& step, const Scope& scope, const std::string& id) {
    Scope inner(&scope, scope.depth());
    statement(step, inner, id);
}

// Untold: what each branch would leave if it were the only one.
std::vector<Foreseen::State> StagePlanner::each_alone(const ir::Step& step, Scope& scope,
                                                      const std::string& id) {
    std::vector<Foreseen::State> states;
    const Foreseen::State before = foreseen_.state();
    const std::size_t first = steps_.size();
    const List workloads = workloads_;
    for (std::size_t i = 0; i < step.body.size(); ++i) {
        foreseen_.go_back_to(before);
        branch(step.body[i], scope, fmt::format("{}.{}", id, i + 1));
        states.push_back(foreseen_.state());
    }
    steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(first), steps_.end());
    workloads_ = workloads;
    return states;
}

}  // namespace migc::runtime::inline plans
