#include "runtime/evaluate/environment.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "compiler/project/named_file.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/convert.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline evaluation {
namespace {

// The context of an environment's cluster without one in migc.yaml. Empty where the project declares a
// kubectl of its own, and nobody has allowed that.
tl::expected<std::string, Problem> find_context(const ir::Program& program,
                                                const StageEnvironment& environment, Tools& tools) {
    const std::string& name = environment.name;
    const Answer contexts =
        ask_kubectl(program, environment, tools, {"config", "get-contexts", "-o", "name"});
    if (is_not_allowed(contexts)) return std::string();
    const auto lines = split(contexts.output, '\n');
    const bool is_listed = std::any_of(lines.begin(), lines.end(),
                                       [&](const std::string& line) { return trimmed(line) == name; });
    if (contexts.succeeded() && is_listed) return name;
    if (environment.is_protected)
        return tl::unexpected(Problem{fmt::format(
            "environment {0} is protected, and neither migc.yaml nor a kubectl context named {0} says which "
            "cluster it is; the current context might be another one. Give --context, or the context in "
            "migc.yaml",
            name)});
    const Answer current = ask_kubectl(program, environment, tools, {"config", "current-context"});
    const std::string_view context = trimmed(current.output);
    if (current.succeeded() && !context.empty()) return std::string(context);
    return tl::unexpected(Problem{fmt::format(
        "there is no kubectl context named {}, and no current one ({}). Give --context, or the context in "
        "migc.yaml",
        name, failure_text("kubectl", current))});
}

void set(StageEnvironment& environment, const std::string& key, const std::optional<std::string>& value) {
    if (value && !value->empty()) environment.settings[key] = *value;
}

StageEnvironment from_inventory(const ir::Stage& stage, const project::Inventory& inventory) {
    StageEnvironment result;
    result.name = stage.environment.empty() ? stage.name : stage.environment;
    set(result, "environment", result.name);
    const auto root = std::filesystem::absolute(inventory.root).lexically_normal();
    set(result, "root", root.string());
    const project::Environment* entry = inventory.environment(result.name);
    if (entry == nullptr) return result;
    result.is_protected = entry->is_protected;
    set(result, "context", entry->context);
    set(result, "namespace", entry->name_space);
    if (entry->kubeconfig) set(result, "kubeconfig", (root / *entry->kubeconfig).string());
    if (entry->terraform) {
        set(result, "terraform-dir", (root / entry->terraform->directory).string());
        set(result, "var-file", entry->terraform->var_file);
    }
    return result;
}

// What is called as the environment is called is its own where migc.yaml says nothing.
void set_given_context(StageEnvironment& environment, const RunOptions& options) {
    if (!options.context || options.context->empty()) return;
    const std::string own = environment.setting("context");
    if (*options.context != (own.empty() ? environment.name : own))
        environment.settings["context-given"] = "yes";
    environment.settings["context"] = *options.context;
}

// Of a live run: a simulated world has clusters of its own.
std::optional<Problem> another_cluster(const project::Environment& entry, const StageEnvironment& environment,
                                       Tools& tools) {
    const std::string cluster = environment.setting("cluster");
    if (!entry.cluster_uid || tools.kind() != "live" || cluster == *entry.cluster_uid) return std::nullopt;
    return Problem{
        fmt::format("migc.yaml says that {} is the cluster whose namespace kube-system has the UID {}, "
                    "and {} in context {}",
                    environment.name, *entry.cluster_uid,
                    cluster.empty() ? "it could not be read" : fmt::format("it has {}", cluster),
                    environment.setting("context"))};
}

std::optional<Problem> another_workspace(const project::Environment& entry,
                                         const StageEnvironment& environment, Tools& tools) {
    if (!entry.terraform || entry.terraform->workspace.empty() || tools.kind() != "live") return std::nullopt;
    const std::string selected = terraform_workspace(environment);
    const std::string shown = selected.empty() ? "default" : selected;
    if (shown == entry.terraform->workspace) return std::nullopt;
    return Problem{
        fmt::format("migc.yaml says that {0} is terraform's workspace {1}, and {2} is selected in {3}. "
                    "`terraform workspace select {1}` there",
                    environment.name, entry.terraform->workspace, shown, entry.terraform->directory)};
}

std::optional<Problem> add_parameter(const ir::Parameter& parameter, const project::Environment* entry,
                                     const RunOptions& options, StageEnvironment& environment) {
    if (const auto given = options.parameters.find(parameter.name); given != options.parameters.end()) {
        environment.parameters[parameter.name] = given->second;
        return std::nullopt;
    }
    if (parameter.type.kind == ir::TypeKind::Secret) return std::nullopt;  // see read_secrets
    Value& value = environment.parameters[parameter.name];
    if (entry != nullptr && entry->set.contains(parameter.name)) {
        auto parsed = parse_parameter(parameter.type, entry->set.at(parameter.name).text);
        if (!parsed)
            return Problem{fmt::format("migc.yaml sets {} of environment {}, but {}", parameter.name,
                                       environment.name, parsed.error())};
        value = std::move(*parsed);
        return std::nullopt;
    }
    if (parameter.default_value) value = semantics::constant(*parameter.default_value);
    if (parameter.default_value || parameter.optional) return std::nullopt;
    return Problem{
        fmt::format("parameter {0} has no value for environment {1}. Give --set {0}=.., or set it in "
                    "migc.yaml",
                    parameter.name, environment.name)};
}

bool names_cluster(const ir::Expr& expression) {
    return expression.kind == ir::ExprKind::Setting &&
           (expression.name == "context" || expression.name == "namespace");
}

// Another tool may ask for the same cluster: helm ["--kube-context", context].
bool is_kubectl(const ir::Program& program, const std::string& name) {
    const ir::Tool* tool = program.tool(name);
    return name == "kubectl" ||
           (tool != nullptr && tool->arguments && semantics::any_expression(*tool->arguments, names_cluster));
}

bool runs_kubectl(const ir::Program& program, const std::optional<ir::Command>& command) {
    const auto is_one = [&](const std::string& tool) { return is_kubectl(program, tool); };
    return command &&
           (is_one(command->tool) || std::any_of(command->through.begin(), command->through.end(), is_one));
}

}  // namespace

std::string StageEnvironment::setting(const std::string& key) const {
    const auto found = settings.find(key);
    return found == settings.end() ? "" : found->second;
}

PinnedEnvironment StageEnvironment::journal() const {
    PinnedEnvironment pinned{name, setting("context"), setting("namespace"), is_protected, settings, {}};
    for (const auto& [key, value] : parameters)
        if (std::find(secrets.begin(), secrets.end(), key) == secrets.end()) pinned.parameters[key] = value;
    return pinned;
}

StageEnvironment StageEnvironment::from_journal(const PinnedEnvironment& pinned) {
    StageEnvironment result;
    result.name = pinned.environment;
    result.is_protected = pinned.is_protected;
    result.settings = pinned.settings;
    result.parameters = pinned.parameters;
    return result;
}

StageEnvironment declared_environment(const ir::Program& program, const ir::Stage& stage,
                                      const project::Inventory& inventory, const RunOptions& options) {
    StageEnvironment result = from_inventory(stage, inventory);
    const project::Environment* entry = inventory.environment(result.name);
    for (const ir::Parameter& parameter : program.parameters)
        static_cast<void>(add_parameter(parameter, entry, options, result));
    return result;
}

tl::expected<StageEnvironment, Problem> resolve_environment(const ir::Program& program,
                                                            const ir::Stage& stage,
                                                            const project::Inventory& inventory,
                                                            const RunOptions& options, Tools& tools) {
    StageEnvironment result = from_inventory(stage, inventory);
    set_given_context(result, options);
    set(result, "namespace", options.name_space);
    const project::Environment* entry = inventory.environment(result.name);
    for (const ir::Parameter& parameter : program.parameters)
        if (auto problem = add_parameter(parameter, entry, options, result)) return tl::unexpected(*problem);
    if (auto problem = read_secrets(program, inventory, tools, result, options.reads_secrets))
        return tl::unexpected(*problem);
    if (std::string workspace = terraform_workspace(result); !workspace.empty())
        result.settings["workspace"] = std::move(workspace);
    if (auto problem = entry != nullptr ? another_workspace(*entry, result, tools) : std::nullopt)
        return tl::unexpected(*problem);
    if (!uses_kubectl(program, stage)) return result;
    if (entry != nullptr && entry->kubeconfig)
        if (const auto file = project::named_file(inventory, *entry->kubeconfig); !file)
            return tl::unexpected(Problem{fmt::format("the kubeconfig {} of environment {}: {}",
                                                      *entry->kubeconfig, result.name, file.error())});
    if (auto resolved = resolve_cluster(program, result, tools); !resolved)
        return tl::unexpected(resolved.error());
    if (auto problem = entry != nullptr ? another_cluster(*entry, result, tools) : std::nullopt)
        return tl::unexpected(*problem);
    return result;
}

tl::expected<void, Problem> resolve_cluster(const ir::Program& program, StageEnvironment& environment,
                                            Tools& tools) {
    if (!environment.settings.contains("context")) {
        const auto context = find_context(program, environment, tools);
        if (!context) return tl::unexpected(context.error());
        if (!context->empty()) environment.settings["context"] = *context;
    }
    environment.settings.try_emplace("namespace", environment.name);
    if (const auto identity = cluster_identity(program, environment, tools))
        environment.settings["cluster"] = *identity;
    return {};
}

Answer ask_kubectl(const ir::Program& program, const StageEnvironment& environment, Tools& tools,
                   const std::vector<std::string>& arguments) {
    const ir::Tool* kubectl = program.tool("kubectl");
    CommandLine command;
    command.tool = "kubectl";
    command.argv = {kubectl != nullptr && !kubectl->program.empty() ? kubectl->program : "kubectl"};
    if (const std::string file = environment.setting("kubeconfig"); !file.empty())
        command.argv.insert(command.argv.end(), {"--kubeconfig", file});
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.directory = environment.setting("root");
    return tools.run(command);
}

tl::expected<std::string, std::string> cluster_identity(const ir::Program& program,
                                                        const StageEnvironment& environment, Tools& tools) {
    const Answer answer = ask_kubectl(
        program, environment, tools,
        {"--context", environment.setting("context"), "get", "namespace", "kube-system", "-o", "json"});
    if (!answer.succeeded()) return tl::unexpected(failure_text("kubectl", answer));
    const auto object = nlohmann::json::parse(answer.output, nullptr, false);
    const auto& uid = field(object, "/metadata/uid");
    if (!uid.is_string()) return tl::unexpected(std::string("its namespace kube-system has no UID"));
    return uid.get<std::string>();
}

StageEnvironment common_environment(const ir::Program& program, const project::Inventory& inventory,
                                    const RunOptions& options) {
    StageEnvironment common;
    common.outside = true;
    common.settings["root"] = std::filesystem::absolute(inventory.root).lexically_normal().string();
    for (const ir::Parameter& parameter : program.parameters) {
        if (parameter.default_value)
            common.parameters[parameter.name] = semantics::constant(*parameter.default_value);
        if (const auto given = options.parameters.find(parameter.name); given != options.parameters.end())
            common.parameters[parameter.name] = given->second;
    }
    return common;
}

std::string terraform_workspace(const StageEnvironment& environment) {
    const std::string folder = environment.setting("terraform-dir");
    if (folder.empty()) return {};
    const auto file =
        std::filesystem::path(environment.setting("root")) / folder / ".terraform" / "environment";
    constexpr std::uintmax_t longest_name = 1024;
    std::string name = read_file(file, longest_name).value_or("");
    while (!name.empty() && std::isspace(static_cast<unsigned char>(name.back())) != 0) name.pop_back();
    return name == "default" ? "" : name;
}

bool uses_kubectl(const ir::Program& program, const ir::Stage& stage) {
    const semantics::Reached reached = semantics::reached_by(program, stage);
    return std::any_of(reached.verbs.begin(), reached.verbs.end(),
                       [&](const ir::Verb* verb) { return runs_kubectl(program, verb->action); }) ||
           std::any_of(reached.probes.begin(), reached.probes.end(),
                       [&](const ir::Probe* probe) { return runs_kubectl(program, probe->read); });
}

std::filesystem::path copied_input(const std::filesystem::path& run_folder, const std::filesystem::path& root,
                                   const std::string& path) {
    const std::filesystem::path named = root / path, project = root.lexically_normal();
    const std::filesystem::path whole = named.lexically_normal();
    if (run_folder.empty() || !is_within(whole, project)) return named;
    std::error_code error;
    const std::filesystem::path copy = run_folder / "inputs" / whole.lexically_relative(project);
    return std::filesystem::exists(copy, error) ? copy : named;
}

}  // namespace migc::runtime::inline evaluation
