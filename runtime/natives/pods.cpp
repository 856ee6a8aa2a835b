// Probes over a workload's pods: readiness, restarts, memory kills.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/text.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rollout.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

struct Workload {
    const json* workload = nullptr;  // null: it does not exist
    WorkloadName name;
    json cron_job = {};  // in place of the workload
};

const json* find_workload(const json& items, const WorkloadName& name) {
    for (const auto& item : items)
        if (text_field(item, "/kind") == workload_kind(name.written) &&
            name_of(item) == object_name(name.written))
            return &item;
    return nullptr;
}

std::vector<Workload> every_workload(const json& items) {
    std::vector<Workload> targets;
    for (const auto& item : items)
        if (kubernetes::is_workload(lower_case(text_field(item, "/kind"))))
            targets.push_back({&item, {"", name_of(item)}, {}});
    return targets;
}

// What stands in the way of it is a reading already.
tl::expected<std::vector<Workload>, Reading> named_workloads(Host& host, const List& values,
                                                             const json& items) {
    std::vector<Workload> targets;
    for (const Value& value : values) {
        const auto name = workload_argument(host, value);
        if (!name) return tl::unexpected(mistaken(name.error()));
        if (is_cron_job(name->written)) {
            auto cron_job = get_object(host, name->written);
            if (!cron_job) return tl::unexpected(unknown(cron_job.error()));
            targets.push_back({nullptr, *name, std::move(*cron_job)});
            continue;
        }
        if (workload_kind(name->written).empty())
            return tl::unexpected(
                mistaken("{} is no deployment, stateful set or daemon set: whether its pods are "
                         "ready cannot be told",
                         name->written));
        targets.push_back({find_workload(items, *name), *name, {}});
    }
    return targets;
}

bool is_listed(const std::string& lines, const std::string& line) {
    return ("\n" + lines + "\n").find("\n" + line + "\n") != std::string::npos;
}

// Nobody has to make it yet; but what this stage has changed was there, and a namespace that goes takes all
// with it.
Readiness missing(Host& host, const std::string& written, bool was_there) {
    const std::string name_space = host.setting("namespace");
    const auto found = get_object(host, "namespace/" + name_space);
    if (found && found->is_null())
        return {false, fmt::format("{} does not exist: there is no namespace {}", written, name_space), true};
    if (found && is_being_deleted(*found))
        return {false, fmt::format("{} does not exist: namespace {} is being deleted", written, name_space),
                true};
    const bool gone = was_there || is_listed(host.setting("changed-workloads"), written);
    return {false, written + (gone ? " does not exist any more" : " does not exist"), gone};
}

Readiness judge_workload(Host& host, const Workload& target, const json& items, bool was_there) {
    if (!target.cron_job.is_null())
        return {true, target.name.written + " has no rollout: its next job is made from what it asks for now",
                false};
    if (target.workload == nullptr) return missing(host, target.name.written, was_there);
    return judge(*target.workload, items, target.name.shown);
}

// Whether this workload is one of the named ones; all are, where none is named.
bool is_asked_for(Host& host, const List& names, const json& item) {
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const Value& value) {
               const auto name = workload_argument(host, value);
               return name && object_name(name->written) == name_of(item);
           });
}

// Workloads, what they make, and the controller revisions where only these tell old pods from new ones.
Fetched items_for(Host& host, const List& names) {
    auto items = list_objects(host, {"deployments,statefulsets,daemonsets,replicasets,pods"});
    if (!items) return items;
    const bool needed = std::any_of(items->begin(), items->end(), [&](const json& item) {
        return is_told_by_revision(item, *items) && is_asked_for(host, names, item);
    });
    if (!needed) return items;
    auto revisions = list_objects(host, {"controllerrevisions"});
    if (!revisions) return revisions;
    for (auto& one : *revisions) items->push_back(std::move(one));
    return items;
}

// All of them, or what is missing of those that are not.
Reading judge_all(Host& host, const std::vector<Workload>& targets, const json& items, bool were_there) {
    std::vector<std::string> good;
    std::vector<std::string> bad;
    bool permanent = false;
    for (const Workload& target : targets) {
        const Readiness verdict = judge_workload(host, target, items, were_there);
        (verdict.ready ? good : bad).push_back(verdict.why);
        permanent = permanent || verdict.permanent;
    }
    const auto& told = bad.empty() ? good : bad;
    return {Value(bad.empty()), fmt::format("{}", fmt::join(told, "; ")), permanent};
}

// `were_there`: the named ones existed before it was asked.
Reading ready_reading(Host& host, const List& names, bool were_there) {
    const auto items = items_for(host, names);
    if (!items) return unknown(items.error());
    const auto targets = names.empty() ? every_workload(*items) : named_workloads(host, names, *items);
    if (!targets) return targets.error();
    if (targets->empty()) return not_yet("there is no workload in namespace {}", host.setting("namespace"));
    return judge_all(host, *targets, *items, were_there);
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
        if (of_pod > 0) parts.push_back(fmt::format("{}: {}", name_of(pod), of_pod));
        sum += of_pod;
    }
    return {Value(sum), enumerate(parts, 5)};
}

// As `migc.yaml` or a script would name it.
ResourceRef workload_named(Host& host, const json& item) {
    const std::string name = name_of(item);
    const std::string written = lower_case(text_field(item, "/kind")) + "/" + name;
    for (const auto& [known, as] : host.inventory().workloads)
        if (as == written) return {"workload", known};
    const ResourceRef plain{"workload", name};
    return host.written(plain) == written ? plain : ResourceRef{"workload", written};
}

}  // namespace

static Reading workloads_of_namespace(Host& host, const Arguments&) {
    const auto items = list_objects(host, {"deployments,statefulsets,daemonsets"});
    if (!items) return unknown(items.error());
    List names;
    for (const auto& item : *items) names.emplace_back(workload_named(host, item));
    return {Value(std::move(names))};
}

static Reading pods_ready(Host& host, const Arguments& arguments) {
    return ready_reading(host, list_argument(arguments, 0), false);
}

Reading rollout_complete(Host& host, const Arguments& arguments) {
    if (argument(arguments, 0).is_absent()) return unknown("no workload is named");
    return ready_reading(host, {argument(arguments, 0)}, true);
}

static Reading ready_of(Host& host, const Arguments& arguments) {
    const auto* target = argument(arguments, 0).get_if<ResourceRef>();
    if (target == nullptr) return unknown("no workload is named");
    const auto workload = get_object(host, host.written(*target));
    if (!workload) return unknown(workload.error());
    if (workload->is_null()) return {Value(Absent{})};
    return {Value(ready_count(*workload))};
}

static Reading restarts(Host& host, const Arguments& arguments) {
    return sum_over_containers(host, argument(arguments, 0),
                               [](const json& status) { return int_field(status, "/restartCount"); });
}

// The cluster keeps only the present and the last end of each container; events, which tell more, get lost.
static Reading oom_kills(Host& host, const Arguments& arguments) {
    return sum_over_containers(host, argument(arguments, 0), [](const json& status) -> std::int64_t {
        return (text_field(status, "/state/terminated/reason") == "OOMKilled" ? 1 : 0) +
               (text_field(status, "/lastState/terminated/reason") == "OOMKilled" ? 1 : 0);
    });
}

const Rows pods_rows([]() -> std::vector<Row> {
    return {
        // [targets]: bool
        reads("pods-ready", pods_ready),
        // [target]: bool
        reads("rollout-complete", rollout_complete),
        // [workload]: int, or absent
        reads("ready-of", ready_of),
        // [workload]: int, or absent
        reads("restarts", restarts),
        // [workload]: int, or absent
        reads("oom-kills", oom_kills),
        // []: list of workloads
        reads("every-workload", workloads_of_namespace)
            .sees({"/kind", "/metadata/name", "/metadata/ownerReferences"}),
    };
});

}  // namespace migc::runtime::inline natives
