// Who sits at the keyboard, and at which machine: what locks, decisions and approvals are signed with in the
// journal. Told by the system; proves nothing.
#pragma once

#include <string>

namespace migc::runtime::inline journal {

// Whose doing it is (see trust/runner.hpp): neither su nor sudo change who logged in, where the system keeps
// that. "uid 1234" for a user without a name.
std::string operator_name();

// The machine's name, never empty.
std::string host_name();

// Both: "ann on web1".
std::string operator_here();

}  // namespace migc::runtime::inline journal
