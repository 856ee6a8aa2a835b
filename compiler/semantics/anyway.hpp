// Conditions that hold, or do not, whatever the probes in them answer.
#pragma once

#include <functional>
#include <optional>

#include "compiler/ir/program.hpp"
#include "compiler/semantics/known.hpp"

namespace migc::semantics {

// What whoever asks knows of the parts of a condition.
struct Anyway {
    const ir::Program& program;
    Leaf leaf;      // the value of what is the same whenever it is asked for
    Decide inside;  // of a probe that is a condition itself: whether that holds anyway
    // Whether an answer may be below zero, though its type is that of a count.
    std::function<bool(const ir::Expr&)> may_be_negative;
};

// Nothing where the answers decide it. As far as a probe answers at all: `replicas of w is replicas of w`
// holds, though a cluster that is down gives no answer.
std::optional<bool> holds_anyway(const ir::Expr& condition, const Anyway& known);

// Whether two expressions ask the same, word by word.
bool alike(const ir::Program& program, const ir::Expr& a, const ir::Expr& b);

}  // namespace migc::semantics
