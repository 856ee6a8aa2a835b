// How long the steps of a stage take, and how they are taken back.
#include <algorithm>

#include "compiler/semantics/calls.hpp"
#include "compiler/support/text.hpp"
#include "runtime/engine/call.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/plan/stage_plan.hpp"

namespace migc::runtime::inline plans {

using ir::StepKind;

// What is known only when it runs takes its time all the same: by the limits that need no value to be
// known.
void StagePlanner::assume(const ir::Step& step, const Scope& scope) {
    if (step.kind == StepKind::Verify)
        times_.verify(semantics::verify_bound(program_, step, number_in(scope)));
    if (step.kind == StepKind::Soak) times_.soak(milliseconds(evaluator_, step.value, scope).value_or(0));
    if (step.kind == StepKind::Call) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        if (verb.action) times(step, verb, scope, globals_);
        for (const ir::Step& inner : verb.steps) assume(inner, globals_);
    }
    for (const ir::Step& inner : step.body) assume(inner, scope);
}

void StagePlanner::times(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner) {
    const semantics::Bound bound =
        semantics::call_bound(program_, step, verb, number_in(scope), number_in(inner));
    const std::int64_t undo_before = times_.undo_ms;
    times_.call(bound, semantics::way_back(step, verb).kind, verb.mutates(), step.text);
    times_.undo_ms = undo_before + longest_undo(step, verb, bound, scope, inner);
}

std::int64_t StagePlanner::longest_undo(const ir::Step& step, const ir::Verb& verb,
                                        const semantics::Bound& bound, const Scope& scope,
                                        const Scope& inner) {
    const auto names = std::make_shared<Scope>(step.undo ? &scope : &globals_, inner.depth());
    names->bind_all(inner.journal());
    return semantics::undo_bound(program_, step, verb, bound, reader_in(names));
}

std::int64_t StagePlanner::longest(const std::vector<ir::Step>& steps, const Scope& scope) {
    return semantics::longest(program_, steps, reader_in(std::make_shared<Scope>(&scope, scope.depth())));
}

semantics::Reader StagePlanner::reader_in(const std::shared_ptr<Scope>& names) {
    const auto enter = [this, names](const ir::Step& call, const ir::Verb& verb) {
        auto inner = std::make_shared<Scope>(&globals_, names->depth() + 1);
        if (!bind_arguments(evaluator_, verb, call, *names, *inner))
            inner = std::make_shared<Scope>(&globals_, names->depth() + 1);
        return reader_in(inner);
    };
    return {[this, names](const ir::Expr& expression) { return number_in(*names)(expression); }, enter};
}

semantics::NumberOf StagePlanner::number_in(const Scope& scope) {
    return [this, &scope](const ir::Expr& expression) -> std::optional<std::int64_t> {
        const Value value = evaluator_.evaluate(expression, scope).value;
        if (const auto* duration = value.get_if<Duration>())
            return std::max<std::int64_t>(duration->milliseconds, 0);
        const auto* number = value.get_if<std::int64_t>();
        return number != nullptr ? std::optional(*number) : std::nullopt;
    };
}

PlanUndo StagePlanner::undo(const ir::Step& step, const ir::Verb& verb, const Scope& scope,
                            const Scope& inner) {
    const ir::Undo& way_back = semantics::way_back(step, verb);
    switch (way_back.kind) {
        case ir::UndoKind::None:
            return {way_back.kind, "nothing to undo: " + way_back.reason};
        case ir::UndoKind::Irreversible:
            return {way_back.kind, "it cannot be undone: " + way_back.reason};
        case ir::UndoKind::ByCaller:
            return {way_back.kind, "the step brings no inverse"};
        case ir::UndoKind::Steps:
            break;
    }
    Scope names(step.undo ? &scope : &globals_, inner.depth());
    names.bind_all(inner.journal());
    const std::string text = inverse(way_back.steps, names);
    const auto describe = [&](const ir::Expr& probe) {
        return evaluator_.describe(probe, with_known_after(names));
    };
    return {way_back.kind, text + semantics::turn_in_words(way_back, describe)};
}

std::string StagePlanner::inverse(const std::vector<ir::Step>& steps, const Scope& names) {
    std::vector<std::string> texts;
    for (const ir::Step& step : steps) texts.push_back(inverse_step(step, names));
    return joined(texts, "; ");
}

// What it captures is read only where its command says it: a look may cost a request, or a pod. What nobody
// can read before the step is done stands in the command as when it is known.
Preview StagePlanner::inverse_command(const ir::Verb& verb, Scope& inner) {
    if (!verb.action) return {};
    if (const auto line = evaluator_.preview(*verb.action, with_known_after(inner))) return *line;
    for (const ir::Capture& capture : verb.captures) {
        const Value value = evaluator_.evaluate(capture.value, inner).value;
        const bool then = value.is_unknown() && known_after(value).empty();
        if (capture.value.type.kind == ir::TypeKind::Secret)
            inner.bind_secret(capture.name, value, nullptr);
        else
            inner.bind(capture.name, then ? Value("(known then)") : value);
    }
    return evaluator_.preview(*verb.action, with_known_after(inner)).value_or(Preview());
}

std::string StagePlanner::inverse_step(const ir::Step& step, const Scope& names) {
    if (step.kind == StepKind::If) {
        const auto holds = truth(evaluator_.evaluate(*step.condition, names).value);
        if (holds) return inverse(*holds ? step.body : step.otherwise, names);
    }
    if (step.kind != StepKind::Call) return step.text;
    const ir::Verb& verb = program_.verbs.at(step.verb);
    Scope inner(&globals_, names.depth() + 1);
    if (!bind_arguments(evaluator_, verb, step, names, inner)) return step.text;
    std::string text = describe_call(verb, with_known_after(inner));
    if (Preview line = inverse_command(verb, inner); !line.text.empty())
        inverse_commands_.push_back(std::move(line));
    return text;
}

}  // namespace migc::runtime::inline plans
