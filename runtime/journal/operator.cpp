#include "runtime/journal/operator.hpp"

#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace migc::runtime {

std::string operator_name() {
    const char* caller = ::geteuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
    if (caller != nullptr && *caller != '\0') return caller;
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer{};
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->pw_name : fmt::format("uid {}", ::geteuid());
}

std::string host_name() {
    std::array<char, 256> name{};
    const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0';
    return known ? name.data() : "this machine";
}

std::string operator_here() {
    return fmt::format("{} on {}", operator_name(), host_name());
}

}  // namespace migc::runtime
