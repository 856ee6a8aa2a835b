#include "compiler/ir/roles.hpp"

#include <algorithm>
#include <array>

namespace migc::ir {
namespace {

constexpr auto table = std::to_array<RoleInfo>({
#define MIGC_ROLE(name, of, form, explanation) {Role::name, RoleOf::of, form, explanation},
#include "compiler/ir/roles.def"
#undef MIGC_ROLE
});

constexpr std::array names = {
#define MIGC_ROLE(name, of, form, explanation) std::string_view(#name),
#include "compiler/ir/roles.def"
#undef MIGC_ROLE
};

}  // namespace

std::span<const RoleInfo> roles() {
    return table;
}

std::string_view name_of(Role role) {
    return role == Role::None ? std::string_view() : names.at(static_cast<std::size_t>(role) - 1);
}

}  // namespace migc::ir
