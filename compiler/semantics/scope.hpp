// The names that an expression can see, and what is known of each: its type, its value, the term that stands
// for it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// Scopes lie within each other; an inner one sees what is outside of it, as far as no name hides it.
template <class Known>
class Scope {
  public:
    explicit Scope(const Scope* outer = nullptr) : outer_(outer) {}

    // Null if there is none of that name, here or outwards.
    [[nodiscard]] const Known* find(std::string_view name) const {
        for (const Scope* scope = this; scope != nullptr; scope = scope->outer_)
            if (const auto found = scope->own_.find(name); found != scope->own_.end()) return &found->second;
        return nullptr;
    }
    [[nodiscard]] Known* find(std::string_view name) {
        return const_cast<Known*>(static_cast<const Scope*>(this)->find(name));
    }
    // A new name, or an own one anew.
    Known& bind(const std::string& name, Known known) {
        return own_.insert_or_assign(name, std::move(known)).first->second;
    }

    [[nodiscard]] const Scope* outer() const { return outer_; }
    [[nodiscard]] const std::map<std::string, Known, std::less<>>& own() const { return own_; }

    // Calls visit(name, known) for all that can be seen from here, the innermost first.
    template <typename Visit>
    void each(Visit visit) {
        for (const Scope* scope = this; scope != nullptr; scope = scope->outer_)
            for (auto& [name, known] : const_cast<Scope*>(scope)->own_) visit(name, known);
    }

  private:
    const Scope* outer_;
    std::map<std::string, Known, std::less<>> own_;
};

// A condition that was handed on by its name is looked at where its author wrote it: that expression, and in
// `names` where its names are known. `expression` itself if it hands on nothing. What is known of a name has
// a `condition`, null where it is none, and its `home`.
template <class Names>
const ir::Expr& handed_on(const ir::Expr& expression, const Names*& names) {
    const ir::Expr* result = &expression;
    while (result->kind == ir::ExprKind::Local) {
        const auto* known = names->find(result->name);
        if (known == nullptr || known->condition == nullptr) break;
        result = known->condition;
        names = known->home;
    }
    return *result;
}

}  // namespace migc::semantics
