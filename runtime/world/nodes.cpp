#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

Resources allocatable(const Object& node) {
    return {amount_of(text_at(node, "/status/allocatable/cpu")),
            amount_of(text_at(node, "/status/allocatable/memory"))};
}

bool is_ready_node(const Object& node) {
    const Object* ready = condition_in(object_at(node, "/status"), "Ready");
    return ready && text_at(*ready, "/status") == "True";
}

bool repels(const Object& node, const Object& pod) {
    for (const Object& taint : list_at(node, "/spec/taints")) {
        const std::string effect = text_at(taint, "/effect");
        if (effect != "NoSchedule" && effect != "NoExecute") continue;
        bool tolerated = false;
        for (const Object& toleration : list_at(pod, "/spec/tolerations")) {
            const std::string key = text_at(toleration, "/key");
            const bool same_value = text_at(toleration, "/operator") == "Exists" ||
                                    text_at(toleration, "/value") == text_at(taint, "/value");
            tolerated = tolerated || ((key.empty() || key == text_at(taint, "/key")) && same_value);
        }
        if (!tolerated) return true;
    }
    return false;
}

// Why the pod cannot go to the node, as the scheduler says it; empty if it can.
std::string refusal(const Object& node, const Object& pod, const Resources& wanted, const Resources& used) {
    if (flag_at(node, "/spec/unschedulable")) return "node(s) were unschedulable";
    if (!is_ready_node(node)) return "node(s) were not ready";
    if (repels(node, pod)) return "node(s) had untolerated taint(s)";
    if (!has_labels(object_at(node, "/metadata/labels"), object_at(pod, "/spec/nodeSelector")))
        return "node(s) didn't match Pod's node affinity/selector";
    const Resources has = allocatable(node);
    constexpr double rounding = 1e-9;
    if (used.cpu + wanted.cpu > has.cpu + rounding) return "Insufficient cpu";
    if (used.memory + wanted.memory > has.memory + rounding) return "Insufficient memory";
    return {};
}

struct Load {
    Resources used;
    std::size_t pods = 0;
};

std::map<std::string, Load> loads(const Cluster& cluster) {
    std::map<std::string, Load> result;
    for (const auto& [key, pod] : cluster.all("pods")) {
        const std::string node = text_at(pod, "/spec/nodeName");
        if (node.empty()) continue;
        const Resources one = requested(pod);
        Load& load = result[node];
        load.used.cpu += one.cpu;
        load.used.memory += one.memory;
        ++load.pods;
    }
    return result;
}

// How many pods of the same owner a node has: the scheduler spreads them first of all.
std::map<std::string, std::size_t> siblings(const Cluster& cluster, const Object& pod) {
    std::map<std::string, std::size_t> count;
    const std::string owner = text_at(pod, "/metadata/ownerReferences/0/uid");
    for (const auto& [key, other] : cluster.all("pods"))
        if (!owner.empty() && text_at(other, "/metadata/ownerReferences/0/uid") == owner)
            ++count[text_at(other, "/spec/nodeName")];
    return count;
}

}  // namespace

double amount_of(const std::string& quantity) {
    const auto parsed = parse_quantity(quantity);
    return parsed ? parsed->amount : 0;
}

Resources requested(const Object& pod) {
    Resources sum;
    for (const Object& container : list_at(pod, "/spec/containers")) {
        sum.cpu += amount_of(text_at(container, "/resources/requests/cpu"));
        sum.memory += amount_of(text_at(container, "/resources/requests/memory"));
    }
    return sum;
}

Placement place(const Cluster& cluster, const Object& pod) {
    std::map<std::string, std::size_t> refusals;
    std::string best;
    std::pair<std::size_t, std::size_t> fewest;
    std::map<std::string, std::size_t> own = siblings(cluster, pod);
    const auto nodes = cluster.keys("nodes");
    const Resources wanted = requested(pod);
    std::map<std::string, Load> taken = loads(cluster);
    for (const ObjectKey& key : nodes) {
        const std::string why_not = refusal(*cluster.find(key), pod, wanted, taken[key.name].used);
        if (!why_not.empty()) {
            ++refusals[why_not];
            continue;
        }
        const std::pair load(own[key.name], taken[key.name].pods);
        if (best.empty() || load < fewest) {
            best = key.name;
            fewest = load;
        }
    }
    if (!best.empty()) return {best, ""};
    std::string text = fmt::format("0/{} nodes are available:", nodes.size());
    for (const auto& [why, count] : refusals)
        text += fmt::format("{} {} {}", text.back() == ':' ? "" : ",", count, why);
    return {"", text + "."};
}

Object make_node(const std::string& node) {
    return {{"apiVersion", "v1"},
            {"kind", "Node"},
            {"metadata",
             {{"name", node}, {"labels", {{"kubernetes.io/hostname", node}, {"kubernetes.io/os", "linux"}}}}},
            {"spec", {{"providerID", "simulated://" + node}}}};
}

void set_schedulable(Object& node, bool schedulable) {
    constexpr const char* key = "node.kubernetes.io/unschedulable";
    Object& spec = node["spec"];
    Object kept = Object::array();
    for (const Object& taint : list_at(node, "/spec/taints"))
        if (text_at(taint, "/key") != key) kept.push_back(taint);
    if (!schedulable) kept.push_back({{"key", key}, {"effect", "NoSchedule"}});
    spec.erase("taints");
    spec.erase("unschedulable");
    if (!kept.empty()) spec["taints"] = kept;
    if (!schedulable) spec["unschedulable"] = true;
}

Object node_status(const Cluster& cluster, const std::string& cpu, const std::string& memory, bool ready) {
    const Object resources = {{"cpu", cpu}, {"memory", memory}, {"pods", "110"}};
    const std::string reason = ready ? "KubeletReady" : "KubeletNotReady";
    return {{"capacity", resources},
            {"allocatable", resources},
            {"conditions", Object::array({condition(cluster, {}, "Ready", ready, reason, "")})},
            {"nodeInfo", {{"kubeletVersion", cluster.version}}}};
}

}  // namespace migc::runtime::inline world
