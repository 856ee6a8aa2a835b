// What every live run looks at before it begins anything.
#pragma once

#include <string>

#include "cli/frontend.hpp"
#include "runtime/engine/options.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::cli {

// Why a run should not begin, a line for each reason; empty if nothing is known that stands against it: a
// right that a step or its undo takes and the operator does not have, a disk without room for the journal.
// Reads only; does nothing for a run that is not live.
std::string preflight(const Script& script, runtime::Tools& tools, const runtime::RunOptions& options);

}  // namespace migc::cli
