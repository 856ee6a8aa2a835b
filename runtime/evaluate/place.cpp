#include "runtime/evaluate/place.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"

namespace migc::runtime::inline evaluation {
namespace {

constexpr const char* default_workspace = "default";

bool is_secret(const ir::Program& program, const std::string& name) {
    return std::any_of(program.parameters.begin(), program.parameters.end(), [&](const ir::Parameter& one) {
        return one.name == name && one.type.kind == ir::TypeKind::Secret;
    });
}

// A folder below the root is the same one in another clone.
std::string below_root(const StageEnvironment& environment, const std::string& setting) {
    const std::string root = environment.setting("root") + "/", path = environment.setting(setting);
    return path.starts_with(root) ? path.substr(root.size()) : path;
}

std::map<std::string, std::string> settings_of(const ir::Program& program,
                                               const project::Inventory& inventory,
                                               const StageEnvironment& environment) {
    std::map<std::string, std::string> settings;
    const auto add = [&](const std::string& name, const std::string& value) {
        if (!value.empty()) settings[name] = sha256(value);
    };
    add("project", inventory.project);
    add("terraform dir", below_root(environment, "terraform-dir"));
    add("terraform var-file", environment.setting("var-file"));
    const project::Environment* entry = inventory.environment(environment.name);
    if (entry == nullptr) return settings;
    for (const auto& [name, value] : entry->set)
        if (const auto parameter = environment.parameters.find(name);
            parameter != environment.parameters.end() && !is_secret(program, name))
            settings[name] = sha256(to_json(parameter->second).dump());
    return settings;
}

// Whether an option sent it somewhere else than migc.yaml says.
bool is_sent_away(const project::Inventory& inventory, const StageEnvironment& environment) {
    const project::Environment* entry = inventory.environment(environment.name);
    const std::string own = entry != nullptr && entry->name_space ? *entry->name_space : environment.name;
    const std::string name_space = environment.setting("namespace");
    return environment.setting("context-given") == "yes" || (!name_space.empty() && name_space != own);
}

std::string workspace_or_default(const std::string& name) {
    return name.empty() ? default_workspace : name;
}

}  // namespace

trust::Place place_of(const ir::Program& program, const project::Inventory& inventory, const ir::Stage& stage,
                      const StageEnvironment& environment) {
    trust::Place place;
    place.environment = environment.name;
    place.name_space = environment.setting("namespace");
    if (uses_kubectl(program, stage)) {
        place.cluster = environment.setting("cluster");
        place.context = environment.setting("context");
        place.context_given = environment.setting("context-given") == "yes";
    }
    if (!environment.setting("terraform-dir").empty())
        place.workspace = workspace_or_default(environment.setting("workspace"));
    place.settings = settings_of(program, inventory, environment);
    return place;
}

trust::Place place_now(const EvalContext& eval_context, const ir::Stage& stage) {
    const ir::Program& program = eval_context.program;
    const project::Inventory& inventory = eval_context.inventory;
    Tools& tools = eval_context.tools;
    const RunOptions none;
    StageEnvironment environment = declared_environment(program, stage, inventory, none);
    const project::Environment* entry = inventory.environment(environment.name);
    const bool pinned = entry != nullptr && entry->cluster_uid && tools.kind() == "live";
    if (uses_kubectl(program, stage)) {
        environment.settings.try_emplace("namespace", environment.name);
        if (pinned)
            environment.settings["cluster"] = *entry->cluster_uid;
        else
            static_cast<void>(resolve_cluster(program, environment, tools));  // where it can be reached
    }
    trust::Place place = place_of(program, inventory, stage, environment);
    // The one that is selected now may be another environment's.
    place.workspace = entry != nullptr && entry->terraform ? entry->terraform->workspace : "";
    return place;
}

std::string is_elsewhere(const EvalContext& eval_context, const std::string& stage,
                         const StageEnvironment& gated) {
    const StageEnvironment* passed =
        eval_context.environment_of ? eval_context.environment_of(stage) : nullptr;
    const project::Inventory& inventory = eval_context.inventory;
    if (passed == nullptr || !is_sent_away(inventory, *passed) || is_sent_away(inventory, gated)) return {};
    return fmt::format(
        "stage {} passed in context {} and namespace {}, where --context or --namespace sent it, and not in {}: "
        "run it there",
        stage, passed->setting("context"), passed->setting("namespace"), passed->name);
}

tl::expected<std::string, std::string> is_where_it_is(const EvalContext& eval_context,
                                                      const std::string& stage, const trust::Place& then) {
    const ir::Stage* declared = eval_context.program.stage(stage);
    if (declared == nullptr)
        return tl::unexpected(fmt::format("as a stage {}, which this script has not", stage));
    return trust::same_place(then, place_now(eval_context, *declared));
}

}  // namespace migc::runtime::inline evaluation
