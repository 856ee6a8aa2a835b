#include "runtime/engine/wait.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline engine {
namespace {

constexpr std::int64_t stable_ms = 500;
constexpr std::int64_t watch_reread_ms = 10'000;
constexpr std::int64_t first_pause_ms = 200;
constexpr std::int64_t longest_pause_ms = 5'000;
constexpr std::int64_t shortest_kept_soak_ms = 60'000;
constexpr std::int64_t looks_of_simulated_soak = 10;
// More interrupts than a person sends: then the clock stands still, and resting would never end.
constexpr int most_interrupts = 100;

// The first probe of a condition that has what is asked for; conditions given as arguments are looked into.
template <typename Wanted>
const ir::Expr* find_probe(const ir::Program& program, const ir::Expr& expression, const Scope*& scope,
                           Wanted wanted) {
    if (const ir::Expr& condition = semantics::handed_on(expression, scope); &condition != &expression)
        return find_probe(program, condition, scope, wanted);
    if (expression.kind == ir::ExprKind::Probe && wanted(program.probes.at(expression.declaration)))
        return &expression;
    for (const ir::Expr& child : expression.children) {
        const Scope* inner = scope;
        if (const ir::Expr* found = find_probe(program, child, inner, wanted)) {
            scope = inner;
            return found;
        }
    }
    return nullptr;
}

}  // namespace

std::string explain(const Reading& reading) {
    const auto* no = reading.value.get_if<Unknown>();
    if (no == nullptr) return reading.why.empty() ? "it does not hold" : reading.why;
    return "it could not be found out: " + (no->reason.empty() ? reading.why : no->reason);
}

std::optional<std::int64_t> milliseconds(Evaluator& evaluator, const std::optional<ir::Expr>& expression,
                                         const Scope& scope) {
    if (!expression) return std::nullopt;
    const Reading reading = evaluator.evaluate(*expression, scope);
    const auto* duration = reading.value.get_if<Duration>();
    return duration == nullptr ? std::nullopt
                               : std::optional(std::max<std::int64_t>(duration->milliseconds, 0));
}

Waiter::Waiter(StageRun& stage, const StepContext& course)
    : stage_(stage), course_(course), evaluator_(stage.evaluator) {}

std::int64_t Waiter::declared_limit(const ir::Expr& condition, const Scope& scope) {
    const Scope* home = &scope;
    const ir::Expr* probe = find_probe(stage_.run.program, condition, home,
                                       [](const ir::Probe& declared) { return declared.within.has_value(); });
    if (probe == nullptr) return default_verify_ms;
    const Scope none(&stage_.run.globals);
    return milliseconds(evaluator_, stage_.run.program.probes[probe->declaration].within, none)
        .value_or(default_verify_ms);
}

std::unique_ptr<Watch> Waiter::watch(const ir::Expr& condition, const Scope& scope) {
    const Scope* home = &scope;
    const ir::Expr* probe = find_probe(stage_.run.program, condition, home,
                                       [](const ir::Probe& declared) { return declared.watch.has_value(); });
    if (probe == nullptr) return nullptr;
    const auto own = evaluator_.probe_scope(*probe, *home);
    if (!own) return nullptr;
    const auto line = evaluator_.command_line(*stage_.run.program.probes[probe->declaration].watch, *own);
    return line ? stage_.run.tools.watch(*line) : nullptr;
}

WakeReason Waiter::pause(Watch* watched, Time until) {
    if (watched != nullptr) stage_.run.flush();
    const WakeReason woken = watched != nullptr ? watched->wait(until) : stage_.run.tools.sleep_until(until);
    if (woken == WakeReason::Interrupted) stage_.run.stop();
    return woken;
}

void Waiter::rest(std::int64_t duration) {
    const Time until = stage_.run.tools.now() + duration;
    for (int interrupts = 0; interrupts < most_interrupts; ++interrupts)
        if (stage_.run.hurried() || pause(nullptr, until) != WakeReason::Interrupted) return;
}

void Waiter::tell(const Wait& wait, const Reading& reading) {
    const std::string state = explain(reading);
    if (state == told_) return;
    told_ = state;
    stage_.run.recorder.tell(events::Waiting{stage_.about(wait.step, wait.text), printable(state)});
}

bool Waiter::is_watchable(const Wait& wait) const {
    const Scope* home = &wait.scope;
    return find_probe(stage_.run.program, wait.condition, home,
                      [](const ir::Probe& declared) { return declared.watch.has_value(); }) != nullptr;
}

bool Waiter::is_stable(const Wait& wait, const Reading& reading, bool is_watchable) {
    if (!is_watchable || reading.permanent) return true;
    rest(stable_ms);
    return truth(evaluator_.evaluate(wait.condition, wait.scope).value) == true;
}

Result Waiter::guard() {
    const auto& condition = stage_.throughout();
    if (course_.purpose != Purpose::Forward || !condition) return {};
    const Reading reading = evaluator_.evaluate(*condition, stage_.scope);
    if (truth(reading.value) != false) return {};
    return {ResultKind::Failed, "what must hold throughout the stage does not: " + explain(reading)};
}

Result Waiter::until(const Wait& wait) {
    const Time deadline = stage_.run.tools.now() + wait.limit_ms;
    const bool changes_quickly = is_watchable(wait);
    bool watches = !wait.is_likely;
    std::unique_ptr<Watch> watched = watches ? watch(wait.condition, wait.scope) : nullptr;
    for (std::int64_t step = first_pause_ms;;) {
        const Reading reading = evaluator_.evaluate(wait.condition, wait.scope);
        if (!stage_.run.recorder.trusted()) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
        if (truth(reading.value) == true && is_stable(wait, reading, changes_quickly)) return {};
        if (reading.permanent) return {ResultKind::Failed, explain(reading)};
        const Time now = stage_.run.tools.now();
        if (now >= deadline)
            return {ResultKind::Failed,
                    fmt::format("{} (after {})", explain(reading), shown_duration(wait.limit_ms))};
        if (Result broken = guard(); !broken.done()) return broken;
        if (stage_.run.stopping()) return {ResultKind::Stopped, explain(reading)};
        tell(wait, reading);
        // What comes before a watch has begun is seen by another look.
        if (changes_quickly && !std::exchange(watches, true)) {
            watched = watch(wait.condition, wait.scope);
            continue;
        }
        const std::int64_t longest = watched ? watch_reread_ms : step;
        step = std::min(step * 2, longest_pause_ms);
        const WakeReason woken = pause(watched.get(), std::min(deadline, now + longest));
        if (woken == WakeReason::Ended) watched.reset();
        if (woken == WakeReason::Changed)
            rest(first_pause_ms);  // a flood of news is no reason to flood the server
        if (woken == WakeReason::Interrupted) return {ResultKind::Stopped, explain(reading)};
    }
}

// How far a soak has come. One that is over in a moment is not worth it.
bool Waiter::keep(const Wait& wait, std::int64_t soaked_ms) {
    if (wait.limit_ms < shortest_kept_soak_ms) return true;
    return stage_.note(wait.step, events::Noted::Kind::Soaked, soaked_ms);
}

Result Waiter::soak(const Wait& wait, const Soaked& before) {
    const Time begin = stage_.run.tools.now();
    Time end = begin + std::max<std::int64_t>(wait.limit_ms - before.seen_ms, 0);
    const std::int64_t interval = std::clamp<std::int64_t>(wait.limit_ms / 100, 1'000, 30'000);
    // A simulation tells when something becomes different, and a look now and then is enough.
    const auto simulated = stage_.run.tools.watch_all();
    const std::int64_t seldom = std::max(interval, wait.limit_ms / looks_of_simulated_soak);
    const std::int64_t keep_every = std::max<std::int64_t>(wait.limit_ms / 50, shortest_kept_soak_ms);
    std::unique_ptr<Watch> watched = watch(wait.condition, wait.scope);
    Time seen = begin;
    Time kept = begin - keep_every;
    std::int64_t missed = 0;
    const auto soaked = [&](Time until) { return before.seen_ms + until - begin - missed; };
    // Nobody looked for so long: the machine was asleep.
    const auto miss = [&](std::int64_t gap) { missed += gap, end += gap, seen += gap; };
    for (;;) {
        const Reading reading = evaluator_.evaluate(wait.condition, wait.scope);
        const Time now = stage_.run.tools.now();
        if (!stage_.run.recorder.trusted()) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
        if (truth(reading.value) == false)
            return {ResultKind::Failed,
                    fmt::format("{} (after {})", explain(reading), shown_duration(soaked(now)))};
        const bool sees = truth(reading.value) == true;
        if (sees && now - seen > blind_ms) miss(now - seen);
        if (sees) seen = now;
        if (!sees && (reading.permanent || now - seen > blind_ms))
            return {ResultKind::Held, explain(reading)};
        if (sees && now - kept >= keep_every) {
            if (!keep(wait, soaked(now))) return {ResultKind::Untrusted, stage_.run.recorder.failure()};
            kept = now;
        }
        if (now >= end && sees) {
            const std::int64_t gaps = missed + (before.last_ms == 0 ? 0 : begin - before.last_ms);
            if (gaps == 0) return {};
            return {ResultKind::Done, fmt::format("but for {} in which nobody looked", shown_duration(gaps))};
        }
        if (Result broken = guard(); !broken.done()) return broken;
        if (stage_.run.stopping()) {
            keep(wait, soaked(seen));
            return {ResultKind::Stopped, "the soak was not over"};
        }
        if (!sees) tell(wait, reading);
        const Time later = now + (simulated && sees ? seldom : interval);
        const Time next = now >= end ? later : std::min(end, later);
        const WakeReason woken = pause(simulated ? simulated.get() : watched.get(), next);
        if (simulated && sees) seen = stage_.run.tools.now();
        if (const Time late = stage_.run.tools.now() - next; late > blind_ms) miss(late);
        if (woken == WakeReason::Ended) watched.reset();
        if (woken == WakeReason::Changed) rest(first_pause_ms);
        if (woken == WakeReason::Interrupted) continue;  // the operator: looked at above
    }
}

}  // namespace migc::runtime::inline engine
