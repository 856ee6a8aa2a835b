#include "runtime/evaluate/consent.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "compiler/project/user_config.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/text.hpp"
#include "runtime/evaluate/kubeconfig.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline evaluation {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

template <std::size_t size>
bool is_one_of(const std::array<const char*, size>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Those that the standard library starts, under the names by which it finds them on PATH.
bool is_of_machine(const std::string& program) {
    constexpr std::array tools = {"kubectl", "docker", "curl", "git", "terraform", "openssl"};
    return is_one_of(tools, program);
}

std::string why_of(const std::string& name) {
    return name.find('/') == std::string::npos ? name + " is run as the project says"
                                               : name + " is the project's program";
}

// ------------------------------------------------------------------ kubectl

// A command line of kubectl without what says where: that is migc's own part, in front.
struct KubectlLine {
    std::string kubeconfig;
    Words words;  // from the verb on
};

KubectlLine kubectl_line(const Words& argv) {
    KubectlLine line;
    std::size_t at = 1;
    for (; at + 1 < argv.size(); at += 2) {
        if (argv[at] == "--kubeconfig")
            line.kubeconfig = argv[at + 1];
        else if (argv[at] != "--context" && argv[at] != "--namespace")
            break;
    }
    line.words.assign(argv.begin() + static_cast<std::ptrdiff_t>(std::min(at, argv.size())), argv.end());
    return line;
}

Kubectl work_of(const Words& words) {
    if (words.empty() || words.front() != "config") return Kubectl::AsksServer;
    const bool flattens = std::any_of(words.begin(), words.end(),
                                      [](const std::string& word) { return word.starts_with("--flatten"); });
    return flattens ? Kubectl::OpensFiles : Kubectl::OnlyReadsIt;
}

// The first kubeconfig of the project that reaches out of it.
std::optional<ProjectProgram> in_kubeconfigs(const std::vector<fs::path>& files, const fs::path& root,
                                             Kubectl work) {
    for (const fs::path& file : files)
        if (std::string why = kubeconfig_reaches_out(file, root, work); !why.empty())
            return ProjectProgram{file.string(), file.string(), {}, std::move(why), {}};
    return std::nullopt;
}

// Such a probe of a project's own says no more than what is to be shown of the cluster. What is called a
// secret is not shown.
bool only_gets(const Words& words) {
    constexpr std::array alone = {"--ignore-not-found", "-A", "--all-namespaces", "--no-headers"};
    constexpr std::array with_value = {"-l",        "--selector", "--field-selector",
                                       "--sort-by", "-n",         "--namespace"};
    constexpr std::array outputs = {"json", "yaml", "name", "wide"};
    const auto is_output = [&](const std::string& text) {
        return is_one_of(outputs, text) || text.starts_with("jsonpath=");
    };
    if (words.empty() || words.front() != "get") return false;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (lower_case(word).find("secret") != std::string::npos) return false;
        if (!word.starts_with('-') || is_one_of(alone, word)) continue;
        const std::size_t sign = word.find('=');
        const std::string option = word.substr(0, sign);
        if (sign == std::string::npos && ++i == words.size()) return false;
        const std::string& value = sign == std::string::npos ? words[i] : word.substr(sign + 1);
        const bool prints = (option == "-o" || option == "--output") && is_output(value);
        if (!prints && !is_one_of(with_value, option)) return false;
    }
    return true;
}

// A word of the project in a place where the library only names things, read as an option.
bool says_where(const Words& words) {
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::any_of(words.begin(), end, [](const std::string& word) {
        return word.starts_with("--kubeconfig") || word.starts_with("--server") || word.starts_with("-s=");
    });
}

// What acts in the cluster though it is only looked: a command in a pod, and a pod for one.
bool acts_in_pods(const Words& words) {
    constexpr std::array verbs = {"exec", "run", "delete", "cp", "debug", "attach"};
    return !words.empty() && is_one_of(verbs, words.front());
}

std::optional<ProjectProgram> in_kubectl(const CommandLine& command, const fs::path& root, Work work) {
    const KubectlLine line = kubectl_line(command.argv);
    const auto own = project_path(root, line.kubeconfig);
    const bool is_elsewhere =
        !line.kubeconfig.empty() && !own && !project::is_outside_file(line.kubeconfig, root);
    const bool is_declared = command.of_project || says_where(line.words);
    if (is_declared && (is_elsewhere || !command.environment.empty() || !only_gets(line.words)))
        return ProjectProgram{"kubectl", {}, {}, why_of("kubectl"), {}};
    std::vector<fs::path> files;
    if (line.kubeconfig.empty()) files = kubeconfigs_of_project(root);
    if (!line.kubeconfig.empty() && own) files = {fs::path(line.kubeconfig)};
    if (auto program = in_kubeconfigs(files, root, work_of(line.words))) return program;
    if (work == Work::Looks && acts_in_pods(line.words))
        return ProjectProgram{"kubectl", {}, {}, "it takes a command in a pod", {}};
    return std::nullopt;
}

std::optional<ProjectProgram> in_terraform(const CommandLine& command) {
    const bool only_says_version = command.argv == Words{"terraform", "version"};
    if (only_says_version && !command.of_project) return std::nullopt;
    return ProjectProgram{"terraform", {}, {}, "terraform runs what its folder says", {}};
}

// Of what has a "/" in its name the file itself: it may be edited while a run goes on, and is not pinned.
void find_file(ProjectProgram& program, const fs::path& folder, Tools& tools) {
    if (program.path.empty() && program.name.find('/') == std::string::npos) {
        const auto file = tools.program_file(program.name);
        if (!file) return;
        program.path = file->path;
        program.digest = file->digest;
        return;
    }
    if (program.path.empty()) program.path = (folder / program.name).lexically_normal().string();
    program.digest = digest_of_file(program.path).value_or("");
}

// As it is started, and as one writes it.
std::string plain_name(const std::string& name) {
    return name.starts_with("./") ? name.substr(2) : name;
}

// PATH without what leads into the project, or to wherever a program is started; nothing if it is the same.
std::optional<std::string> path_of_machine(const fs::path& root) {
    const char* path = std::getenv("PATH");
    if (path == nullptr) return std::nullopt;
    std::string left;
    for (const std::string& folder : split(path, ':'))
        if (folder.starts_with('/') && !project::lies_in_project(folder, root))
            left += (left.empty() ? "" : ":") + folder;
    return left == path ? std::nullopt : std::optional(std::move(left));
}

}  // namespace

std::optional<ProjectProgram> lying_in_project(const std::string& name, const fs::path& root, Tools& tools) {
    if (name.empty() || name.find('/') != std::string::npos) return std::nullopt;
    const auto file = tools.program_file(name);
    if (!file || !project::lies_in_project(file->path, root)) return std::nullopt;
    return ProjectProgram{name, file->path, file->digest, fmt::format("{}{}", own_program, name), {}};
}

std::optional<ProjectProgram> of_project(const CommandLine& command, const fs::path& root, Work work) {
    if (command.argv.empty()) return std::nullopt;
    const std::string& name = command.argv.front();
    const bool is_declared = command.of_project || !is_of_machine(name) || command.tool == "program";
    if (name == "kubectl" && command.tool != "program") return in_kubectl(command, root, work);
    if (name == "terraform") return in_terraform(command);
    if (is_declared) return ProjectProgram{name, {}, {}, why_of(name), {}};
    return std::nullopt;
}

bool is_configured(const ProjectProgram& program, const fs::path& root) {
    const auto& allowed = project::user_config().allowed_tools;
    return !program.digest.empty() && project::not_believed(root).empty() &&
           std::any_of(allowed.begin(), allowed.end(), [&](const project::AllowedTool& one) {
               const bool same = one.path.empty() ? plain_name(one.name) == plain_name(program.name)
                                                  : one.path == program.path;
               return same && one.sha256 == program.digest &&
                      (one.project.empty() || one.project == root.lexically_normal());
           });
}

bool is_not_allowed(const Answer& answer) {
    return answer.ending == Ending::NotStarted && answer.reason.starts_with(not_read_mark);
}

ConsentedTools::ConsentedTools(std::unique_ptr<Tools> tools, fs::path root, Work work, Allows allows)
    : ForwardingTools(*tools),
      owned_(std::move(tools)),
      root_(std::move(root)),
      work_(work),
      allows_(std::move(allows)) {
    if (allows_) path_ = path_of_machine(root_);
}

std::map<std::string, ProjectProgram> ConsentedTools::refused() const {
    const std::scoped_lock lock(mutex_);
    return refused_;
}

std::optional<ProjectProgram> ConsentedTools::asked_for(const CommandLine& command) const {
    return allows_ ? of_project(command, root_, work_) : std::nullopt;
}

std::string ConsentedTools::refusal(const CommandLine& command, std::optional<ProjectProgram> program) {
    if (!allows_) return {};
    const fs::path folder = command.directory.empty() ? root_ : fs::path(command.directory);
    if (program) find_file(*program, folder, tools_);
    // One that may be run as the project says need not be one that lies there.
    if (!program || allows_(*program)) {
        program = command.argv.empty() ? std::nullopt : lying_in_project(command.argv.front(), root_, tools_);
        if (!program || allows_(*program)) return {};
    }
    std::string why = fmt::format("{}{}", not_read_mark, program->why);
    const std::scoped_lock lock(mutex_);
    refused_.emplace(program->name, std::move(*program));
    return why;
}

// What one of the machine's starts in its turn, a plug-in or a credential helper, is not looked for in the
// project.
CommandLine ConsentedTools::on_machine(CommandLine command) const {
    command.environment.push_back("PATH=" + *path_);
    return command;
}

Answer ConsentedTools::run(const CommandLine& command) {
    const auto program = asked_for(command);
    std::string why = refusal(command, program);
    if (!why.empty()) return not_started(std::move(why));
    return tools_.run(path_ && !program ? on_machine(command) : command);
}

std::unique_ptr<Watch> ConsentedTools::watch(const CommandLine& command) {
    const auto program = asked_for(command);
    if (!refusal(command, program).empty()) return nullptr;
    return tools_.watch(path_ && !program ? on_machine(command) : command);
}

// ------------------------------------------------------------------ what a run may execute

namespace {

class Search {
  public:
    Search(const ir::Program& program, const project::Inventory& inventory, const RunOptions& options)
        : program_(program), inventory_(inventory), options_(options) {}

    std::vector<ProjectProgram> take() {
        for (const ir::Verb& verb : program_.verbs) in(verb);
        for (const ir::Probe& probe : program_.probes) in(probe);
        semantics::each_expression(program_, asks_);
        for (const ir::Stage& stage : program_.stages) in(stage);
        return std::move(found_);
    }

    // What it starts, by name.
    [[nodiscard]] const std::set<std::string>& started() const { return started_; }

  private:
    [[nodiscard]] bool is_own(Span span) const { return options_.own_files.contains(span.file); }

    void add(ProjectProgram program, std::optional<Span> place) {
        auto known = std::find_if(found_.begin(), found_.end(),
                                  [&](const ProjectProgram& one) { return one.name == program.name; });
        if (known == found_.end()) known = found_.insert(found_.end(), std::move(program));
        if (place && std::find(known->places.begin(), known->places.end(), *place) == known->places.end())
            known->places.push_back(*place);
    }

    void add(const std::string& name, std::optional<Span> place) {
        add(ProjectProgram{name, {}, {}, why_of(name), {}}, place);
    }

    void in(const ir::Verb& verb) {
        if (verb.action) in(*verb.action, is_own(verb.span));
        semantics::each_expression(verb, asks_);
        semantics::each_call(verb.steps, calls_);
        semantics::each_call(verb.undo.steps, calls_);
    }

    void in(const ir::Probe& probe) {
        for (const auto* command : {&probe.read, &probe.watch})
            if (*command) in(**command, is_own(probe.span));
        semantics::each_expression(probe, asks_);
    }

    void in(const ir::Command& command, bool own) {
        for (const std::string& tool : command.through) uses(tool, command, own);
        if (command.tool != "native") uses(command.tool, command, own);
    }

    void uses(const std::string& name, const ir::Command& command, bool own) {
        const ir::Expr* first = name == "program" ? first_word(command.arguments) : nullptr;
        // What is handed to a phrase is said where the phrase is used.
        if (first != nullptr && first->kind != ir::ExprKind::Local) names_program(first, command.span);
        if (name == "program") return;
        const ir::Tool* tool = program_.tool(name);
        if (tool == nullptr) return;
        started_.insert(tool->program);
        CommandLine line;
        line.tool = name;
        line.argv = {tool->program};
        if (own && command.tool != "native" && command.arguments) add_words(line.argv, *command.arguments);
        line.of_project = own || is_own(tool->span);
        if (auto program = of_project(line, inventory_.root, Work::Acts))
            add(std::move(*program), own                  ? command.span
                                     : is_own(tool->span) ? std::optional(tool->span)
                                                          : std::nullopt);
    }

    // What only the run can tell stands for a word: no value begins an option.
    static void add_words(Words& argv, const ir::Expr& list) {
        for (const ir::Expr& element : list.children) {
            const std::string* text = literal(&element);
            argv.push_back(text != nullptr ? *text : "..");
        }
    }

    // ---- programs of the project's own: the first word

    static const ir::Expr* first_word(const ir::Expr* words) {
        while (words != nullptr && words->kind == ir::ExprKind::List && !words->children.empty())
            words = &words->children.front();
        return words;
    }

    static const ir::Expr* first_word(const std::optional<ir::Expr>& words) {
        return first_word(words ? &*words : nullptr);
    }

    static const std::string* literal(const ir::Expr* word) {
        return word != nullptr && word->kind == ir::ExprKind::Literal ? word->value.get_if<std::string>()
                                                                      : nullptr;
    }

    void names_program(const ir::Expr* words, Span place) {
        if (const std::string* text = literal(first_word(words)))
            add(text->find('/') == std::string::npos ? "./" + *text : *text, place);
        else
            add(ProjectProgram{"a program that only the run can tell", {}, {}, "it is the project's", {}},
                place);
    }

    // A phrase that starts what it is given.
    void starts(const std::optional<ir::Command>& command, const std::vector<ir::Parameter>& slots,
                const std::vector<ir::Expr>& arguments, Span place) {
        const ir::Expr* first =
            semantics::runs(command, "program") ? first_word(command->arguments) : nullptr;
        if (first == nullptr || first->kind != ir::ExprKind::Local) return;
        for (std::size_t i = 0; i < slots.size() && i < arguments.size(); ++i)
            if (slots[i].name == first->name)
                return names_program(&semantics::argument_for(slots[i], arguments[i]), place);
        names_program(nullptr, place);
    }

    void call(const ir::Step& step) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        starts(verb.action, verb.parameters, step.arguments, step.span);
    }

    void ask(const ir::Expr& expression) {
        if (const ir::Probe* probe = program_.probe(expression))
            starts(probe->read, probe->parameters, expression.children, expression.span);
    }

    // ---- stages, and what migc.yaml says of their environments

    void in(const ir::Stage& stage) {
        semantics::each_call(stage.gates, calls_);
        semantics::each_call(stage.steps, calls_);
        if (stage.on_failure) semantics::each_call(*stage.on_failure, calls_);
        const auto* entry =
            inventory_.environment(stage.environment.empty() ? stage.name : stage.environment);
        if (entry == nullptr) return;
        for (const ir::Parameter& parameter : program_.parameters)
            if (const auto secret = entry->secrets.find(parameter.name);
                parameter.type.kind == ir::TypeKind::Secret && secret != entry->secrets.end() &&
                !secret->second.command.empty())
                add(secret->second.command.front(), secret->second.span);
        if (entry->kubeconfig) kubeconfig(*entry->kubeconfig);
        // Which cluster it is.
        if (entry->context || entry->cluster_uid) started_.insert("kubectl");
    }

    void kubeconfig(const std::string& file) {
        CommandLine line;
        line.tool = "kubectl";
        line.argv = {"kubectl", "--kubeconfig", (inventory_.root / file).string(), "get"};
        if (auto program = of_project(line, inventory_.root, Work::Acts))
            add(std::move(*program), std::nullopt);
    }

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const RunOptions& options_;
    const semantics::VisitStep calls_ = [this](const ir::Step& step) { call(step); };
    const semantics::VisitExpression asks_ = [this](const ir::Expr& expression) { ask(expression); };
    std::vector<ProjectProgram> found_;
    std::set<std::string> started_;
};

}  // namespace

std::vector<ProjectProgram> project_programs(const ir::Program& program, const project::Inventory& inventory,
                                             const RunOptions& options, Tools& tools) {
    Search search(program, inventory, options);
    auto found = search.take();
    const fs::path root = fs::absolute(inventory.root).lexically_normal();
    for (ProjectProgram& one : found)
        if (one.name.find(' ') == std::string::npos || !one.path.empty()) find_file(one, root, tools);
    for (const std::string& name : search.started()) {
        const bool is_known = std::any_of(found.begin(), found.end(),
                                          [&](const ProjectProgram& one) { return one.name == name; });
        if (is_known) continue;
        if (auto lying = lying_in_project(name, root, tools)) found.push_back(std::move(*lying));
    }
    return found;
}

}  // namespace migc::runtime::inline evaluation
