// What holds where migc.yaml says nothing.
#pragma once

#include <vector>

#include "compiler/project/inventory.hpp"

namespace migc::project {

// development, staging, production.
std::vector<Scalar> default_order();

// Those three, without bindings.
std::vector<Environment> default_environments();

// An environment of this name without bindings. One called production is protected unless it says otherwise.
Environment unbound(const Scalar& name);

}  // namespace migc::project
