#include "compiler/support/account.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "compiler/support/read_file.hpp"

namespace migc {
namespace {

constexpr uid_t nobody_logged_in = static_cast<uid_t>(-1);

// What `use` makes of the account's entry; nothing for one that has none.
template <typename Use>
auto of_entry(uid_t user, Use use) -> std::optional<decltype(use(passwd()))> {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer{};
    ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
    return found == nullptr ? std::nullopt : std::optional(use(*found));
}

}  // namespace

std::optional<uid_t> login_user(const std::filesystem::path& loginuid) {
    constexpr std::uintmax_t longest = 32;
    const std::string text = read_file(loginuid, longest).value_or("");
    uid_t user = nobody_logged_in;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), user);
    if (read.ec != std::errc() || user == nobody_logged_in) return std::nullopt;
    return user;
}

std::string user_name(uid_t user) {
    const auto name = of_entry(user, [](const passwd& entry) { return std::string(entry.pw_name); });
    return name.value_or(fmt::format("uid {}", user));
}

std::filesystem::path home_of(uid_t user) {
    const auto home = of_entry(user, [](const passwd& entry) {
        return std::filesystem::path(entry.pw_dir != nullptr ? entry.pw_dir : "");
    });
    return home.value_or(std::filesystem::path());
}

}  // namespace migc
