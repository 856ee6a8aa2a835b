// The state of a run as its journal tells it.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime {

using StageRuns = std::vector<std::unique_ptr<StageRun>>;

// Reasons of an undo that are no failure of the stage.
constexpr const char* undo_by_operator = "the operator asked for it";
constexpr const char* undo_by_later_stage = "a later stage undoes all";

struct RunHistory {
    StageRuns stages;            // that were begun, in order
    nlohmann::json begun;        // the body of RunBegun
    nlohmann::json ended;        // of the last RunEnded; null if the run has no end, or went on after it
    std::set<std::string> lets;  // names of the run that are written down
    bool undoing = false;        // the operator asked to undo the whole run
};

// Events of a run whose project lies elsewhere by now say what they would have said there: the settings of
// stages, the arguments of steps, and the files that migc itself keeps below the project's folder.
void move_to(const std::filesystem::path& root, std::vector<Event>& events);

// The stages with their environments as they were then, their changes, and what has been undone already.
// Names of the run are bound in `run.globals`. The error is a sentence for people: the program has no such
// stage, an event cannot be read.
tl::expected<RunHistory, std::string> rebuild(RunState& run, const std::vector<Event>& events);

}  // namespace migc::runtime
