// What a name means at some place. Scopes are nested; an inner one sees what is outside of it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "compiler/ir/program.hpp"
#include "compiler/source/source.hpp"

namespace migc::sema {

struct Meaning {
    ir::ExprKind kind = ir::ExprKind::Local;  // Local, Param or Setting
    ir::Type type;
    Span declared;
    bool used_up = false;  // a plan that a step has applied
    Span used_up_at;
    bool lent = false;  // a plan that a verb is given without using it up
};

class Scope {
  public:
    explicit Scope(Scope* outer = nullptr) : outer_(outer) {}

    // The meaning of a name, or null.
    Meaning* find(std::string_view name) {
        for (Scope* scope = this; scope; scope = scope->outer_)
            if (const auto found = scope->names_.find(name); found != scope->names_.end())
                return &found->second;
        return nullptr;
    }
    void add(const std::string& name, Meaning meaning) { names_.insert_or_assign(name, std::move(meaning)); }

    // Calls visit(name, meaning) for all that can be seen from here.
    template <typename Visit>
    void each(Visit visit) {
        for (Scope* scope = this; scope; scope = scope->outer_)
            for (auto& [name, meaning] : scope->names_) visit(name, meaning);
    }

  private:
    Scope* outer_;
    std::map<std::string, Meaning, std::less<>> names_;
};

}  // namespace migc::sema
