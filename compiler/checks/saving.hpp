// Whether a backup saves what a later step destroys.
#pragma once

#include "compiler/checks/checks.hpp"

namespace migc::checks {

// Whether an event is a backup of what a change destroys, as far as is known: one of a workload saves none of
// the claims of which the manifests know that only others mount them.
bool may_save(const CheckContext& picture, const Event& backup, const Event& change);

}  // namespace migc::checks
