// What is known of nodes: labels, taints, what their pods request, and where a workload's pods are.
#include <map>

#include <fmt/format.h>

#include "runtime/natives/capacity.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

// The whole, or what is at the pointer that is the first argument.
Reading at_pointer(const json& whole, const Arguments& arguments) {
    const std::string pointer = text_argument(arguments, 0);
    if (!is_pointer(pointer)) return mistaken("`{}` is no JSON pointer, such as /node-1", pointer);
    const json& found = field(whole, pointer);
    return found.is_null() ? absent("there is no " + pointer) : json_reading(found);
}

// As kubectl writes it: "dedicated=gpu:NoSchedule".
std::string shown_taint(const json& taint) {
    const std::string value = text_field(taint, "/value");
    return fmt::format("{}{}:{}", text_field(taint, "/key"), value.empty() ? "" : "=" + value,
                       text_field(taint, "/effect"));
}

json taints_of(const json& node) {
    json list = json::array();
    for (const auto& taint : field(node, "/spec/taints")) list.push_back(shown_taint(taint));
    return list;
}

// As people write amounts of it: "1500m" cores, "512Mi" of memory, a plain number of all others.
std::string shown_amount(const std::string& resource, double amount) {
    if (resource == "cpu") return fmt::format("{:.0f}m", amount * 1000);
    const bool bytes =
        resource == "memory" || resource.starts_with("hugepages-") || resource == "ephemeral-storage";
    return bytes ? fmt::format("{:.0f}Mi", amount / (1024.0 * 1024.0)) : fmt::format("{:.0f}", amount);
}

Fetched nodes_with(Host& host, json (*fact)(const json&)) {
    const auto nodes = list_objects(host, {"nodes"});
    if (!nodes) return nodes;
    json whole = json::object();
    for (const auto& node : *nodes) whole[name_of(node)] = fact(node);
    return whole;
}

// How many pods of a workload are on each node; those that are on none yet are left out.
tl::expected<std::map<std::string, std::int64_t>, std::string> spread_of(Host& host, const Value& target) {
    const auto name = workload_argument(host, target);
    if (!name) return tl::unexpected(name.error());
    const auto workload = get_object(host, name->written);
    if (!workload) return tl::unexpected(workload.error());
    if (workload->is_null()) return tl::unexpected(name->written + " does not exist");
    const auto pods = pods_of(host, *workload);
    if (!pods) return tl::unexpected(pods.error());
    std::map<std::string, std::int64_t> counts;
    for (const auto& pod : *pods)
        if (const std::string node = text_field(pod, "/spec/nodeName"); !node.empty() && !has_ended(pod))
            ++counts[node];
    return counts;
}

}  // namespace

static Reading labels_of_nodes(Host& host, const Arguments& arguments) {
    const auto whole = nodes_with(host, [](const json& node) { return field(node, "/metadata/labels"); });
    return whole ? at_pointer(*whole, arguments) : unknown(whole.error());
}

static Reading taints_of_nodes(Host& host, const Arguments& arguments) {
    const auto whole = nodes_with(host, taints_of);
    return whole ? at_pointer(*whole, arguments) : unknown(whole.error());
}

static Reading requests_of_nodes(Host& host, const Arguments& arguments) {
    const auto nodes = list_objects(host, {"nodes"});
    if (!nodes) return unknown(nodes.error());
    const auto pods = list_objects(host, {"pods", "--all-namespaces"});
    if (!pods) return unknown(pods.error());
    std::map<std::string, Amounts> sums;
    for (const auto& node : *nodes) sums[name_of(node)] = {{"cpu", 0}, {"memory", 0}, {"pods", 0}};
    for (const auto& pod : *pods) {
        const auto sum = sums.find(text_field(pod, "/spec/nodeName"));
        if (sum == sums.end() || has_ended(pod)) continue;
        const auto requests = requests_of(pod);
        if (!requests) return unknown(name_of(pod) + ": " + requests.error());
        for (const auto& [resource, amount] : *requests) sum->second[resource] += amount;
    }
    json whole = json::object();
    for (const auto& [node, amounts] : sums)
        for (const auto& [resource, amount] : amounts) whole[node][resource] = shown_amount(resource, amount);
    return at_pointer(whole, arguments);
}

static Reading pods_per_node(Host& host, const Arguments& arguments) {
    const auto spread = spread_of(host, argument(arguments, 0));
    if (!spread) return unknown(spread.error());
    return as_it_is(*spread);
}

static Reading nodes_used(Host& host, const Arguments& arguments) {
    const auto spread = spread_of(host, argument(arguments, 0));
    if (!spread) return unknown(spread.error());
    std::vector<std::string> names;
    for (const auto& [node, count] : *spread) names.push_back(fmt::format("{}: {}", node, count));
    return {Value(static_cast<std::int64_t>(spread->size())), enumerate(names, 5)};
}

const Rows node_facts_rows([]() -> std::vector<Row> {
    return {
        // [pointer or absent]: json, or absent
        reads("labels-of-nodes", labels_of_nodes),
        // [pointer or absent]: json, or absent
        reads("taints-of-nodes", taints_of_nodes),
        // [pointer or absent]: json, or absent
        reads("requests-of-nodes", requests_of_nodes),
        // [workload]: json
        reads("pods-per-node", pods_per_node),
        // [workload]: number
        reads("nodes-used", nodes_used),
    };
});

}  // namespace migc::runtime::inline natives
