#include "runtime/tools/core_dumps.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace migc::runtime {

void forbid_core_dumps() {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // Of this process that is all. A program that it starts is dumpable again, but keeps the limit; and where
    // dumps are handed to a program (systemd-coredump), a limit of 1 keeps them from it, 0 does not: core(5).
    const rlimit none = {1, 1};
    ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace migc::runtime
