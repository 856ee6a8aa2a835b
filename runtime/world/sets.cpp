// The controllers of replica sets, stateful sets and daemon sets.
#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

struct Counts {
    std::int64_t all = 0;
    std::int64_t ready = 0;
    std::int64_t updated = 0;
};

std::string revision_label(const Object& pod) {
    return text_at(pod, "/metadata/labels/controller-revision-hash");
}

Counts count(const Cluster& cluster, const std::vector<ObjectKey>& pods, const std::string& revision) {
    Counts counts{std::ssize(pods), ready_count(cluster, pods), 0};
    for (const ObjectKey& pod : pods)
        if (revision_label(*cluster.find(pod)) == revision) ++counts.updated;
    return counts;
}

// First to go: what runs nowhere, then what is not ready, then the youngest.
ObjectKey least_wanted(const Cluster& cluster, const std::vector<ObjectKey>& pods) {
    return *std::ranges::max_element(pods, [&](const ObjectKey& a, const ObjectKey& b) {
        const auto rank = [&](const ObjectKey& pod) {
            const PodRecord& record = cluster.pods.at(pod);
            return std::tuple(record.stage == PodStage::Unscheduled, record.stage != PodStage::Ready,
                              record.sequence);
        };
        return rank(a) < rank(b);
    });
}

// What the namespace's quota of pods has to say against one more; empty if nothing.
std::string quota_refusal(const Cluster& cluster, const std::string& name_space, const std::string& pod) {
    for (const auto& [key, quota] : cluster.all("resourcequotas", name_space)) {
        const Object* hard = part(quota, "/spec/hard/pods");
        if (!hard) continue;
        const std::int64_t limit = hard->is_string()           ? std::atoll(hard->get<std::string>().c_str())
                                   : hard->is_number_integer() ? hard->get<std::int64_t>()
                                                               : 0;
        const auto used = static_cast<std::int64_t>(cluster.keys("pods", name_space).size());
        if (used >= limit)
            return fmt::format(
                "pods \"{}\" is forbidden: exceeded quota: {}, requested: pods=1, used: pods={}, limited: "
                "pods={}",
                pod, key.name, used, limit);
    }
    return {};
}

Object observed(const Object& owner) {
    return {{"observedGeneration", number_at(owner, "/metadata/generation", 1)}};
}

std::optional<ObjectKey> outdated(const Cluster& cluster, const std::vector<ObjectKey>& pods,
                                  const std::string& revision) {
    const auto found = std::ranges::find_if(
        pods, [&](const ObjectKey& pod) { return revision_label(*cluster.find(pod)) != revision; });
    return found == pods.end() ? std::nullopt : std::optional(*found);
}

// Where a daemon set's pods belong: nodes whose labels it selects.
std::vector<std::string> nodes_for(const Cluster& cluster, const Object& owner) {
    std::vector<std::string> names;
    for (const auto& [key, node] : cluster.all("nodes"))
        if (has_labels(object_at(node, "/metadata/labels"),
                       object_at(owner, "/spec/template/spec/nodeSelector")))
            names.push_back(key.name);
    return names;
}

void spread(Cluster& cluster, const ObjectKey& key, const std::string& revision,
            const std::vector<std::string>& nodes) {
    const Object owner = *cluster.find(key);
    std::set<std::string> covered;
    for (const ObjectKey& pod : owned(cluster, "pods", owner))
        covered.insert(text_at(*cluster.find(pod), "/spec/nodeName"));
    for (const std::string& node : nodes)
        if (!covered.contains(node))
            create_pod(cluster, key, object_at(owner, "/spec/template"),
                       key.name + "-" + name_suffix(cluster.unique("pod"), 5),
                       {{"controller-revision-hash", revision}}, node);
    for (const ObjectKey& pod : live_pods(cluster, owner))
        if (std::ranges::find(nodes, text_at(*cluster.find(pod), "/spec/nodeName")) == nodes.end())
            cluster.terminate(pod);
}

// Whether somebody else has to delete the old pods.
bool waits_for_deletions(const Object& owner) {
    return text_at(owner, "/spec/updateStrategy/type") == "OnDelete";
}

// One step of an ordered stateful set; the next is taken when the pods have changed.
void step_ordered(Cluster& cluster, const ObjectKey& key, const std::string& revision,
                  std::int64_t replicas) {
    const Object owner = *cluster.find(key);
    const auto pods = live_pods(cluster, owner);
    const bool at_once = text_at(owner, "/spec/podManagementPolicy") == "Parallel";
    for (std::int64_t ordinal = 0; ordinal < replicas; ++ordinal) {
        const ObjectKey pod{"pods", key.name_space, fmt::format("{}-{}", key.name, ordinal)};
        if (!cluster.find(pod))
            create_pod(
                cluster, key, object_at(owner, "/spec/template"), pod.name,
                {{"controller-revision-hash", revision}, {"statefulset.kubernetes.io/pod-name", pod.name}});
        // Also for one of an older revision that will never be ready: the known trap of stateful sets.
        if (!at_once && !is_ready(cluster, pod)) return;
    }
    // The highest ordinal goes first, and the next only when it is gone.
    for (std::int64_t ordinal = 999; ordinal >= replicas; --ordinal) {
        const ObjectKey pod{"pods", key.name_space, fmt::format("{}-{}", key.name, ordinal)};
        if (!cluster.find(pod)) continue;
        cluster.terminate(pod);
        return;
    }
    if (waits_for_deletions(owner)) return;
    for (std::int64_t ordinal = replicas - 1; ordinal >= 0; --ordinal) {
        const ObjectKey pod{"pods", key.name_space, fmt::format("{}-{}", key.name, ordinal)};
        if (cluster.pods[pod].terminating) return;
        if (revision_label(*cluster.find(pod)) != revision) return cluster.terminate(pod);
        if (!is_ready(cluster, pod)) return;
    }
}

// What was deleted while finalizers held it goes when the last of them is taken away.
void erase_released(Cluster& cluster) {
    std::vector<ObjectKey> released;
    for (const auto& [key, object] : cluster.objects())
        if (key.plural != "pods" && part(object, "/metadata/deletionTimestamp") &&
            list_at(object, "/metadata/finalizers").empty())
            released.push_back(key);
    for (const ObjectKey& key : released) cluster.erase(key);
}

// Whose owner is gone.
std::vector<ObjectKey> orphans(const Cluster& cluster) {
    std::unordered_set<std::string_view> alive;
    for (const auto& [key, object] : cluster.objects())
        if (const Object* uid = part(object, "/metadata/uid"); uid && uid->is_string())
            alive.insert(uid->get_ref<const std::string&>());
    std::vector<ObjectKey> found;
    for (const char* plural : {"jobs", "replicasets", "controllerrevisions", "pods"})
        for (const auto& [key, object] : cluster.all(plural)) {
            const std::string owner = text_at(object, "/metadata/ownerReferences/0/uid");
            if (!owner.empty() && !alive.contains(owner)) found.push_back(key);
        }
    return found;
}

}  // namespace

void run_replica_set(Cluster& cluster, const ObjectKey& key) {
    const Object owner = *cluster.find(key);
    const std::int64_t wanted = number_at(owner, "/spec/replicas", 1);
    std::vector<ObjectKey> pods = live_pods(cluster, owner);
    std::string refusal;
    while (static_cast<std::int64_t>(pods.size()) < wanted && refusal.empty()) {
        const std::string name = key.name + "-" + name_suffix(cluster.unique("pod"), 5);
        refusal = quota_refusal(cluster, key.name_space, name);
        if (!refusal.empty()) break;
        create_pod(cluster, key, object_at(owner, "/spec/template"), name, Object::object());
        pods.push_back({"pods", key.name_space, name});
    }
    while (static_cast<std::int64_t>(pods.size()) > wanted && !pods.empty()) {
        const ObjectKey last = least_wanted(cluster, pods);
        cluster.terminate(last);
        std::erase(pods, last);
    }
    const Counts counts = count(cluster, pods, "");
    Object status = observed(owner);
    status["replicas"] = counts.all;
    put_count(status, "fullyLabeledReplicas", counts.all);
    put_count(status, "readyReplicas", counts.ready);
    put_count(status, "availableReplicas", counts.ready);
    if (!refusal.empty()) {
        // The name of the refused pod is another each time: keep the first, or the status would never rest.
        Object failure =
            condition(cluster, object_at(owner, "/status"), "ReplicaFailure", true, "FailedCreate", refusal);
        for (const Object& old : list_at(owner, "/status/conditions")) failure = old;
        status["conditions"] = Object::array({failure});
    }
    cluster.set_status(key, std::move(status));
}

void run_stateful_set(Cluster& cluster, const ObjectKey& key) {
    const Object owner = *cluster.find(key);
    const std::int64_t replicas = std::clamp<std::int64_t>(number_at(owner, "/spec/replicas", 1), 0, 1000);
    const std::string revision = key.name + "-" + template_hash(object_at(owner, "/spec/template"));
    keep_revision(cluster, key);
    step_ordered(cluster, key, revision, replicas);
    const Counts counts = count(cluster, live_pods(cluster, owner), revision);
    Object status = observed(owner);
    status["replicas"] = counts.all;
    put_count(status, "readyReplicas", counts.ready);
    status["availableReplicas"] = counts.ready;
    put_count(status, "updatedReplicas", counts.updated);
    put_count(status, "currentReplicas",
              counts.updated == counts.all ? counts.all : counts.all - counts.updated);
    const std::string before = text_at(owner, "/status/currentRevision", revision);
    status["updateRevision"] = revision;
    status["currentRevision"] = counts.updated == counts.all && counts.all == replicas ? revision : before;
    cluster.set_status(key, std::move(status));
}

void run_daemon_set(Cluster& cluster, const ObjectKey& key) {
    const Object owner = *cluster.find(key);
    const std::string revision = template_hash(object_at(owner, "/spec/template"));
    keep_revision(cluster, key);
    const auto nodes = nodes_for(cluster, owner);
    spread(cluster, key, revision, nodes);
    const auto pods = live_pods(cluster, owner);
    const auto old = outdated(cluster, pods, revision);
    if (old && !waits_for_deletions(owner) && pods.size() == nodes.size() &&
        (ready_count(cluster, pods) == std::ssize(pods) || !is_ready(cluster, *old)))
        cluster.terminate(*old);
    const Counts counts = count(cluster, live_pods(cluster, owner), revision);
    const auto wanted = static_cast<std::int64_t>(nodes.size());
    Object status = observed(owner);
    status["desiredNumberScheduled"] = wanted;
    status["currentNumberScheduled"] = counts.all;
    status["numberMisscheduled"] = 0;
    status["numberReady"] = counts.ready;
    put_count(status, "updatedNumberScheduled", counts.updated);
    put_count(status, "numberAvailable", counts.ready);
    put_count(status, "numberUnavailable", wanted - counts.ready);
    cluster.set_status(key, std::move(status));
}

void run_garbage_collector(Cluster& cluster) {
    erase_released(cluster);
    for (const ObjectKey& key : cluster.keys("pods")) {
        const std::string node = text_at(*cluster.find(key), "/spec/nodeName");
        if (!node.empty() && !cluster.find({"nodes", "", node})) cluster.terminate(key);
    }
    for (const ObjectKey& key : orphans(cluster)) {
        if (key.plural == "pods")
            cluster.terminate(key);
        else
            cluster.erase(key);
    }
}

}  // namespace migc::runtime::inline world
