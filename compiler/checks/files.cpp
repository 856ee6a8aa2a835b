// The files that steps name are there, so that no step fails in the middle of the window for want of one, and
// no undo.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"

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
        for (const StageEvents& course : picture_.timeline.courses())
            for (const FileRead& read : course.reads)
                if (read.used != nullptr) value(course, read);
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

    // `let level = value of F at "/a"; set value of .. to level; remove value of F at "/a";` in a stage that
    // another one repeats: the second time nothing is there any more.
    void value(const StageEvents& course, const FileRead& read) {
        const Last last = last_of(read);
        if (last.is_there ||
            !told_.insert({read.pointer, read.used->span.file, read.used->span.begin}).second)
            return;
        auto& d =
            diagnostics_.report(Code::MissingFile, read.used->span,
                                fmt::format("by then `{}` has no value at {}", read.file, read.pointer));
        d.primary_label = "would be given nothing";
        if (last.remover != nullptr)
            d.label(last.remover->span, last.remover->span.begin < read.used->span.begin
                                            ? "takes it away"
                                            : "takes it away the first time");
        if (course.stage->repeats)
            d.label(course.stage->span,
                    fmt::format("does the steps of {} once more", *course.stage->repeats));
        d.note("the step would fail in the middle of the window");
    }

    struct Last {
        bool is_there = true;  // or it is not known
        const ir::Step* remover = nullptr;
    };

    // What has become of a value by the time that it is read.
    Last last_of(const FileRead& read) {
        const auto* on_disk = picture_.files.file(read.file, 0);
        const auto& edits = history(read.file);
        Last last{on_disk == nullptr || value_at(*on_disk, read.pointer) != nullptr};
        if (edits.size() > most_edits) return {};
        for (const auto& [event, edit] : edits) {
            if (event->moment > read.moment) break;
            if (edit.pointer != "/" && !share_field(edit.pointer, read.pointer)) continue;
            const bool whole = edit.pointer.size() <= read.pointer.size();  // it, or what holds it
            if (!edit.removes) last = {};
            if (edit.removes && whole) last = {false, event->step};
        }
        return last;
    }

    // What steps do to a file, in order. What is no edit of a known place is one of an unknown value.
    using History = std::vector<std::pair<const Event*, Edit>>;
    const History& history(const std::string& file) {
        if (history_.empty())
            for (const StageEvents& course : picture_.timeline.courses())
                for (const Event& event : course.forward)
                    if (event.is_change()) enter(event);
        return history_[file];
    }

    void enter(const Event& event) {
        const auto edits = edits_of(event);
        for (const Edit& edit : edits) history_[edit.file].emplace_back(&event, edit);
        if (edits.empty())
            for (const ResourceKey& thing : event.things)
                if (thing.of == ResourceKey::Of::File)
                    history_[thing.name()].emplace_back(&event, Edit{thing.name(), "/", false, std::nullopt});
    }

    static constexpr std::size_t most_edits = 1'000;  // of a file that are gone through for each value
    std::map<std::string, History> history_;
    std::set<std::string> written_;
    std::set<std::tuple<std::string, FileId, std::uint32_t>> told_;
};

}  // namespace

void files(const CheckContext& picture, Diagnostics& diagnostics) {
    Files(picture, diagnostics).check();
}

}  // namespace migc::checks
