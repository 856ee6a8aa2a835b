#include "compiler/semantics/calls.hpp"

#include <algorithm>

namespace migc::semantics {

const ir::Expr& argument_for(const ir::Parameter& parameter, const ir::Expr& given) {
    const bool says_absent = given.kind == ir::ExprKind::Literal && given.value.is_absent();
    return says_absent && parameter.default_value ? *parameter.default_value : given;
}

bool is_left_out(const ir::Parameter& parameter, const Value& value) {
    return value.is_absent() && parameter.default_value.has_value();
}

const ir::Undo& way_back(const ir::Step& call, const ir::Verb& verb) {
    return call.undo ? *call.undo : verb.undo;
}

bool runs_in_place(const ir::Verb& verb) {
    return std::ranges::any_of(
        verb.effects, [](const ir::Effect& effect) { return effect.becomes != ir::Becomes::Different; });
}

}  // namespace migc::semantics
