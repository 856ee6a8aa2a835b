// What is looked at before a run: by the doctor all of it, by every live run what stands against beginning.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "runtime/inspect/doctor.hpp"

namespace migc::runtime::inline inspect {

// Of a program, what its steps and their undo need; without stages, each environment of migc.yaml as it is.
// `environment`: only this one; empty: all. Reads only. The error: there is no plan, or no such cluster.
tl::expected<Diagnoses, std::string> examine(const ir::Program& program, const project::Inventory& inventory,
                                             Tools& tools, RunOptions options,
                                             const std::string& environment);

// Why a run should not begin, a line for each reason; empty if nothing is known that stands against it: a
// right that a step or its undo takes and the operator does not have, a disk without room for the journal.
// Reads only; does nothing for a run that is not live. `plan` is what the run would do, if that has been
// found out already: making it reads the world.
std::string preflight(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
                      const RunOptions& options, std::optional<Plan> plan);

}  // namespace migc::runtime::inline inspect
