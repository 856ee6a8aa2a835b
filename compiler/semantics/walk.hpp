// Which member of a walker a statement is for: a run and a plan go through a block in the same way.
#pragma once

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// A walker makes it a friend, so that its members stay its own.
struct Walk {
    // `otherwise` is for what stands in no block of steps: gates, and what only a failure block says.
    template <typename Walker, typename Otherwise, typename... Places>
    static auto statement(Walker& walker, const Otherwise& otherwise, const ir::Step& step,
                          Places&... places) {
        switch (step.kind) {
            case ir::StepKind::Call:
                return walker.call(step, places...);
            case ir::StepKind::Verify:
                return walker.verify(step, places...);
            case ir::StepKind::Soak:
                return walker.soak(step, places...);
            case ir::StepKind::Let:
                return walker.let(step, places...);
            case ir::StepKind::If:
                return walker.choose(step, places...);
            case ir::StepKind::For:
                return walker.loop(step, places...);
            case ir::StepKind::Parallel:
                return walker.parallel(step, places...);
            case ir::StepKind::Gate:
            case ir::StepKind::Undo:
            case ir::StepKind::UndoAll:
            case ir::StepKind::Hold:
                break;
        }
        return otherwise();
    }
};

}  // namespace migc::semantics
