// Whether what the steps of a stage have changed is still as they left it, or somebody else has changed it
// since.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

// Two probes that ask about the same thing share its name, however it is written: webapi, deployment/webapi.
std::set<std::string> names_in(Evaluator& evaluator, const ir::Expr& probe, const Scope& scope);

// The names that a change's verb sees: its arguments, its captures, and what the caller's inverse sees.
Scope scope_of(StageRun& stage, const Change& change);

// Whether a verb can change again what an earlier one has changed, if both are about things of one name.
bool may_change(const ir::Program& program, const ir::Verb& verb, const ir::Verb& earlier);

class StillOurs {
  public:
    explicit StillOurs(StageRun& stage) : stage_(stage) {}

    // Before a step acts on things of these names: what earlier steps changed there. Held where somebody else
    // has changed it; what cannot be read is left to the step itself.
    Result before(Evaluator& snapshot, const StepId& step, const std::set<std::string>& names);

    // After a step of that verb was done: the earlier steps that changed what this one has changed again.
    // From now on nothing is expected of what they left. What the verb cannot have changed is not among them.
    std::vector<StepId> superseded_by(const StepId& step, const ir::Verb& verb,
                                      const std::set<std::string>& names);

    // At the end of the stage, and when somebody asks whether it passed: everything that it changed, and what
    // it found as it was to be. Held where it is otherwise, or where that cannot be found out.
    Result all();
    // What of it somebody else has changed since; "" where nothing is seen of that, or nothing can be seen.
    // Files of the project are no part of it: each run begins with those that were reviewed.
    std::string theirs();

  private:
    enum class State { Ours, Theirs, Unreadable };
    struct Found {
        State state = State::Ours;
        std::string message;
    };

    Found look(Evaluator& snapshot, const Change& change);
    Found look_at(Evaluator& snapshot, const Change& change, const ir::Effect& effect, const Scope& scope);
    Found look_at_all(bool files_too);
    Found look_again(const std::vector<Change>& changes);
    bool may_be_changed_by_a_resolved_step(const Change& change);
    bool changes_files_only(const Change& change);

    StageRun& stage_;
};

}  // namespace migc::runtime::inline engine
