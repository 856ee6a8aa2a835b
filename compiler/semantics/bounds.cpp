#include "compiler/semantics/bounds.hpp"

#include <algorithm>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/visit.hpp"

namespace migc::semantics {
namespace {

constexpr std::int64_t most_tries = 1'000;  // more is no limit at all

std::optional<std::int64_t> read(const std::optional<ir::Expr>& expression, const NumberOf& value) {
    return expression ? value(*expression) : std::nullopt;
}

// Of all tries that a step allows, where one takes so long.
std::int64_t with_tries(const ir::Step& step, std::int64_t once, const NumberOf& value) {
    const std::int64_t more = std::clamp<std::int64_t>(read(step.retry, value).value_or(0), 0, most_tries);
    const std::int64_t every = more > 0 ? read(step.every, value).value_or(default_retry_ms) : 0;
    return once * (more + 1) + every * more;
}

std::optional<std::int64_t> declared_limit(const ir::Program& program, const ir::Expr& condition,
                                           const NumberOf& value) {
    if (condition.kind == ir::ExprKind::Probe)
        if (const auto limit = read(program.probes.at(condition.declaration).within, value)) return limit;
    for (const ir::Expr& child : condition.children)
        if (const auto limit = declared_limit(program, child, value)) return limit;
    return std::nullopt;
}

std::int64_t longest(const ir::Program& program, const ir::Step& step, const Reader& reader) {
    switch (step.kind) {
        case ir::StepKind::Call: {
            const ir::Verb& verb = program.verbs.at(step.verb);
            const Reader inner = reader.enter(step, verb);
            if (!verb.action)
                return composite_bound(step, verb, longest(program, verb.steps, inner), reader.value,
                                       inner.value)
                    .act_ms;
            return call_bound(program, step, verb, reader.value, inner.value).total();
        }
        case ir::StepKind::Verify:
            return verify_bound(program, step, reader.value).total();
        case ir::StepKind::Soak:
            return read(step.value, reader.value).value_or(0);
        case ir::StepKind::Parallel: {
            std::int64_t most = 0;
            for (const ir::Step& branch : step.body) most = std::max(most, longest(program, branch, reader));
            return most;
        }
        default:
            return std::max(longest(program, step.body, reader), longest(program, step.otherwise, reader));
    }
}

}  // namespace

std::int64_t longest(const ir::Program& program, const std::vector<ir::Step>& steps, const Reader& reader) {
    std::int64_t sum = 0;
    for (const ir::Step& step : steps) sum += longest(program, step, reader);
    return sum;
}

std::int64_t undo_bound(const ir::Program& program, const ir::Step& step, const ir::Verb& verb,
                        const Bound& forward, const Reader& reader) {
    const ir::Undo& back = way_back(step, verb);
    if (back.kind != ir::UndoKind::Steps) return 0;
    const bool looks = std::ranges::any_of(back.steps, [](const ir::Step& one) {
        return one.kind == ir::StepKind::Verify || one.kind == ir::StepKind::Soak;
    });
    const bool limits_of_its_own = step.undo || looks || !verb.action;
    return limits_of_its_own ? longest(program, back.steps, reader) : forward.total();
}

Bound call_bound(const ir::Program& program, const ir::Step& step, const ir::Verb& verb,
                 const NumberOf& outer, const NumberOf& inner) {
    const auto given = read(step.within, outer);
    const auto declared = read(verb.within, inner);
    const ir::Tool* tool = verb.action ? program.tool(verb.action->tool) : nullptr;
    const auto own = tool != nullptr ? read(tool->within, inner) : std::nullopt;
    const std::int64_t act = given.value_or(declared.value_or(own.value_or(default_action_ms)));
    const std::int64_t see = verb.effects.empty() ? 0 : given.value_or(declared.value_or(default_effect_ms));
    return {with_tries(step, act, outer), see, given.has_value()};
}

Bound composite_bound(const ir::Step& step, const ir::Verb& verb, std::int64_t once, const NumberOf& outer,
                      const NumberOf& inner) {
    const auto given = read(step.within, outer);
    const auto limit = given ? given : read(verb.within, inner);
    const std::int64_t all = with_tries(step, once, outer);
    return {limit ? std::min(*limit, all) : all, 0, given.has_value()};
}

Bound verify_bound(const ir::Program& program, const ir::Step& step, const NumberOf& value) {
    if (const auto given = read(step.within, value)) return {0, *given, true};
    const auto declared = step.condition ? declared_limit(program, *step.condition, value) : std::nullopt;
    return {0, declared.value_or(default_verify_ms), false};
}

void Times::call(const Bound& bound, ir::UndoKind way_back, bool mutates, const std::string& text) {
    steps_ms += bound.total();
    if (mutates) soaks_between_ms = soaks_ms;
    if (way_back == ir::UndoKind::Steps) undo_ms += bound.total();
    if (way_back == ir::UndoKind::Irreversible && no_return.empty()) no_return = text;
}

void Times::failure(const std::vector<ir::Step>& block, std::int64_t milliseconds) {
    bool undoes = false, holds = false;
    each_step(block, [&](const ir::Step& step) {
        undoes |= step.kind == ir::StepKind::Undo || step.kind == ir::StepKind::UndoAll;
        holds |= step.kind == ir::StepKind::Hold;
    });
    if (!undoes && !holds) undo_ms = 0;
    undo_ms += milliseconds;
}

void Times::soak(std::int64_t milliseconds) {
    soaks_ms += milliseconds;
}

void Times::beside(const Times& before, const Times& branch) {
    steps_ms = std::max(steps_ms, branch.steps_ms);
    soaks_ms = std::max(soaks_ms, branch.soaks_ms);
    soaks_between_ms = std::max(soaks_between_ms, branch.soaks_between_ms);
    undo_ms += branch.undo_ms - before.undo_ms;
    if (no_return.empty()) no_return = branch.no_return;
}

}  // namespace migc::semantics
