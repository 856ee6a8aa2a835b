// What tells one thing from another of the same name.
#pragma once

namespace migc::runtime::inline tools {

// In place of an identity: what a value was read from is not there. Only where the value alone does not tell,
// as that of a field that may be absent from an object that is there.
constexpr const char* gone = "gone";

}  // namespace migc::runtime::inline tools
