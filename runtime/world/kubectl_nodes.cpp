// kubectl cordon, uncordon, drain.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

Answer set_unschedulable(KubectlCall& call, bool off) {
    const auto node = target_typed(call, "nodes");
    if (!node) return node.error();
    Object object = *call.cluster.find(node->key);
    const char* said = off ? "cordoned" : "uncordoned";
    if (flag_at(object, "/spec/unschedulable") == off)
        return done("node/{} already {}\n", node->key.name, said);
    set_schedulable(object, !off);
    call.cluster.put(node->key, std::move(object), {manager_of(call)});
    return done("node/{} {}\n", node->key.name, said);
}

std::string shown(const ObjectKey& pod) {
    return pod.name_space + "/" + pod.name;
}

std::string quoted(const ObjectKey& pod) {
    return fmt::format("pods/\"{}\" -n \"{}\"", pod.name, pod.name_space);
}

// The pods of a node, and why kubectl does not touch some of them.
struct Leaving {
    std::vector<ObjectKey> pods;
    std::vector<std::string> of_daemon_sets;
    std::vector<std::string> with_local_data;
    std::vector<std::string> of_nobody;
};

bool has_local_data(const Object& pod) {
    return std::ranges::any_of(list_at(pod, "/spec/volumes"),
                               [](const Object& volume) { return part(volume, "/emptyDir") != nullptr; });
}

Leaving leaving_of(const Cluster& cluster, const std::string& node) {
    Leaving leaving;
    for (const auto& [key, pod] : cluster.all("pods")) {
        if (text_at(pod, "/spec/nodeName") != node) continue;
        const std::string owner = text_at(pod, "/metadata/ownerReferences/0/kind");
        if (owner == "DaemonSet") {
            leaving.of_daemon_sets.push_back(shown(key));
            continue;
        }
        leaving.pods.push_back(key);
        if (has_local_data(pod)) leaving.with_local_data.push_back(shown(key));
        if (owner.empty()) leaving.of_nobody.push_back(shown(key));
    }
    return leaving;
}

std::string refusal(const KubectlCall& call, const Leaving& leaving) {
    if (!leaving.of_daemon_sets.empty() && !call.arguments.has("--ignore-daemonsets"))
        return "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): " +
               joined(leaving.of_daemon_sets, ", ");
    if (!leaving.with_local_data.empty() && !call.arguments.has("--delete-emptydir-data"))
        return "cannot delete Pods with local storage (use --delete-emptydir-data to override): " +
               joined(leaving.with_local_data, ", ");
    if (!leaving.of_nobody.empty() && !call.arguments.has("--force"))
        return "cannot delete cannot delete Pods that declare no controller (use --force to override): " +
               joined(leaving.of_nobody, ", ");
    return {};
}

Answer unable(const std::string& node, Answer so_far, const std::string& why, const std::string& last) {
    so_far.status = 1;
    so_far.errors += fmt::format(
        "error: unable to drain node \"{0}\" due to error: {1}, continuing command...\nThere are pending nodes to "
        "be drained:\n {0}\n{2}\n",
        node, why, last);
    return so_far;
}

// A stateful set's next pod has the name of the one before: only the node tells them apart.
bool is_on(const Cluster& cluster, const ObjectKey& pod, const std::string& node) {
    const Object* found = cluster.find(pod);
    return found && text_at(*found, "/spec/nodeName") == node;
}

// Asks every pod to go that its budgets let go now; the others are said to be tried again.
void evict(KubectlCall& call, Answer& answer, const std::vector<ObjectKey>& pods) {
    for (const ObjectKey& pod : pods) {
        if (call.cluster.pods[pod].terminating) continue;
        answer.output += fmt::format("evicting pod {}\n", shown(pod));
        if (may_be_evicted(call.cluster, pod))
            call.cluster.terminate(pod);
        else
            answer.errors += fmt::format(
                "error when evicting {} (will retry after 5s): Cannot evict pod as it would violate the pod's "
                "disruption budget.\n",
                quoted(pod));
    }
}

std::int64_t seconds_of(const std::string& text) {
    return text.empty() || text == "0s" ? 0 : std::max<std::int64_t>(1, std::atoll(text.c_str()));
}

Answer out_of_turn(const std::string& node, Answer answer, const std::vector<ObjectKey>& pods,
                   const std::string& limit) {
    std::vector<std::string> each;
    for (const ObjectKey& pod : pods)
        each.push_back(fmt::format("error when evicting {}: global timeout reached: {}", quoted(pod), limit));
    const std::string all = each.size() == 1 ? each[0] : "[" + joined(each, ", ") + "]";
    return unable(node, std::move(answer), all, joined(each, "\n"));
}

}  // namespace

Answer kubectl_cordon(KubectlCall& call) {
    return set_unschedulable(call, true);
}

Answer kubectl_uncordon(KubectlCall& call) {
    return set_unschedulable(call, false);
}

Answer kubectl_drain(KubectlCall& call) {
    constexpr Time retry_ms = 5'000;
    Answer answer = set_unschedulable(call, true);
    if (!answer.succeeded()) return answer;
    const std::string& word = call.arguments.words.back();
    const std::string node = word.substr(word.find('/') == std::string::npos ? 0 : word.find('/') + 1);
    const Leaving leaving = leaving_of(call.cluster, node);
    if (const std::string why = refusal(call, leaving); !why.empty())
        return unable(node, std::move(answer), why, why);
    const std::string limit = call.arguments.value_or("--timeout", "0s");
    const Time ends = seconds_of(limit) > 0 ? call.world.clock + seconds_of(limit) * 1000 : never;
    std::vector<ObjectKey> left = leaving.pods;
    for (Time next_try = call.world.clock; !left.empty();) {
        if (call.world.clock >= next_try) {
            evict(call, answer, left);
            next_try = call.world.clock + retry_ms;
        }
        if (!call.world.pass_to_next(std::min(next_try, ends))) return out_of_time();
        std::erase_if(left, [&](const ObjectKey& pod) {
            if (is_on(call.cluster, pod, node)) return false;
            answer.output += fmt::format("pod/{} evicted\n", pod.name);
            return true;
        });
        if (!left.empty() && call.world.clock >= ends)
            return out_of_turn(node, std::move(answer), left, limit);
    }
    answer.output += fmt::format("node/{} drained\n", node);
    return answer;
}

}  // namespace migc::runtime::inline world
