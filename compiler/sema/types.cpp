#include <array>
#include <utility>

#include "compiler/sema/lowering.hpp"

namespace migc::sema {

using ir::Type;
using ir::TypeKind;

namespace {

constexpr std::array<std::pair<std::string_view, bool Type::*>, 3> marks = {
    {{"consumed ", &Type::consumed}, {"new ", &Type::written}, {"secret ", &Type::secret}}};

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
    constexpr std::string_view list = "list of ";
    if (text.starts_with(list)) {
        auto element = parse_type(text.substr(list.size()), is_resource);
        return element ? std::optional(list_of(std::move(*element))) : std::nullopt;
    }
    for (const auto& [mark, flag] : marks) {
        if (!text.starts_with(mark)) continue;
        auto type = parse_type(text.substr(mark.size()), is_resource);
        // Whatever there is can be used up; only a path is made, or leads to a secret.
        if (!type || (flag != &Type::consumed && type->kind != TypeKind::Path)) return {};
        (*type).*flag = true;
        return type;
    }
    for (auto kind = static_cast<int>(TypeKind::Bool); kind < static_cast<int>(TypeKind::Resource); ++kind)
        if (const Type built_in = simple(static_cast<TypeKind>(kind)); ir::show(built_in) == text)
            return built_in;
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
