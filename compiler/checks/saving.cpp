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
    if (!is_backup(backup)) return false;
    const ResourceKey workload = saved_workload(picture.resources, backup);
    if (workload.empty() || picture.manifests.declaring(workload).empty()) return true;
    return std::ranges::none_of(change.things, [&](const ResourceKey& thing) {
        if (!thing.is("persistentvolumeclaim")) return false;
        const auto users = picture.manifests.mounting(thing);
        return !users.empty() &&
               std::ranges::none_of(users, [&](const Object* user) { return user->thing == workload; });
    });
}

}  // namespace migc::checks
