#include "compiler/checks/saving.hpp"

#include <algorithm>

namespace migc::checks {
namespace {

// By its role, else by its name: a script's own verb that takes a snapshot.
bool is_backup(const Event& event) {
    return plays(event, ir::Role::Saves) ||
           (event.verb != nullptr && event.verb->signature.find("snapshot") != std::string::npos);
}

// The workload whose files are saved; empty if it is none.
ResourceKey saved_workload(const Resources& resources, const Event& backup) {
    for (const auto& argument : backup.role.empty() ? backup.arguments : backup.role)
        if (const auto* resource = argument ? argument->get_if<ResourceRef>() : nullptr)
            if (resource->type == "workload") return resources.thing(*resource);
    return {};
}

}  // namespace

bool may_save(const CheckContext& picture, const Event& backup, const Event& change) {
    constexpr std::string_view claim = "persistentvolumeclaim/";
    if (!is_backup(backup)) return false;
    const ResourceKey workload = saved_workload(picture.resources, backup);
    if (workload.empty() || picture.manifests.declaring(workload).empty()) return true;
    return std::none_of(change.things.begin(), change.things.end(), [&](const ResourceKey& thing) {
        if (!thing.starts_with(claim)) return false;
        const auto users = picture.manifests.mounting(thing.substr(claim.size()));
        return !users.empty() && std::none_of(users.begin(), users.end(),
                                              [&](const Object* user) { return user->thing == workload; });
    });
}

}  // namespace migc::checks
