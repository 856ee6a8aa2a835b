// Names that nothing uses, calculations that cannot be done, secrets in the text.
#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

// Those of the script's own declarations, too.
void each_own_expression(const CheckContext& picture, const semantics::VisitExpression& visit) {
    each_expression(picture.program, visit);
    for (const ir::Verb& verb : picture.program.verbs)
        if (picture.timeline.is_own(verb.span)) each_expression(verb, visit);
    for (const ir::Probe& probe : picture.program.probes)
        if (picture.timeline.is_own(probe.span)) each_expression(probe, visit);
    for (const ir::Tool& tool : picture.program.tools)
        if (picture.timeline.is_own(tool.span)) each_expression(tool, visit);
}

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

void impossible(const CheckContext& picture, Diagnostics& diagnostics) {
    each_own_expression(picture, [&](const ir::Expr& expression) {
        if (expression.children.size() != 2) return;
        const ir::Expr& right = expression.children[1];
        const auto* number = semantics::literal<std::int64_t>(right);
        const bool divides =
            expression.kind == ir::ExprKind::Arithmetic && expression.operation == ir::Operation::Divide;
        if (divides && number != nullptr && *number == 0) {
            auto& d = diagnostics.report(Code::Impossible, expression.span, "this divides by 0");
            d.note("the run would stop here, in the middle of the window");
        }
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

// What a secret looks like, and a mark in it, in small letters, that few other texts have: to make a regular
// expression costs more than most checks of a small script.
struct Look {
    std::string_view mark;
    const char* pattern;
};
constexpr std::array looks = {
    Look{"authorization:", R"((?i)\bauthorization:\s*(bearer|basic)\s+[a-z0-9+/_.=-]{8,})"},
    Look{"=", R"((?i)(password|passwd|api[_-]?key)=[^\s$]{6,})"},
    Look{"@", R"(://[^/\s:@]+:[^/\s@$]{4,}@)"},
    Look{"akia", R"(\bAKIA[0-9A-Z]{16}\b)"},
    Look{"gh", R"(\bgh[pousr]_[A-Za-z0-9]{20,})"},
    Look{"-----begin", R"(-----BEGIN [A-Z ]*PRIVATE KEY)"},
};

const Look* look_of_secret(const std::string& text) {
    static std::array<std::unique_ptr<RE2>, looks.size()> made;
    const std::string small = lower_case(text);
    for (std::size_t i = 0; i < looks.size(); ++i) {
        if (small.find(looks[i].mark) == std::string::npos) continue;
        if (!made[i]) made[i] = std::make_unique<RE2>(looks[i].pattern);
        if (RE2::PartialMatch(text, *made[i])) return &looks[i];
    }
    return nullptr;
}

void secrets(const CheckContext& picture, Diagnostics& diagnostics) {
    each_own_expression(picture, [&](const ir::Expr& expression) {
        const auto* text = semantics::literal<std::string>(expression);
        const Look* look = text != nullptr ? look_of_secret(*text) : nullptr;
        if (look == nullptr) return;
        auto& d = diagnostics.report(Code::SecretInText, expression.span, "this looks like a secret");
        const bool is_header = look == looks.data() || text->starts_with("http");
        d.note(fmt::format(
            "it would be in the repository, in the plan and in everybody's journal; keep it in {}",
            is_header
                ? "a file that is not committed, and name the file: `with header \"Authorization\" from "
                  "file \".secrets/token\"`"
                : "a Secret of the cluster, or in a file that is not committed and that the program reads"));
    });
}

}  // namespace

void language(const CheckContext& picture, Diagnostics& diagnostics) {
    unused(picture, diagnostics);
    unreachable(picture, diagnostics);
    impossible(picture, diagnostics);
    secrets(picture, diagnostics);
}

}  // namespace migc::checks
