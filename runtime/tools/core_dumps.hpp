#pragma once

namespace migc::runtime {

// From now on nothing of this process's memory comes into a core dump, nor does any other process of the user
// read it; what it starts leaves no core dump either.
void forbid_core_dumps();

}  // namespace migc::runtime
