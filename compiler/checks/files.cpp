// The files that steps name are there, so that no step fails in the middle of the window for want of one.
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

// What steps have written so far, by the text of their scripts.
using Written = std::set<std::string>;

const std::string* literal_path(const ir::Expr& argument) {
    const bool is_path = argument.kind == ir::ExprKind::Literal && argument.type.kind == ir::TypeKind::Path;
    return is_path ? argument.value.get_if<std::string>() : nullptr;
}

void check_argument(const Input& input, const ir::Expr& argument, const ir::Type& slot, Written& written,
                    Diagnostics& diagnostics) {
    const std::string* path = literal_path(argument);
    if (path == nullptr) return;
    if (slot.written) written.insert(*path);
    std::error_code ignored;
    const std::filesystem::path full = input.inventory.root / *path;
    if (written.contains(*path) || std::filesystem::exists(full, ignored)) return;
    auto& d =
        diagnostics.report(Code::MissingFile, argument.span, fmt::format("there is no file `{}`", *path));
    d.notes.push_back(fmt::format("paths are relative to {}", input.inventory.root.string()));
    d.notes.emplace_back("the step would fail in the middle of the window");
}

void check_call(const Input& input, const ir::Step& step, Written& written, Diagnostics& diagnostics) {
    if (step.kind != ir::StepKind::Call) return;
    const auto& slots = input.program.verbs.at(step.verb).parameters;
    for (std::size_t i = 0; i < step.arguments.size() && i < slots.size(); ++i)
        check_argument(input, step.arguments[i], slots[i].type, written, diagnostics);
}

}  // namespace

void files(const Picture& input, Diagnostics& diagnostics) {
    Written written;
    for (const auto& stage : input.program.stages) {
        if (stage.repeats) continue;
        each_step(stage.steps, [&](const ir::Step& step) { check_call(input, step, written, diagnostics); });
    }
}

}  // namespace migc::checks
