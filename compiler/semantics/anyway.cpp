#include "compiler/semantics/anyway.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "compiler/ir/compare.hpp"
#include "compiler/semantics/roles.hpp"

namespace migc::semantics {
namespace {

using ir::Comparison;
using ir::ExprKind;
using ir::TypeKind;

Comparison mirrored(Comparison comparison) {
    switch (comparison) {
        case Comparison::Below:
            return Comparison::Above;
        case Comparison::Above:
            return Comparison::Below;
        case Comparison::AtLeast:
            return Comparison::AtMost;
        case Comparison::AtMost:
            return Comparison::AtLeast;
        default:
            return comparison;
    }
}

// A comparison with a number on one side, as if it stood on the right.
struct Bounded {
    const ir::Expr* asked = nullptr;
    Comparison comparison = Comparison::Is;
    Amount bound;
};

std::optional<Bounded> bounded(const ir::Expr& expression, const Leaf& leaf) {
    if (expression.kind != ExprKind::Compare) return std::nullopt;
    const ir::Expr &left = expression.children.at(0), &right = expression.children.at(1);
    const auto on_left = known_value(left, leaf), on_right = known_value(right, leaf);
    if (on_left.has_value() == on_right.has_value()) return std::nullopt;
    const auto bound = amount_of(on_right ? *on_right : *on_left);
    if (!bound) return std::nullopt;
    return on_right ? Bounded{&left, expression.comparison, *bound}
                    : Bounded{&right, mirrored(expression.comparison), *bound};
}

// Nothing is below 0, or above all.
std::optional<bool> by_range(const Bounded& comparison, const Anyway& known) {
    const double bound = comparison.bound.value;
    const bool is_count = !known.may_be_negative(*comparison.asked);
    const bool is_share = comparison.bound.unit == Unit::Percent;
    switch (comparison.comparison) {
        case Comparison::AtLeast:
        case Comparison::Below:
            if (is_count && bound <= 0) return comparison.comparison == Comparison::AtLeast;
            return std::nullopt;
        case Comparison::Above:
        case Comparison::AtMost:
            if (is_count && bound < 0) return comparison.comparison == Comparison::Above;
            if (is_share && bound >= 100) return comparison.comparison == Comparison::AtMost;
            return std::nullopt;
        case Comparison::Is:
        case Comparison::IsNot:
            if (is_count && bound < 0) return comparison.comparison == Comparison::IsNot;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

// `replicas of w is replicas of w`.
std::optional<bool> by_itself(const ir::Expr& comparison, const ir::Program& program) {
    const ir::Expr &left = comparison.children.at(0), &right = comparison.children.at(1);
    switch (comparison.comparison) {
        case Comparison::Is:
        case Comparison::AtLeast:
        case Comparison::AtMost:
        case Comparison::Contains:
            if (alike(program, left, right)) return true;
            return std::nullopt;
        case Comparison::IsNot:
        case Comparison::Below:
        case Comparison::Above:
            if (alike(program, left, right)) return false;
            return std::nullopt;
        case Comparison::OneOf:
        case Comparison::NotOneOf:
            if (right.kind == ExprKind::List && std::ranges::any_of(right.children, [&](const ir::Expr& one) {
                    return alike(program, left, one);
                }))
                return comparison.comparison == Comparison::OneOf;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

// Texts that have so little in common that what matches all of them matches every one.
std::vector<std::string> every_kind_of_text(bool is_name) {
    std::vector<std::string> texts;
    std::string whole;
    for (char c = ' '; c < 127; ++c) {
        const bool is_part = std::isdigit(static_cast<unsigned char>(c)) != 0 ||
                             std::islower(static_cast<unsigned char>(c)) != 0;
        if (is_name && !is_part) continue;
        texts.emplace_back(1, c);
        whole += c;
    }
    for (int i = 0; i < 4; ++i) whole += whole;
    texts.push_back(whole);
    if (is_name) texts.emplace_back("r.example.com:5000/a-b/c__d.e:V1_2.3-x@sha256:0123456789abcdef");
    if (!is_name) texts.insert(texts.end(), {"", "\n", "\t", "two\nlines"});
    return texts;
}

// `image of w matches ".*"`. An answer of another type may be absent, and then it matches nothing.
std::optional<bool> by_pattern(const ir::Expr& comparison, const ir::Program& program) {
    const ir::Expr& left = comparison.children.at(0);
    const auto* pattern = literal<std::string>(comparison.children.at(1));
    const TypeKind kind = left.type.kind;
    const bool is_number = kind == TypeKind::Int || kind == TypeKind::Percent || kind == TypeKind::Duration ||
                           kind == TypeKind::Quantity || kind == TypeKind::Bool;
    const bool is_image = kind == TypeKind::Image && role_of(program, left) == ir::Role::Field;
    if (comparison.comparison != Comparison::Matches || pattern == nullptr || (!is_number && !is_image))
        return std::nullopt;
    // Nobody writes a thousand letters to say "anything"; to build such an expression costs more than all
    // else.
    constexpr std::size_t longest = 200;
    if (pattern->size() > longest) return std::nullopt;
    const RE2 expression(*pattern, RE2::Quiet);
    if (!expression.ok()) return std::nullopt;
    const auto texts = every_kind_of_text(is_image);
    const bool matches_all = std::ranges::all_of(
        texts, [&](const std::string& text) { return RE2::PartialMatch(text, expression); });
    return matches_all ? std::optional(true) : std::nullopt;
}

bool opposite(Comparison a, Comparison b) {
    constexpr std::array<std::pair<Comparison, Comparison>, 4> pairs = {
        {{Comparison::Is, Comparison::IsNot},
         {Comparison::Below, Comparison::AtLeast},
         {Comparison::Above, Comparison::AtMost},
         {Comparison::OneOf, Comparison::NotOneOf}}};
    return std::ranges::any_of(pairs, [&](const auto& pair) {
        return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
    });
}

// `x is below 5 or x is above 4`.
bool leave_no_gap(const Bounded& a, const Bounded& b) {
    const auto from_above = [](const Bounded& one) {
        return one.comparison == Comparison::Above || one.comparison == Comparison::AtLeast;
    };
    const auto from_below = [](const Bounded& one) {
        return one.comparison == Comparison::Below || one.comparison == Comparison::AtMost;
    };
    if (a.bound.unit != b.bound.unit) return false;
    if (a.comparison == Comparison::IsNot && b.comparison == Comparison::IsNot)
        return a.bound.value != b.bound.value;
    if (from_above(a) && from_below(b)) return leave_no_gap(b, a);
    if (!from_below(a) || !from_above(b)) return false;
    const bool is_held = a.comparison == Comparison::AtMost || b.comparison == Comparison::AtLeast;
    return is_held ? b.bound.value <= a.bound.value : b.bound.value < a.bound.value;
}

// `A or not A`; `x is 1 or x is not 1`.
bool cover_all(const ir::Expr& a, const ir::Expr& b, const Anyway& known) {
    const auto are_alike = [&](const ir::Expr& one, const ir::Expr& other) {
        return alike(known.program, one, other);
    };
    if (a.kind == ExprKind::Not && are_alike(a.children.at(0), b)) return true;
    if (b.kind == ExprKind::Not && are_alike(b.children.at(0), a)) return true;
    if (a.kind != ExprKind::Compare || b.kind != ExprKind::Compare) return false;
    if (opposite(a.comparison, b.comparison) && are_alike(a.children.at(0), b.children.at(0)) &&
        are_alike(a.children.at(1), b.children.at(1)))
        return true;
    const auto one = bounded(a, known.leaf), other = bounded(b, known.leaf);
    return one && other && are_alike(*one->asked, *other->asked) && leave_no_gap(*one, *other);
}

std::optional<bool> compared(const ir::Expr& part, const Anyway& known) {
    if (const auto holds = known_comparison(part, known.leaf)) return holds;
    if (const auto comparison = bounded(part, known.leaf))
        if (const auto holds = by_range(*comparison, known)) return holds;
    if (const auto holds = by_itself(part, known.program)) return holds;
    return by_pattern(part, known.program);
}

}  // namespace

bool alike(const ir::Program& program, const ir::Expr& a, const ir::Expr& b) {
    if (a.kind != b.kind || a.name != b.name || a.declaration != b.declaration ||
        a.comparison != b.comparison || a.operation != b.operation || a.children.size() != b.children.size())
        return false;
    if (a.kind == ExprKind::Literal) return same(a.value, b.value);
    if (role_of(program, a) == ir::Role::Fresh) return false;
    for (std::size_t i = 0; i < a.children.size(); ++i)
        if (!alike(program, a.children[i], b.children[i])) return false;
    return true;
}

std::optional<bool> holds_anyway(const ir::Expr& condition, const Anyway& known) {
    return known_truth(condition, [&](const ir::Expr& part) -> std::optional<bool> {
        if (part.kind == ExprKind::Compare) return compared(part, known);
        if (part.kind == ExprKind::Probe) return known.inside(part);
        const bool covers =
            part.kind == ExprKind::Or && cover_all(part.children.at(0), part.children.at(1), known);
        return covers ? std::optional(true) : std::nullopt;
    });
}

}  // namespace migc::semantics
