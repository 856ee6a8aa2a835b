// Secrets in the text: what looks like one by itself, and what is called one: a value of
// "/Database/Password", a parameter `api-token`, what follows the word "aws_secret_access_key" in a command.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

// ------------------------------------------------ by what it looks like

// What a secret looks like, and a mark in it, in small letters, that few other texts have: to make a regular
// expression costs more than most checks of a small script.
struct Look {
    std::string_view mark;
    const char* pattern;
};
constexpr std::array looks = {
    Look{"authorization:", R"((?i)\bauthorization:\s*(bearer|basic)\s+[a-z0-9+/_.=-]{8,})"},
    Look{
        "=",
        R"((?i)(password|passwd|api[_-]?key|account[_-]?key|shared[_-]?access[_-]?key|[?&](access_)?token)=[^\s$]{6,})"},
    Look{"pwd=", R"((?i)\bpwd=[^\s$/;]{6,})"},
    Look{"@", R"(://[^/\s:@]*:[^/\s@$]{4,}@)"},
    Look{"akia", R"(\bAKIA[0-9A-Z]{16}\b)"},
    Look{"gh", R"(\bgh[pousr]_[A-Za-z0-9]{20,})"},
    Look{"-----begin", R"(-----BEGIN [A-Z ]*PRIVATE KEY)"},
};

const Look* look_of_secret(const std::string& text) {
    static std::array<std::unique_ptr<RE2>, looks.size()> made;
    const std::string small = lower_case(text);
    for (std::size_t i = 0; i < looks.size(); ++i) {
        if (small.find(looks[i].mark) == std::string::npos) continue;
        if (!made[i]) made[i] = std::make_unique<RE2>(looks[i].pattern);
        if (RE2::PartialMatch(text, *made[i])) return &looks[i];
    }
    return nullptr;
}

// ------------------------------------------------ by what it is called

bool is_called_secret(std::string_view name) {
    static const RE2 ending(
        R"((?i)(password|passwd|passphrase|client[_-]?secret|app[_-]?secret|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key)$)");
    return RE2::PartialMatch(name, ending);
}

bool has_any_of(std::string_view text, int (*is_one)(int)) {
    return std::ranges::any_of(text, [&](unsigned char c) { return is_one(c) != 0; });
}

// Keys in base64 have slashes, as paths do; but no path has capitals, small letters and digits, and no dot.
bool is_long_key(std::string_view text) {
    return text.size() >= 20 && text.front() != '/' && has_any_of(text, std::isupper) &&
           has_any_of(text, std::islower) && has_any_of(text, std::isdigit) &&
           std::ranges::all_of(text, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
           });
}

// Not the name of something, a placeholder, or an address: those are lower case words, `${..}`, and have a
// `://`.
bool may_be_one(std::string_view text) {
    const bool is_short = text.size() < 6, has_blank = text.find_first_of(" \t\n") != std::string_view::npos;
    if (is_short || has_blank || text.find("${") != std::string_view::npos ||
        text.find("://") != std::string_view::npos)
        return false;
    if (text.find('/') != std::string_view::npos) return is_long_key(text);
    return std::ranges::any_of(text, [](unsigned char c) {
        return std::isdigit(c) != 0 || std::isupper(c) != 0 ||
               (std::ispunct(c) != 0 && c != '-' && c != '_' && c != '.');
    });
}

// What follows a bare word may be anything, such as the name of an object: those have no capitals.
bool is_surely_one(std::string_view text) {
    return may_be_one(text) && text.front() != '-' && std::ranges::any_of(text, [](unsigned char c) {
               return std::isupper(c) != 0 || (std::ispunct(c) != 0 && c != '-' && c != '_' && c != '.');
           });
}

const std::string* secret_text(const ir::Expr& expression) {
    const auto* text =
        expression.type.kind != ir::TypeKind::Path ? semantics::literal<std::string>(expression) : nullptr;
    return text != nullptr && may_be_one(*text) ? text : nullptr;
}

// The programs that take a password behind a short option, the option, and whether it may stick to it.
struct ShortOption {
    std::string_view programs, option;
    bool sticks;
};
constexpr std::array short_options = {
    ShortOption{"mysql mysqldump mysqladmin mysqlimport mariadb-admin mariadb mysqlcheck mariadb-dump", "-p",
                true},
    ShortOption{"mongo mongosh mongodump mongorestore sshpass", "-p", true},
    ShortOption{"login", "-p", false},
    ShortOption{"redis-cli", "-a", false},
};

// `curl -u user:password`.
bool is_user_with_password(const ir::Expr& expression) {
    const auto* text = semantics::literal<std::string>(expression);
    const std::size_t colon = text != nullptr ? text->find(':') : std::string::npos;
    return colon != std::string::npos && may_be_one(std::string_view(*text).substr(colon + 1));
}

// The part of a word that is the password; empty if none is.
std::string_view stuck_to(const std::string& word, const ShortOption& option) {
    const bool is_it = option.sticks && word.starts_with(option.option) && word.size() > option.option.size();
    return is_it ? std::string_view(word).substr(option.option.size()) : std::string_view();
}

// "X-Api-Key" of "X-Api-Key: 12ab"; the value is what stands behind its scheme.
bool is_secret_header(const std::string& text) {
    if (text.find(':') == std::string::npos) return false;
    static const RE2 header(R"(^([A-Za-z][A-Za-z0-9-]*):\s*(?:[A-Za-z]+\s+)?(\S+)$)");
    static const RE2 others(R"((?i)^(authorization|proxy-authorization|cookie|x-auth|x-auth-key)$)");
    std::string name, value;
    return RE2::FullMatch(text, header, &name, &value) &&
           (is_called_secret(name) || RE2::FullMatch(name, others)) && may_be_one(value);
}

// `DB_TOKEN=..`, `--secret-key=..`, `--from-literal=token=..`.
bool is_secret_setting(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return false;
    static const RE2 name(R"(^-{0,2}[A-Za-z][A-Za-z0-9_.-]*$)");
    const std::string_view before = std::string_view(text).substr(0, equals);
    if (!RE2::FullMatch(before, name)) return false;
    const std::string_view value = std::string_view(text).substr(equals + 1);
    return is_called_secret(before) ? may_be_one(value) : is_secret_setting(std::string(value));
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

class Secrets : ScriptCheck {
  public:
    Secrets(const CheckContext& picture, Diagnostics& diagnostics)
        : ScriptCheck(picture, diagnostics), texts_(picture.program) {}

    void check() {
        for (const ir::Parameter& parameter : picture_.program.parameters)
            if (parameter.default_value && is_called_secret(parameter.name)) called(*parameter.default_value);
        for (const ir::Step& let : picture_.program.lets)
            if (let.value && is_called_secret(let.name)) called(*let.value);
        for (const ir::Stage& stage : picture_.program.stages) {
            if (!stage.repeats) calls(stage.steps);
            if (has_own_failure_block(picture_.program, stage)) calls(*stage.on_failure);
        }
        for (const ir::Verb& verb : picture_.program.verbs)
            if (picture_.timeline.is_own(verb.span)) {
                calls(verb.steps);
                command(verb.action);
            }
        for (const ir::Probe& probe : picture_.program.probes)
            if (picture_.timeline.is_own(probe.span)) command(probe.read);
        each_own_expression(picture_, [&](const ir::Expr& expression) {
            if (expression.kind == ir::ExprKind::List) list(expression, "");
            if (const auto* text = semantics::literal<std::string>(expression)) alone(expression, *text);
            joined(expression);
        });
    }

  private:
    // `patch object .. at "/data/password" to ..`, and what a verb of steps is given.
    void calls(const std::vector<ir::Step>& steps) {
        each_step(steps, [&](const ir::Step& step) {
            if (step.kind != ir::StepKind::Call) return;
            for (std::size_t i = 0; i + 1 < step.arguments.size(); ++i) {
                const std::string* place = semantics::literal<std::string>(step.arguments[i]);
                if (place != nullptr && place->starts_with('/') && is_called_secret(*place))
                    called(step.arguments[i + 1]);
            }
        });
    }

    void command(const std::optional<ir::Command>& command) {
        const ir::Tool* tool = command ? picture_.program.tool(command->tool) : nullptr;
        if (tool != nullptr && command->arguments && command->arguments->kind == ir::ExprKind::List)
            list(*command->arguments, tool->program);
    }

    // The words of a command. A word that is called a secret has it behind it: `["--password",
    // "hunter2Prod"]`,
    // `["aws", "configure", "set", "aws_secret_access_key", ".."]`.
    void list(const ir::Expr& list, const std::string& program) {
        std::set<std::string, std::less<>> before{program.substr(program.rfind('/') + 1)};
        for (std::size_t i = 0; i < list.children.size(); ++i) {
            const std::string* word = semantics::literal<std::string>(list.children[i]);
            if (word == nullptr) continue;
            const ir::Expr* next =
                i + 1 < list.children.size() ? &texts_.written(list.children[i + 1]) : nullptr;
            if (next != nullptr && names_secret(*word, *next)) called(*next);
            short_option(before, *word, list.children[i], next);
            before.insert(word->substr(word->rfind('/') + 1));
        }
    }

    static bool names_secret(const std::string& word, const ir::Expr& next) {
        if (!is_called_secret(word.ends_with('=') ? std::string_view(word).substr(0, word.size() - 1) : word))
            return false;
        if (word.starts_with('-')) return true;
        const auto* value = semantics::literal<std::string>(next);
        return std::isalpha(static_cast<unsigned char>(word.front())) != 0 && value != nullptr &&
               is_surely_one(*value);
    }

    void short_option(const std::set<std::string, std::less<>>& before, const std::string& word,
                      const ir::Expr& written, const ir::Expr* next) {
        if (!word.starts_with('-')) return;
        const bool is_user =
            (word == "-u" || word == "--user") && (before.contains("curl") || before.contains("wget"));
        if (is_user && next != nullptr && is_user_with_password(*next)) report(*next, true, false);
        for (const ShortOption& option : short_options) {
            const bool is_of_it = std::ranges::any_of(
                before, [&](const std::string& one) { return listed(option.programs, one); });
            if (!is_of_it) continue;
            if (word == option.option && next != nullptr) called(*next);
            if (may_be_one(stuck_to(word, option))) report(written, true, false);
        }
    }

    void alone(const ir::Expr& expression, const std::string& text) {
        const Look* look = look_of_secret(text);
        const bool is_header = look == looks.data() || text.starts_with("http");
        if (look != nullptr)
            report(expression, false, is_header);
        else if (is_secret_header(text))
            report(expression, true, true);
        else if (is_secret_setting(text))
            report(expression, true, false);
    }

    // `"--password=${word}"`, where the word stands in the script.
    void joined(const ir::Expr& expression) {
        if (expression.kind != ir::ExprKind::Interpolate || expression.children.size() != 2) return;
        const auto* begin = semantics::literal<std::string>(expression.children.front());
        if (begin != nullptr && begin->ends_with('=') &&
            is_called_secret(std::string_view(*begin).substr(0, begin->size() - 1)))
            called(expression.children.back());
    }

    void called(const ir::Expr& expression) {
        const ir::Expr& written = texts_.written(expression);
        if (secret_text(written) != nullptr) report(written, true, false);
    }

    void report(const ir::Expr& expression, bool by_name, bool is_header) {
        if (!told_.emplace(expression.span.file, expression.span.begin).second) return;
        auto& d = diagnostics_.report(Code::SecretInText, expression.span, "this looks like a secret");
        if (by_name) d.primary_label = "by what it is called";
        d.note(fmt::format(
            "it would be in the repository, in the plan and in everybody's journal; keep it in {}",
            is_header
                ? "a file that is not committed, and name the file: `with header \"Authorization\" from "
                  "file \".secrets/token\"`"
                : "a Secret of the cluster, or in a file that is not committed and that the program reads"));
    }

    Texts texts_;
    std::set<std::pair<FileId, std::uint32_t>> told_;
};

}  // namespace

void secrets(const CheckContext& picture, Diagnostics& diagnostics) {
    Secrets(picture, diagnostics).check();
}

}  // namespace migc::checks
