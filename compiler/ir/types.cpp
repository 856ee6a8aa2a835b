#include <array>

#include "compiler/ir/program.hpp"
#include "compiler/support/find.hpp"

namespace migc::ir {

namespace {

// In the order of TypeKind; "" where it takes more than a word.
constexpr std::array<std::string_view, 17> type_names = {
    "any",   "bool", "int", "string",    "percent",     "duration", "quantity", "url", "path",
    "image", "json", "",    "condition", "environment", "secret",   "plan",     ""};
static_assert(static_cast<std::size_t>(TypeKind::Resource) + 1 == type_names.size());

}  // namespace

Value joined(const Type& type, std::string text) {
    if (type.kind == TypeKind::Resource) return ResourceRef{type.resource, std::move(text)};
    return {std::move(text)};
}

std::string show(const Type& type) {
    if (type.kind == TypeKind::List) return "list of " + (type.element ? show(*type.element) : "any");
    if (type.kind == TypeKind::Resource) return type.resource;
    const bool is_path = type.kind == TypeKind::Path;
    const std::string_view before = is_path && type.written                        ? "new "
                                    : is_path && type.secret                       ? "secret "
                                    : type.kind == TypeKind::Plan && type.consumed ? "consumed "
                                                                                   : "";
    return std::string(before).append(type_names.at(static_cast<std::size_t>(type.kind)));
}

bool operator==(const Type& a, const Type& b) {
    if (a.kind != b.kind || a.resource != b.resource) return false;
    if (a.kind != TypeKind::List) return true;
    return a.element && b.element && *a.element == *b.element;
}

bool asks_for_history(const Probe& probe) {
    return probe.role.role == Role::Precedence || probe.role.role == Role::Fall;
}

bool Verb::mutates() const {
    if (composite) return steps_mutate;
    return !(undo.kind == UndoKind::None && effects.empty());
}

const std::string* Migration::property(std::string_view name) const {
    const auto* found = first_of(properties, [&](const auto& p) { return p.first == name; });
    return found == nullptr ? nullptr : &found->second;
}

const Probe* Program::probe(const Expr& expression) const {
    return expression.kind == ExprKind::Probe ? &probes.at(expression.declaration) : nullptr;
}

const Tool* Program::tool(std::string_view name) const {
    return first_of(tools, [&](const Tool& t) { return t.name == name; });
}

const Stage* Program::stage(std::string_view name) const {
    return first_of(stages, [&](const Stage& s) { return s.name == name; });
}

}  // namespace migc::ir
