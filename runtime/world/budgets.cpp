// Disruption budgets: how many of their pods may be evicted now.
#include <algorithm>
#include <cmath>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

bool budget_selects(const Object& budget, const Object& pod) {
    return part(budget, "/spec/selector") &&
           has_labels(object_at(pod, "/metadata/labels"), object_at(budget, "/spec/selector/matchLabels"));
}

std::vector<ObjectKey> pods_of(const Cluster& cluster, const ObjectKey& budget) {
    std::vector<ObjectKey> pods;
    for (const ObjectKey& key : cluster.keys("pods", budget.name_space))
        if (budget_selects(*cluster.find(budget), *cluster.find(key))) pods.push_back(key);
    return pods;
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

// "50%" of the pods rounded up, or a number.
std::int64_t amount(const Object& value, std::int64_t whole) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    const std::string text = value.is_string() ? value.get<std::string>() : "0";
    const double number = std::atof(text.c_str());
    if (text.find('%') == std::string::npos) return static_cast<std::int64_t>(number);
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(whole) * number / 100.0));
}

}  // namespace

void run_disruption_budget(Cluster& cluster, const ObjectKey& key) {
    const Object budget = *cluster.find(key);
    const auto pods = pods_of(cluster, key);
    const std::int64_t expected = expected_pods(cluster, pods);
    const std::int64_t healthy =
        std::ranges::count_if(pods, [&](const ObjectKey& pod) { return is_ready(cluster, pod); });
    std::int64_t desired = 0;
    if (const Object* least = part(budget, "/spec/minAvailable"))
        desired = amount(*least, expected);
    else if (const Object* most = part(budget, "/spec/maxUnavailable"))
        desired = std::max<std::int64_t>(0, expected - amount(*most, expected));
    cluster.set_status(key, {{"currentHealthy", healthy},
                             {"desiredHealthy", desired},
                             {"disruptionsAllowed", std::max<std::int64_t>(0, healthy - desired)},
                             {"expectedPods", expected},
                             {"observedGeneration", number_at(budget, "/metadata/generation", 1)}});
}

// Counted anew each time: several pods are evicted before the controller looks again.
bool may_be_evicted(Cluster& cluster, const ObjectKey& pod) {
    for (const ObjectKey& key : cluster.keys("poddisruptionbudgets", pod.name_space)) {
        if (!budget_selects(*cluster.find(key), *cluster.find(pod)) || !is_ready(cluster, pod)) continue;
        run_disruption_budget(cluster, key);
        if (number_at(*cluster.find(key), "/status/disruptionsAllowed", 0) <= 0) return false;
    }
    return true;
}

}  // namespace migc::runtime::inline world
