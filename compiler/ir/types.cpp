#include <algorithm>

#include "compiler/ir/program.hpp"

namespace migc::ir {

Value joined(const Type& type, std::string text) {
    if (type.kind == TypeKind::Resource) return ResourceRef{type.resource, std::move(text)};
    return {std::move(text)};
}

std::string show(const Type& type) {
    switch (type.kind) {
        case TypeKind::Any:
            return "any";
        case TypeKind::Bool:
            return "bool";
        case TypeKind::Int:
            return "int";
        case TypeKind::String:
            return "string";
        case TypeKind::Percent:
            return "percent";
        case TypeKind::Duration:
            return "duration";
        case TypeKind::Quantity:
            return "quantity";
        case TypeKind::Url:
            return "url";
        case TypeKind::Path:
            return type.written ? "new path" : type.secret ? "secret path" : "path";
        case TypeKind::Image:
            return "image";
        case TypeKind::Json:
            return "json";
        case TypeKind::List:
            return "list of " + (type.element ? show(*type.element) : "any");
        case TypeKind::Condition:
            return "condition";
        case TypeKind::Environment:
            return "environment";
        case TypeKind::Secret:
            return "secret";
        case TypeKind::Plan:
            return type.consumed ? "consumed plan" : "plan";
        case TypeKind::Resource:
            return type.resource;
    }
    return "any";
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
    const auto found =
        std::find_if(properties.begin(), properties.end(), [&](const auto& p) { return p.first == name; });
    return found == properties.end() ? nullptr : &found->second;
}

const Probe* Program::probe(const Expr& expression) const {
    return expression.kind == ExprKind::Probe ? &probes.at(expression.declaration) : nullptr;
}

const Tool* Program::tool(std::string_view name) const {
    const auto found =
        std::find_if(tools.begin(), tools.end(), [&](const Tool& t) { return t.name == name; });
    return found == tools.end() ? nullptr : &*found;
}

const Stage* Program::stage(std::string_view name) const {
    const auto found =
        std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == name; });
    return found == stages.end() ? nullptr : &*found;
}

}  // namespace migc::ir
