// What a declaration means, asked of its role: no words of a phrase, name of a native or of a parameter tells
// it.
#pragma once

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// The role of the probe that an expression asks; None where it asks none.
ir::Role role_of(const ir::Program& program, const ir::Expr& expression);

// Whether a verb has an effect on a probe with a role.
bool has_effect_on(const ir::Program& program, const ir::Verb& verb, ir::Role role);

// Whether the first argument of such a role is the handle of an object.
bool names_by_handle(ir::Role role);

// What a call gives for the `number`th argument of the role of the declaration that it uses, as an expression
// where the call stands. Null if there is no such argument, or if it is worked out of several.
const ir::Expr* role_argument(const ir::RoleUse& use, const std::vector<ir::Parameter>& parameters,
                              const std::vector<ir::Expr>& given, std::size_t number);
const ir::Expr* role_argument(const ir::Program& program, const ir::Expr& probe, std::size_t number);
// Of those, which thing of the cluster a probe asks about; null where its role does not say.
const ir::Expr* thing_argument(const ir::Program& program, const ir::Expr& probe);

}  // namespace migc::semantics
