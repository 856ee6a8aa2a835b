// The typed IR as a transition system.
#pragma once

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/prove/facts.hpp"
#include "compiler/prove/system.hpp"

namespace migc::prove {

// What the engine does with this script, whatever the tools answer: forward, in the failure blocks, in every
// undo. The program has passed the checks of the language.
// With an invariant, the runs in which it breaks end there. With others, somebody else may write to what the
// script changes, wherever that makes a difference; an end at which such a write is overwritten is a
// violation.
System lower(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
             const ir::Invariant* invariant = nullptr, bool others = false);

}  // namespace migc::prove
