#include "runtime/natives/rollout.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "compiler/support/text.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

struct Counts {
    std::int64_t wanted = 0;
    std::int64_t total = 0;  // old ones included
    std::int64_t updated = 0;
    std::int64_t ready = 0;
    std::int64_t available = 0;
};

struct Pods {
    std::vector<const json*> current;  // of the version that is asked for
    std::vector<const json*> old;
    std::vector<const json*> terminating;
};

Counts daemon_set_counts(const json& workload) {
    return {int_field(workload, "/status/desiredNumberScheduled"),
            int_field(workload, "/status/currentNumberScheduled"),
            int_field(workload, "/status/updatedNumberScheduled"), int_field(workload, "/status/numberReady"),
            int_field(workload, "/status/numberAvailable")};
}

Counts replica_counts(const json& workload) {
    return {int_field(workload, "/spec/replicas", 1), int_field(workload, "/status/replicas"),
            int_field(workload, "/status/updatedReplicas"), int_field(workload, "/status/readyReplicas"),
            int_field(workload, "/status/availableReplicas")};
}

// A stateful set may hold pods back with `partition`, and older clusters do not count available ones.
Counts stateful_set_counts(const json& workload) {
    Counts counts = replica_counts(workload);
    if (text_field(workload, "/status/currentRevision") == text_field(workload, "/status/updateRevision"))
        counts.updated = counts.total;
    else
        counts.updated += int_field(workload, "/spec/updateStrategy/rollingUpdate/partition");
    counts.updated = std::min(counts.updated, counts.total);
    if (field(workload, "/status/availableReplicas").is_null()) counts.available = counts.ready;
    return counts;
}

Counts counts_of(const json& workload) {
    const std::string kind = text_field(workload, "/kind");
    if (kind == "DaemonSet") return daemon_set_counts(workload);
    return kind == "StatefulSet" ? stateful_set_counts(workload) : replica_counts(workload);
}

std::int64_t revision_of(const json& replica_set) {
    return whole_number(text_field(replica_set, "/metadata/annotations/deployment.kubernetes.io~1revision"))
        .value_or(-1);
}

// The replica set of a deployment's newest revision; null if it has none yet.
const json& newest_replica_set(const json& workload, const json& items) {
    static const json none;
    const json* newest = &none;
    for (const auto& item : items) {
        if (text_field(item, "/kind") != "ReplicaSet" || !owns(workload, item)) continue;
        if (newest->is_null() || revision_of(item) > revision_of(*newest)) newest = &item;
    }
    return *newest;
}

constexpr const char* revision_label = "/metadata/labels/controller-revision-hash";
constexpr const char* generation_label = "/metadata/labels/pod-template-generation";
constexpr const char* generation_note = "/metadata/annotations/deprecated.daemonset.template.generation";

// The newest revision of a daemon set that is what it asks for, as its pods are labelled; "" if there is
// none.
std::string revision_of_daemon_set(const json& workload, const json& items) {
    const std::string wanted = template_digest(pod_template(workload));
    const json* found = nullptr;
    for (const auto& item : items) {
        if (text_field(item, "/kind") != "ControllerRevision" || !owns(workload, item)) continue;
        if (template_digest(field(item, "/data/spec/template")) != wanted) continue;
        if (found == nullptr || int_field(item, "/revision") > int_field(*found, "/revision")) found = &item;
    }
    if (found == nullptr) return {};
    const std::string name = name_of(*found);
    const std::string label = text_field(*found, revision_label);
    return label.empty() ? name.substr(std::min(name.size(), name.rfind('-') + 1)) : label;
}

// As its controller does it: by the hash of the revision, or by the generation.
bool is_current_of_daemon_set(const json& pod, const json& workload, const std::string& revision) {
    const std::string hash = text_field(pod, revision_label);
    if (!revision.empty() && hash == revision) return true;
    const std::string generation = text_field(workload, generation_note);
    const std::string label = text_field(pod, generation_label);
    if (generation.empty() || label.empty()) return revision.empty() || hash.empty();
    return label == generation;
}

// What the pods of a workload are compared with.
struct Newest {
    const json& replica_set;  // of a deployment
    std::string revision;     // of a daemon set
};

bool is_current(const json& pod, const json& workload, const Newest& newest) {
    const std::string kind = text_field(workload, "/kind");
    if (kind == "Deployment") {
        const std::string name = name_of(newest.replica_set);
        return name.empty() ||
               std::any_of(field(pod, "/metadata/ownerReferences").begin(),
                           field(pod, "/metadata/ownerReferences").end(),
                           [&](const json& owner) { return text_field(owner, "/name") == name; });
    }
    if (kind == "StatefulSet") {
        if (int_field(workload, "/spec/updateStrategy/rollingUpdate/partition") > 0) return true;
        const std::string hash = text_field(pod, revision_label);
        return hash.empty() || hash == text_field(workload, "/status/updateRevision");
    }
    return is_current_of_daemon_set(pod, workload, newest.revision);
}

Pods pods_of_workload(const json& workload, const json& items, const Newest& newest) {
    Pods pods;
    for (const auto& item : items) {
        if (text_field(item, "/kind") != "Pod" || !owns(workload, item)) continue;
        if (is_being_deleted(item))
            pods.terminating.push_back(&item);
        else if (has_ended(item))
            continue;  // evicted pods stay listed for long; they are replaced, and nobody waits for them
        else
            (is_current(item, workload, newest) ? pods.current : pods.old).push_back(&item);
    }
    return pods;
}

// How many pods may be missing during a rolling update; the cluster rounds a percentage down.
std::int64_t may_be_missing(const json& workload) {
    const json& value = field(workload, "/spec/strategy/rollingUpdate/maxUnavailable");
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return 0;
    const double percent = std::atof(value.get_ref<const std::string&>().c_str());
    return static_cast<std::int64_t>(percent * static_cast<double>(int_field(workload, "/spec/replicas", 1)) /
                                     100);
}

struct Trouble {
    std::vector<std::string> texts;
    bool permanent = false;
    void add(std::string text, bool cannot_heal) {
        texts.push_back(std::move(text));
        permanent = permanent || cannot_heal;
    }
};

// Quota or admission refuses new pods. Pods that still go away may free what is missing.
void add_refused_pods(Trouble& trouble, const json& workload, const json& newest, const Pods& pods) {
    const json& owner = text_field(workload, "/kind") == "Deployment" ? newest : workload;
    const json& failure = condition(owner, "ReplicaFailure");
    const bool seen =
        int_field(owner, "/status/observedGeneration") >= int_field(owner, "/metadata/generation");
    if (text_field(failure, "/status") != "True" || !seen) return;
    if (int_field(owner, "/status/replicas") >= int_field(owner, "/spec/replicas", 1)) return;
    const bool room_to_come =
        !pods.terminating.empty() || (!pods.old.empty() && may_be_missing(workload) > 0);
    trouble.add("no more pods can be made: " + text_field(failure, "/message"), !room_to_come);
}

void add_stalled_rollout(Trouble& trouble, const json& workload) {
    const json& progress = condition(workload, "Progressing");
    const std::string reason = text_field(progress, "/reason");
    if (text_field(progress, "/status") != "False") return;
    if (reason == "ProgressDeadlineExceeded" || reason == "ReplicaSetCreateError")
        trouble.add(reason + ": " + text_field(progress, "/message"), true);
}

// One pod speaks for all that have the same trouble.
void add_pods(Trouble& trouble, const std::vector<const json*>& pods) {
    std::set<std::string> told;
    for (const json* pod : pods) {
        const PodTrouble one = pod_trouble(*pod);
        if (one.text.empty()) continue;
        trouble.permanent = trouble.permanent || one.permanent;
        if (told.insert(one.text.substr(0, one.text.find(':'))).second)
            trouble.add(name_of(*pod) + ": " + one.text, one.permanent);
    }
}

// "1 old pod of webapi is", "2 old pods of webapi are".
std::string pods_are(std::size_t count, const std::string& which, const std::string& shown) {
    return fmt::format("{} {}{} of {} {}", count, which, count == 1 ? "pod" : "pods", shown,
                       count == 1 ? "is" : "are");
}

std::vector<std::string> shortfalls(const Counts& counts, const Pods& pods, const std::string& shown) {
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t count, const char* what) {
        if (count != counts.wanted)
            parts.push_back(fmt::format("{} of {} pods of {} are {}", count, counts.wanted, shown, what));
    };
    if (counts.ready != counts.wanted)
        add(counts.ready, "ready");
    else
        add(counts.available, "available");
    if (counts.updated < std::min(counts.wanted, counts.total)) add(counts.updated, "of the new version");
    if (!pods.old.empty()) parts.push_back(pods_are(pods.old.size(), "old ", shown) + " still there");
    if (!pods.terminating.empty())
        parts.push_back(pods_are(pods.terminating.size(), "", shown) + " still ending");
    if (parts.empty() && counts.total != counts.wanted)
        parts.push_back(fmt::format("{} has {} pods, and {} are wanted", shown, counts.total, counts.wanted));
    return parts;
}

// Some sets replace no pod by themselves: a person has to delete it, however long one waits.
void add_held_up_pods(Trouble& trouble, const json& workload, const Pods& pods, const std::string& shown) {
    if (pods.old.empty() || text_field(workload, "/kind") == "Deployment") return;
    if (text_field(workload, "/spec/updateStrategy/type") == "OnDelete") {
        std::vector<std::string> names;
        for (const json* pod : pods.old) names.push_back(name_of(*pod));
        return trouble.add(
            fmt::format("{} replaces no pod by itself (its update strategy is OnDelete): delete {}", shown,
                        enumerate(names)),
            true);
    }
    if (text_field(workload, "/kind") != "StatefulSet" ||
        text_field(workload, "/spec/podManagementPolicy") == "Parallel")
        return;
    for (const json* pod : pods.old) {
        const PodTrouble one = pod_trouble(*pod);
        const std::string name = name_of(*pod);
        if (!one.permanent) continue;
        trouble.add(
            fmt::format("{}: {}; a stateful set waits for it to be ready and does not replace it: delete "
                        "the pod {}",
                        name, one.text, name),
            true);
    }
}

bool asks_for_none(const json& workload) {
    return field(workload, "/spec/replicas") == json(0);
}

}  // namespace

PodTrouble pod_trouble(const json& pod) {
    constexpr std::array no_image = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName",
                                     "ErrImageNeverPull"};
    for (const auto& status : container_statuses(pod)) {
        const std::string reason = text_field(status, "/state/waiting/reason");
        const std::string message = text_field(status, "/state/waiting/message");
        const std::int64_t restarts = int_field(status, "/restartCount");
        if (reason == "CrashLoopBackOff")
            return {
                fmt::format("CrashLoopBackOff: container {} ended {} times, the last time with exit code {}",
                            text_field(status, "/name"), restarts,
                            int_field(status, "/lastState/terminated/exitCode")),
                restarts >= 3};
        if (!reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing")
            return {message.empty() ? reason : reason + ": " + message,
                    std::find(no_image.begin(), no_image.end(), reason) != no_image.end()};
        const std::int64_t code = int_field(status, "/state/terminated/exitCode");
        if (code != 0)
            return {fmt::format("{}: container {} ended with exit code {}",
                                text_field(status, "/state/terminated/reason"), text_field(status, "/name"),
                                code),
                    false};
    }
    const json& scheduled = condition(pod, "PodScheduled");
    if (text_field(scheduled, "/status") == "False")
        return {text_field(scheduled, "/reason") + ": " + text_field(scheduled, "/message"), false};
    return {};
}

std::int64_t ready_count(const json& workload) {
    return counts_of(workload).ready;
}

bool is_told_by_revision(const json& workload, const json& items) {
    if (text_field(workload, "/kind") != "DaemonSet") return false;
    std::set<std::string> revisions;
    const std::string generation = text_field(workload, generation_note);
    for (const auto& item : items) {
        if (text_field(item, "/kind") != "Pod" || !owns(workload, item)) continue;
        revisions.insert(text_field(item, revision_label));
        const std::string label = text_field(item, generation_label);
        if (!label.empty() && !generation.empty() && label != generation) return true;
    }
    return revisions.size() > 1;
}

Readiness judge(const json& workload, const json& items, const std::string& shown) {
    if (int_field(workload, "/status/observedGeneration") < int_field(workload, "/metadata/generation"))
        return {false, fmt::format("the change of {} has not been seen by the cluster yet", shown), false};
    const Counts counts = counts_of(workload);
    const bool is_daemon_set = text_field(workload, "/kind") == "DaemonSet";
    const Newest newest{newest_replica_set(workload, items),
                        is_daemon_set ? revision_of_daemon_set(workload, items) : ""};
    const Pods pods = pods_of_workload(workload, items, newest);
    std::vector<std::string> missing = shortfalls(counts, pods, shown);
    if (missing.empty() && counts.wanted == 0 && !asks_for_none(workload))
        return {false, fmt::format("no node takes a pod of {}", shown), false};
    if (missing.empty())
        return {true, fmt::format("{0} of {0} pods of {1} are ready", counts.wanted, shown), false};

    Trouble trouble;
    add_pods(trouble, pods.current);
    add_refused_pods(trouble, workload, newest.replica_set, pods);
    add_held_up_pods(trouble, workload, pods, shown);
    add_stalled_rollout(trouble, workload);
    if (field(workload, "/spec/paused") == json(true) && counts.updated < counts.wanted)
        trouble.add(fmt::format("the rollout of {} is paused", shown), true);
    append(missing, trouble.texts);
    return {false, fmt::format("{}", fmt::join(missing, "; ")), trouble.permanent};
}

}  // namespace migc::runtime::inline natives
