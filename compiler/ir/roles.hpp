// The table of roles, for whoever binds or lists them.
#pragma once

#include <span>
#include <string_view>

#include "compiler/ir/program.hpp"

namespace migc::ir {

enum class RoleOf : std::uint8_t { Probe, Verb, Either };

struct RoleInfo {
    Role role;
    std::string_view name;
    RoleOf of;
    std::string_view form;  // "field _ of _": `_` stands for an argument
    std::string_view explanation;
};

// In the order of roles.def, which is that of Role behind None.
std::span<const RoleInfo> roles();

}  // namespace migc::ir
