// What stands outside of the stages is evaluated once, without an environment: it holds constants,
// parameters, files and commits. Anything else would be asked wherever the operator's tools happen to point
// to.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

// The one setting that every stage has in common.
constexpr std::string_view common_setting = "root";

// What runs no tool, and has the hour, people or this run for an answer.
bool is_of_a_stage(ir::Role role) {
    switch (role) {
        case ir::Role::Passing:
        case ir::Role::Approval:
        case ir::Role::Window:
        case ir::Role::Freeze:
        case ir::Role::Running:
            return true;
        default:
            return false;
    }
}

// The first thing in an expression that cannot be told outside of a stage.
struct Found {
    const ir::Expr* at = nullptr;
    std::string why;
};

class Search {
  public:
    explicit Search(const CheckContext& picture) : picture_(picture) {}

    std::optional<Found> in(const ir::Expr& expression) {
        if (expression.kind == ir::ExprKind::Setting && expression.name != common_setting)
            return Found{&expression, fmt::format("`{}` is that of a stage", expression.name)};
        if (expression.kind == ir::ExprKind::Param && setting_of(expression.name) != nullptr)
            return Found{&expression, fmt::format("each environment has its own `{}`", expression.name)};
        if (expression.kind == ir::ExprKind::Probe)
            if (auto why = asks(expression.declaration)) return Found{&expression, *why};
        for (const ir::Expr& child : expression.children)
            if (auto found = in(child)) return found;
        return std::nullopt;
    }

    // The entry of migc.yaml by which a parameter differs between environments.
    [[nodiscard]] const project::Scalar* setting_of(const std::string& parameter) const {
        for (const project::Environment& environment : picture_.inventory.environments)
            if (const auto found = environment.set.find(parameter); found != environment.set.end())
                return &found->second;
        return nullptr;
    }

  private:
    std::optional<std::string> asks(std::uint32_t index) {
        const ir::Probe& probe = picture_.program.probes.at(index);
        if (!asked_.insert(index).second) return std::nullopt;
        if (probe.computed)
            if (const auto found = in(*probe.computed)) return found->why;
        if (!probe.read) return std::nullopt;
        if (probe.read->tool != "native") return asks_tool(probe.read->tool);
        if (is_of_a_stage(probe.role.role)) return "only a stage can ask that";
        for (const std::string& tool : probe.read->through)
            if (auto why = asks_tool(tool)) return why;
        if (probe.read->arguments)
            if (const auto found = in(*probe.read->arguments)) return found->why;
        return std::nullopt;
    }

    static std::optional<std::string> asks_tool(const std::string& tool) {
        if (tool == "git") return std::nullopt;
        return fmt::format("it asks {}, and only a stage says where", tool);
    }

    const CheckContext& picture_;
    std::set<std::uint32_t> asked_;
};

template <typename Part>
bool uses(const Part& part, const std::string& name) {
    bool found = false;
    each_expression(part, [&](const ir::Expr& one) {
        found = found || (one.kind == ir::ExprKind::Local && one.name == name);
    });
    return found;
}

class Outside : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const ir::Parameter& parameter : picture_.program.parameters)
            if (parameter.default_value) check_default(*parameter.default_value);
        for (const ir::Step& let : picture_.program.lets)
            if (Diagnostic* d = let.value ? report(*let.value, let.span) : nullptr) move_into_stage(let, *d);
        for (const ir::Requirement& requirement : picture_.program.requirements)
            if (Diagnostic* d = report(requirement.condition, requirement.condition.span))
                d->note("let a stage ask it, before its first change: `verify ..;`");
    }

  private:
    Diagnostic* report(const ir::Expr& expression, Span place) {
        Search search(picture_);
        const auto found = search.in(expression);
        if (!found) return nullptr;
        const bool has_place = found->at->span.file == place.file;
        auto& d = diagnostics_.report(Code::OutsideOfStages, has_place ? found->at->span : place,
                                      "this cannot be told outside of a stage");
        d.primary_label = found->why;
        if (const auto* entry = search.setting_of(found->at->name);
            entry != nullptr && found->at->kind == ir::ExprKind::Param)
            d.label(entry->span, "set here");
        d.note("outside of the stages there are only constants, parameters, files and commits");
        return &d;
    }

    // A parameter has its default before anything is evaluated.
    void check_default(const ir::Expr& value) {
        if (value.kind == ir::ExprKind::List) {
            for (const ir::Expr& item : value.children) check_default(item);
            return;
        }
        if (value.kind == ir::ExprKind::Literal || report(value, value.span) != nullptr) return;
        auto& d =
            diagnostics_.report(Code::BadDeclaration, value.span, "a default is a value as it is written");
        d.note("nothing is calculated for it: use a `let` for what follows from parameters");
    }

    void move_into_stage(const ir::Step& let, Diagnostic& d) const {
        std::vector<const ir::Stage*> stages;
        bool is_elsewhere = false;
        for (const ir::Stage& stage : picture_.program.stages) {
            const bool outside = uses(stage.throughout, let.name) ||
                                 (stage.on_failure && uses(*stage.on_failure, let.name)) ||
                                 uses(stage.gates, let.name);
            is_elsewhere = is_elsewhere || outside;
            if (!stage.repeats && uses(stage.steps, let.name)) stages.push_back(&stage);
        }
        const auto& program = picture_.program;
        is_elsewhere = is_elsewhere || uses(program.lets, let.name) ||
                       std::ranges::any_of(program.requirements,
                                           [&](const auto& one) { return uses(one.condition, let.name); });
        d.note(fmt::format("let the stage ask it, where its environment is known: `{};` as its first step",
                           let.text));
        if (is_elsewhere || stages.size() != 1 || stages.front()->steps.empty()) return;
        const Span first = stages.front()->steps.front().span;
        d.fixes.push_back({fmt::format("move it into stage `{}`", stages.front()->name),
                           {{whole_line(let.span), ""},
                            {{first.file, first.begin, first.begin}, fmt::format("{}; ", let.text)}},
                           false});
    }

    // The statement with its line's end, if nothing else stands on the line.
    [[nodiscard]] Span whole_line(Span span) const {
        const std::string_view text = picture_.sources.file(span.file).text();
        const bool begins = span.begin == 0 || text[span.begin - 1] == '\n';
        if (begins && span.end < text.size() && text[span.end] == '\n') ++span.end;
        return span;
    }
};

}  // namespace

void outside(const CheckContext& picture, Diagnostics& diagnostics) {
    Outside(picture, diagnostics).check();
}

}  // namespace migc::checks
