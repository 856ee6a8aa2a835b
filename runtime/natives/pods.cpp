// Probes over a workload's pods: readiness, restarts, memory kills.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/rollout.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

struct Workload {
    const json* workload = nullptr;  // null: it does not exist
    WorkloadName name;
};

bool is_workload(const json& item) {
    const std::string kind = text_field(item, "/kind");
    return kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet";
}

const json* find_workload(const json& items, const WorkloadName& name) {
    for (const auto& item : items)
        if (text_field(item, "/kind") == workload_kind(name.written) &&
            text_field(item, "/metadata/name") == object_name(name.written))
            return &item;
    return nullptr;
}

std::vector<Workload> every_workload(const json& items) {
    std::vector<Workload> targets;
    for (const auto& item : items)
        if (is_workload(item)) targets.push_back({&item, {"", text_field(item, "/metadata/name")}});
    return targets;
}

tl::expected<std::vector<Workload>, std::string> named_workloads(Host& host, const List& values,
                                                                 const json& items) {
    std::vector<Workload> targets;
    for (const Value& value : values) {
        const auto name = workload_argument(host, value);
        if (!name) return tl::unexpected(name.error());
        if (workload_kind(name->written).empty())
            return tl::unexpected(
                fmt::format("{} is no deployment, stateful set or daemon set: whether its pods are "
                            "ready cannot be told",
                            name->written));
        targets.push_back({find_workload(items, *name), *name});
    }
    return targets;
}

Verdict judge_workload(const Workload& target, const json& items) {
    if (target.workload == nullptr) return {false, target.name.written + " does not exist", false};
    return judge(*target.workload, items, target.name.shown);
}

// All of them, or what is missing of those that are not.
Reading judge_all(const std::vector<Workload>& targets, const json& items) {
    std::vector<std::string> good;
    std::vector<std::string> bad;
    bool hopeless = false;
    for (const Workload& target : targets) {
        const Verdict verdict = judge_workload(target, items);
        (verdict.ready ? good : bad).push_back(verdict.why);
        hopeless = hopeless || verdict.hopeless;
    }
    const auto& told = bad.empty() ? good : bad;
    return {Value(bad.empty()), fmt::format("{}", fmt::join(told, "; ")), hopeless};
}

// Sums a count over the container statuses of the workload's pods.
Reading sum_over_containers(Host& host, const Value& workload, std::int64_t (*count)(const json&)) {
    const auto name = workload_argument(host, workload);
    if (!name) return unknown(name.error());
    const auto object = get_object(host, name->written);
    if (!object) return unknown(object.error());
    if (object->is_null()) return absent(name->written + " does not exist");
    const auto pods = pods_of(host, *object);
    if (!pods) return unknown(pods.error());
    std::int64_t sum = 0;
    std::vector<std::string> parts;
    for (const auto& pod : *pods) {
        std::int64_t of_pod = 0;
        for (const auto& status : container_statuses(pod)) of_pod += count(status);
        if (of_pod > 0) parts.push_back(fmt::format("{}: {}", text_field(pod, "/metadata/name"), of_pod));
        sum += of_pod;
    }
    return {Value(sum), enumerate(parts, 5), false};
}

// As `migc.yaml` or a script would name it.
ResourceRef workload_named(Host& host, const json& item) {
    const std::string name = text_field(item, "/metadata/name");
    std::string written = text_field(item, "/kind") + "/" + name;
    std::transform(written.begin(), written.begin() + static_cast<long>(written.find('/')), written.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    for (const auto& [known, as] : host.inventory().workloads)
        if (as == written) return {"workload", known};
    const ResourceRef plain{"workload", name};
    return host.written(plain) == written ? plain : ResourceRef{"workload", written};
}

}  // namespace

Reading workloads_of_namespace(Host& host, const Arguments&) {
    const auto items = list_objects(host, {"deployments,statefulsets,daemonsets"});
    if (!items) return unknown(items.error());
    List names;
    for (const auto& item : *items) names.emplace_back(workload_named(host, item));
    return {Value(std::move(names)), {}, false};
}

Reading pods_ready(Host& host, const Arguments& arguments) {
    const auto items = list_objects(host, {"deployments,statefulsets,daemonsets,replicasets,pods"});
    if (!items) return unknown(items.error());
    const List names = list_argument(arguments, 0);
    const auto targets = names.empty() ? every_workload(*items) : named_workloads(host, names, *items);
    if (!targets) return unknown(targets.error());
    if (targets->empty())
        return {Value(false), fmt::format("there is no workload in namespace {}", host.setting("namespace")),
                false};
    return judge_all(*targets, *items);
}

Reading rollout_complete(Host& host, const Arguments& arguments) {
    if (argument(arguments, 0).is_absent()) return unknown("no workload is named");
    return pods_ready(host, {Value(List{argument(arguments, 0)})});
}

Reading ready_of(Host& host, const Arguments& arguments) {
    const auto* target = argument(arguments, 0).get_if<ResourceRef>();
    if (target == nullptr) return unknown("no workload is named");
    const auto workload = get_object(host, host.written(*target));
    if (!workload) return unknown(workload.error());
    if (workload->is_null()) return {Value(Absent{}), {}, false};
    return {Value(ready_count(*workload)), {}, false};
}

Reading restarts(Host& host, const Arguments& arguments) {
    return sum_over_containers(host, argument(arguments, 0),
                               [](const json& status) { return int_field(status, "/restartCount"); });
}

// The cluster keeps only the present and the last end of each container; events, which tell more, get lost.
Reading oom_kills(Host& host, const Arguments& arguments) {
    return sum_over_containers(host, argument(arguments, 0), [](const json& status) -> std::int64_t {
        return (text_field(status, "/state/terminated/reason") == "OOMKilled" ? 1 : 0) +
               (text_field(status, "/lastState/terminated/reason") == "OOMKilled" ? 1 : 0);
    });
}

}  // namespace migc::runtime
