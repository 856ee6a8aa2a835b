// Secrets by what they are called: a value of "/Database/Password", a parameter `api-token`. What looks like
// one by itself is found with the language's other findings.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>

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
    return std::ranges::any_of(text, [](unsigned char c) {
        return std::isdigit(c) != 0 || std::isupper(c) != 0 ||
               (std::ispunct(c) != 0 && c != '-' && c != '_' && c != '.');
    });
}

const std::string* secret_text(const ir::Expr& expression) {
    const auto* text =
        expression.type.kind != ir::TypeKind::Path ? semantics::literal<std::string>(expression) : nullptr;
    return text != nullptr && may_be_one(*text) ? text : nullptr;
}

void report(const ir::Expr& expression, Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::SecretInText, expression.span, "this looks like a secret");
    d.primary_label = "by what it is called";
    d.note(
        "it would be in the repository, in the plan and in everybody's journal; keep it in a Secret of the cluster, or in a "
        "file that is not committed");
}

// What a name of the script stands for, where that is written in it; else the expression itself.
class Texts {
  public:
    explicit Texts(const ir::Program& program) {
        for (const ir::Parameter& parameter : program.parameters)
            if (parameter.default_value) parameters_[parameter.name] = &*parameter.default_value;
        for (const ir::Step& let : program.lets) add(let);
        for (const ir::Stage& stage : program.stages)
            if (!stage.repeats) each_step(stage.steps, [&](const ir::Step& step) { add(step); });
    }

    [[nodiscard]] const ir::Expr& written(const ir::Expr& expression) const {
        const auto& names = expression.kind == ir::ExprKind::Param ? parameters_ : lets_;
        const bool is_name = expression.kind == ir::ExprKind::Param || expression.kind == ir::ExprKind::Local;
        const auto found = is_name ? names.find(expression.name) : names.end();
        return found == names.end() ? expression : *found->second;
    }

  private:
    void add(const ir::Step& step) {
        if (step.kind == ir::StepKind::Let && step.value) lets_.emplace(step.name, &*step.value);
    }

    std::map<std::string, const ir::Expr*> parameters_, lets_;
};

class Calls {
  public:
    Calls(const ir::Program& program, Diagnostics& diagnostics)
        : texts_(program), diagnostics_(diagnostics) {}

    void check(const ir::Step& step) {
        if (step.kind != ir::StepKind::Call) return;
        for (std::size_t i = 0; i + 1 < step.arguments.size(); ++i) {
            const std::string* place = semantics::literal<std::string>(step.arguments[i]);
            if (place != nullptr && place->starts_with('/') && is_called_secret(*place))
                told(texts_.written(step.arguments[i + 1]));
        }
        for (const ir::Expr& argument : step.arguments) options(argument);
    }

    // `["--password", "hunter2Prod"]`.
    void options(const ir::Expr& list) {
        if (list.kind != ir::ExprKind::List) return;
        for (std::size_t i = 0; i + 1 < list.children.size(); ++i) {
            const std::string* option = semantics::literal<std::string>(list.children[i]);
            if (option != nullptr && option->starts_with('-') && is_called_secret(*option))
                told(texts_.written(list.children[i + 1]));
        }
    }

  private:
    void told(const ir::Expr& expression) {
        if (secret_text(expression) != nullptr && told_.insert(&expression).second)
            report(expression, diagnostics_);
    }

    Texts texts_;
    Diagnostics& diagnostics_;
    std::set<const ir::Expr*> told_;
};

}  // namespace

void named_secrets(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const ir::Parameter& parameter : picture.program.parameters)
        if (parameter.default_value && secret_text(*parameter.default_value) != nullptr &&
            is_called_secret(parameter.name))
            report(*parameter.default_value, diagnostics);
    for (const ir::Step& let : picture.program.lets)
        if (let.value && secret_text(*let.value) != nullptr && is_called_secret(let.name))
            report(*let.value, diagnostics);
    Calls calls(picture.program, diagnostics);
    const auto check = [&](const ir::Step& step) { calls.check(step); };
    for (const ir::Stage& stage : picture.program.stages) {
        if (!stage.repeats) each_step(stage.steps, check);
        if (has_own_failure_block(picture.program, stage)) each_step(*stage.on_failure, check);
    }
    for (const ir::Verb& verb : picture.program.verbs)
        if (verb.action && verb.action->arguments && picture.timeline.is_own(verb.span))
            calls.options(*verb.action->arguments);
}

}  // namespace migc::checks
