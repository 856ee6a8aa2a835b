// Whether the world has caught up with what was written.
#pragma once

#include <functional>
#include <string>

#include "runtime/engine/wait.hpp"

namespace migc::runtime::inline engine {

class Converge {
  public:
    Converge(StageRun& stage, const StepContext& course) : stage_(stage), waiter_(stage, course) {}

    // Waits until the probe's own `converges` holds; done at once if it has none.
    Result caught_up(const ir::Expr& probe, const Scope& scope, const StepId& step);
    // Waits, as long as for an effect, until the probe reads as the value, of a thing that is there.
    Result equals(const ir::Expr& probe, const Scope& scope, const Value& value,
                  const std::function<bool(const Reading&)>& is_there);
    // `caught_up` for everything that the stage changed.
    Result all_changes();

  private:
    bool is_gone(const ir::Expr& probe, const Scope& scope);

    StageRun& stage_;
    Waiter waiter_;
};

}  // namespace migc::runtime::inline engine
