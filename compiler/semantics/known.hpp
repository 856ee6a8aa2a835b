// What is known of an expression without running anything: the one place that works expressions out for those
// who only read a script. What a name, a setting or a probe stands for says whoever asks.
#pragma once

#include <functional>
#include <optional>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// What a literal says, if it is of that type; null for every other expression.
template <typename T>
const T* literal(const ir::Expr& expression) {
    return expression.kind == ir::ExprKind::Literal ? expression.value.get_if<T>() : nullptr;
}

// The value of what is no constant where it stands; nothing if it is not known.
using Leaf = std::function<std::optional<Value>(const ir::Expr&)>;

// Texts and lists are put together, and numbers calculated, of what is known: with a part that is not,
// nothing is, and likewise beyond `heaviest_known` and where there is no result. For every other expression
// that is no literal, `leaf` answers.
std::optional<Value> known_value(const ir::Expr& expression, const Leaf& leaf);

// What the default of a script's parameter is: a literal, or a list of them.
Value constant(const ir::Expr& expression);

// Whether a comparison holds, where both sides are known; nothing for every other expression, and where the
// two cannot be compared.
std::optional<bool> known_comparison(const ir::Expr& expression, const Leaf& leaf);

// Whether a condition holds, where `decide` knows it of it or of enough of its parts: it is asked for each,
// the whole first, and what it does not know is looked into. One side of an `and` or `or` may be enough.
using Decide = std::function<std::optional<bool>(const ir::Expr&)>;
std::optional<bool> known_truth(const ir::Expr& condition, const Decide& decide);

}  // namespace migc::semantics
