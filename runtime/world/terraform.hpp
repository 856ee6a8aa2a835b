// What the files of the simulated terraform share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

// One call: the directory as the world describes it and where its files are on disk.
struct TerraformCall {
    Simulation& world;
    TerraformDirectory& directory;
    std::filesystem::path folder;
    Arguments arguments;
};

// What one resource instance goes through: as in the `actions` of a plan.
struct InstanceChange {
    std::string address;
    std::vector<std::string> actions;
    Object before;  // attributes, or null
    Object after;
};

Answer terraform_error(const std::string& title, const std::string& text);

// The values of the variables: defaults, then the var files, then -var. `texts` gets the files' contents.
tl::expected<Object, Answer> variables_of(const TerraformCall& call, std::string& texts);
// The instances that the configuration asks for with these values.
Object wanted_instances(const TerraformDirectory& directory, const Object& variables,
                        const std::string& texts);
std::vector<InstanceChange> changes_between(const TerraformDirectory& directory, const Object& wanted);
Object outputs_with(const TerraformDirectory& directory, const Object& variables);
// Those of the state; none before something was applied.
Object outputs_of(const TerraformDirectory& directory);
// The plan as `terraform show -json` gives it.
Object plan_document(const TerraformCall& call, const std::vector<InstanceChange>& changes,
                     const Object& variables);
// The state as `terraform state pull` gives it; and as `terraform show -json` shows it.
Object state_document(const TerraformDirectory& directory);
Object state_values(const TerraformDirectory& directory);
bool is_instance(const std::string& address, const std::string& resource);
// The resource that an address is, or is an instance of; null if there is none.
const TerraformResource* resource_at(const TerraformDirectory& directory, const std::string& address);

void carry_out(TerraformDirectory& directory, const InstanceChange& change);
void sync_nodes(Simulation& world, const TerraformDirectory& directory);

}  // namespace migc::runtime::inline world
