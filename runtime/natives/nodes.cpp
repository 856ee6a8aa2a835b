// Probes over the nodes of the cluster.

#include <fmt/format.h>

#include "runtime/natives/capacity.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

std::string shown_request(const Amounts& request) {
    std::vector<std::string> parts;
    if (const auto cpu = request.find("cpu"); cpu != request.end())
        parts.push_back(fmt::format("cpu {}", cpu->second));
    if (const auto memory = request.find("memory"); memory != request.end())
        parts.push_back(fmt::format("memory {:.0f}Mi", memory->second / (1024.0 * 1024.0)));
    return parts.empty() ? "they request neither cpu nor memory"
                         : fmt::format("each requests {}", fmt::join(parts, ", "));
}

// Rules that can keep a pod off a node with room, and that are not weighed here.
std::vector<std::string> placement_rules(const json& pod_template) {
    const std::string required = "/requiredDuringSchedulingIgnoredDuringExecution";
    std::vector<std::string> rules;
    for (const char* rule : {"nodeAffinity", "podAffinity", "podAntiAffinity"})
        if (!field(pod_template, std::string("/spec/affinity/") + rule + required).empty())
            rules.emplace_back(rule);
    for (const auto& constraint : field(pod_template, "/spec/topologySpreadConstraints"))
        if (text_field(constraint, "/whenUnsatisfiable") != "ScheduleAnyway") {
            rules.emplace_back("topologySpreadConstraints");
            break;
        }
    return rules;
}

// The resource that a line of a quota limits: `requests.memory` and `memory` are the same.
std::string limited_resource(const std::string& line) {
    return line.starts_with("requests.") ? line.substr(std::string("requests.").size()) : line;
}

// The first line of the namespace's quotas that the pods would go beyond; "" if there is none.
tl::expected<std::string, std::string> beyond_quota(const json& quotas, const Amounts& request,
                                                    std::int64_t wanted) {
    for (const auto& quota : quotas)
        for (const auto& [line, hard] : field(quota, "/status/hard").items()) {
            const auto one = request.find(limited_resource(line));
            if (one == request.end() || !hard.is_string()) continue;
            const json& used = member(field(quota, "/status/used"), line);
            const auto limit = parse_quantity(hard.get<std::string>());
            const auto taken = used.is_null() ? Quantity{"0"} : quantity_of(used);
            if (!limit || !taken) return failure("line {} of a quota is no amount", line);
            if (taken->amount + one->second * static_cast<double>(wanted) > limit->amount + 1e-6)
                return fmt::format("quota {} allows {} of {}, and {} are used", name_of(quota), limit->text,
                                   line, taken->text);
        }
    return std::string();
}

struct Cluster {
    const json& nodes;
    const json& pods;
    const json& quotas;
};

Reading judge_capacity(const Cluster& cluster, const json& pod_template, std::int64_t wanted) {
    const auto request = requests_of(pod_template);
    if (!request) return unknown("the requests of the pods cannot be read: " + request.error());
    const auto quota = beyond_quota(cluster.quotas, *request, wanted);
    if (!quota) return unknown(quota.error());
    if (!quota->empty()) return not_yet(*quota);
    const auto rooms = free_room(cluster.nodes, cluster.pods, pod_template);
    if (!rooms) return unknown("the room on the nodes cannot be read: " + rooms.error());
    const std::int64_t placed = fitting(*rooms, *request, wanted);
    const std::string why = fmt::format("{} of {} more pods fit on {} of {} nodes; {}", placed, wanted,
                                        rooms->size(), cluster.nodes.size(), shown_request(*request));
    if (placed < wanted) return not_yet(why);
    const auto rules = placement_rules(pod_template);
    if (!rules.empty()) return unknown("{}, but migc does not weigh their {}", why, fmt::join(rules, ", "));
    return {Value(true), why};
}

}  // namespace

static Reading node_count_ready(Host& host, const Arguments&) {
    const auto nodes = list_objects(host, {"nodes"});
    if (!nodes) return unknown(nodes.error());
    std::vector<std::string> unready;
    for (const auto& node : *nodes)
        if (!holds(node, "Ready")) unready.push_back(name_of(node));
    const auto count = static_cast<std::int64_t>(nodes->size() - unready.size());
    return {Value(count), unready.empty() ? "" : "not ready: " + enumerate(unready)};
}

static Reading capacity_for(Host& host, const Arguments& arguments) {
    const std::int64_t wanted = int_argument(arguments, 0, 1);
    const auto name = workload_argument(host, argument(arguments, 1));
    if (!name) return unknown(name.error());
    const auto workload = get_object(host, name->written);
    if (!workload) return unknown(workload.error());
    if (workload->is_null())
        return unknown(name->written + " does not exist, so what its pods request is not known");
    const auto nodes = list_objects(host, {"nodes"});
    if (!nodes) return unknown(nodes.error());
    const auto pods = list_objects(host, {"pods", "--all-namespaces"});
    if (!pods) return unknown(pods.error());
    const auto quotas = list_objects(host, {"resourcequotas"});
    if (!quotas) return unknown(quotas.error());
    return judge_capacity({*nodes, *pods, *quotas}, pod_template(*workload), wanted);
}

const Rows nodes_rows([]() -> std::vector<Row> {
    return {
        // []: int
        reads("node-count-ready", node_count_ready),
        // [n, workload]: bool
        reads("capacity-for", capacity_for),
    };
});

}  // namespace migc::runtime::inline natives
