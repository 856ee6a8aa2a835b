// Types as written, as shown, and what fits where.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/ir/program.hpp"

namespace migc::sema {

ir::Type simple(ir::TypeKind kind);
ir::Type list_of(ir::Type element);

// "int", "list of workload", "consumed plan", "new path"; a word that is no built-in type is a resource type
// if `is_resource` says so. nullopt for anything else.
std::optional<ir::Type> parse_type(std::string_view text,
                                   const std::function<bool(std::string_view)>& is_resource);

// Whether a value of type `from` may stand where `to` is expected. A single value fits a list of its type.
bool fits(const ir::Type& from, const ir::Type& to);

bool is_textual(ir::TypeKind kind);  // string, url, path, image, environment: all written as strings

}  // namespace migc::sema
