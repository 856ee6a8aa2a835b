// Requirements that only read files of the project are evaluated at review time: what does not agree is shown
// in both files.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/support/project_path.hpp"

namespace migc::checks {
namespace {

constexpr std::uintmax_t file_limit = documents::size_limit;

// A value that was read from a file, and where it stands; or why there is none.
struct Read {
    Value value;
    std::string name;          // of the file
    std::optional<Span> span;  // the value, or the last place on the way to it
    std::string problem;       // it could not be read
    std::string missing;       // there is no such place
};

class Requirement {
  public:
    Requirement(const Input& input, const ir::Requirement& requirement)
        : input_(input), requirement_(requirement) {}

    void check(Diagnostics& diagnostics) {
        const auto holds = semantics::known_truth(requirement_.condition,
                                                  [&](const ir::Expr& part) { return decided(part); });
        const bool broken =
            std::ranges::any_of(reads_, [](const Read& read) { return !read.problem.empty(); });
        if (!broken && holds != false) return;
        auto& d = diagnostics.report(Code::RequirementFails, requirement_.condition.span,
                                     broken ? "what the script requires cannot be found out"
                                            : "the files are not as the script requires");
        d.primary_label = "nothing would be begun";
        for (const Read& read : reads_) label(d, read);
    }

  private:
    // An open question is none that a file answers.
    std::optional<bool> decided(const ir::Expr& condition) {
        if (condition.kind == ir::ExprKind::IsAbsent) {
            const auto value = known(condition.children.at(0));
            return value ? std::optional(value->is_absent()) : std::nullopt;
        }
        const bool is = condition.comparison == ir::Comparison::Is;
        if (condition.kind != ir::ExprKind::Compare || (!is && condition.comparison != ir::Comparison::IsNot))
            return std::nullopt;
        const auto left = known(condition.children.at(0)), right = known(condition.children.at(1));
        if (!left || !right) return std::nullopt;
        const bool same_value = equal(*left, *right);
        // Two places that are both not there are no agreement.
        return is ? same_value && !left->is_absent() : !same_value;
    }

    // A constant, a `let` of one, or a value in a file. Nothing for what only a run can tell.
    std::optional<Value> known(const ir::Expr& expression) {
        auto value = semantics::known_value(expression, [&](const ir::Expr& leaf) -> std::optional<Value> {
            if (leaf.kind == ir::ExprKind::Local) return let(leaf.name);
            if (semantics::role_of(input_.program, leaf) != ir::Role::Value) return std::nullopt;
            const ir::Expr* of = semantics::role_argument(input_.program, leaf, 1);
            const ir::Expr* at = semantics::role_argument(input_.program, leaf, 0);
            const auto file = of != nullptr ? known(*of) : std::nullopt;
            const auto pointer = at != nullptr ? known(*at) : std::nullopt;
            const auto* path = file ? file->get_if<std::string>() : nullptr;
            const auto* place = pointer ? pointer->get_if<std::string>() : nullptr;
            if (path == nullptr || place == nullptr) return std::nullopt;
            reads_.push_back(read(*path, *place));
            return reads_.back().value;
        });
        return value && value->is_unknown() ? std::nullopt : value;
    }

    std::optional<Value> let(const std::string& name) const {
        for (const ir::Step& step : input_.program.lets)
            if (step.name == name && step.value && step.value->kind == ir::ExprKind::Literal)
                return step.value->value;
        return std::nullopt;
    }

    Read read(const std::string& path, const std::string& pointer) const {
        Read result{Unknown{}, path, {}, {}, {}};
        const auto format = documents::format_of(path);
        const auto text = project_file_content(input_.inventory.root, path, file_limit);
        if (!text) {
            result.problem = text.error();
            return result;
        }
        if (!format) {
            result.problem = "only values of .json, .yaml, .yml and .tfvars files can be read";
            return result;
        }
        const FileId file = input_.sources.add(shown_path(input_.inventory.root / path), *text);
        const auto found = documents::read(*text, *format, pointer);
        if (!found) {
            result.problem = found.error().message;
            result.span = first_line(file, *text, {found.error().offset, found.error().offset + 1});
            return result;
        }
        result.span = first_line(file, *text, found->range);
        result.value = found->value ? plain(*found->value) : Value(Absent{});
        result.missing = found->why;
        return result;
    }

    void label(Diagnostic& d, const Read& read) const {
        const std::string text = !read.problem.empty()    ? read.problem
                                 : read.value.is_absent() ? read.missing
                                                          : "this is " + show(read.value);
        if (read.span)
            d.label(*read.span, text);
        else
            d.note(fmt::format("{}: {}", read.name, text));
    }

    const Input& input_;
    const ir::Requirement& requirement_;
    std::vector<Read> reads_;
};

}  // namespace

void requirements(const CheckContext& input, Diagnostics& diagnostics) {
    for (const ir::Requirement& requirement : input.program.requirements)
        Requirement(input, requirement).check(diagnostics);
}

}  // namespace migc::checks
