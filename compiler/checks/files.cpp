// The files that steps name are there, so that no step fails in the middle of the window for want of one.
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

void check_argument(const Input& input, const ir::Expr& argument, Diagnostics& diagnostics) {
    const auto* path = argument.value.get_if<std::string>();
    if (argument.kind != ir::ExprKind::Literal || argument.type.kind != ir::TypeKind::Path || !path) return;
    std::error_code ignored;
    const std::filesystem::path full = input.inventory.root / *path;
    if (std::filesystem::exists(full, ignored)) return;
    auto& d =
        diagnostics.report(Code::MissingFile, argument.span, fmt::format("there is no file `{}`", *path));
    d.notes.push_back(fmt::format("paths are relative to {}", input.inventory.root.string()));
    d.notes.emplace_back("the step would fail in the middle of the window");
}

}  // namespace

void files(const Input& input, Diagnostics& diagnostics) {
    for (const auto& stage : input.program.stages) {
        if (stage.repeats) continue;
        each_step(stage.steps, [&](const ir::Step& step) {
            for (const auto& argument : step.arguments) check_argument(input, argument, diagnostics);
        });
    }
}

}  // namespace migc::checks
