// kubectl rollout restart and undo.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

Answer restart(KubectlCall& call, const Target& target) {
    Object object = *call.cluster.find(target.key);
    Object& metadata = object["spec"]["template"]["metadata"];
    if (!metadata.is_object()) metadata = Object::object();
    Object& annotation = metadata["annotations"]["kubectl.kubernetes.io/restartedAt"];
    const std::string time = timestamp(call.cluster.now());
    if (annotation == time)
        return failed(
            "error: {} \"{}\" restart failed: if restart has already been triggered within the past "
            "second, please wait before attempting to trigger another\n",
            target.kind->plural, target.key.name);
    annotation = time;
    return stored(call, target, std::move(object), "restarted");
}

struct Revision {
    std::int64_t number = 0;
    Object pods;  // the template
};

std::vector<Revision> revisions_of(const Cluster& cluster, const ObjectKey& workload) {
    const bool in_sets = workload.plural == "deployments";
    std::vector<Revision> found;
    for (const ObjectKey& key :
         owned(cluster, in_sets ? "replicasets" : "controllerrevisions", *cluster.find(workload))) {
        const Object& one = *cluster.find(key);
        const std::int64_t number = in_sets ? revision_of(one) : number_at(one, "/revision", 0);
        Object pods = object_at(one, in_sets ? "/spec/template" : "/data/spec/template");
        pods.erase("$patch");
        if (in_sets) pods["metadata"]["labels"].erase("pod-template-hash");
        found.push_back({number, std::move(pods)});
    }
    std::ranges::sort(found, std::ranges::greater(), &Revision::number);
    return found;
}

// The revision asked for; 0 asks for the one before the current.
std::optional<Revision> wanted_revision(const std::vector<Revision>& revisions, std::int64_t number) {
    if (number == 0) return revisions.size() > 1 ? std::optional(revisions[1]) : std::nullopt;
    const auto found = std::ranges::find(revisions, number, &Revision::number);
    return found == revisions.end() ? std::nullopt : std::optional(*found);
}

Answer roll_back(KubectlCall& call, const Target& target) {
    const std::string asked = call.arguments.value_or("--to-revision", "0");
    const auto number = whole_number(asked);
    if (!number || *number < 0) return failed("error: invalid argument \"{}\" for --to-revision\n", asked);
    const auto revision = wanted_revision(revisions_of(call.cluster, target.key), *number);
    if (!revision)
        return failed(*number == 0
                          ? fmt::format("error: no rollout history found for {} \"{}\"\n",
                                        target.key.plural.substr(0, target.key.plural.size() - 1),
                                        target.key.name)
                          : fmt::format("error: unable to find specified revision {} in history\n", *number));
    Object object = *call.cluster.find(target.key);
    if (object["spec"]["template"] == revision->pods)
        return shown_object(call, object,
                            fmt::format("{} skipped rollback (current template already matches revision {})",
                                        target.shown(), revision->number));
    object["spec"]["template"] = revision->pods;
    return stored(call, target, std::move(object), "rolled back");
}

}  // namespace

Answer kubectl_rollout(KubectlCall& call) {
    std::vector<std::string> words = call.arguments.words;
    const std::string action = words.empty() ? "" : words[0];
    if (action != "restart" && action != "undo") return unmodelled("kubectl rollout " + action);
    words.erase(words.begin());
    const auto target = existing_target(call, words);
    if (!target) return target.error();
    if (!is_workload(*target->kind))
        return failed("error: {} \"{}\" {}ing is not supported\n", target->kind->plural, target->key.name,
                      action);
    return action == "restart" ? restart(call, *target) : roll_back(call, *target);
}

}  // namespace migc::runtime::inline world
