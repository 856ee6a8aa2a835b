// The stages of a run that goes on, or is taken back, from the state that its journal tells.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

using StageRuns = std::vector<std::unique_ptr<StageRun>>;

// Events of a run whose project lies elsewhere by now say what they would have said there: the settings of
// stages, the arguments of steps, and the files that migc itself keeps below the project's folder.
void move_to(const std::filesystem::path& root, std::vector<Event>& events);

// The stages that were begun, with their environments as they were then. Takes their states out of `history`;
// names of the run are bound in `run.globals`. The error is a sentence for people: the program has no such
// stage.
tl::expected<StageRuns, std::string> stages_of(RunContext& run, RunState& history);

}  // namespace migc::runtime::inline engine
