#include "runtime/engine/converge.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "runtime/engine/still_ours.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline engine {

Result Converge::caught_up(const ir::Expr& probe, const Scope& scope, const StepId& step) {
    const ir::Probe& declared = stage_.run.program.probes.at(probe.declaration);
    if (!declared.converges) return {};
    const std::string phrase = stage_.evaluator.describe(probe, scope);
    const auto own = stage_.evaluator.probe_scope(probe, scope);
    if (!own) return {ResultKind::Failed, fmt::format("{}: {}", phrase, explain(own.error()))};
    const std::int64_t limit =
        milliseconds(stage_.evaluator, declared.within, *own).value_or(default_verify_ms);
    const std::string text = fmt::format("{} has been caught up with", phrase);
    Result verdict = waiter_.until({*declared.converges, *own, step, text, limit, true});
    if (!verdict.done())
        verdict.message = fmt::format("{} has not been caught up with: {}", phrase, verdict.message);
    return verdict;
}

Result Converge::equals(const ir::Expr& probe, const Scope& scope, const Value& value,
                        const std::function<bool(const Reading&)>& is_there) {
    const Time deadline = stage_.run.tools.now() + default_effect_ms;
    for (std::int64_t pause = 100;; pause = std::min<std::int64_t>(pause * 2, 2'000)) {
        const Reading reading = stage_.evaluator.evaluate(probe, scope);
        const bool there = is_there(reading);
        if (equal(reading.value, value) && there) return {};
        const std::int64_t left = deadline - stage_.run.tools.now();
        if (left <= 0) {
            const std::string now = !there ? "is gone with the object that it was a field of"
                                    : reading.value.is_unknown()
                                        ? explain(reading)
                                        : "is " + printable(show(reading.value), 200);
            return {ResultKind::Failed,
                    fmt::format("{} {}, not {} as before", stage_.evaluator.describe(probe, scope), now,
                                printable(show(value), 200))};
        }
        if (stage_.run.hurried())
            return {ResultKind::Stopped, fmt::format("whether {} is as before was not waited for",
                                                     stage_.evaluator.describe(probe, scope))};
        waiter_.rest(std::min(pause, left));
    }
}

// What a later step has taken away is not waited for.
bool Converge::is_gone(const ir::Expr& probe, const Scope& scope) {
    const Value now = stage_.evaluator.evaluate(probe, scope).value;
    return now.is_unknown() || now.is_absent();
}

Result Converge::all_changes() {
    std::set<std::string> seen;
    for (const Change& change : stage_.changes) {
        const ir::Verb* verb = stage_.verb(change.verb);
        if (change.state != ChangeState::Done || verb == nullptr) continue;
        const Scope scope = scope_of(stage_, change);
        for (const ir::Effect& effect : verb->effects) {
            if (change.superseded && is_gone(effect.probe, scope)) continue;
            if (!seen.insert(stage_.evaluator.describe(effect.probe, scope)).second) continue;
            if (Result verdict = caught_up(effect.probe, scope, change.step); !verdict.done()) return verdict;
        }
    }
    return {};
}

}  // namespace migc::runtime::inline engine
