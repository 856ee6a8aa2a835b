// Waiting: until a condition holds (verify), and that it goes on holding (soak, throughout).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "compiler/semantics/bounds.hpp"
#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

// What one waits for, and for how long.
struct Wait {
    const ir::Expr& condition;
    const Scope& scope;
    StepId step;
    std::string text;
    std::int64_t limit_ms;
    bool is_likely = false;  // that it holds already: then nothing is watched before it was looked at once
};

// Limits, in milliseconds, where neither the step nor a declaration gives one.
using semantics::default_effect_ms;
using semantics::default_verify_ms;
// How long a soak or a `throughout` may go without being able to see.
constexpr std::int64_t blind_ms = 60'000;

class Waiter {
  public:
    Waiter(StageRun& stage, const StepContext& course);

    // Eventually: reads until the condition holds, is beyond hope, or the limit is reached. Where a probe of
    // the condition can be watched, what changes quickly must hold on a second look half a second later.
    Result until(const Wait& wait);
    // Always: fails when the condition is read as false, holds when nothing could be read for a minute. What
    // a run that was cut off has soaked already counts; the time in which nobody looked (the run was cut off,
    // the machine asleep) does not, and is told.
    Result soak(const Wait& wait, const Soaked& before = {});
    // Sleeps; an interrupt is remembered, and the sleep goes on, unless the operator is in a hurry.
    void rest(std::int64_t milliseconds);
    // One look at the stage's `throughout`; done if there is none. Only a forward course is under it.
    Result guard();

    // The limit that the condition's own declarations give, else the default.
    std::int64_t declared_limit(const ir::Expr& condition, const Scope& scope);

  private:
    WakeReason pause(Watch* watch, Time until);
    void tell(const Wait& wait, const Reading& reading);
    bool is_stable(const Wait& wait, const Reading& reading, bool is_watchable);
    [[nodiscard]] bool is_watchable(const Wait& wait) const;
    std::unique_ptr<Watch> watch(const ir::Expr& condition, const Scope& scope);
    bool keep(const Wait& wait, std::int64_t soaked_ms);

    StageRun& stage_;
    const StepContext& course_;
    Evaluator& evaluator_;
    std::string told_;
};

// "it could not be found out: .." or why it does not hold.
std::string explain(const Reading& reading);

// The duration that an optional expression yields, in milliseconds; nothing if there is none.
std::optional<std::int64_t> milliseconds(Evaluator& evaluator, const std::optional<ir::Expr>& expression,
                                         const Scope& scope);

}  // namespace migc::runtime::inline engine
