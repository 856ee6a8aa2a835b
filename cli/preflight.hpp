// What every live run looks at before it begins anything.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/frontend.hpp"
#include "runtime/engine/options.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::cli {

// Why a run should not begin, a line for each reason; empty if nothing is known that stands against it: a
// right that a step or its undo takes and the operator does not have, a disk without room for the journal.
// Reads only; does nothing for a run that is not live. `plan` is what the run would do, if that has been
// found out already: making it reads the world.
std::string preflight(const Script& script, runtime::Tools& tools, const runtime::RunOptions& options,
                      std::optional<nlohmann::json> plan);

}  // namespace migc::cli
