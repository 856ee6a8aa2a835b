// What the expressions of a stage are, as far as the script, the project's files and the inventory tell.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/checks/manifests.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/scope.hpp"

namespace migc::checks {

constexpr unsigned deepest_call = 32;  // declarations within each other; recursion is refused before

using Maybe = std::optional<Value>;

class Names;
struct Known {
    Maybe value;
    const ir::Expr* condition = nullptr;  // an argument of type condition, and where its names are known
    const Names* home = nullptr;
    std::string plan;  // the name that the timeline has for a plan which was handed on
    std::string same;  // two of which this is the same text are the same value, whichever it is; else empty
    std::size_t read = 0;  // the number, from 1 on, that the timeline has for the value of a file that it is
};

// What is known of names where an expression stands.
class Names : public semantics::Scope<Known> {
  public:
    Names() = default;
    explicit Names(const Names* outer) : Scope(outer), depth_(outer->depth_), step_(outer->step_) {}
    // Those that a declaration sees which is used there: none of them.
    [[nodiscard]] Names of_declaration() const;

    [[nodiscard]] Maybe value(const std::string& name) const;
    // How many uses of declarations are around it.
    [[nodiscard]] unsigned depth() const { return depth_; }
    // The step of the script that the expressions are of; null outside of steps.
    [[nodiscard]] const ir::Step* step() const { return step_; }
    void stand_in(const ir::Step* step) { step_ = step; }

  private:
    unsigned depth_ = 0;
    const ir::Step* step_ = nullptr;
};

// The words of a command that is given as a text, or as a list of them.
std::vector<std::string> words_of(const Value& given);
// A plan goes by one name, however far it was handed on; empty for what is no plan.
std::string plan_of(const ir::Expr& expression, const Names& names);

// The manifests whose objects steps ask for, by path as the script has it: the first such step.
using ReadBy = std::map<std::string, const ir::Step*>;

class Values {
  public:
    // What is asked for from within a step is entered in `read_by`.
    Values(const ir::Program& program, const project::Inventory& inventory, const Manifests& manifests,
           const ir::Stage& stage, ReadBy& read_by);

    // Nothing if only a run can tell.
    [[nodiscard]] Maybe of(const ir::Expr& expression, const Names& names) const;
    // The same, and the name of a plan. What is not known is another value each time that it is asked for.
    [[nodiscard]] Known known(const ir::Expr& expression, const Names& names) const;
    // What tells the value of an expression from others, though only a run can tell which it is; see
    // Known::same.
    [[nodiscard]] std::string same(const ir::Expr& expression, const Names& names) const;
    [[nodiscard]] semantics::NumberOf number_in(const Names& names) const;
    // What the parameters of a declaration stand for.
    [[nodiscard]] Names bind(const std::vector<ir::Parameter>& parameters,
                             const std::vector<ir::Expr>& arguments, const Names& names) const;
    // What the arguments of a role are, where the names of its declaration are known.
    [[nodiscard]] std::vector<Maybe> played(const ir::RoleUse& use, const Names& names) const;
    [[nodiscard]] std::vector<Maybe> played(const ir::Expr& probe, const Names& names) const;
    // Whether a condition holds, where nothing but the stage's environment and namespace decides it.
    [[nodiscard]] std::optional<bool> by_environment(const ir::Expr& condition) const;

    [[nodiscard]] const ir::Stage& stage() const { return stage_; }
    [[nodiscard]] const project::Environment* environment() const { return environment_; }
    // What the top level of the script binds, as this stage sees it.
    Names top;

  private:
    [[nodiscard]] Maybe parameter(const std::string& name) const;
    [[nodiscard]] Maybe setting(const std::string& name) const;
    [[nodiscard]] Maybe answer(const ir::Expr& expression, const Names& names) const;
    [[nodiscard]] std::string same_answer(const ir::Expr& expression, const Names& names) const;
    [[nodiscard]] std::string same_parts(const ir::Expr& expression, const Names& names) const;
    [[nodiscard]] Maybe objects_of(const std::string& path, bool removable, const Names& names) const;
    [[nodiscard]] Maybe variables_file() const;
    [[nodiscard]] Maybe files_below(const std::string& target) const;

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const Manifests& manifests_;
    const ir::Stage& stage_;
    const project::Environment* environment_;  // null if unknown
    ReadBy& read_by_;
    mutable std::size_t unknown_ = 0;  // values that were given a name of their own
};

}  // namespace migc::checks
