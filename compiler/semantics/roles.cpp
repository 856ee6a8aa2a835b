#include "compiler/semantics/roles.hpp"

#include <algorithm>

#include "compiler/semantics/calls.hpp"

namespace migc::semantics {

ir::Role role_of(const ir::Program& program, const ir::Expr& expression) {
    const ir::Probe* probe = program.probe(expression);
    return probe == nullptr ? ir::Role::None : probe->role.role;
}

bool has_effect_on(const ir::Program& program, const ir::Verb& verb, ir::Role role) {
    return std::ranges::any_of(
        verb.effects, [&](const ir::Effect& effect) { return role_of(program, effect.probe) == role; });
}

const ir::Expr* role_argument(const ir::RoleUse& use, const std::vector<ir::Parameter>& parameters,
                              const std::vector<ir::Expr>& given, std::size_t number) {
    if (number >= use.arguments.size()) return nullptr;
    const ir::Expr& argument = use.arguments[number];
    if (argument.kind == ir::ExprKind::Literal) return &argument;
    if (argument.kind != ir::ExprKind::Local) return nullptr;
    for (std::size_t i = 0; i < parameters.size() && i < given.size(); ++i)
        if (parameters[i].name == argument.name) return &argument_for(parameters[i], given[i]);
    return nullptr;
}

const ir::Expr* role_argument(const ir::Program& program, const ir::Expr& probe, std::size_t number) {
    const ir::Probe* declared = program.probe(probe);
    return declared == nullptr ? nullptr
                               : role_argument(declared->role, declared->parameters, probe.children, number);
}

bool names_by_handle(ir::Role role) {
    return role == ir::Role::Object || role == ir::Role::Restored || role == ir::Role::About;
}

const ir::Expr* thing_argument(const ir::Program& program, const ir::Expr& probe) {
    const ir::Role role = role_of(program, probe);
    if (names_by_handle(role)) return role_argument(program, probe, 0);
    return role == ir::Role::Field ? role_argument(program, probe, 1) : nullptr;
}

}  // namespace migc::semantics
