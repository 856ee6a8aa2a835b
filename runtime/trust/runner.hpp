// Whose word does not count, since it is theirs: who runs migc. Found by what the system says of this
// process, never by a variable, which whoever starts it sets. A variable can only add to it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "runtime/tools/runner.hpp"

namespace migc::trust {

using runtime::Runner;

// By which accounts this process runs.
struct Accounts {
    // Who logged in, which neither su nor sudo change; nothing where that is not kept: see login_user.
    std::optional<uid_t> login;
    uid_t real = 0;
    uid_t effective = 0;

    // Whose doing it is: the login's, else the real account's.
    [[nodiscard]] uid_t who() const { return login.value_or(real); }
};

Accounts accounts_here();

// By these accounts and the key folders in their homes, as the user database has them, and by further
// folders. A folder of the account's own that is there and cannot be read leaves it unknown.
Runner runner_of(const Accounts& accounts, const std::vector<std::filesystem::path>& further_folders);
// The same of this process, with the folders that MIGC_KEYS, XDG_CONFIG_HOME and HOME name as well.
Runner runner_here();

// Whether a person of migc.yaml runs it: by name, by an account, by the key, also under another name with
// the same key. `approvers` and `users` are migc.yaml's: the keys, and the accounts that are called
// otherwise.
bool is_run_by(const Runner& runner, const std::string& name,
               const std::map<std::string, std::string>& approvers,
               const std::map<std::string, std::vector<std::string>>& users);

}  // namespace migc::trust
