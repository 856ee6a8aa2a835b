// Jobs: one pod each, which runs once.
#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

const PodRecord* pod_of(const Cluster& cluster, const Object& job) {
    const auto pods = owned(cluster, "pods", job);
    return pods.empty() ? nullptr : &cluster.pods.at(pods.front());
}

void begin(Cluster& cluster, const ObjectKey& key) {
    const Object job = *cluster.find(key);
    const Object labels = {{"job-name", key.name}, {"controller-uid", text_at(job, "/metadata/uid")}};
    create_pod(cluster, key, object_at(job, "/spec/template"),
               key.name + "-" + name_suffix(cluster.unique("pod of a job"), 5), labels);
    cluster.set_status(key, {{"active", 1}, {"startTime", timestamp(cluster.now())}});
}

void finish(Cluster& cluster, const ObjectKey& key, bool well) {
    Object status = object_at(*cluster.find(key), "/status");
    status.erase("active");
    status[nlohmann::json::json_pointer(well ? "/succeeded" : "/failed")] = 1;
    status["conditions"] =
        Object::array({well ? condition(cluster, status, "Complete", true, "", "")
                            : condition(cluster, status, "Failed", true, "BackoffLimitExceeded",
                                        "Job has reached the specified backoff limit")});
    cluster.set_status(key, status);
}

}  // namespace

bool is_of_job(const Object& pod) {
    return text_at(pod, "/metadata/ownerReferences/0/kind") == "Job";
}

void run_job(Cluster& cluster, const ObjectKey& key) {
    const Object& job = *cluster.find(key);
    if (part(job, "/status/conditions")) return;
    const PodRecord* pod = pod_of(cluster, job);
    if (pod == nullptr) return begin(cluster, key);
    if (pod->stage == PodStage::Ended) finish(cluster, key, pod->reason == "Completed");
}

}  // namespace migc::runtime::inline world
