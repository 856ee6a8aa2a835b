// Lowering of expressions: literals with their units, names, comparisons, arithmetic.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/sema/lowering.hpp"

namespace migc::sema {

using ir::ExprKind;
using ir::Type;
using ir::TypeKind;

namespace {

std::string_view unit_of(std::string_view number) {
    const auto digit = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    return number.substr(static_cast<std::size_t>(std::ranges::find_if_not(number, digit) - number.begin()));
}

// The type that a number has where no type is expected.
TypeKind kind_of_number(std::string_view text) {
    constexpr std::array quantity_units = {"Ki", "Mi", "Gi", "Ti", "Pi", "K", "k", "M", "G", "T", "P"};
    const std::string_view unit = unit_of(text);
    if (unit.empty()) return text.find('.') == std::string_view::npos ? TypeKind::Int : TypeKind::Quantity;
    if (unit == "%") return TypeKind::Percent;
    if (std::ranges::find(quantity_units, unit) != quantity_units.end()) return TypeKind::Quantity;
    return TypeKind::Duration;
}

bool is_number_type(TypeKind kind) {
    return kind == TypeKind::Int || kind == TypeKind::Percent || kind == TypeKind::Duration ||
           kind == TypeKind::Quantity;
}

std::string example_of(TypeKind kind) {
    switch (kind) {
        case TypeKind::Int:
            return "a whole number without a unit, for example 4";
        case TypeKind::Percent:
            return "a percentage, for example 10%";
        case TypeKind::Duration:
            return "a duration, for example 90s, 5m or 24h";
        default:
            return "a quantity, for example 500m, 2 or 20Gi";
    }
}

// Comparisons and operations have the same order in the tree and in the IR.
template <typename Kind>
constexpr Kind since(syntax::BinaryOp first, syntax::BinaryOp op) {
    return static_cast<Kind>(static_cast<int>(op) - static_cast<int>(first));
}
static_assert(since<ir::Comparison>(syntax::BinaryOp::Is, syntax::BinaryOp::NotOneOf) ==
              ir::Comparison::NotOneOf);
static_assert(since<ir::Operation>(syntax::BinaryOp::Add, syntax::BinaryOp::Divide) == ir::Operation::Divide);

ir::Expr negated(ir::Expr condition, Span span) {
    return make(ExprKind::Not, simple(TypeKind::Bool), span, std::move(condition));
}

bool is_ordered(TypeKind kind) {
    return is_number_type(kind) || kind == TypeKind::Any || kind == TypeKind::Json;
}

}  // namespace

ir::Expr literal(Value value, Type type, Span span) {
    ir::Expr result = make(ExprKind::Literal, std::move(type), span);
    result.value = std::move(value);
    return result;
}

void Lowering::mismatch(const ir::Expr& found, const Type& expected) {
    auto& d = diagnostics_.report(
        Code::TypeMismatch, found.span,
        fmt::format("expected {}, but this is {}", ir::show(expected), ir::show(found.type)));
    d.at_secret = expected.kind == TypeKind::Secret && found.kind == ExprKind::Literal;
}

ir::Expr Lowering::expr(const syntax::Expr& e, const Type& expected, Scope& scope) {
    ir::Expr result = untyped(e, expected, scope);
    if (!fits(result.type, expected)) {
        mismatch(result, expected);
        return bad(e.span);
    }
    // A single value where a list is expected is a list of one.
    if (expected.kind == TypeKind::List && result.type.kind != TypeKind::List &&
        result.type.kind != TypeKind::Any && result.type.kind != TypeKind::Json)
        return make(ExprKind::List, expected, e.span, std::move(result));
    return result;
}

ir::Expr Lowering::untyped(const syntax::Expr& e, const Type& expected, Scope& scope) {
    const Type& single =
        expected.kind == TypeKind::List && e.kind != syntax::ExprKind::List ? *expected.element : expected;
    switch (e.kind) {
        case syntax::ExprKind::String:
            return string(e, single, scope);
        case syntax::ExprKind::Number:
            return number(e, single);
        case syntax::ExprKind::List:
            return list(e, expected, scope);
        case syntax::ExprKind::Word:
            return name(e, expected, scope);
        case syntax::ExprKind::Phrase:
            return e.is_name() ? name(e.children.front(), expected, scope) : probe_call(e, scope);
        case syntax::ExprKind::Binary:
            return binary(e, scope);
        case syntax::ExprKind::Not:
            return negated(condition(e.children[0], scope), e.span);
        case syntax::ExprKind::IsAbsent: {
            ir::Expr test = make(ExprKind::IsAbsent, simple(TypeKind::Bool), e.span,
                                 expr(e.children[0], simple(TypeKind::Any), scope));
            return e.negated ? negated(std::move(test), e.span) : test;
        }
    }
    return bad(e.span);
}

ir::Expr Lowering::condition(const syntax::Expr& e, Scope& scope) {
    return expr(e, simple(TypeKind::Bool), scope);
}

// ------------------------------------------------------------------ literals

ir::Expr Lowering::string(const syntax::Expr& e, const Type& expected, Scope& scope) {
    const Type type = expected.kind == TypeKind::Resource ? expected
                      : is_textual(expected.kind)         ? simple(expected.kind)
                                                          : simple(TypeKind::String);
    ir::Expr result = make(ExprKind::Interpolate, type, e.span);
    std::string plain;
    const auto flush = [&] {
        if (!plain.empty()) result.children.push_back(literal(plain, simple(TypeKind::String), e.span));
        plain.clear();
    };
    for (std::size_t i = 0; i < e.text.size(); ++i) {
        if (e.text[i] == '\\' && i + 1 < e.text.size() && e.text[i + 1] == '$') {
            plain += e.text[++i];
            continue;
        }
        const std::size_t end = e.text.compare(i, 2, "${") == 0 ? e.text.find('}', i) : std::string::npos;
        if (end == std::string::npos) {
            plain += e.text[i];
            continue;
        }
        flush();
        result.children.push_back(interpolated(e.text.substr(i + 2, end - i - 2), e.span, scope));
        i = end;
    }
    if (result.children.empty()) return literal(ir::joined(type, std::move(plain)), type, e.span);
    flush();
    used_in_string(e.span, scope);
    return result;
}

// The name inside `${..}`; its place is that of the string, whose escapes make byte places inside uncertain.
ir::Expr Lowering::interpolated(const std::string& name, Span span, Scope& scope) {
    syntax::Expr word;
    word.text = name;
    word.span = span;
    ir::Expr result = this->name(word, simple(TypeKind::Any), scope);
    if (result.type.kind == TypeKind::Secret)
        diagnostics_.report(
            Code::TypeMismatch, span,
            fmt::format("`{}` is a secret and cannot become part of a string", name),
            "strings end up in arguments, messages and the journal, where others can read them");
    return result;
}

ir::Expr Lowering::number(const syntax::Expr& e, const Type& expected) {
    const bool known = is_number_type(expected.kind);
    const TypeKind kind = known ? expected.kind : kind_of_number(e.text);
    const std::string_view unit = unit_of(e.text);
    const auto refuse = [&](Code code, std::string message) {
        diagnostics_.report(code, e.span, std::move(message));
        return bad(e.span);
    };
    const auto wrong_unit = [&] {
        return refuse(Code::BadUnit,
                      fmt::format("`{}` does not fit here: expected {}", e.text,
                                  known ? example_of(kind)
                                        : "a number with a known unit, for example 4, 5m, 10% or 20Gi"));
    };
    if (kind == TypeKind::Int) {
        if (!unit.empty() || e.text.find('.') != std::string::npos) return wrong_unit();
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(e.text.data(), e.text.data() + e.text.size(), value);
        if (error != std::errc{})
            return refuse(Code::OutOfRange,
                          fmt::format("`{}` is too large: a number has at most 64 bits", e.text));
        return literal(value, simple(kind), e.span);
    }
    if (kind == TypeKind::Percent) {
        if (unit != "%") return wrong_unit();
        return literal(Percent{std::strtod(e.text.c_str(), nullptr)}, simple(kind), e.span);
    }
    if (kind == TypeKind::Duration) {
        const auto value = parse_duration(e.text);
        return value ? literal(*value, simple(kind), e.span) : wrong_unit();
    }
    const auto value = parse_quantity(e.text);
    return value ? literal(*value, simple(kind), e.span) : wrong_unit();
}

ir::Expr Lowering::list(const syntax::Expr& e, const Type& expected, Scope& scope) {
    const Type element = expected.kind == TypeKind::List ? *expected.element : simple(TypeKind::Any);
    ir::Expr result = make(ExprKind::List, list_of(element), e.span);
    for (const auto& child : e.children) result.children.push_back(expr(child, element, scope));
    // Without an expectation the elements say what the list holds.
    if (element.kind == TypeKind::Any && !result.children.empty()) {
        const Type first = result.children.front().type;
        const bool alike =
            std::ranges::all_of(result.children, [&](const ir::Expr& c) { return c.type == first; });
        if (alike) result.type = list_of(first);
    }
    return result;
}

// ------------------------------------------------------------------ names

ir::Expr Lowering::name(const syntax::Expr& word, const Type& expected, Scope& scope) {
    if (Meaning* meaning = scope.find(word.text)) {
        ir::Expr result = make(meaning->kind, meaning->type, word.span);
        result.name = word.text;
        if (sources_.text(word.span) == word.text) used(word.span, meaning->declared);
        if (meaning->used_up) {
            auto& d =
                diagnostics_.report(Code::UsedUp, word.span, fmt::format("`{}` has been used up", word.text));
            d.label(meaning->used_up_at, "applied here");
            d.note("what was reviewed is applied once; make another plan for another change");
        }
        return result;
    }
    if (word.text == "true" || word.text == "false")
        return literal(word.text == "true", simple(TypeKind::Bool), word.span);
    // Only here may a word name something that the script does not declare.
    const Type& single = expected.kind == TypeKind::List ? *expected.element : expected;
    if (single.kind == TypeKind::Resource)
        return literal(ResourceRef{single.resource, word.text}, single, word.span);
    if (single.kind == TypeKind::Environment && is_place(word.text))
        return literal(word.text, single, word.span);
    return unknown_name(word, single, scope);
}

// A gate asks whether a stage has passed; most stages have the name of their environment.
bool Lowering::is_place(const std::string& word) const {
    return inventory_.environment(word) || (in_gate_ && stage_names_.contains(word));
}

bool Lowering::is_in_script(const Scope& scope) const {
    const Scope* at = &scope;
    while (at != nullptr && at != script_scope_) at = at->outer();
    return at != nullptr;
}

namespace {

// Where `replicas-1` was meant as a difference: at its `-`, before which a known name stands.
std::size_t difference_in(const std::string& word, const std::vector<std::string>& names) {
    for (std::size_t at = word.find('-'); at != std::string::npos; at = word.find('-', at + 1))
        if (at + 1 < word.size() && std::find(names.begin(), names.end(), word.substr(0, at)) != names.end())
            return at;
    return std::string::npos;
}

}  // namespace

ir::Expr Lowering::unknown_name(const syntax::Expr& word, const Type& expected, Scope& scope) {
    if (expected.kind == TypeKind::Environment) {
        unknown_environment(word.text, word.span);
        return bad(word.span);
    }
    std::vector<std::string> names;
    scope.each([&](const std::string& n, const Meaning&) { names.push_back(n); });
    auto& d =
        diagnostics_.report(Code::UnknownName, word.span, fmt::format("`{}` is not known here", word.text));
    if (const auto elsewhere = named_in_script_.find(word.text); elsewhere != named_in_script_.end()) {
        d.label(elsewhere->second, "declared here");
        d.note(
            is_in_script(scope)
                ? "a name is known in its own block only; what others need too stands before the stages"
                : "a declaration sees nothing of the script that uses it: hand the value over, in a slot of the verb's or probe's phrase");
    } else if (word.text == "null") {
        d.note(
            "Mig has no null: `remove value of .. at ..` takes a value away, and what is not there is `absent`");
    } else if (const std::size_t minus = difference_in(word.text, names); minus != std::string::npos) {
        const std::string apart =
            fmt::format("({} - {})", word.text.substr(0, minus), word.text.substr(minus + 1));
        d.note(fmt::format("a `-` within a name is part of it: `{}` calculates", apart));
        d.fixes.push_back(write_instead(word.span, apart));
    } else if (const auto near = suggest(d, word.text, names)) {
        d.fixes.push_back(write_instead(word.span, *near));
    } else if (!in_list_of_.empty()) {
        d.note(fmt::format("if these are workloads: `for {}: workload in [..]`; else write texts in quotes",
                           in_list_of_));
    } else if (is_textual(expected.kind)) {
        d.note(fmt::format("write the {} in quotes: \"{}\"", ir::show(expected), word.text));
    } else {
        d.note(fmt::format("declare it before: `param {}: {} = ..;` or `let {} = ..;`", word.text,
                           expected.kind == TypeKind::Any ? "string" : ir::show(expected), word.text));
    }
    return bad(word.span);
}

// ------------------------------------------------------------------ operators

ir::Expr Lowering::binary(const syntax::Expr& e, Scope& scope) {
    using syntax::BinaryOp;
    if (e.op == BinaryOp::Or || e.op == BinaryOp::And) {
        ir::Expr left = condition(e.children[0], scope), right = condition(e.children[1], scope);
        return make(e.op == BinaryOp::Or ? ExprKind::Or : ExprKind::And, simple(TypeKind::Bool), e.span,
                    std::move(left), std::move(right));
    }
    return e.op >= BinaryOp::Add ? arithmetic(e, scope) : comparison(e, scope);
}

ir::Expr Lowering::comparison(const syntax::Expr& e, Scope& scope) {
    ir::Expr result = make(ExprKind::Compare, simple(TypeKind::Bool), e.span);
    result.comparison = since<ir::Comparison>(syntax::BinaryOp::Is, e.op);
    ir::Expr left = expr(e.children[0], simple(TypeKind::Any), scope);
    Type expected = left.type;
    switch (result.comparison) {
        case ir::Comparison::Below:
        case ir::Comparison::Above:
        case ir::Comparison::AtLeast:
        case ir::Comparison::AtMost:
            if (!is_ordered(left.type.kind))
                diagnostics_.report(Code::TypeMismatch, left.span,
                                    fmt::format("{} has no order, so it cannot be above or below something",
                                                ir::show(left.type)));
            break;
        case ir::Comparison::Matches:
            expected = simple(TypeKind::String);
            break;
        case ir::Comparison::Contains:
            expected = left.type.kind == TypeKind::List ? *left.type.element : simple(TypeKind::String);
            break;
        case ir::Comparison::OneOf:
        case ir::Comparison::NotOneOf:
            expected = list_of(left.type);
            break;
        default:
            break;
    }
    result.children.push_back(std::move(left));
    result.children.push_back(expr(e.children[1], expected, scope));
    return result;
}

ir::Expr Lowering::arithmetic(const syntax::Expr& e, Scope& scope) {
    using syntax::BinaryOp;
    ir::Expr left = expr(e.children[0], simple(TypeKind::Any), scope);
    const bool scales = e.op == BinaryOp::Multiply || e.op == BinaryOp::Divide;
    // A duration or a quantity is multiplied with a number, and added to its own kind.
    ir::Expr right = expr(e.children[1], scales ? simple(TypeKind::Any) : left.type, scope);
    ir::Expr result = make(ExprKind::Arithmetic, left.type, e.span);
    if (scales && left.type.kind == TypeKind::Int)
        result.type = e.op == BinaryOp::Multiply ? right.type : left.type;
    for (const ir::Expr* side : {&left, &right})
        if (!is_ordered(side->type.kind))
            diagnostics_.report(Code::TypeMismatch, side->span,
                                fmt::format("cannot calculate with {}", ir::show(side->type)));
    result.operation = since<ir::Operation>(BinaryOp::Add, e.op);
    result.children.push_back(std::move(left));
    result.children.push_back(std::move(right));
    return result;
}

ir::Expr Lowering::probe_call(const syntax::Expr& phrase, Scope& scope) {
    const Bound bound = bind(phrase, DeclarationKind::Probe, scope);
    if (!bound.declaration) return bad(phrase.span);
    const std::uint32_t index = probe(*bound.declaration);
    used(phrase.span, bound.declaration->span());
    if (ir::asks_for_history(program_.probes[index]) && !in_invariant_)
        diagnostics_.report(
            Code::Misplaced, phrase.span,
            "what came before what can only be asked by `always` or `never`, outside of the stages",
            "a run sees what is there now; `migc prove` goes through all that can come before it");
    // Copied, since lowering the arguments may add probes and move the vector.
    const std::vector<ir::Parameter> parameters = program_.probes[index].parameters;
    ir::Expr result = make(ExprKind::Probe, program_.probes[index].type, phrase.span);
    result.declaration = index;
    result.children = arguments(bound, parameters, phrase.span, scope);
    return result;
}

}  // namespace migc::sema
