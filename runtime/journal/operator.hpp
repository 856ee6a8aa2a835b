// Who sits at the keyboard, and at which machine: what locks, decisions and approvals are signed with in the
// journal. Told by the system; proves nothing.
#pragma once

#include <string>

namespace migc::runtime {

// The login name; with sudo the one who called it. "uid 1234" for a user without a name.
std::string operator_name();

// The machine's name, never empty.
std::string host_name();

// Both: "ann on web1".
std::string operator_here();

}  // namespace migc::runtime
