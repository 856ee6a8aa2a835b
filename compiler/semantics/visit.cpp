#include "compiler/semantics/visit.hpp"

#include <algorithm>
#include <unordered_set>

#include "compiler/semantics/step_id.hpp"

namespace migc::semantics {

void each_step(const std::vector<ir::Step>& steps, const VisitStep& visit) {
    for (const ir::Step& step : steps) {
        visit(step);
        each_step(step.body, visit);
        each_step(step.otherwise, visit);
    }
}

void each_call(const std::vector<ir::Step>& steps, const VisitStep& visit) {
    each_step(steps, [&](const ir::Step& step) {
        if (step.kind == ir::StepKind::Call) visit(step);
        if (step.undo) each_call(step.undo->steps, visit);
    });
}

void each_expression(const ir::Expr& expression, const VisitExpression& visit) {
    visit(expression);
    for (const ir::Expr& child : expression.children) each_expression(child, visit);
}

void each_expression(const std::optional<ir::Expr>& expression, const VisitExpression& visit) {
    if (expression) each_expression(*expression, visit);
}

void each_expression(const std::optional<ir::Command>& command, const VisitExpression& visit) {
    if (!command) return;
    for (const auto* part : {&command->arguments, &command->pointer, &command->standard_input})
        each_expression(*part, visit);
}

void each_expression(const std::vector<ir::Expr>& expressions, const VisitExpression& visit) {
    for (const ir::Expr& expression : expressions) each_expression(expression, visit);
}

void each_expression(const ir::Undo& undo, const VisitExpression& visit) {
    each_expression(undo.steps, visit);
    each_expression(undo.after, visit);
}

void each_expression(const std::vector<ir::Step>& steps, const VisitExpression& visit) {
    for (const ir::Step& step : steps) {
        each_expression(step.arguments, visit);
        for (const auto* part : {&step.condition, &step.value, &step.within, &step.retry, &step.every})
            each_expression(*part, visit);
        if (step.undo) each_expression(*step.undo, visit);
        each_expression(step.body, visit);
        each_expression(step.otherwise, visit);
    }
}

void each_expression(const ir::Program& program, const VisitExpression& visit) {
    for (const ir::Parameter& parameter : program.parameters) each_expression(parameter.default_value, visit);
    each_expression(program.lets, visit);
    for (const auto& requirement : program.requirements) each_expression(requirement.condition, visit);
    for (const auto& invariant : program.invariants) each_expression(invariant.condition, visit);
    for (const ir::Stage& stage : program.stages) {
        each_expression(stage.gates, visit);
        if (!stage.repeats) each_expression(stage.steps, visit);
        each_expression(stage.throughout, visit);
        if (stage.on_failure) each_expression(*stage.on_failure, visit);
    }
}

void each_expression(const ir::Verb& verb, const VisitExpression& visit) {
    each_expression(verb.needs, visit);
    for (const ir::Capture& capture : verb.captures) each_expression(capture.value, visit);
    for (const ir::Effect& effect : verb.effects) {
        each_expression(effect.probe, visit);
        each_expression(effect.value, visit);
    }
    each_expression(verb.action, visit);
    each_expression(verb.steps, visit);
    each_expression(verb.undo, visit);
    each_expression(verb.result, visit);
    each_expression(verb.within, visit);
}

void each_expression(const ir::Probe& probe, const VisitExpression& visit) {
    each_expression(probe.depends, visit);
    each_expression(probe.computed, visit);
    each_expression(probe.converges, visit);
    each_expression(probe.read, visit);
    each_expression(probe.watch, visit);
    each_expression(probe.within, visit);
}

void each_expression(const ir::Tool& tool, const VisitExpression& visit) {
    for (const auto* part : {&tool.arguments, &tool.environment, &tool.within}) each_expression(*part, visit);
}

bool any_expression(const ir::Expr& expression, const std::function<bool(const ir::Expr&)>& is_it) {
    return is_it(expression) || std::ranges::any_of(expression.children, [&](const ir::Expr& child) {
               return any_expression(child, is_it);
           });
}

bool asks_probe(const ir::Expr& expression) {
    return any_expression(expression, [](const ir::Expr& one) { return one.kind == ir::ExprKind::Probe; });
}

namespace {

class Reach {
  public:
    explicit Reach(const ir::Program& program) : program_(program) {}

    void follow(const std::vector<ir::Step>& steps) {
        each_expression(steps, asks_);
        each_call(steps, calls_);
    }
    void follow(const std::optional<ir::Expr>& expression) { each_expression(expression, asks_); }

    Reached found;

  private:
    template <class Declaration>
    bool is_new(std::vector<const Declaration*>& reached, const Declaration& one) {
        const bool is_new = known_.insert(&one).second;
        if (is_new) reached.push_back(&one);
        return is_new;
    }

    void call(const ir::Step& step) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        if (!is_new(found.verbs, verb)) return;
        each_expression(verb, asks_);
        each_call(verb.steps, calls_);
        each_call(verb.undo.steps, calls_);
    }

    void ask(const ir::Expr& expression) {
        const ir::Probe* probe = program_.probe(expression);
        if (probe != nullptr && is_new(found.probes, *probe)) each_expression(*probe, asks_);
    }

    const ir::Program& program_;
    std::unordered_set<const void*> known_;
    const VisitStep calls_ = [this](const ir::Step& step) { call(step); };
    const VisitExpression asks_ = [this](const ir::Expr& expression) { ask(expression); };
};

}  // namespace

Reached reached_by(const ir::Program& program, const ir::Stage& stage) {
    const ir::Stage& definition = stage_with_steps(program, stage);
    Reach reach(program);
    reach.follow(stage.gates);
    reach.follow(definition.steps);
    for (const ir::Stage* one : {&definition, &stage}) {
        reach.follow(one->throughout);
        if (one->on_failure) reach.follow(*one->on_failure);
    }
    return std::move(reach.found);
}

}  // namespace migc::semantics
