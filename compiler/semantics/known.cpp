#include "compiler/semantics/known.hpp"

#include "compiler/semantics/compute.hpp"
#include "compiler/semantics/weight.hpp"

namespace migc::semantics {
namespace {

std::optional<Value> joined(const ir::Expr& expression, const Leaf& leaf) {
    std::string text;
    for (const ir::Expr& child : expression.children) {
        const auto part = known_value(child, leaf);
        if (!part) return std::nullopt;
        text += show(*part);
        if (text.size() > heaviest_known) return std::nullopt;
    }
    return ir::joined(expression.type, std::move(text));
}

std::optional<Value> list(const ir::Expr& expression, const Leaf& leaf) {
    List items;
    std::size_t sum = 0;
    for (const ir::Expr& child : expression.children) {
        auto item = known_value(child, leaf);
        if (!item) return std::nullopt;
        sum += weight(*item);
        if (sum > heaviest_known) return std::nullopt;
        items.push_back(std::move(*item));
    }
    return Value(std::move(items));
}

std::optional<Value> calculated(const ir::Expr& expression, const Leaf& leaf) {
    const auto left = known_value(expression.children.at(0), leaf);
    const auto right = left ? known_value(expression.children.at(1), leaf) : std::nullopt;
    if (!right) return std::nullopt;
    Value result = calculate(expression.operation, *left, *right, show).value;
    return result.is_unknown() ? std::nullopt : std::optional(std::move(result));
}

}  // namespace

std::optional<Value> known_value(const ir::Expr& expression, const Leaf& leaf) {
    switch (expression.kind) {
        case ir::ExprKind::Literal:
            return expression.value;
        case ir::ExprKind::Interpolate:
            return joined(expression, leaf);
        case ir::ExprKind::List:
            return list(expression, leaf);
        case ir::ExprKind::Arithmetic:
            return calculated(expression, leaf);
        default:
            return leaf(expression);
    }
}

Value constant(const ir::Expr& expression) {
    if (expression.kind != ir::ExprKind::List) return expression.value;
    List items;
    for (const ir::Expr& child : expression.children) items.push_back(constant(child));
    return items;
}

std::optional<bool> known_comparison(const ir::Expr& expression, const Leaf& leaf) {
    if (expression.kind != ir::ExprKind::Compare) return std::nullopt;
    const auto left = known_value(expression.children.at(0), leaf);
    const auto right = left ? known_value(expression.children.at(1), leaf) : std::nullopt;
    if (!right) return std::nullopt;
    const Computed result = compare(expression.comparison, *left, *right, show);
    const bool* holds = result.value.get_if<bool>();
    return holds != nullptr ? std::optional(*holds) : std::nullopt;
}

std::optional<bool> known_truth(const ir::Expr& condition, const Decide& decide) {
    if (const auto decided = decide(condition)) return decided;
    const auto part = [&](std::size_t at) { return known_truth(condition.children.at(at), decide); };
    switch (condition.kind) {
        case ir::ExprKind::Literal: {
            const bool* value = condition.value.get_if<bool>();
            return value != nullptr ? std::optional(*value) : std::nullopt;
        }
        case ir::ExprKind::Not: {
            const auto holds = part(0);
            return holds ? std::optional(!*holds) : std::nullopt;
        }
        case ir::ExprKind::And:
        case ir::ExprKind::Or: {
            const bool deciding = condition.kind == ir::ExprKind::Or;
            const auto left = part(0), right = part(1);
            if (left == deciding || right == deciding) return deciding;
            return left && right ? std::optional(!deciding) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

}  // namespace migc::semantics
