// The controllers of services, claims and autoscalers.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

Object address_of(const Object& pod) {
    return {{"ip", text_at(pod, "/status/podIP")},
            {"nodeName", text_at(pod, "/spec/nodeName")},
            {"targetRef",
             {{"kind", "Pod"},
              {"name", pod["metadata"]["name"]},
              {"namespace", pod["metadata"]["namespace"]},
              {"uid", pod["metadata"]["uid"]}}}};
}

Object endpoint_of(const Object& address, bool ready) {
    return {{"addresses", Object::array({address["ip"]})},
            {"conditions", {{"ready", ready}, {"serving", ready}, {"terminating", false}}},
            {"nodeName", address["nodeName"]},
            {"targetRef", address["targetRef"]}};
}

Object ports_of(const Object& service) {
    Object ports = Object::array();
    for (const Object& port : list_at(service, "/spec/ports")) {
        const Object* target = part(port, "/targetPort");
        Object one = {{"port", target && target->is_number() ? *target : port.value("port", Object(80))},
                      {"protocol", "TCP"}};
        if (port.contains("name")) one["name"] = port["name"];
        ports.push_back(std::move(one));
    }
    return ports;
}

void put_endpoints(Cluster& cluster, const ObjectKey& service, const Object& ready, const Object& waiting,
                   const Object& ports) {
    Object subset = {{"ports", ports}};
    if (!ready.empty()) subset["addresses"] = ready;
    if (!waiting.empty()) subset["notReadyAddresses"] = waiting;
    const ObjectKey key{"endpoints", service.name_space, service.name};
    Object object = head_of(cluster, key);
    if (!ready.empty() || !waiting.empty()) object["subsets"] = Object::array({subset});
    cluster.put(key, std::move(object));
}

void put_slice(Cluster& cluster, const ObjectKey& service, const Object& ready, const Object& waiting,
               const Object& ports) {
    Object endpoints = Object::array();
    for (const Object& address : ready) endpoints.push_back(endpoint_of(address, true));
    for (const Object& address : waiting) endpoints.push_back(endpoint_of(address, false));
    const ObjectKey key{"endpointslices", service.name_space,
                        service.name + "-" + name_suffix(service.name, 5)};
    Object object = head_of(cluster, key);
    object["metadata"]["labels"] = {{"kubernetes.io/service-name", service.name}};
    object["metadata"]["ownerReferences"] = owner_reference(*cluster.find(service));
    object.update({{"addressType", "IPv4"}, {"endpoints", endpoints}, {"ports", ports}});
    cluster.put(key, std::move(object));
}

}  // namespace

bool is_mounted(const Cluster& cluster, const ObjectKey& claim) {
    for (const auto& [key, pod] : cluster.all("pods", claim.name_space))
        for (const Object& volume : list_at(pod, "/spec/volumes"))
            if (text_at(volume, "/persistentVolumeClaim/claimName") == claim.name) return true;
    return false;
}

void run_service(Cluster& cluster, const ObjectKey& key) {
    const Object service = *cluster.find(key);
    const Object selector = object_at(service, "/spec/selector");
    if (selector.empty()) return;
    Object ready = Object::array();
    Object waiting = Object::array();
    for (const ObjectKey& pod_key : pods_with(cluster, key.name_space, selector)) {
        const Object& pod = *cluster.find(pod_key);
        const auto record = cluster.pods.find(pod_key);
        if (record != cluster.pods.end() && !record->second.terminating && part(pod, "/status/podIP"))
            (is_ready(cluster, pod_key) ? ready : waiting).push_back(address_of(pod));
    }
    put_endpoints(cluster, key, ready, waiting, ports_of(service));
    put_slice(cluster, key, ready, waiting, ports_of(service));
}

// Whether somebody resizes the volumes of this claim's storage class.
bool is_resized(const Cluster& cluster, const Object& claim) {
    const Object* storage = cluster.find({"storageclasses", "", text_at(claim, "/spec/storageClassName")});
    return !storage || text_at(*storage, "/provisioner") != "kubernetes.io/no-provisioner";
}

void run_claim(Cluster& cluster, const ObjectKey& key) {
    constexpr Time resize_ms = 10'000;
    const Object& claim = *cluster.find(key);
    // A claim that was deleted while pods mounted it goes with the last of them.
    if (part(claim, "/metadata/deletionTimestamp") && !is_mounted(cluster, key)) return cluster.erase(key);
    const std::string wanted = text_at(claim, "/spec/resources/requests/storage");
    const std::string has = text_at(claim, "/status/capacity/storage");
    Object status = object_at(claim, "/status");
    status.erase("conditions");
    const bool bound = !has.empty();
    const bool growing = bound && has != wanted && is_resized(cluster, claim);
    const bool stuck = bound && has != wanted && !growing;
    const bool waited = growing && part(claim, "/status/conditions") && !cluster.wakes.contains(key);
    if (growing && !waited) {
        if (!cluster.wakes.contains(key)) cluster.wakes[key] = cluster.now() + resize_ms;
        status["conditions"] =
            Object::array({condition(cluster, object_at(claim, "/status"), "Resizing", true, "", "")});
    } else if (!stuck) {
        status["phase"] = "Bound";
        status["accessModes"] = list_at(claim, "/spec/accessModes");
        status["capacity"]["storage"] = wanted;
    }
    cluster.set_status(key, std::move(status));
}

void run_autoscaler(Cluster& cluster, const ObjectKey& key) {
    const Object scaler = *cluster.find(key);
    const Kind* kind = cluster.kinds.typed(text_at(scaler, "/spec/scaleTargetRef/kind"));
    const ObjectKey target{kind ? kind->plural : "", key.name_space,
                           text_at(scaler, "/spec/scaleTargetRef/name")};
    const Object* found = cluster.find(target);
    if (!found) return;
    const std::int64_t least = number_at(scaler, "/spec/minReplicas", 1);
    const std::int64_t most = std::max(least, number_at(scaler, "/spec/maxReplicas", least));
    const std::int64_t has = number_at(*found, "/spec/replicas", 1);
    // A target at zero is switched off; the autoscaler leaves it so.
    const std::int64_t wanted = has == 0 ? 0 : std::min(most_replicas, std::clamp(has, least, most));
    if (wanted != has) {
        Object changed = *found;
        changed["spec"]["replicas"] = wanted;
        cluster.put(target, std::move(changed));
    }
    cluster.set_status(key, {{"currentReplicas", has}, {"desiredReplicas", wanted}});
}

}  // namespace migc::runtime::inline world
