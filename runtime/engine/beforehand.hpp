// What can be known of all stages before the first step of the first one: that a gate can never open, that a
// file, a tool or a cluster is not there. Found by a later stage, it would stop the run half way.
#pragma once

#include <optional>

#include "runtime/engine/history.hpp"

namespace migc::runtime::inline engine {

// Why nothing should be begun, of the stages that have not passed; nothing if nothing is known. Asks kubectl,
// for its contexts, only where a cluster could not be identified; of the world nothing.
std::optional<Problem> known_beforehand(RunContext& run, const StageRuns& stages);

}  // namespace migc::runtime::inline engine
