// Accounts of this machine, and who logged in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace migc {

// Who logged in, which neither su nor sudo change, of the file in which the kernel keeps it for a process.
// Nothing where nobody did, or the system does not keep it.
std::optional<uid_t> login_user(const std::filesystem::path& loginuid = "/proc/self/loginuid");

// "ann"; "uid 1234" for an account without a name.
std::string user_name(uid_t user);

// As the user database has it; empty for an account that is not in it.
std::filesystem::path home_of(uid_t user);

}  // namespace migc
