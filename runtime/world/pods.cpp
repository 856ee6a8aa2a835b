#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

void enter(const Cluster& cluster, PodRecord& record, PodStage stage, Time next,
           const std::string& reason = {}, const std::string& message = {}) {
    record.stage = stage;
    record.began = cluster.now();
    record.next = next;
    record.reason = reason;
    record.message = message;
}

bool is_image_failure(const std::string& reason) {
    return reason == "ImagePullBackOff" || reason == "ErrImagePull" || reason == "InvalidImageName" ||
           reason == "CreateContainerConfigError" || reason == "CreateContainerError";
}

bool applies_to_some_image(const Pattern& pattern, const Object& pod) {
    return !pattern || std::ranges::any_of(list_at(pod, "/spec/containers"), [&](const Object& container) {
        return found_in(pattern, text_at(container, "/image"));
    });
}

const FailRule* failure_of(const Cluster& cluster, const Object& pod, const Object& seen) {
    for (const auto* rules : {&cluster.behaviour_of(pod).fails, &cluster.fails})
        for (const FailRule& rule : *rules)
            if (applies(rule.when, pod, seen)) return &rule;
    return nullptr;
}

// Reads the configuration, or gives the name of a config map that is missing.
std::string read_configuration(const Cluster& cluster, const Object& pod, PodRecord& record) {
    record.seen = Object::object();
    for (const std::string& name : config_maps_read(cluster, pod)) {
        const Object* map = cluster.find({"configmaps", text_at(pod, "/metadata/namespace"), name});
        if (!map) return name;
        record.seen[name] = object_at(*map, "/data");
    }
    return {};
}

std::string failure_message(const FailRule& rule, const Object& pod) {
    if (!rule.message.empty()) return rule.message;
    const std::string image = text_at(pod, "/spec/containers/0/image");
    if (rule.reason == "ImagePullBackOff") return fmt::format("Back-off pulling image \"{}\"", image);
    if (rule.reason == "ErrImagePull") return fmt::format("failed to pull image \"{}\": not found", image);
    return {};
}

// 10 s, 20 s, 40 s and so on up to 5 min, as the kubelet does.
Time back_off(const PodRecord& record) {
    return std::min<Time>(300'000, Time{10'000} << std::min<std::int64_t>(record.restarts, 5));
}

void fail(Cluster& cluster, const ObjectKey& key, const Object& pod, PodRecord& record,
          const FailRule& rule) {
    const std::string message = failure_message(rule, pod);
    if (is_image_failure(rule.reason)) {
        enter(cluster, record, PodStage::Blocked, never, rule.reason, message);
        cluster.record_event(key, "Warning", "Failed", message);
    } else if (rule.reason == "NotReady") {
        enter(cluster, record, PodStage::Running, never, rule.reason, message);
        cluster.record_event(key, "Warning", "Unhealthy",
                             message.empty() ? "Readiness probe failed" : message);
    } else if (rule.after_ms > 0) {
        enter(cluster, record, PodStage::Ready, cluster.now() + rule.after_ms, rule.reason, message);
    } else {
        record.last_end = rule.reason == "CrashLoopBackOff" ? "Error" : rule.reason;
        const std::string text = message.empty() ? "back-off restarting failed container" : message;
        enter(cluster, record, PodStage::BackingOff, cluster.now() + back_off(record), "CrashLoopBackOff",
              text);
        cluster.record_event(key, "Warning", "BackOff", text);
    }
}

void write_log(const Cluster& cluster, PodRecord& record, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) record.log.push_back({cluster.now(), line});
}

void start(Cluster& cluster, const ObjectKey& key, const Object& pod, PodRecord& record) {
    const std::string missing = read_configuration(cluster, pod, record);
    if (!missing.empty()) {
        enter(cluster, record, PodStage::Blocked, cluster.now() + 10'000, "CreateContainerConfigError",
              fmt::format("configmap \"{}\" not found", missing));
        return;
    }
    if (!record.log.empty()) record.log_before = std::exchange(record.log, {});
    const FailRule* rule = failure_of(cluster, pod, record.seen);
    if (rule != nullptr && is_image_failure(rule->reason)) return fail(cluster, key, pod, record, *rule);
    write_log(cluster, record, cluster.behaviour_of(pod).logs);
    if (rule != nullptr) {
        if (rule->after_ms == 0) write_log(cluster, record, rule->logs);
        return fail(cluster, key, pod, record, *rule);
    }
    if (is_of_job(pod))
        return enter(cluster, record, PodStage::Running, cluster.now() + cluster.behaviour_of(pod).job_ms);
    enter(cluster, record, cluster.behaviour_of(pod).ready ? PodStage::Ready : PodStage::Running, never);
    cluster.record_event(key, "Normal", "Started", "Started container");
}

// A container that was ready for a while ended, and is started again.
void restart_container(Cluster& cluster, const ObjectKey& key, const Object& pod, PodRecord& record) {
    if (const FailRule* rule = failure_of(cluster, pod, record.seen)) write_log(cluster, record, rule->logs);
    ++record.restarts;
    record.last_end = record.reason == "CrashLoopBackOff" ? "Error" : record.reason;
    if (record.last_end == "OOMKilled")
        cluster.record_event(key, "Warning", "OOMKilling", "Memory cgroup out of memory");
    enter(cluster, record, PodStage::Creating, cluster.now() + cluster.behaviour_of(pod).start_ms);
}

void schedule(Cluster& cluster, const ObjectKey& key, PodRecord& record) {
    Object pod = *cluster.find(key);
    const Placement placement = text_at(pod, "/spec/nodeName").empty()
                                    ? place(cluster, pod)
                                    : Placement{text_at(pod, "/spec/nodeName"), ""};
    if (placement.node.empty()) {
        if (record.message != placement.refusal)
            cluster.record_event(key, "Warning", "FailedScheduling", placement.refusal);
        enter(cluster, record, PodStage::Unscheduled, never, "Unschedulable", placement.refusal);
        return;
    }
    pod["spec"]["nodeName"] = placement.node;
    const Object& stored = cluster.put(key, std::move(pod));
    enter(cluster, record, PodStage::Creating, cluster.now() + cluster.behaviour_of(stored).start_ms);
}

void go_on(Cluster& cluster, const ObjectKey& key, PodRecord& record) {
    const Object& pod = *cluster.find(key);
    switch (record.stage) {
        case PodStage::Unscheduled:
        case PodStage::Ended:
            break;
        case PodStage::Ready:
            restart_container(cluster, key, pod, record);
            break;
        case PodStage::BackingOff:
            ++record.restarts;
            [[fallthrough]];
        case PodStage::Creating:
        case PodStage::Blocked:
            start(cluster, key, pod, record);
            break;
        case PodStage::Running:
            if (is_of_job(pod))
                return enter(cluster, record, PodStage::Ended, never,
                             cluster.behaviour_of(pod).exit_code == 0 ? "Completed" : "Error");
            start(cluster, key, pod, record);
            break;
    }
}

void name_config_map(std::vector<std::string>& names, const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

bool applies(const PodCondition& condition, const Object& pod, const Object& seen) {
    if (!applies_to_some_image(condition.image, pod)) return false;
    if (condition.config_map.empty()) return true;
    if (!seen.contains(condition.config_map)) return false;
    const Object& data = seen[condition.config_map];
    return data.contains(condition.key) && data[condition.key].is_string() &&
           found_in(condition.value, data[condition.key].get<std::string>());
}

std::vector<std::string> config_maps_read(const Cluster& cluster, const Object& pod) {
    std::vector<std::string> names = cluster.behaviour_of(pod).reads;
    for (const Object& volume : list_at(pod, "/spec/volumes"))
        name_config_map(names, text_at(volume, "/configMap/name"));
    for (const Object& container : list_at(pod, "/spec/containers")) {
        for (const Object& source : list_at(container, "/envFrom"))
            name_config_map(names, text_at(source, "/configMapRef/name"));
        for (const Object& variable : list_at(container, "/env"))
            name_config_map(names, text_at(variable, "/valueFrom/configMapKeyRef/name"));
    }
    return names;
}

void create_pod(Cluster& cluster, const ObjectKey& owner, const Object& pod_template,
                const std::string& pod_name, const Object& labels, const std::string& node) {
    const ObjectKey key{"pods", owner.name_space, pod_name};
    Object pod = head_of(cluster, key);
    Object metadata = object_at(pod_template, "/metadata");
    metadata.update(pod["metadata"]);
    pod.update({{"metadata", metadata}, {"spec", object_at(pod_template, "/spec")}});
    for (const auto& [label, value] : labels.items()) pod["metadata"]["labels"][label] = value;
    pod["metadata"]["ownerReferences"] = owner_reference(*cluster.find(owner));
    if (!node.empty()) pod["spec"]["nodeName"] = node;
    cluster.put(key, std::move(pod));
    adopt_pod(cluster, key);
}

void adopt_pod(Cluster& cluster, const ObjectKey& pod) {
    PodRecord record;
    record.sequence = cluster.resource_version();
    record.began = cluster.now();
    cluster.pods[pod] = record;
    run_pod(cluster, pod);
}

void run_pod(Cluster& cluster, const ObjectKey& pod) {
    const auto found = cluster.pods.find(pod);
    if (found == cluster.pods.end() || !cluster.find(pod)) return;
    PodRecord& record = found->second;
    if (record.terminating) {
        if (record.next <= cluster.now()) cluster.erase(pod);
        return;
    }
    if (record.stage == PodStage::Unscheduled) schedule(cluster, pod, record);
    if (record.next <= cluster.now()) go_on(cluster, pod, record);
    cluster.set_status(pod, status_of(cluster, *cluster.find(pod), record));
}

}  // namespace migc::runtime::inline world
