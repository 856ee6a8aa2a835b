// Secrets by what they are called: a value of "/Database/Password", a parameter `api-token`. What looks like
// one by itself is found with the language's other findings.
#include <algorithm>
#include <cctype>

#include <re2/re2.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

bool is_called_secret(const std::string& name) {
    static const RE2 ending(
        R"((?i)(password|passwd|passphrase|client[_-]?secret|app[_-]?secret|token|api[_-]?key|access[_-]?key|private[_-]?key)$)");
    return RE2::PartialMatch(name, ending);
}

// Not the name of something, a placeholder, or an address: those are lower case words, `${..}`, and have a
// `://`.
bool may_be_one(const std::string& text) {
    const bool is_short = text.size() < 6, has_blank = text.find_first_of(" \t\n") != std::string::npos;
    if (is_short || has_blank || text.find("${") != std::string::npos ||
        text.find("://") != std::string::npos || text.find('/') != std::string::npos)
        return false;
    return std::any_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isdigit(c) != 0 || std::isupper(c) != 0 ||
               (std::ispunct(c) != 0 && c != '-' && c != '_' && c != '.');
    });
}

const std::string* secret_text(const ir::Expr& expression) {
    const auto* text = expression.kind == ir::ExprKind::Literal && expression.type.kind != ir::TypeKind::Path
                           ? expression.value.get_if<std::string>()
                           : nullptr;
    return text != nullptr && may_be_one(*text) ? text : nullptr;
}

void report(const ir::Expr& expression, Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::SecretInText, expression.span, "this looks like a secret");
    d.primary_label = "by what it is called";
    d.notes.emplace_back(
        "it would be in the repository, in the plan and in everybody's journal; keep it in a Secret of the cluster, or in a "
        "file that is not committed");
}

// `set value of FILE at "/Database/Password" to ".."`.
void check_call(const ir::Step& step, Diagnostics& diagnostics) {
    if (step.kind != ir::StepKind::Call) return;
    for (std::size_t i = 0; i + 1 < step.arguments.size(); ++i) {
        const auto* place = step.arguments[i].kind == ir::ExprKind::Literal
                                ? step.arguments[i].value.get_if<std::string>()
                                : nullptr;
        const bool is_place = place != nullptr && place->starts_with("/") && is_called_secret(*place);
        if (is_place && secret_text(step.arguments[i + 1]) != nullptr)
            report(step.arguments[i + 1], diagnostics);
    }
}

}  // namespace

void named_secrets(const Picture& picture, Diagnostics& diagnostics) {
    for (const ir::Parameter& parameter : picture.program.parameters)
        if (parameter.default_value && secret_text(*parameter.default_value) != nullptr &&
            is_called_secret(parameter.name))
            report(*parameter.default_value, diagnostics);
    for (const ir::Step& let : picture.program.lets)
        if (let.value && secret_text(*let.value) != nullptr && is_called_secret(let.name))
            report(*let.value, diagnostics);
    for (const ir::Stage& stage : picture.program.stages)
        if (!stage.repeats)
            each_step(stage.steps, [&](const ir::Step& step) { check_call(step, diagnostics); });
}

}  // namespace migc::checks
