// Taking a node out of service: whether it is schedulable, what has to leave it, and letting that end.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

// kubectl drains in turns: short enough for the tool's own limit, and between them is looked for what never
// heals.
constexpr std::int64_t turn_ms = 20'000;

std::string node_name(Host& host, const Value& value) {
    const auto* resource = value.get_if<ResourceRef>();
    return object_name(resource != nullptr ? host.written(*resource) : "node/" + show(value));
}

std::string named(const json& object) {
    return text_field(object, "/metadata/namespace") + "/" + name_of(object);
}

// Pods of daemon sets come back at once, those of the node's own files cannot be moved, and ended ones need
// not.
bool has_to_leave(const json& pod) {
    if (has_ended(pod)) return false;
    if (!field(pod, "/metadata/annotations/kubernetes.io~1config.mirror").is_null()) return false;
    const json& owners = field(pod, "/metadata/ownerReferences");
    return std::none_of(owners.begin(), owners.end(),
                        [](const json& owner) { return text_field(owner, "/kind") == "DaemonSet"; });
}

Fetched pods_to_leave(Host& host, const std::string& node) {
    auto pods = list_objects(host, {"pods", "--all-namespaces"});
    if (!pods) return pods;
    json leaving = json::array();
    for (auto& pod : *pods)
        if (text_field(pod, "/spec/nodeName") == node && has_to_leave(pod)) leaving.push_back(std::move(pod));
    return leaving;
}

bool selects(const json& budget, const json& pod) {
    if (text_field(budget, "/metadata/namespace") != text_field(pod, "/metadata/namespace")) return false;
    if (field(budget, "/spec/selector").is_null()) return false;
    for (const auto& [key, value] : field(budget, "/spec/selector/matchLabels").items())
        if (member(field(pod, "/metadata/labels"), key) != value) return false;
    return true;
}

struct Obstacle {
    std::string text;  // empty: none is known
    bool for_ever = false;
};

// A budget that allows nothing now may allow it once the evicted pods run elsewhere; one that allows nothing
// though all its pods are healthy never will.
Obstacle obstacle_of(const json& budget, const json& pod) {
    if (!selects(budget, pod) || int_field(budget, "/status/disruptionsAllowed") > 0) return {};
    const std::int64_t healthy = int_field(budget, "/status/currentHealthy");
    const std::int64_t expected = int_field(budget, "/status/expectedPods");
    return {
        fmt::format("disruption budget {} lets none of its {} pods go ({} of {} are healthy, {} must be)",
                    named(budget), expected, healthy, expected, int_field(budget, "/status/desiredHealthy")),
        expected > 0 && healthy >= expected && field(budget, "/spec/selector/matchExpressions").empty()};
}

tl::expected<Obstacle, std::string> obstacle(Host& host, const json& pods) {
    const auto budgets = list_objects(host, {"poddisruptionbudgets", "--all-namespaces"});
    if (!budgets) return tl::unexpected(budgets.error());
    Obstacle worst;
    for (const auto& budget : *budgets)
        for (const auto& pod : pods) {
            Obstacle one = obstacle_of(budget, pod);
            if (one.text.empty() || (!worst.text.empty() && !one.for_ever)) continue;
            worst = std::move(one);
        }
    return worst;
}

std::vector<std::string> names_of(const json& pods) {
    std::vector<std::string> names;
    for (const auto& pod : pods) names.push_back(named(pod));
    return names;
}

std::vector<std::string> drain_arguments(const std::string& node, std::int64_t limit_ms, bool local_data) {
    std::vector<std::string> arguments = {
        "drain", "node/" + node, "--ignore-daemonsets",
        fmt::format("--timeout={}s", std::max<std::int64_t>(1, limit_ms / 1000))};
    if (local_data) arguments.emplace_back("--delete-emptydir-data");
    return arguments;
}

std::int64_t limit_argument(const Arguments& arguments) {
    const auto* limit = argument(arguments, 1).get_if<Duration>();
    return limit == nullptr ? turn_ms : std::max<std::int64_t>(limit->milliseconds, 1000);
}

// Whether kubectl only ran out of its turn; everything else that it says is final.
bool is_out_of_turn(const Answer& answer) {
    return answer.ending == Ending::TimedOut ||
           answer.errors.find("global timeout reached") != std::string::npos;
}

// As kubectl does it: a node that is in use has no such field.
Planned schedulable_command(Host& host, const Arguments& arguments) {
    const std::string written = "node/" + node_name(host, argument(arguments, 0));
    if (argument(arguments, 2).is_absent()) return tl::unexpected(written + " does not exist");
    return versioned_patch(host, written, "merge",
                           {{"spec", {{"unschedulable", bool_argument(arguments, 1) ? json() : json(true)}}}},
                           text_argument(arguments, 2));
}

// What stands in the way after a turn that did not suffice.
Answer told(Host& host, const std::string& node, const Obstacle& why) {
    const auto pods = pods_to_leave(host, node);
    const std::string left = pods ? enumerate(names_of(*pods)) : "";
    return went_wrong(fmt::format("node {} is not drained: {}{}{}", node, why.text,
                                  why.text.empty() ? "" : "; ",
                                  left.empty() ? "no pod is left" : "still there: " + left));
}

}  // namespace

static Reading node_schedulable(Host& host, const Arguments& arguments) {
    const std::string name = node_name(host, argument(arguments, 0));
    const auto node = get_object(host, "node/" + name);
    if (!node) return unknown(node.error());
    if (node->is_null()) return mistaken("node {} does not exist", name);
    return read_from(*node, {Value(field(*node, "/spec/unschedulable") != json(true)),
                             {},
                             false,
                             writer_of(host, *node, "/spec/unschedulable")});
}

static Reading node_drained(Host& host, const Arguments& arguments) {
    const auto pods = pods_to_leave(host, node_name(host, argument(arguments, 0)));
    if (!pods) return unknown(pods.error());
    if (pods->empty()) return {Value(true)};
    const auto why = obstacle(host, *pods);
    const std::string left = fmt::format("{} pods are left: {}", pods->size(), enumerate(names_of(*pods)));
    if (!why || why->text.empty()) return not_yet(left);
    return {Value(false), left + "; " + why->text, why->for_ever};
}

static Answer node_evict(Host& host, const Arguments& arguments) {
    const std::string node = node_name(host, argument(arguments, 0));
    const Time ends = host.now() + limit_argument(arguments);
    for (;;) {
        const std::int64_t left = ends - host.now();
        Answer answer =
            host.run("kubectl", drain_arguments(node, std::min(turn_ms, left), bool_argument(arguments, 2)));
        if (answer.succeeded() || !is_out_of_turn(answer)) return answer;
        const auto pods = pods_to_leave(host, node);
        if (!pods) return went_wrong(pods.error());
        const auto why = obstacle(host, *pods);
        if (!why) return went_wrong(why.error());
        if (why->for_ever || host.now() >= ends) return told(host, node, *why);
    }
}

static Preview preview_node_evict(Host& host, const Arguments& arguments) {
    return shown_command(host, drain_arguments(node_name(host, argument(arguments, 0)),
                                               limit_argument(arguments), bool_argument(arguments, 2)));
}

const Rows drain_rows([]() -> std::vector<Row> {
    return {
        // [node]: bool
        reads("node-schedulable", node_schedulable),
        // [node, whether, version]
        writes("node-set-schedulable", schedulable_command)
            .reaches({Reach::Of::Schedulable, 0, "", 1})
            .by_hand(schedulable_by_hand),
        // [node]: bool
        reads("node-drained", node_drained),
        // [node, limit, local data too]
        does("node-evict", node_evict, preview_node_evict).reaches({Reach::Of::Evicted}),
    };
});

}  // namespace migc::runtime::inline natives
