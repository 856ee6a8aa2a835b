// Which member of a walker a statement is for: a run and a plan go through a block in the same way.
#pragma once

#include "compiler/ir/program.hpp"

namespace migc::ir {

// A walker makes it a friend, so that its members stay its own.
struct Walk {
    // `otherwise` is for what stands in no block of steps: gates, and what only a failure block says.
    template <typename Walker, typename Otherwise, typename... Places>
    static auto statement(Walker& walker, const Otherwise& otherwise, const Step& step, Places&... places) {
        switch (step.kind) {
            case StepKind::Call:
                return walker.call(step, places...);
            case StepKind::Verify:
                return walker.verify(step, places...);
            case StepKind::Soak:
                return walker.soak(step, places...);
            case StepKind::Let:
                return walker.let(step, places...);
            case StepKind::If:
                return walker.choose(step, places...);
            case StepKind::For:
                return walker.loop(step, places...);
            case StepKind::Parallel:
                return walker.parallel(step, places...);
            case StepKind::Gate:
            case StepKind::Undo:
            case StepKind::UndoAll:
            case StepKind::Hold:
                break;
        }
        return otherwise();
    }
};

}  // namespace migc::ir
