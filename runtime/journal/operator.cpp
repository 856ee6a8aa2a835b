#include "runtime/journal/operator.hpp"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/support/account.hpp"
#include "runtime/trust/runner.hpp"

namespace migc::runtime::inline journal {

std::string operator_name() {
    return user_name(trust::accounts_here().who());
}

std::string host_name() {
    std::array<char, 256> name{};
    const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0';
    return known ? name.data() : "this machine";
}

std::string operator_here() {
    return fmt::format("{} on {}", operator_name(), host_name());
}

}  // namespace migc::runtime::inline journal
