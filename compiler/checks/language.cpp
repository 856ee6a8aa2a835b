// Names that nothing uses, calculations that cannot be done.
#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/semantics/compute.hpp"

namespace migc::checks {
namespace {

bool makes_plan(const CheckContext& picture, const ir::Step& step) {
    if (step.kind != ir::StepKind::Call || step.name.empty()) return false;
    const auto& type = picture.program.verbs.at(step.verb).result_type;
    return type && type->kind == ir::TypeKind::Plan;
}

// A plan that a verb of the script's own makes, and nothing of the verb uses.
template <typename Report>
void unused_plans(const CheckContext& picture, const ir::Verb& verb, const Report& report) {
    std::set<std::string> used;
    each_expression(verb, [&](const ir::Expr& expression) {
        if (expression.kind == ir::ExprKind::Local) used.insert(expression.name);
    });
    each_step(verb.steps, [&](const ir::Step& step) {
        if (makes_plan(picture, step) && !used.contains(step.name)) report(step.span, "plan", step.name);
    });
}

void unused(const CheckContext& picture, Diagnostics& diagnostics) {
    std::set<std::string> used;
    each_expression(picture.program, [&](const ir::Expr& expression) {
        if (expression.kind == ir::ExprKind::Local || expression.kind == ir::ExprKind::Param)
            used.insert(expression.name);
    });
    const auto report = [&](Span span, std::string_view what, const std::string& name) {
        auto& d = diagnostics.report(Code::Unused, span, fmt::format("nothing uses the {} `{}`", what, name));
        d.note("whoever sets or reads it would believe that it matters; remove it, or use it");
    };
    for (const ir::Parameter& parameter : picture.program.parameters)
        if (!used.contains(parameter.name)) report(parameter.span, "parameter", parameter.name);
    for (const ir::Step& let : picture.program.lets)
        if (!used.contains(let.name)) report(let.span, "name", let.name);
    for (const ir::Stage& stage : picture.program.stages) {
        if (stage.repeats) continue;
        each_step(stage.steps, [&](const ir::Step& step) {
            if (makes_plan(picture, step) && !used.contains(step.name)) report(step.span, "plan", step.name);
        });
    }
    for (const ir::Verb& verb : picture.program.verbs)
        if (verb.composite && picture.timeline.is_own(verb.span)) unused_plans(picture, verb, report);
}

// What follows a `hold`, or an `undo` that has no more to do, is never reached.
const ir::Step* always_holding(const std::vector<ir::Step>& steps);

// The `hold` that a step comes to whatever happens; null if it may go on.
const ir::Step* always_holding(const ir::Step& step) {
    if (step.kind == ir::StepKind::Hold) return &step;
    if (step.kind != ir::StepKind::If) return nullptr;
    const ir::Step *then = always_holding(step.body), *otherwise = always_holding(step.otherwise);
    return otherwise != nullptr ? then : nullptr;
}

const ir::Step* always_holding(const std::vector<ir::Step>& steps) {
    for (const ir::Step& step : steps)
        if (const ir::Step* hold = always_holding(step)) return hold;
    return nullptr;
}

void unreachable(const std::vector<ir::Step>& steps, Diagnostics& diagnostics) {
    const ir::Step* hold = nullptr;
    for (const ir::Step& step : steps) {
        if (hold != nullptr) {
            auto& d = diagnostics.report(Code::Unreachable, step.span, "this is never reached");
            d.label(hold->span, "the run stops here, and waits for a person");
            return;
        }
        unreachable(step.body, diagnostics);
        unreachable(step.otherwise, diagnostics);
        hold = always_holding(step);
    }
}

void unreachable(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const ir::Stage& stage : picture.program.stages)
        if (has_own_failure_block(picture.program, stage)) unreachable(*stage.on_failure, diagnostics);
}

using Constants = std::map<std::string, Value>;

// What the names at the top stand for, as far as that is written. The answer sees `constants`.
semantics::Leaf named_in(const Constants& constants) {
    return [&constants](const ir::Expr& leaf) -> std::optional<Value> {
        const auto found = leaf.kind == ir::ExprKind::Local ? constants.find(leaf.name) : constants.end();
        return found == constants.end() ? std::nullopt : std::optional(found->second);
    };
}

Constants constants_of(const ir::Program& program) {
    Constants found;
    for (const ir::Step& let : program.lets)
        if (auto value = semantics::known_value(*let.value, named_in(found))) found[let.name] = *value;
    return found;
}

// Why a calculation cannot be done; empty where it can be, or nobody knows.
std::string why_impossible(const ir::Expr& expression, const Constants& constants) {
    const auto left = semantics::known_value(expression.children[0], named_in(constants));
    const auto right = semantics::known_value(expression.children[1], named_in(constants));
    const auto* divisor = right ? right->get_if<std::int64_t>() : nullptr;
    if (expression.operation == ir::Operation::Divide && divisor != nullptr && *divisor == 0)
        return "this divides by 0";
    return left && right ? semantics::calculate(expression.operation, *left, *right, show).why : "";
}

void calculated(const Constants& constants, const ir::Expr& expression, Diagnostics& diagnostics) {
    const std::string why = why_impossible(expression, constants);
    if (why.empty()) return;
    auto& d = diagnostics.report(Code::Impossible, expression.span, why);
    d.note("the run would stop here, in the middle of the window");
    // By a name the condition around it may know better.
    if (why_impossible(expression, {}).empty()) d.severity = Severity::Warning;
}

void impossible(const CheckContext& picture, Diagnostics& diagnostics) {
    const Constants known = constants_of(picture.program);
    each_own_expression(picture, [&](const ir::Expr& expression) {
        if (expression.children.size() != 2) return;
        if (expression.kind == ir::ExprKind::Arithmetic) calculated(known, expression, diagnostics);
        const ir::Expr& right = expression.children[1];
        const auto* pattern = semantics::literal<std::string>(right);
        if (expression.kind != ir::ExprKind::Compare || expression.comparison != ir::Comparison::Matches ||
            pattern == nullptr)
            return;
        const RE2 compiled(*pattern, RE2::Quiet);
        if (compiled.ok()) return;
        auto& d = diagnostics.report(Code::Impossible, right.span,
                                     fmt::format("this is no regular expression: {}", compiled.error()));
        d.note("the comparison could never be made, and the run would stop here");
    });
}

}  // namespace

void language(const CheckContext& picture, Diagnostics& diagnostics) {
    unused(picture, diagnostics);
    unreachable(picture, diagnostics);
    impossible(picture, diagnostics);
}

}  // namespace migc::checks
