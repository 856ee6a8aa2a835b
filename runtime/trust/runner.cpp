#include "runtime/trust/runner.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/support/account.hpp"
#include "runtime/trust/bytes.hpp"
#include "runtime/trust/keys.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;

void add(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

bool has(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

enum class Whose { Own, Others };

// Others' homes need not be open to this account.
void add_keys(Runner& runner, const fs::path& folder, Whose whose) {
    if (folder.empty()) return;
    std::error_code error;
    fs::directory_iterator i(folder, error);
    for (const fs::directory_iterator end; !error && i != end; i.increment(error)) {
        if (!is_key_file(i->path())) continue;
        add(runner.names, i->path().stem().string());
        for (const PublicKey& key : keys_in(i->path())) add(runner.keys, show(key));
    }
    const bool absent = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    if (error && !absent && whose == Whose::Own)
        runner.unknown =
            fmt::format("whose keys are in {} cannot be found out ({}), so nobody can tell who runs it",
                        folder.string(), error.message());
}

}  // namespace

Accounts accounts_here() {
    return {login_user(), ::getuid(), ::geteuid()};
}

Runner runner_of(const Accounts& accounts, const std::vector<fs::path>& further_folders) {
    Runner runner;
    for (const uid_t user : {accounts.who(), accounts.real, accounts.effective}) {
        add(runner.names, user_name(user));
        add(runner.names, std::to_string(user));
        const fs::path home = home_of(user);
        if (!home.is_absolute()) continue;
        const bool own = user == accounts.real || user == accounts.effective;
        add_keys(runner, home / ".config" / "migc" / "keys", own ? Whose::Own : Whose::Others);
    }
    for (const fs::path& folder : further_folders) add_keys(runner, folder, Whose::Own);
    return runner;
}

Runner runner_here() {
    return runner_of(accounts_here(), {keys_folder(), folder_of_operator("keys")});
}

bool is_run_by(const Runner& runner, const std::string& name,
               const std::map<std::string, std::string>& approvers,
               const std::map<std::string, std::vector<std::string>>& users) {
    const auto listed = approvers.find(name);
    const std::string key = listed != approvers.end() ? listed->second : "";
    const auto is_theirs = [&](const std::string& one) {
        const auto accounts = users.find(one);
        return has(runner.names, one) ||
               (accounts != users.end() &&
                std::any_of(accounts->second.begin(), accounts->second.end(),
                            [&](const auto& user) { return has(runner.names, user); }));
    };
    if (is_theirs(name) || has(runner.keys, key)) return true;
    return std::any_of(approvers.begin(), approvers.end(),
                       [&](const auto& other) { return other.second == key && is_theirs(other.first); });
}

}  // namespace migc::trust
