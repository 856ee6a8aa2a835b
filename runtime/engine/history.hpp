// The state of a run as its journal tells it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime {

using StageRuns = std::vector<std::unique_ptr<StageRun>>;

// The stages that were begun, in order, with their environments as they were then, their changes, and what
// has been undone already. Names of the run are bound in `run.globals`. The error is a sentence for people:
// the program has no such stage, an event cannot be read.
tl::expected<StageRuns, std::string> rebuild(RunState& run, const std::vector<Event>& events);

}  // namespace migc::runtime
