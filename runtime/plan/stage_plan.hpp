// Walks one stage's steps as a run would, without acting: each in the world as the steps before it leave it.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/program.hpp"
#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/walk.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/plan/foreseen.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::runtime::inline plans {

class StagePlanner {
  public:
    // All of it outlives the planner; the environment has been entered in `foreseen`.
    StagePlanner(const EvalContext& eval_context, const StageEnvironment& environment, const Scope& globals,
                 Foreseen& foreseen);

    std::vector<PlanStep> steps(const ir::Stage& stage, const ir::Stage& definition);
    std::vector<PlanGate> gates(const std::vector<ir::Step>& gates);
    // Of the steps that were planned.
    [[nodiscard]] const semantics::Times& times() const { return times_; }

  private:
    friend struct semantics::Walk;

    [[nodiscard]] bool is_full() const;
    void block(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
               std::size_t first);
    void statement(const ir::Step& step, Scope& scope, const std::string& id);
    PlanStep& add(const std::string& id, PlanStepKind kind, const std::string& text);
    // It cannot go on, since something cannot be had.
    void add_problem(const std::string& id, PlanStepKind kind, const std::string& text, std::string problem);

    void call(const ir::Step& step, Scope& scope, const std::string& id);
    void action(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner,
                PlanStep entry);
    void composite(const ir::Step& step, const ir::Verb& verb, const Scope& scope, Scope& inner,
                   PlanStep entry);
    std::string subject(const ir::Expr& condition, const Scope& names);
    std::string limit_of_all(const ir::Step& step, const ir::Verb& verb, const Scope& scope,
                             const Scope& inner);
    void remember_state(PlanStep& entry);
    void needs(const ir::Verb& verb, const Scope& inner, PlanStep& entry);
    void captures(const ir::Verb& verb, Scope& inner, PlanStep& entry);
    void remember(const std::string& name, const Value& value, const ir::Expr& expression, PlanStep& entry);
    std::string what_is_kept(const ir::Expr& value, const Scope& inner);
    void keep(const ir::Capture& capture, const Reading& reading, Scope& inner, PlanStep& entry);
    void command(const ir::Verb& verb, const Scope& inner, PlanStep& entry);
    std::vector<Declared> effects(const ir::Verb& verb, const Scope& inner, PlanStep& entry);
    void effect(const ir::Effect& effect, const Scope& inner, PlanStep& entry,
                std::vector<Declared>& declared);
    void remember_workloads(const ir::Expr& probe, const Scope& inner);

    void assume(const ir::Step& step, const Scope& scope);
    void times(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner);
    std::int64_t longest_undo(const ir::Step& step, const ir::Verb& verb, const semantics::Bound& bound,
                              const Scope& scope, const Scope& inner);
    std::int64_t longest(const std::vector<ir::Step>& steps, const Scope& scope);
    semantics::Reader reader_in(const std::shared_ptr<Scope>& names);
    semantics::NumberOf number_in(const Scope& scope);

    PlanUndo undo(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner);
    std::string inverse(const std::vector<ir::Step>& steps, const Scope& names);
    std::string inverse_step(const ir::Step& step, const Scope& names);
    Preview inverse_command(const ir::Verb& verb, Scope& inner);

    void verify(const ir::Step& step, const Scope& scope, const std::string& id);
    void soak(const ir::Step& step, const Scope& scope, const std::string& id);
    void let(const ir::Step& step, Scope& scope, const std::string& id);
    void choose(const ir::Step& step, Scope& scope, const std::string& id);
    void both_ways(const ir::Step& step, Scope& scope, const std::string& id);
    void loop(const ir::Step& step, Scope& scope, const std::string& id);
    void some_times(const ir::Step& step, Scope& scope, const std::string& id, const Value& list);
    void perhaps(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
                 std::size_t first, const std::string& when);
    void parallel(const ir::Step& step, Scope& scope, const std::string& id);
    std::vector<Foreseen::State> each_alone(const ir::Step& step, Scope& scope, const std::string& id);
    void branch(const ir::Step& step, const Scope& scope, const std::string& id);

    const ir::Program& program_;
    Evaluator evaluator_;
    const Scope& globals_;
    Scope scope_;
    Foreseen& foreseen_;
    List workloads_;
    std::vector<PlanStep> steps_;
    std::vector<Preview> inverse_commands_;  // of the step at hand
    semantics::Times times_;
    bool state_is_known_ = false;
};

}  // namespace migc::runtime::inline plans
