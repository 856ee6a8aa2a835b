// The deployment controller: replica sets per template, rolled over within maxSurge and maxUnavailable.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

struct Set {
    ObjectKey key;
    std::string hash;
    std::int64_t wanted = 0;
    std::int64_t available = 0;
    std::int64_t pods = 0;
};

std::vector<Set> sets_of(const Cluster& cluster, const Object& deployment) {
    std::vector<Set> sets;
    for (const ObjectKey& key : owned(cluster, "replicasets", deployment)) {
        const Object& set = *cluster.find(key);
        const auto pods = live_pods(cluster, set);
        sets.push_back({key, text_at(set, "/metadata/labels/pod-template-hash"),
                        number_at(set, "/spec/replicas", 0), ready_count(cluster, pods),
                        static_cast<std::int64_t>(pods.size())});
    }
    return sets;
}

void set_revision(Cluster& cluster, const ObjectKey& key, std::int64_t revision) {
    Object object = *cluster.find(key);
    object["metadata"]["annotations"][revision_annotation] = std::to_string(revision);
    cluster.put(key, std::move(object));
}

ObjectKey create_set(Cluster& cluster, const Object& deployment, const std::string& hash) {
    const std::string name_space = text_at(deployment, "/metadata/namespace");
    const ObjectKey key{"replicasets", name_space, text_at(deployment, "/metadata/name") + "-" + hash};
    Object pod_template = object_at(deployment, "/spec/template");
    pod_template["metadata"]["labels"]["pod-template-hash"] = hash;
    Object selector = object_at(deployment, "/spec/selector");
    selector["matchLabels"]["pod-template-hash"] = hash;
    Object set = head_of(cluster, key);
    set["metadata"]["labels"] = pod_template["metadata"]["labels"];
    set["metadata"]["ownerReferences"] = owner_reference(deployment);
    set["spec"] = {{"replicas", 0}, {"selector", selector}, {"template", pod_template}};
    cluster.put(key, std::move(set));
    return key;
}

// The set of the current template gets the highest revision, also when it is an old one come back.
ObjectKey current_set(Cluster& cluster, const ObjectKey& key, const std::vector<Set>& sets) {
    const Object& deployment = *cluster.find(key);
    const std::string hash = template_hash(object_at(deployment, "/spec/template"));
    const auto found = std::ranges::find(sets, hash, &Set::hash);
    std::int64_t newest_other = 0;
    for (const Set& set : sets)
        if (set.hash != hash) newest_other = std::max(newest_other, revision_of(*cluster.find(set.key)));
    const ObjectKey current = found == sets.end() ? create_set(cluster, deployment, hash) : found->key;
    if (revision_of(*cluster.find(current)) <= newest_other) set_revision(cluster, current, newest_other + 1);
    const std::int64_t revision = revision_of(*cluster.find(current));
    if (revision_of(*cluster.find(key)) != revision) set_revision(cluster, key, revision);
    return current;
}

void scale_set(Cluster& cluster, const ObjectKey& deployment, Set& set, std::int64_t replicas) {
    if (set.wanted == replicas) return;
    const char* direction = replicas > set.wanted ? "up" : "down";
    cluster.record_event(
        deployment, "Normal", "ScalingReplicaSet",
        fmt::format("Scaled {} replica set {} from {} to {}", direction, set.key.name, set.wanted, replicas));
    Object object = *cluster.find(set.key);
    object["spec"]["replicas"] = replicas;
    cluster.put(set.key, std::move(object));
    set.wanted = replicas;
}

// What a rollout may have of `whole` too many, or too few.
std::int64_t share(const Object& deployment, const char* pointer, std::int64_t whole, bool upwards) {
    const Object* value = part(deployment, pointer);
    return share_of(value ? *value : "25%", whole, upwards);
}

void roll_over(Cluster& cluster, const ObjectKey& key, Set& current, std::vector<Set>& old,
               std::int64_t replicas) {
    const Object deployment = *cluster.find(key);
    const std::int64_t surge = share(deployment, "/spec/strategy/rollingUpdate/maxSurge", replicas, true);
    std::int64_t unavailable =
        share(deployment, "/spec/strategy/rollingUpdate/maxUnavailable", replicas, false);
    if (surge == 0 && unavailable == 0) unavailable = 1;
    std::int64_t total = current.wanted;
    std::int64_t available = current.available;
    for (const Set& set : old) {
        total += set.wanted;
        available += set.available;
    }
    if (current.wanted < replicas && total < replicas + surge) {
        const std::int64_t more = std::min(replicas + surge - total, replicas - current.wanted);
        scale_set(cluster, key, current, current.wanted + more);
        total += more;
    }
    const std::int64_t new_unavailable = std::max<std::int64_t>(0, current.wanted - current.available);
    std::int64_t spare = total - (replicas - unavailable) - new_unavailable;
    for (Set& set : old) {  // first what does not work anyway
        const std::int64_t broken =
            std::clamp<std::int64_t>(set.wanted - set.available, 0, std::max<std::int64_t>(0, spare));
        scale_set(cluster, key, set, set.wanted - broken);
        spare -= broken;
    }
    spare = std::min(spare, available - (replicas - unavailable));
    for (Set& set : old) {
        const std::int64_t fewer = std::clamp<std::int64_t>(spare, 0, set.wanted);
        scale_set(cluster, key, set, set.wanted - fewer);
        spare -= fewer;
    }
}

bool has_pods(const Cluster& cluster, const std::vector<Set>& sets) {
    return std::ranges::any_of(
        sets, [&](const Set& set) { return !owned(cluster, "pods", *cluster.find(set.key)).empty(); });
}

void recreate(Cluster& cluster, const ObjectKey& key, Set& current, std::vector<Set>& old,
              std::int64_t replicas) {
    for (Set& set : old) scale_set(cluster, key, set, 0);
    if (!has_pods(cluster, old)) scale_set(cluster, key, current, replicas);
}

struct Counts {
    std::int64_t all = 0;
    std::int64_t updated = 0;
    std::int64_t ready = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
};

// True, false or (past the deadline) failed; the time of the last progress is kept in the condition.
Object progressing(Cluster& cluster, const ObjectKey& key, const Object& old, const Counts& counts,
                   const Counts& before, const std::string& set_name, bool complete) {
    const Object* last = condition_in(old, "Progressing");
    const bool was_complete = last && text_at(*last, "/reason") == "NewReplicaSetAvailable";
    const bool same_rollout = last && text_at(*last, "/message").find(set_name) != std::string::npos;
    const bool rests = complete ? was_complete : !was_complete && same_rollout && counts == before;
    const std::string now = timestamp(cluster.now());
    const std::string updated = rests ? text_at(*last, "/lastUpdateTime", now) : now;
    Object result;
    if (complete) {
        result = condition(cluster, old, "Progressing", true, "NewReplicaSetAvailable",
                           fmt::format("ReplicaSet \"{}\" has successfully progressed.", set_name));
        cluster.wakes.erase(key);
    } else {
        const std::int64_t deadline = number_at(*cluster.find(key), "/spec/progressDeadlineSeconds", 600);
        const Time ends = parse_timestamp(updated).value_or(cluster.now()) + deadline * 1000;
        const bool late = cluster.now() >= ends;
        if (!late) cluster.wakes[key] = ends;
        result = condition(cluster, old, "Progressing", !late,
                           late ? "ProgressDeadlineExceeded" : "ReplicaSetUpdated",
                           fmt::format("ReplicaSet \"{}\" {}.", set_name,
                                       late ? "has timed out progressing" : "is progressing"));
    }
    result["lastUpdateTime"] = updated;
    return result;
}

void write_status(Cluster& cluster, const ObjectKey& key, const ObjectKey& current, std::int64_t replicas) {
    const Object& deployment = *cluster.find(key);
    const Object old = object_at(deployment, "/status");
    Counts counts;
    for (const Set& set : sets_of(cluster, deployment)) {
        counts.all += set.pods;
        counts.ready += set.available;
        if (set.key == current) counts.updated = set.pods;
    }
    const Counts before{number_at(old, "/replicas", 0), number_at(old, "/updatedReplicas", 0),
                        number_at(old, "/readyReplicas", 0)};
    const bool complete = counts == Counts{replicas, replicas, replicas};
    const std::int64_t may_lack =
        share(deployment, "/spec/strategy/rollingUpdate/maxUnavailable", replicas, false);
    const bool enough = counts.ready >= replicas - may_lack;
    Object status = {{"observedGeneration", number_at(deployment, "/metadata/generation", 1)}};
    put_count(status, "replicas", counts.all);
    put_count(status, "updatedReplicas", counts.updated);
    put_count(status, "readyReplicas", counts.ready);
    put_count(status, "availableReplicas", counts.ready);
    put_count(status, "unavailableReplicas", std::max(replicas, counts.all) - counts.ready);
    Object available = condition(
        cluster, old, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.");
    available["lastUpdateTime"] = available["lastTransitionTime"];
    status["conditions"] =
        Object::array({available, progressing(cluster, key, old, counts, before, current.name, complete)});
    if (const Object* failure = condition_in(object_at(*cluster.find(current), "/status"), "ReplicaFailure"))
        status["conditions"].push_back(*failure);
    cluster.set_status(key, std::move(status));
}

void forget_old_sets(Cluster& cluster, const ObjectKey& key, const std::vector<Set>& old) {
    std::vector<ObjectKey> unused;
    for (const Set& set : old)
        if (set.wanted == 0 && set.pods == 0) unused.push_back(set.key);
    std::ranges::sort(unused, {}, [&](const ObjectKey& set) { return revision_of(*cluster.find(set)); });
    forget_oldest(cluster, key, unused);
}

}  // namespace

void run_deployment(Cluster& cluster, const ObjectKey& key) {
    const ObjectKey current_key = current_set(cluster, key, sets_of(cluster, *cluster.find(key)));
    const Object deployment = *cluster.find(key);
    const std::int64_t replicas = number_at(deployment, "/spec/replicas", 1);
    std::vector<Set> old = sets_of(cluster, deployment);
    const auto found = std::ranges::find(old, current_key, &Set::key);
    Set current = *found;
    old.erase(found);
    const bool rolling =
        std::ranges::any_of(old, [](const Set& set) { return set.wanted > 0 || set.pods > 0; });
    if (current.wanted > replicas || !rolling)
        scale_set(cluster, key, current, replicas);
    else if (text_at(deployment, "/spec/strategy/type") == "Recreate")
        recreate(cluster, key, current, old, replicas);
    else
        roll_over(cluster, key, current, old, replicas);
    forget_old_sets(cluster, key, old);
    write_status(cluster, key, current_key, replicas);
}

}  // namespace migc::runtime::inline world
