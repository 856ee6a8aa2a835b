#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

Object state_of(const PodRecord& record, int exit_code) {
    const std::string began = timestamp(record.began);
    switch (record.stage) {
        case PodStage::Unscheduled:
        case PodStage::Creating:
            return {{"waiting", {{"reason", "ContainerCreating"}}}};
        case PodStage::Blocked:
        case PodStage::BackingOff:
            return {{"waiting", {{"reason", record.reason}, {"message", record.message}}}};
        case PodStage::Ended:
            return {
                {"terminated", {{"reason", record.reason}, {"exitCode", exit_code}, {"finishedAt", began}}}};
        case PodStage::Running:
        case PodStage::Ready:
            break;
    }
    return {{"running", {{"startedAt", began}}}};
}

Object last_state_of(const PodRecord& record) {
    if (record.last_end.empty()) return Object::object();
    const int code = record.last_end == "OOMKilled" ? 137 : 1;
    const std::string began = timestamp(record.began);
    return {{"terminated",
             {{"reason", record.last_end}, {"exitCode", code}, {"startedAt", began}, {"finishedAt", began}}}};
}

bool is_running(const PodRecord& record) {
    return record.stage == PodStage::Running || record.stage == PodStage::Ready;
}

Object conditions_of(const Cluster& cluster, const Object& old, const PodRecord& record) {
    const bool scheduled = record.stage != PodStage::Unscheduled;
    const bool ready = record.stage == PodStage::Ready;
    const std::string unready = ready ? "" : "ContainersNotReady";
    Object list = Object::array();
    if (scheduled) {
        list.push_back(condition(cluster, old, "Initialized", true, "", ""));
        list.push_back(condition(cluster, old, "Ready", ready, unready, ""));
        list.push_back(condition(cluster, old, "ContainersReady", ready, unready, ""));
    }
    list.push_back(condition(cluster, old, "PodScheduled", scheduled, scheduled ? "" : "Unschedulable",
                             scheduled ? "" : record.message));
    return list;
}

}  // namespace

Object container_statuses(const Cluster& cluster, const Object& pod, const PodRecord& record) {
    Object list = Object::array();
    for (const Object& container : list_at(pod, "/spec/containers")) {
        const std::string image = text_at(container, "/image");
        Object status = {{"name", text_at(container, "/name")},
                         {"image", image},
                         {"imageID", ""},
                         {"ready", record.stage == PodStage::Ready},
                         {"started", is_running(record)},
                         {"restartCount", record.restarts},
                         {"state", state_of(record, cluster.behaviour_of(pod).exit_code)},
                         {"lastState", last_state_of(record)}};
        // Which content a tag had when the container started stays true however the tag moves.
        for (const Object& old : list_at(pod, "/status/containerStatuses"))
            if (old["name"] == status["name"]) status["imageID"] = old["imageID"];
        if (is_running(record) && status["imageID"] == "")
            status["imageID"] = image.substr(0, image.find_first_of('@')) + "@" + cluster.image_digest(image);
        list.push_back(std::move(status));
    }
    return list;
}

Object status_of(const Cluster& cluster, const Object& pod, const PodRecord& record) {
    const Object old = object_at(pod, "/status");
    const bool running = is_running(record) || record.stage == PodStage::BackingOff;
    const char* phase = running ? "Running" : "Pending";
    if (record.stage == PodStage::Ended) phase = record.reason == "Completed" ? "Succeeded" : "Failed";
    Object status = {
        {"phase", phase}, {"conditions", conditions_of(cluster, old, record)}, {"qosClass", "Burstable"}};
    if (record.stage == PodStage::Unscheduled) return status;
    status["containerStatuses"] = container_statuses(cluster, pod, record);
    status["startTime"] = text_at(old, "/startTime", timestamp(cluster.now()));
    status["hostIP"] = "192.0.2.1";
    if (running) {
        const std::int64_t number = record.sequence;
        status["podIP"] = fmt::format("10.{}.{}.{}", number / 65536 % 256, number / 256 % 256, number % 256);
        status["podIPs"] = Object::array({Object{{"ip", status["podIP"]}}});
    }
    return status;
}

}  // namespace migc::runtime::inline world
