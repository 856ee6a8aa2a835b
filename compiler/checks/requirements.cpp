// Requirements that only read files of the project are evaluated at review time: what does not agree is shown
// in both files.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/source/project_path.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_limit = documents::size_limit;

// A value that was read from a file, and where it stands; or why there is none.
struct Read {
    Value value;
    std::string name;          // of the file
    std::optional<Span> span;  // the value, or the last place on the way to it
    std::string problem;       // it could not be read
    std::string missing;       // there is no such place
};

// What is known of a condition without running anything.
enum class Truth { True, False, Open };

Truth negated(Truth truth) {
    return truth == Truth::Open ? truth : truth == Truth::True ? Truth::False : Truth::True;
}

class Requirement {
  public:
    Requirement(const Input& input, const ir::Requirement& requirement)
        : input_(input), requirement_(requirement) {}

    void check(Diagnostics& diagnostics) {
        const Truth truth = evaluate(requirement_.condition);
        const auto is_broken = [](const Read& read) { return !read.problem.empty(); };
        const bool broken = std::any_of(reads_.begin(), reads_.end(), is_broken);
        if (!broken && truth != Truth::False) return;
        auto& d = diagnostics.report(Code::RequirementFails, requirement_.condition.span,
                                     broken ? "what the script requires cannot be found out"
                                            : "the files are not as the script requires");
        d.primary_label = "nothing would be begun";
        for (const Read& read : reads_) label(d, read);
    }

  private:
    Truth evaluate(const ir::Expr& expression) {
        switch (expression.kind) {
            case ir::ExprKind::Not:
                return negated(evaluate(expression.children.at(0)));
            case ir::ExprKind::And:
                return both(expression, Truth::False);
            case ir::ExprKind::Or:
                return both(expression, Truth::True);
            case ir::ExprKind::IsAbsent:
                return absent(expression.children.at(0));
            case ir::ExprKind::Compare:
                return compare(expression);
            default:
                return Truth::Open;
        }
    }

    // `deciding` settles it, whatever the other side is.
    Truth both(const ir::Expr& expression, Truth deciding) {
        const Truth left = evaluate(expression.children.at(0)), right = evaluate(expression.children.at(1));
        if (left == deciding || right == deciding) return deciding;
        return left == Truth::Open ? left : right;
    }

    Truth absent(const ir::Expr& subject) {
        const auto value = constant(subject);
        if (!value || value->is_unknown()) return Truth::Open;
        return value->is_absent() ? Truth::True : Truth::False;
    }

    Truth compare(const ir::Expr& expression) {
        const bool is = expression.comparison == ir::Comparison::Is;
        if (!is && expression.comparison != ir::Comparison::IsNot) return Truth::Open;
        const auto left = constant(expression.children.at(0)), right = constant(expression.children.at(1));
        if (!left || !right || left->is_unknown() || right->is_unknown()) return Truth::Open;
        const bool same_value = equal(*left, *right);
        // Two places that are both not there are no agreement.
        const bool holds = is ? same_value && !left->is_absent() : !same_value;
        return holds ? Truth::True : Truth::False;
    }

    // A literal, a `let` of one, or a value in a file. Nothing for what only a run can tell.
    std::optional<Value> constant(const ir::Expr& expression) {
        if (expression.kind == ir::ExprKind::Literal) return expression.value;
        if (expression.kind == ir::ExprKind::Local) return let(expression.name);
        if (expression.kind != ir::ExprKind::Probe) return std::nullopt;
        if (semantics::role_of(input_.program, expression) != ir::Role::Value) return std::nullopt;
        const ir::Expr* of = semantics::role_argument(input_.program, expression, 1);
        const ir::Expr* at = semantics::role_argument(input_.program, expression, 0);
        const auto file = of != nullptr ? constant(*of) : std::nullopt;
        const auto pointer = at != nullptr ? constant(*at) : std::nullopt;
        const auto* path = file ? file->get_if<std::string>() : nullptr;
        const auto* place = pointer ? pointer->get_if<std::string>() : nullptr;
        if (path == nullptr || place == nullptr) return std::nullopt;
        reads_.push_back(read(*path, *place));
        return reads_.back().value;
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
        const auto text = content(path, result.problem);
        if (!text) return result;
        if (!format) {
            result.problem = "only values of .json, .yaml, .yml and .tfvars files can be read";
            return result;
        }
        const FileId file = input_.sources.add(shown(path), *text);
        const auto found = documents::read(*text, *format, pointer);
        if (!found) {
            result.problem = found.error().message;
            result.span = span(file, {found.error().offset, found.error().offset + 1}, *text);
            return result;
        }
        result.span = span(file, found->range, *text);
        result.value = found->value ? plain(*found->value) : Value(Absent{});
        result.missing = found->why;
        return result;
    }

    std::optional<std::string> content(const std::string& path, std::string& problem) const {
        auto text = project_file_content(input_.inventory.root, path, file_limit);
        if (!text) problem = text.error();
        return text ? std::optional(std::move(*text)) : std::nullopt;
    }

    // Of what a place says, the first line.
    static Span span(FileId file, documents::Range range, std::string_view text) {
        const std::size_t begin = std::min(range.begin, text.size());
        const std::size_t end = std::min(range.end, documents::line_end(text, begin));
        return {file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(std::max(begin, end))};
    }

    // As one would type it where migc was started.
    [[nodiscard]] std::string shown(const std::string& path) const {
        std::error_code error;
        const fs::path relative = fs::proximate(input_.inventory.root / path, error);
        return error ? path : relative.string();
    }

    void label(Diagnostic& d, const Read& read) const {
        const std::string text = !read.problem.empty()    ? read.problem
                                 : read.value.is_absent() ? read.missing
                                                          : "this is " + show(read.value);
        if (read.span)
            d.labels.push_back({*read.span, text});
        else
            d.notes.push_back(fmt::format("{}: {}", read.name, text));
    }

    const Input& input_;
    const ir::Requirement& requirement_;
    std::vector<Read> reads_;
};

}  // namespace

void requirements(const Picture& input, Diagnostics& diagnostics) {
    for (const ir::Requirement& requirement : input.program.requirements)
        Requirement(input, requirement).check(diagnostics);
}

}  // namespace migc::checks
