// What stands before each step that changes something: the hour, and that what runs is what was reviewed.
#pragma once

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

// Whether the script waives its gates: `emergency "why";`. An undo is never waived.
const std::string* emergency(const ir::Program& program);

// Asks the stage's gates about the hour again, and the freezes. Closed when the window has closed since:
// nothing is undone for that. Done in an emergency.
Result still_open(StageRun& stage);

// What follows the sentence about a tool that was replaced.
constexpr const char* nothing_more =
    "; nothing more is done until it is that one again, or a new run is begun";

// Held if a file that the step names, or a tool, is not what it was when the run began. `inner` holds the
// step's arguments.
Result as_reviewed(StageRun& stage, const ir::Verb& verb, const Scope& inner);

// After the step: what a program of the project has written is what the run goes on with.
void accept_files(StageRun& stage, const ir::Verb& verb);

// The stage whose evidence a stage needs that repeats it: none where it has passed in this run, or where a
// gate of the script asks for it.
std::optional<std::string> wanted_evidence(StageRun& stage);
// The same of a stage that is only planned: `is_in_run` says whether the run has a stage of that name.
std::optional<std::string> wanted_evidence(const ir::Program& program, const ir::Stage& stage,
                                           const std::function<bool(const std::string&)>& is_in_run);
// What the gates are called that no script names: "evidence that staging passed".
std::string freeze_gate();
std::string evidence_gate(const std::string& stage);
// True, or why there is none.
Reading read_evidence(const EvalContext& eval_context, const std::string& stage);

// Why the stage's environment may not be changed now; nothing if it may be, or is not protected.
std::optional<std::string> frozen_now(StageRun& stage);
// The same of any protected environment.
std::optional<std::string> frozen_now(const project::Inventory& inventory, Tools& tools,
                                      const RunOptions& options);

}  // namespace migc::runtime::inline engine
