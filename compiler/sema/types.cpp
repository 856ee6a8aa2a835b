#include "compiler/sema/types.hpp"

#include <array>
#include <utility>

namespace migc::sema {

using ir::Type;
using ir::TypeKind;

namespace {

constexpr std::array<std::pair<std::string_view, TypeKind>, 14> named_types = {{
    {"bool", TypeKind::Bool},
    {"int", TypeKind::Int},
    {"string", TypeKind::String},
    {"percent", TypeKind::Percent},
    {"duration", TypeKind::Duration},
    {"quantity", TypeKind::Quantity},
    {"url", TypeKind::Url},
    {"path", TypeKind::Path},
    {"image", TypeKind::Image},
    {"json", TypeKind::Json},
    {"condition", TypeKind::Condition},
    {"environment", TypeKind::Environment},
    {"secret", TypeKind::Secret},
    {"plan", TypeKind::Plan},
}};

}  // namespace

Type simple(TypeKind kind) {
    Type type;
    type.kind = kind;
    return type;
}

Type list_of(Type element) {
    Type type;
    type.kind = TypeKind::List;
    type.element = std::make_shared<const Type>(std::move(element));
    return type;
}

std::optional<Type> parse_type(std::string_view text,
                               const std::function<bool(std::string_view)>& is_resource) {
    constexpr std::string_view list = "list of ", consumed = "consumed ", written = "new ",
                               secret = "secret ";
    if (text.starts_with(list)) {
        auto element = parse_type(text.substr(list.size()), is_resource);
        return element ? std::optional(list_of(std::move(*element))) : std::nullopt;
    }
    if (text.starts_with(consumed)) {
        auto type = parse_type(text.substr(consumed.size()), is_resource);
        if (type) type->consumed = true;
        return type;
    }
    if (text.starts_with(written)) {
        auto type = parse_type(text.substr(written.size()), is_resource);
        if (!type || type->kind != TypeKind::Path) return {};
        type->written = true;
        return type;
    }
    if (text.starts_with(secret)) {
        auto type = parse_type(text.substr(secret.size()), is_resource);
        if (!type || type->kind != TypeKind::Path) return {};
        type->secret = true;
        return type;
    }
    for (const auto& [name, kind] : named_types)
        if (name == text) return simple(kind);
    if (!is_resource(text)) return {};
    Type type = simple(TypeKind::Resource);
    type.resource = text;
    return type;
}

bool is_textual(TypeKind kind) {
    return kind == TypeKind::String || kind == TypeKind::Url || kind == TypeKind::Path ||
           kind == TypeKind::Image || kind == TypeKind::Environment;
}

bool fits(const Type& from, const Type& to) {
    if (from.kind == TypeKind::Any || to.kind == TypeKind::Any) return true;
    // What a JSON document holds is known only when it is read.
    if (from.kind == TypeKind::Json || to.kind == TypeKind::Json) return from.kind != TypeKind::Secret;
    if (to.kind == TypeKind::List) {
        const Type& element = from.kind == TypeKind::List ? *from.element : from;
        return fits(element, *to.element);
    }
    if (from.kind == TypeKind::Resource || to.kind == TypeKind::Resource)
        return from.kind == to.kind && from.resource == to.resource;
    if (is_textual(from.kind) && is_textual(to.kind)) return true;
    if (to.kind == TypeKind::Condition)
        return from.kind == TypeKind::Bool || from.kind == TypeKind::Condition;
    if (from.kind == TypeKind::Condition) return to.kind == TypeKind::Bool;
    if (to.kind == TypeKind::Quantity) return from.kind == TypeKind::Int || from.kind == TypeKind::Quantity;
    return from.kind == to.kind;
}

}  // namespace migc::sema
