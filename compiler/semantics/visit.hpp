// Every step and every expression of a part of a program, in the order in which they stand.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

using VisitStep = std::function<void(const ir::Step&)>;
using VisitExpression = std::function<void(const ir::Expr&)>;

// Each step, and those within it; not those of an undo.
void each_step(const std::vector<ir::Step>& steps, const VisitStep& visit);

// Each call, and those within other steps; those of an undo, too.
void each_call(const std::vector<ir::Step>& steps, const VisitStep& visit);

// Each expression, and those within it, before the next; those of an undo, too. Of a declaration the
// arguments of its role are left out: they tell what it means, and nobody works them out to run it.
void each_expression(const ir::Expr& expression, const VisitExpression& visit);
void each_expression(const std::optional<ir::Expr>& expression, const VisitExpression& visit);
void each_expression(const std::vector<ir::Expr>& expressions, const VisitExpression& visit);
void each_expression(const std::optional<ir::Command>& command, const VisitExpression& visit);
void each_expression(const ir::Undo& undo, const VisitExpression& visit);
void each_expression(const std::vector<ir::Step>& steps, const VisitExpression& visit);
void each_expression(const ir::Verb& verb, const VisitExpression& visit);
void each_expression(const ir::Probe& probe, const VisitExpression& visit);
void each_expression(const ir::Tool& tool, const VisitExpression& visit);
// Those that stand in the script itself, not those of declarations.
void each_expression(const ir::Program& program, const VisitExpression& visit);

// Whether an expression, or one within it, is such a one.
bool any_expression(const ir::Expr& expression, const std::function<bool(const ir::Expr&)>& is_it);

// Whether it asks a probe, or anything in it does.
bool asks_probe(const ir::Expr& expression);

// The declarations that a stage uses, also by others that it uses. Each once.
struct Reached {
    std::vector<const ir::Verb*> verbs;
    std::vector<const ir::Probe*> probes;
};
Reached reached_by(const ir::Program& program, const ir::Stage& stage);

}  // namespace migc::semantics
