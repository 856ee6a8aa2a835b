// The standard library, embedded at build time.
#pragma once

#include "compiler/sema/library.hpp"

namespace migc {

const sema::Embedded& standard_library();

// The world that `--world learning` runs in: YAML.
std::string_view learning_world();

}  // namespace migc
