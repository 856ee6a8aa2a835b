// Bugs on purpose, to see that the tests find them: tests/fault/planted.py. Only in a build with
// -DMIGC_PLANTED_BUGS=ON, where the environment variable MIGC_PLANTED names the one that is there; of any
// other build they are no part.
#pragma once

#include <cstdlib>
#include <string_view>

namespace migc::runtime {

#ifdef MIGC_PLANTED_BUGS
inline bool planted(std::string_view bug) {
    const char* name = std::getenv("MIGC_PLANTED");
    return name != nullptr && bug == name;
}
#else
constexpr bool planted(std::string_view) {
    return false;
}
#endif

}  // namespace migc::runtime
