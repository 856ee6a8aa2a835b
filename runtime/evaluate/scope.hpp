// The names that an expression can see: parameters, captures, lets, loop variables.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "compiler/ir/program.hpp"
#include "compiler/semantics/scope.hpp"

namespace migc::runtime::inline evaluation {

class Scope;

struct Binding {
    Value value;
    const ir::Expr* condition = nullptr;  // a parameter of type `condition`: evaluated anew at each use,
    const Scope* home = nullptr;          // with the names of the place that gave it
    bool secret = false;                  // never written to the journal in clear
    nlohmann::json kept;  // of a secret: the form in which the journal keeps it; null: it does not keep it
};

// "(restarts of webapi is 0)": a condition as its author wrote it, through all that handed it on.
std::string condition_text(const Binding& binding);

class Scope : public semantics::Scope<Binding> {
  public:
    explicit Scope(const Scope* outer = nullptr, unsigned depth = 0)
        : semantics::Scope<Binding>(outer), depth_(depth) {}

    void bind(const std::string& name, Value value, bool secret = false);
    void bind_condition(const std::string& name, const ir::Expr& condition, const Scope& home);
    // `kept` is its form in the journal; null if it is to be in none.
    void bind_secret(const std::string& name, Value value, nlohmann::json kept);
    // Binds what the journal has under that name. A secret that is kept there is opened when it is used.
    void bind_journaled(const std::string& name, const nlohmann::json& value);
    // Likewise every member of an object that `journal` or `to_json` made.
    void bind_all(const nlohmann::json& values);

    // How many calls of declarations enclose this scope.
    [[nodiscard]] unsigned depth() const { return depth_; }
    // Every value that can be seen from here, by name; without conditions, and of secrets the kept form.
    [[nodiscard]] nlohmann::json journal() const;

  private:
    unsigned depth_;
};

}  // namespace migc::runtime::inline evaluation
