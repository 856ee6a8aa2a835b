// What a name means at some place.
#pragma once

#include "compiler/ir/program.hpp"
#include "compiler/semantics/scope.hpp"
#include "compiler/source/source.hpp"

namespace migc::sema {

struct Meaning {
    ir::ExprKind kind = ir::ExprKind::Local;  // Local, Param or Setting
    ir::Type type;
    Span declared;
    bool used_up = false;  // a plan that a step has applied
    Span used_up_at;
    bool lent = false;  // a plan that a verb is given without using it up
};

using Scope = semantics::Scope<Meaning>;

}  // namespace migc::sema
