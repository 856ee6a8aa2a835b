// The files that steps name are there, so that no step fails in the middle of the window for want of one, and
// no undo.
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

const std::string* path_in(const std::optional<Value>& value, const ir::Type& slot) {
    return value && slot.kind == ir::TypeKind::Path ? value->get_if<std::string>() : nullptr;
}

const std::string* written_path(const ir::Expr& expression) {
    return expression.type.kind == ir::TypeKind::Path ? semantics::literal<std::string>(expression) : nullptr;
}

class Files : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses())
            each_event(course, [&](const Event& event) { written_by(event); });
        for (const auto& stage : picture_.program.stages) {
            if (!stage.repeats) as_written(stage.steps);
            if (stage.on_failure) as_written(*stage.on_failure);
        }
        for (const ir::Verb& verb : picture_.program.verbs) {
            if (!picture_.timeline.is_own(verb.span)) continue;
            as_written(verb.steps);
            as_written(verb.undo.steps);
        }
        for (const StageEvents& course : picture_.timeline.courses())
            each_event(course, [&](const Event& event) { used_by(event); });
    }

  private:
    // What a step makes may be named by a text that is put together.
    void written_by(const Event& event) {
        for (std::size_t i = 0; i < event.arguments.size(); ++i) {
            const ir::Type& slot = event.verb->parameters.at(i).type;
            const bool is_text = event.inner->arguments.at(i).kind == ir::ExprKind::Literal;
            if (const auto* path = path_in(event.arguments[i], slot);
                path != nullptr && slot.written && !is_text)
                written_.insert(*path);
        }
    }

    void as_written(const std::vector<ir::Step>& steps) {
        each_step(steps, [&](const ir::Step& step) {
            if (step.condition) in_condition(*step.condition, step);
            if (step.kind != ir::StepKind::Call) return;
            const auto& slots = picture_.program.verbs.at(step.verb).parameters;
            for (std::size_t i = 0; i < step.arguments.size() && i < slots.size(); ++i) {
                const ir::Expr& argument = step.arguments[i];
                const auto* path = written_path(argument);
                if (path != nullptr && slots[i].type.written) written_.insert(*path);
                if (path != nullptr) check(*path, argument.span, step);
            }
            if (step.undo) as_written(step.undo->steps);
        });
    }

    // Without the file these can never hold.
    void in_condition(const ir::Expr& condition, const ir::Step& step) {
        for (const ir::Expr& child : condition.children) in_condition(child, step);
        if (semantics::role_of(picture_.program, condition) != ir::Role::Input) return;
        const ir::Expr* given = semantics::role_argument(picture_.program, condition, 0);
        if (given == nullptr) return;
        if (const auto* path = written_path(*given)) check(*path, given->span, step);
    }

    void used_by(const Event& event) {
        for (std::size_t i = 0; i < event.arguments.size(); ++i) {
            const ir::Type& slot = event.verb->parameters.at(i).type;
            const auto* path = path_in(event.arguments[i], slot);
            if (path != nullptr && !slot.written) check(*path, event.step->span, *event.step);
        }
    }

    void check(const std::string& path, Span place, const ir::Step& step) {
        std::error_code ignored;
        if (written_.contains(path) || std::filesystem::exists(picture_.inventory.root / path, ignored))
            return;
        if (!told_.insert({path, step.span.file, step.span.begin}).second) return;
        auto& d = diagnostics_.report(Code::MissingFile, place, fmt::format("there is no file `{}`", path));
        d.note(fmt::format("paths are relative to {}", picture_.inventory.root.string()));
        d.note("the step would fail in the middle of the window");
    }

    std::set<std::string> written_;
    std::set<std::tuple<std::string, FileId, std::uint32_t>> told_;
};

}  // namespace

void files(const CheckContext& picture, Diagnostics& diagnostics) {
    Files(picture, diagnostics).check();
}

}  // namespace migc::checks
