#include "compiler/ir/roles.hpp"

#include <array>

namespace migc::ir {
namespace {

constexpr auto table = std::to_array<RoleInfo>({
#define MIGC_ROLE(name, of, form, explanation) {Role::name, #name, RoleOf::of, form, explanation},
#include "compiler/ir/roles.def"
#undef MIGC_ROLE
});

}  // namespace

std::span<const RoleInfo> roles() {
    return table;
}

}  // namespace migc::ir
