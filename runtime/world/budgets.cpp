// Disruption budgets: how many of their pods may be evicted now.
#include <algorithm>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

std::vector<ObjectKey> pods_of(const Cluster& cluster, const ObjectKey& key) {
    const Object& budget = *cluster.find(key);
    if (!part(budget, "/spec/selector")) return {};
    return pods_with(cluster, key.name_space, object_at(budget, "/spec/selector/matchLabels"));
}

// What the owners of the pods ask for: a pod that is just being replaced counts.
std::int64_t expected_pods(const Cluster& cluster, const std::vector<ObjectKey>& pods) {
    std::map<std::string, std::int64_t> wanted;
    std::int64_t single = 0;
    for (const ObjectKey& key : pods) {
        const std::string owner = text_at(*cluster.find(key), "/metadata/ownerReferences/0/name");
        const Object* set = cluster.find({"replicasets", key.name_space, owner});
        if (!set) set = cluster.find({"statefulsets", key.name_space, owner});
        if (set)
            wanted[owner] = number_at(*set, "/spec/replicas", 1);
        else
            ++single;
    }
    for (const auto& [owner, count] : wanted) single += count;
    return single;
}

}  // namespace

void run_disruption_budget(Cluster& cluster, const ObjectKey& key) {
    const Object budget = *cluster.find(key);
    const auto pods = pods_of(cluster, key);
    const std::int64_t expected = expected_pods(cluster, pods);
    const std::int64_t healthy = ready_count(cluster, pods);
    std::int64_t desired = 0;
    if (const Object* least = part(budget, "/spec/minAvailable"))
        desired = share_of(*least, expected, true);
    else if (const Object* most = part(budget, "/spec/maxUnavailable"))
        desired = std::max<std::int64_t>(0, expected - share_of(*most, expected, true));
    cluster.set_status(key, {{"currentHealthy", healthy},
                             {"desiredHealthy", desired},
                             {"disruptionsAllowed", std::max<std::int64_t>(0, healthy - desired)},
                             {"expectedPods", expected},
                             {"observedGeneration", number_at(budget, "/metadata/generation", 1)}});
}

// Counted anew each time: several pods are evicted before the controller looks again.
bool may_be_evicted(Cluster& cluster, const ObjectKey& pod) {
    for (const ObjectKey& key : cluster.keys("poddisruptionbudgets", pod.name_space)) {
        if (!is_ready(cluster, pod) || !std::ranges::count(pods_of(cluster, key), pod)) continue;
        run_disruption_budget(cluster, key);
        if (number_at(*cluster.find(key), "/status/disruptionsAllowed", 0) <= 0) return false;
    }
    return true;
}

}  // namespace migc::runtime::inline world
