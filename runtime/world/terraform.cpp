// The simulated terraform: init, validate, plan, show, apply, state, output.
#include "runtime/world/terraform.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr Options options{
    "-var-file -var -out -target -lock-timeout -parallelism -lock",
    "-input -no-color -json -raw -destroy -detailed-exitcode -upgrade -reconfigure -auto-approve -refresh",
    false};

TerraformDirectory* directory_for(Simulation& world, const std::string& folder) {
    for (auto& [key, directory] : world.terraform)
        if (names_path(key, folder)) return &directory;
    return nullptr;
}

// The plan file of a simulated run: what is needed to apply it and to show it.
std::optional<Object> read_plan(const std::filesystem::path& path) {
    Object plan = Object::parse(read_file(path, any_size).value_or(""), nullptr, false);
    if (!part(plan, "/document/resource_changes")) return std::nullopt;
    return plan;
}

bool write_plan(const std::filesystem::path& path, const TerraformDirectory& directory,
                const Object& variables, const Object& document) {
    const Object plan = {{"made_by", "the simulated terraform of migc"},
                         {"lineage", directory.lineage},
                         {"serial", directory.serial},
                         {"variables", variables},
                         {"document", document}};
    return write_file(path, printed(plan, 1), {.synced = false}).has_value();
}

struct Tally {
    int add = 0;
    int change = 0;
    int destroy = 0;
};

Tally tally(const Object& document) {
    Tally sum;
    for (const Object& one : list_at(document, "/resource_changes"))
        for (const Object& action : list_at(one, "/change/actions")) {
            sum.add += action == "create";
            sum.change += action == "update";
            sum.destroy += action == "delete";
        }
    return sum;
}

// With -target only what was named, or lies in it, is touched.
bool is_targeted(const std::vector<std::string>& targets, const std::string& address) {
    return targets.empty() || std::ranges::any_of(targets, [&](const std::string& target) {
               return is_instance(address, target) || address.starts_with(target + ".");
           });
}

// What depends on something is destroyed with it.
std::vector<std::string> with_dependents(const TerraformDirectory& directory,
                                         std::vector<std::string> targets) {
    for (std::size_t i = 0; i < targets.size(); ++i)
        for (const TerraformResource& resource : directory.resources) {
            const bool depends = std::ranges::any_of(resource.depends_on, [&](const std::string& address) {
                return is_targeted({targets[i]}, address);
            });
            const bool known = std::ranges::find(targets, resource.address) != targets.end();
            if (depends && !known) targets.push_back(resource.address);
        }
    return targets;
}

Object wanted_by(const TerraformCall& call, const Object& variables, const std::string& texts) {
    std::vector<std::string> targets = call.arguments.values("-target");
    if (call.arguments.has("-destroy")) targets = with_dependents(call.directory, std::move(targets));
    Object wanted = call.arguments.has("-destroy") ? Object::object()
                                                   : wanted_instances(call.directory, variables, texts);
    for (const auto& [address, attributes] : call.directory.instances.items())
        if (!is_targeted(targets, address)) wanted[address] = attributes;
    for (auto at = wanted.begin(); at != wanted.end();)
        at = !is_targeted(targets, at.key()) && !call.directory.instances.contains(at.key())
                 ? wanted.erase(at)
                 : std::next(at);
    return wanted;
}

// As the local backend says it, after it has waited as long as it may.
Answer locked(TerraformCall& call) {
    call.world.pass(60'000);
    return failed(
        "\nError: Error acquiring the state lock\n\nError message: resource temporarily unavailable\nLock "
        "Info:\n  ID:        {}\n  Path:      terraform.tfstate\n  Operation: OperationTypeApply\n  Who:      "
        " {}\n  Version:   1.11.4\n  Created:   2026-01-10 00:58:12 +0000 UTC\n  Info:      \n\n\nTerraform "
        "acquires a state lock to protect the state from being written\nby multiple users at the same time.\n",
        call.directory.lineage, call.directory.locked_by);
}

Answer plan(TerraformCall& call) {
    if (!call.directory.locked_by.empty()) return locked(call);
    std::string texts;
    const auto variables = variables_of(call, texts);
    if (!variables) return variables.error();
    const auto changes = changes_between(call.directory, wanted_by(call, *variables, texts));
    const Object document = plan_document(call, changes, *variables);
    if (const auto out = call.arguments.value("-out"))
        if (!write_plan(call.folder / *out, call.directory, *variables, document))
            return terraform_error("Failed to write plan file",
                                   fmt::format("The plan file {} could not be written.", *out));
    const Tally sum = tally(document);
    const bool changed = document["applyable"] == true;
    const std::string text = changed ? fmt::format("Plan: {} to add, {} to change, {} to destroy.\n", sum.add,
                                                   sum.change, sum.destroy)
                                     : "No changes. Your infrastructure matches the configuration.\n";
    return exited(changed && call.arguments.has("-detailed-exitcode") ? 2 : 0, text);
}

Answer show(TerraformCall& call) {
    if (!call.arguments.has("-json")) return unmodelled("terraform show without -json");
    if (call.arguments.words.empty()) return done_json(state_values(call.directory), -1);
    const std::string& file = call.arguments.words[0];
    const auto saved = read_plan(call.folder / file);
    if (!saved)
        return terraform_error(
            "Failed to read the given file as a state or plan file",
            fmt::format("Plan read error: couldn't load the provided path {} as a local plan file.", file));
    return done_json((*saved)["document"], -1);
}

std::vector<InstanceChange> changes_in(const Object& document, const TerraformDirectory& directory) {
    std::vector<InstanceChange> changes;
    for (const Object& one : list_at(document, "/resource_changes")) {
        const auto without_id = [&](const char* pointer) {
            const Object* found = part(one, pointer);
            Object attributes = found && found->is_object() ? *found : Object();
            if (attributes.is_object() && directory.ids.contains(text_at(one, "/address")))
                attributes.erase("id");
            return attributes;
        };
        InstanceChange change{
            text_at(one, "/address"), {}, without_id("/change/before"), without_id("/change/after")};
        for (const Object& action : list_at(one, "/change/actions"))
            if (action.is_string()) change.actions.push_back(action.get<std::string>());
        if (!change.actions.empty() && change.actions.front() != "no-op")
            changes.push_back(std::move(change));
    }
    return changes;
}

// How far the changes of a plan came.
struct Carried {
    bool in_time = true;
    std::string output;  // what terraform says of each while it is at it
    std::string errors;  // of what the provider refused
};

std::string begun_line(const InstanceChange& change) {
    const std::string& action = change.actions.front();
    if (action == "no-op" || action == "read") return {};
    return fmt::format("{}: {}...\n", change.address,
                       action == "delete"   ? "Destroying"
                       : action == "update" ? "Modifying"
                                            : "Creating");
}

std::string ended_line(const TerraformDirectory& directory, const InstanceChange& change) {
    const std::string& action = change.actions.back();
    if (action == "no-op" || action == "read") return {};
    if (action == "delete") return fmt::format("{}: Destruction complete after 0s\n", change.address);
    const auto id = directory.ids.find(change.address);
    return fmt::format("{}: {} complete after 0s{}\n", change.address,
                       action == "update" ? "Modifications" : "Creation",
                       id == directory.ids.end() ? "" : fmt::format(" [id={}]", id->get<std::string>()));
}

std::string failure_of(const TerraformDirectory& directory, const InstanceChange& change) {
    const TerraformResource* resource = resource_at(directory, change.address);
    return resource && change.actions.back() == "create" ? resource->fails : "";
}

// One after the other; what the time does not suffice for is left undone, what fails does not stop the
// others.
Carried carry_out_all(TerraformCall& call, const std::vector<InstanceChange>& changes) {
    const auto count = static_cast<std::int64_t>(changes.size());
    Carried carried;
    for (const InstanceChange& change : changes) {
        carried.in_time = call.world.pass(call.directory.duration_ms / std::max<std::int64_t>(1, count));
        if (!carried.in_time) return carried;
        const std::string failure = failure_of(call.directory, change);
        carried.output += begun_line(change);
        if (failure != "before") carry_out(call.directory, change);
        if (failure == "halfway") call.directory.tainted.insert(change.address);
        if (failure.empty()) carried.output += ended_line(call.directory, change);
        if (!failure.empty())
            carried.errors +=
                fmt::format("\nError: creating {}: the simulated provider failed {} it was there\n",
                            change.address, failure == "before" ? "before" : "when");
        sync_nodes(call.world, call.directory);
    }
    return carried;
}

// What was made is real, but the state does not know of it.
Answer lose_state(TerraformCall& call, const TerraformDirectory& before) {
    (void)write_file(call.folder / "errored.tfstate", printed(state_document(call.directory), 2) + "\n",
                     {.synced = false});
    call.directory = before;
    return failed(
        "\nError: Failed to save state\n\nError saving state: the simulated store is broken\n\nError: Failed to "
        "persist state to backend\n\nThe error shown above has prevented Terraform from writing the updated state "
        "to\nthe configured backend. To allow for recovery, the state has been written to the\nfile "
        "\"errored.tfstate\" in the current working directory.\n");
}

Answer apply(TerraformCall& call) {
    if (call.arguments.words.size() != 1) return unmodelled("terraform apply without a saved plan");
    const std::string& file = call.arguments.words[0];
    const auto saved = read_plan(call.folder / file);
    if (!saved)
        return terraform_error(fmt::format("Failed to load \"{}\" as a plan file", file),
                               "The file is not there, or is no plan.");
    // As terraform does it: under the lock the state is compared, and then something is begun.
    if (!call.directory.locked_by.empty()) return locked(call);
    if (text_at(*saved, "/lineage") != call.directory.lineage)
        return terraform_error(
            "Saved plan does not match the given state",
            "The given plan file can not be applied because it was created from a different state lineage.");
    if (number_at(*saved, "/serial", -1) != call.directory.serial)
        return terraform_error(
            "Saved plan is stale",
            "The given plan file can no longer be applied because the state was changed by another operation "
            "after the plan was created.");
    const Object& document = saved->at("document");
    const TerraformDirectory before = call.directory;
    const Carried carried = carry_out_all(call, changes_in(document, call.directory));
    if (document.value("applyable", false)) {
        ++call.directory.serial;
        call.world.acted = true;
    }
    const auto with_output = [&](Answer answer) {
        answer.output = carried.output + answer.output;
        return answer;
    };
    if (!carried.in_time) return with_output(out_of_time());
    if (call.directory.loses_state) return with_output(lose_state(call, before));
    if (!carried.errors.empty()) return with_output(failed(carried.errors));
    call.directory.variables = object_at(*saved, "/variables");
    const Tally sum = tally(document);
    return with_output(done("Apply complete! Resources: {} added, {} changed, {} destroyed.\n", sum.add,
                            sum.change, sum.destroy));
}

Answer output(const TerraformCall& call) {
    const Object outputs = outputs_of(call.directory);
    const auto& words = call.arguments.words;
    if (words.empty())
        return call.arguments.has("-json") ? done_json(outputs, 2)
                                           : unmodelled("terraform output without -json or -raw NAME");
    if (!outputs.contains(words[0]))
        return terraform_error(fmt::format("Output \"{}\" not found", words[0]),
                               "The output variable requested could not be found in the state file.");
    const Object& value = outputs[words[0]]["value"];
    if (call.arguments.has("-json")) return done_json(value, -1);
    if (!call.arguments.has("-raw")) return unmodelled("terraform output NAME without -json or -raw");
    return done(value.is_string() ? value.get<std::string>() : printed(value, -1));
}

Answer state(const TerraformCall& call) {
    const auto& words = call.arguments.words;
    if (words == std::vector<std::string>{"pull"} && call.directory.serial == 0) return done("");
    if (words == std::vector<std::string>{"pull"}) return done_json(state_document(call.directory), 2);
    if (words != std::vector<std::string>{"list"}) return unmodelled("terraform state {}", joined(words));
    std::string text;
    for (const auto& [address, attributes] : call.directory.instances.items()) text += address + "\n";
    return done(text);
}

void select_workspace(TerraformDirectory& directory, const std::string& name) {
    TerraformState& present = directory;
    directory.other_workspaces[directory.workspace] = present;
    present = directory.other_workspaces[name];
    directory.other_workspaces.erase(name);
    directory.workspace = name;
}

Answer workspace(TerraformCall& call) {
    TerraformDirectory& directory = call.directory;
    const auto& words = call.arguments.words;
    if (words == std::vector<std::string>{"show"}) return done(directory.workspace + "\n");
    const bool makes = words.size() == 2 && words[0] == "new";
    if (!makes && !(words.size() == 2 && words[0] == "select"))
        return unmodelled("terraform workspace " + joined(words));
    const std::string& name = words[1];
    const bool is_there = name == directory.workspace || directory.other_workspaces.contains(name);
    if (makes && is_there) return failed("Workspace \"{}\" already exists\n", name);
    if (!makes && !is_there)
        return failed(
            "\nWorkspace \"{}\" doesn't exist.\n\nYou can create this workspace with the "
            "\"new\" subcommand \nor include the \"-or-create\" flag with the \"select\" "
            "subcommand.\n",
            name);
    if (makes) directory.other_workspaces[name].lineage = lineage_of(directory.lineage + " " + name);
    if (name != directory.workspace) select_workspace(directory, name);
    return done("{} workspace \"{}\"{}\n", makes ? "Created and switched to" : "Switched to", name,
                makes ? "!" : ".");
}

Answer run_verb(TerraformCall& call, const std::string& verb) {
    if (verb == "init") return done("Terraform has been successfully initialized!\n");
    if (verb == "validate")
        return done_json({{"format_version", "1.0"},
                          {"valid", true},
                          {"error_count", 0},
                          {"warning_count", 0},
                          {"diagnostics", Object::array()}},
                         2);
    if (verb == "plan") return plan(call);
    if (verb == "show") return show(call);
    if (verb == "apply") return apply(call);
    if (verb == "output") return output(call);
    if (verb == "state") return state(call);
    if (verb == "workspace") return workspace(call);
    return unmodelled("terraform " + verb);
}

}  // namespace

Answer terraform_error(const std::string& title, const std::string& text) {
    return failed("\nError: {}\n\n{}\n", title, text);
}

std::string lineage_of(const std::string& name) {
    return uuid("lineage of " + name);
}

void sync_nodes(Simulation& world, const TerraformDirectory& directory) {
    for (const TerraformResource& resource : directory.resources) {
        const auto cluster = world.clusters.find(resource.nodes_of);
        if (cluster == world.clusters.end()) continue;
        std::int64_t wanted = 0;
        for (const auto& [address, attributes] : directory.instances.items())
            if (is_instance(address, resource.address)) wanted += number_at(attributes, "/node_count", 1);
        const std::string prefix = resource.address.substr(resource.address.rfind('.') + 1);
        constexpr std::int64_t most = 1000;
        for (std::int64_t i = 0; i < most; ++i) {
            const ObjectKey key{"nodes", "", fmt::format("{}-{}", prefix, i)};
            const Object* node = cluster->second.find(key);
            if (i >= wanted && node == nullptr) break;
            if (i >= wanted) {
                cluster->second.erase(key);
                continue;
            }
            // One that the cluster has by itself under that name is this one.
            const bool as_wanted =
                node != nullptr && text_at(*node, "/status/capacity/memory") == resource.node_memory;
            if (as_wanted) continue;
            if (node == nullptr) cluster->second.put(key, make_node(key.name));
            cluster->second.set_status(
                key, node_status(cluster->second, resource.node_cpu, resource.node_memory, true));
        }
    }
}

void apply_defaults(Simulation& world, TerraformDirectory& directory) {
    if (!directory.shares_state_with.empty()) return;
    directory.variables = directory.defaults;
    directory.serial = 1;
    for (const InstanceChange& change :
         changes_between(directory, wanted_instances(directory, directory.variables, "")))
        carry_out(directory, change);
    sync_nodes(world, directory);
}

Answer terraform(Simulation& world, const CommandLine& command, const std::vector<std::string>& list) {
    if (list == std::vector<std::string>{"version", "-json"})
        return done("{\"terraform_version\": \"1.11.4\"}\n");
    std::vector<std::string> rest = list;
    std::string folder = command.directory.empty() ? "." : command.directory;
    if (!rest.empty() && rest[0].rfind("-chdir=", 0) == 0) {
        folder = (std::filesystem::path(folder) / rest[0].substr(7)).string();
        rest.erase(rest.begin());
    }
    if (rest.empty()) return unmodelled("terraform without a command");
    const std::string verb = rest[0];
    rest.erase(rest.begin());
    TerraformDirectory* directory = directory_for(world, folder);
    if (!directory) return unmodelled("the terraform directory {}", folder);
    const auto arguments = Arguments::parse(rest, options);
    if (!arguments) return unmodelled("terraform {} {}", verb, arguments.error());
    const auto shared = world.terraform.find(directory->shares_state_with);
    TerraformState* elsewhere = shared == world.terraform.end() ? nullptr : &shared->second;
    TerraformState& here = *directory;
    if (elsewhere != nullptr) here = *elsewhere;
    TerraformCall call{world, *directory, folder, *arguments};
    Answer answer = run_verb(call, verb);
    if (elsewhere != nullptr) *elsewhere = here;
    return answer;
}

}  // namespace migc::runtime::inline world
