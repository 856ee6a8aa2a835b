// Runs a program, and takes runs back.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/engine/recorder.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline engine {

// One engine is used for one run or one undo. What it is given outlives it. The program must pass
// `ir::verify`.
class Engine {
  public:
    // `listener` is told every event, from any thread but never from two at a time; it may be empty.
    Engine(const ir::Program& program, const project::Inventory& inventory, Tools& tools, Journal& journal,
           Listener listener = {}, RunOptions options = {});
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // All stages in order, until one does not complete. Refused (exit 2) before anything is begun or written
    // down if a stage has no environment, a parameter no value, or a top-level `let` cannot be evaluated.
    RunResult run();

    // Goes on with a run of the journal that was cut off, held or refused by a gate: what is done is not done
    // again, what was begun is reconciled by looking, an undo that was under way is gone on with. The program
    // is the one that was run: the journal's copy of the script. The events are appended to the same run. A
    // run that is done or undone is left alone (0 or 1).
    RunResult resume(const std::string& run);

    // Undoes all stages of a run of the journal, finished or cut off, last first. The program is the one that
    // was run: the journal's copy of the script. The events are appended to the same run. Exit 0: all is
    // undone.
    RunResult undo(const std::string& run);

    // The commands that take back by hand what a run of the journal has done so far. Asks nobody anything.
    tl::expected<std::string, std::string> runbook(const std::string& run);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace migc::runtime::inline engine
