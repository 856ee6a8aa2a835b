// What a script sets in the project's files, and asks of them, can be set and asked.
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/settings.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/documents/pointer.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// The key beside which .NET would take another one for the same, and the place that holds both.
struct Twin {
    std::string holder, key;
};
std::optional<Twin> twin_of(const json& whole, const std::string& pointer) {
    const auto tokens = documents::tokens_of(pointer);
    std::string holder;
    const json* at = &whole;
    for (std::size_t i = 0; tokens && i < tokens->size(); ++i) {
        const std::string& token = (*tokens)[i];
        if (at->is_object() && !at->contains(token))
            for (const auto& [key, value] : at->items())
                if (lower_case(key) == lower_case(token)) return Twin{holder, key};
        const std::string step = documents::pointer_to({token});
        at = value_at(*at, step);
        if (at == nullptr) return std::nullopt;
        holder += step;
    }
    return std::nullopt;
}

class Edits : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses()) {
            // An event of the way forward has its moment behind it.
            for (const Event& event : course.forward)
                if (event.is_change()) look_at(event, event.moment - 1);
            for (const Event& event : course.failure) look_at(event, event.moment);
            for (const OwnUndo& own : course.undos)
                for (const Event& event : own.back) look_at(event, event.moment);
        }
        each_expression(picture_.program, [&](const ir::Expr& expression) { asked(expression); });
    }

  private:
    void look_at(const Event& event, Moment before) {
        for (const Edit& edit : possible_edits(event)) {
            if (!told_.emplace(event.step->span.file, event.step->span.begin, edit.file + edit.pointer)
                     .second)
                continue;
            if (const auto problem = picture_.files.refusal(edit, before))
                refused(event, edit, *problem);
            else if (!edit.removes && is_settings_file(edit.file))
                beside_twin(event, edit, before);
        }
    }

    void refused(const Event& event, const Edit& edit, const documents::Problem& problem) {
        auto& d = diagnostics_.report(
            Code::CannotEdit, event.step->span,
            fmt::format("this edit of `{}` cannot be made: {}", edit.file, problem.message));
        d.note("the run would stop there, in the middle of the window");
    }

    void beside_twin(const Event& event, const Edit& edit, Moment before) {
        const json* whole = picture_.files.file(edit.file, before);
        const auto twin = whole != nullptr ? twin_of(*whole, edit.pointer) : std::nullopt;
        if (!twin) return;
        const std::string there = twin->holder + documents::pointer_to({twin->key});
        auto& d = diagnostics_.report(
            Code::CannotEdit, event.step->span,
            fmt::format("`{}` has `{}` already, which differs in the case of letters only", edit.file,
                        there));
        d.label(picture_.files.span(edit.file, there), "this one");
        d.note(
            "for .NET both are one key: it refuses a file that has it twice, and no pod would start; write the key as it "
            "stands there");
    }

    // A value that is read at a place that cannot be one.
    void asked(const ir::Expr& expression) {
        if (semantics::role_of(picture_.program, expression) != ir::Role::Value) return;
        const auto text = [&](std::size_t number) {
            const ir::Expr* given = semantics::role_argument(picture_.program, expression, number);
            return given != nullptr ? semantics::literal<std::string>(*given) : nullptr;
        };
        const std::string *pointer = text(0), *file = text(1);
        std::string why;
        if (const auto tokens = pointer != nullptr
                                    ? documents::tokens_of(*pointer)
                                    : tl::expected<std::vector<std::string>, documents::Problem>();
            !tokens)
            why = tokens.error().message;
        if (file != nullptr && !documents::format_of(*file))
            why = fmt::format(
                "only values of .json, .yaml, .yml and .tfvars files can be read, and `{}` is none", *file);
        if (why.empty()) return;
        auto& d = diagnostics_.report(Code::CannotEdit, expression.span, why);
        d.note("nobody could ever answer this: the run would stop there, in the middle of the window");
    }

    std::set<std::tuple<FileId, std::uint32_t, std::string>> told_;
};

}  // namespace

void edits(const CheckContext& picture, Diagnostics& diagnostics) {
    Edits(picture, diagnostics).check();
}

}  // namespace migc::checks
