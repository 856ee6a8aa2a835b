// kubectl run, exec, logs, cordon, uncordon, drain.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime {
namespace {

// What a command in a pod answers: curl reaches the web as the pod sees it, others are declared in the file.
Answer inside(KubectlCall& call, const std::vector<CommandAnswer>& declared,
              const std::vector<std::string>& words) {
    const std::string line = joined(words);
    for (const auto* answers : {&declared, &std::as_const(call.cluster.answers)})
        for (const CommandAnswer& answer : *answers)
            if (found_in(answer.command, line)) {
                if (!call.world.pass(answer.duration_ms)) return out_of_time();
                return exited(answer.status, answer.output, answer.errors);
            }
    if (!words.empty() && words[0] == "curl")
        return curl_from(call.world, Origin{call.cluster.name, call.name_space}, call.input,
                         {words.begin() + 1, words.end()});
    return unmodelled(fmt::format("the command `{}` in a pod", line));
}

// Passes on how a command in a pod ended, as kubectl does.
Answer as_kubectl(Answer answer) {
    if (answer.ending == Ending::Exited && answer.status != 0 && answer.status != not_modelled)
        answer.errors += fmt::format("command terminated with exit code {}\n", answer.status);
    return answer;
}

Object labels_of(const std::string& text) {
    Object labels = Object::object();
    for (const std::string& one : split(text, ','))
        if (const std::size_t sign = one.find('='); sign != std::string::npos)
            labels[one.substr(0, sign)] = one.substr(sign + 1);
    return labels;
}

// Waits until the pod's container runs; false if the time is up first.
bool wait_until_started(KubectlCall& call, const ObjectKey& pod, std::int64_t limit_ms) {
    const Time last = call.world.clock + limit_ms;
    while (call.cluster.pods[pod].stage != PodStage::Ready &&
           call.cluster.pods[pod].stage != PodStage::Running) {
        const Time next = std::min(call.world.next(), last);
        if (!call.world.pass(std::max<Time>(1, next - call.world.clock)) || call.world.clock >= last)
            return false;
    }
    return true;
}

// The pods behind a target: itself, or those of the workload, the ready ones first.
std::vector<ObjectKey> pods_of(const KubectlCall& call, const Target& target) {
    if (target.key.plural == "pods") return {target.key};
    std::vector<ObjectKey> found;
    const Object& owner = *call.cluster.find(target.key);
    for (const ObjectKey& key : call.cluster.keys("pods", target.key.name_space)) {
        const Object& pod = *call.cluster.find(key);
        const ObjectKey set{"replicasets", key.name_space, text_at(pod, "/metadata/ownerReferences/0/name")};
        const Object* between = call.cluster.find(set);
        const bool selected =
            target.key.plural == "services" &&
            has_labels(object_at(pod, "/metadata/labels"), object_at(owner, "/spec/selector"));
        if (selected || owned_by(pod, owner) || (between && owned_by(*between, owner))) found.push_back(key);
    }
    std::stable_partition(found.begin(), found.end(),
                          [&](const ObjectKey& pod) { return is_ready(call.cluster, pod); });
    return found;
}

std::string log_lines(const KubectlCall& call, const ObjectKey& pod) {
    const auto& lines = call.cluster.behaviour_of(*call.cluster.find(pod)).logs;
    std::size_t first = 0;
    const std::string tail = call.arguments.value_or("--tail", "-1");
    std::int64_t wanted = -1;
    std::from_chars(tail.data(), tail.data() + tail.size(), wanted);
    if (wanted >= 0) first = lines.size() - std::min(lines.size(), static_cast<std::size_t>(wanted));
    std::string text;
    const std::string container = text_at(*call.cluster.find(pod), "/spec/containers/0/name");
    for (std::size_t i = first; i < lines.size(); ++i)
        text += (call.arguments.has("--prefix") ? fmt::format("[pod/{}/{}] ", pod.name, container) : "") +
                lines[i] + "\n";
    return text;
}

Answer set_unschedulable(KubectlCall& call, bool off) {
    std::vector<std::string> words{"nodes"};
    words.insert(words.end(), call.arguments.words.begin(), call.arguments.words.end());
    if (words.size() == 2 && words[1].find('/') != std::string::npos) words.erase(words.begin());
    const auto node = existing_target(call, words);
    if (!node) return node.error();
    Object object = *call.cluster.find(node->key);
    const char* said = off ? "cordoned" : "uncordoned";
    const Object* before = part(object, "/spec/unschedulable");
    if ((before && *before == true) == off)
        return done(fmt::format("node/{} already {}\n", node->key.name, said));
    if (off)
        object["spec"]["unschedulable"] = true;
    else
        object["spec"].erase("unschedulable");
    call.cluster.put(node->key, std::move(object));
    return done(fmt::format("node/{} {}\n", node->key.name, said));
}

bool of_daemon_set(const Object& pod) {
    return text_at(pod, "/metadata/ownerReferences/0/kind") == "DaemonSet";
}

// A stateful set's next pod has the name of the one before: only the node tells them apart.
bool any_left(const Cluster& cluster, const std::vector<ObjectKey>& pods, const std::string& node) {
    return std::any_of(pods.begin(), pods.end(), [&](const ObjectKey& pod) {
        const Object* found = cluster.find(pod);
        return found && text_at(*found, "/spec/nodeName") == node;
    });
}

}  // namespace

Answer kubectl_run(KubectlCall& call) {
    const auto& words = call.arguments.words;
    const bool one_shot = call.arguments.has("--attach") && call.arguments.has("--rm") &&
                          call.arguments.value_or("--restart", "") == "Never";
    if (words.size() != 1 || !one_shot)
        return unmodelled("kubectl run other than --attach --rm --restart=Never");
    const std::string image = call.arguments.value_or("--image", "");
    if (image.empty()) return failed("error: --image is required\n");
    const ObjectKey key{"pods", call.name_space, words[0]};
    if (call.cluster.find(key))
        return failed(
            fmt::format("Error from server (AlreadyExists): pods \"{}\" already exists\n", words[0]));
    Object labels = labels_of(call.arguments.value_or("--labels -l", "run=" + words[0]));
    Object pod = {{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata", {{"name", words[0]}, {"labels", labels}}},
                  {"spec",
                   {{"restartPolicy", "Never"},
                    {"containers", Object::array({Object{{"name", words[0]}, {"image", image}}})}}}};
    if (const auto overrides = call.arguments.value("--overrides")) {
        const Object patch = Object::parse(*overrides, nullptr, false);
        if (!patch.is_object()) return failed("error: Invalid JSON Patch\n");
        pod.merge_patch(patch);
    }
    const auto stored = store(call, *call.cluster.kinds.by_plural("pods"), pod);
    if (!stored) return stored.error();
    constexpr std::int64_t start_limit_ms = 60'000;
    const bool started = wait_until_started(call, key, start_limit_ms);
    const bool in_time = started || call.world.clock < call.world.deadline;
    Answer answer = started ? inside(call, {}, call.arguments.after_dashes)
                            : failed("error: timed out waiting for the condition\n");
    call.cluster.erase(key);
    if (started && answer.ending == Ending::Exited && answer.status != 0 && answer.status != not_modelled)
        answer.errors += fmt::format("pod {}/{} terminated (Error)\n", key.name_space, key.name);
    return in_time ? answer : out_of_time();
}

Answer kubectl_exec(KubectlCall& call) {
    const auto target = existing_target(call, call.arguments.words);
    if (!target) return target.error();
    if (call.arguments.after_dashes.empty())
        return failed("error: you must specify at least one command for the container\n");
    const auto pods = pods_of(call, *target);
    if (pods.empty()) return failed("error: timed out waiting for the condition\n");
    const Object& pod = *call.cluster.find(pods[0]);
    const PodRecord& record = call.cluster.pods[pods[0]];
    if (record.stage != PodStage::Ready && record.stage != PodStage::Running)
        return failed(fmt::format("error: unable to upgrade connection: container not found (\"{}\")\n",
                                  text_at(pod, "/spec/containers/0/name")));
    return as_kubectl(inside(call, call.cluster.behaviour_of(pod).answers, call.arguments.after_dashes));
}

Answer kubectl_logs(KubectlCall& call) {
    std::string text;
    if (const auto selector = call.arguments.value("-l --selector")) {
        for (const ObjectKey& pod : call.cluster.keys("pods", call.name_space)) {
            const auto chosen = selected(object_at(*call.cluster.find(pod), "/metadata/labels"), *selector);
            if (!chosen) return unmodelled("kubectl logs -l " + *selector);
            if (*chosen) text += log_lines(call, pod);
        }
        return done(text);
    }
    const auto& words = call.arguments.words;
    const bool bare = words.size() == 1 && words[0].find('/') == std::string::npos;
    const auto target = existing_target(call, bare ? std::vector<std::string>{"pods", words[0]} : words);
    if (!target) {
        const std::string& errors = target.error().errors;
        return errors.rfind("Error from server", 0) == 0
                   ? failed(fmt::format("error: e{} in namespace \"{}\"\n",
                                        errors.substr(1, errors.size() - 2), call.name_space))
                   : target.error();
    }
    const auto pods = pods_of(call, *target);
    if (pods.empty()) return failed("error: timed out waiting for the condition\n");
    const std::size_t shown = call.arguments.has("--all-pods") ? pods.size() : 1;
    for (std::size_t i = 0; i < shown; ++i) text += log_lines(call, pods[i]);
    const std::string note = shown == 1 && pods.size() > 1
                                 ? fmt::format("Found {} pods, using pod/{}\n", pods.size(), pods[0].name)
                                 : "";
    return exited(0, text, note);
}

Answer kubectl_cordon(KubectlCall& call) {
    return set_unschedulable(call, true);
}

Answer kubectl_uncordon(KubectlCall& call) {
    return set_unschedulable(call, false);
}

Answer kubectl_drain(KubectlCall& call) {
    Answer answer = set_unschedulable(call, true);
    if (!answer.succeeded()) return answer;
    const std::string& word = call.arguments.words.back();
    const std::string node = word.substr(word.find('/') == std::string::npos ? 0 : word.find('/') + 1);
    std::vector<ObjectKey> leaving;
    for (const ObjectKey& key : call.cluster.keys("pods")) {
        const Object& pod = *call.cluster.find(key);
        if (text_at(pod, "/spec/nodeName") != node) continue;
        if (!of_daemon_set(pod)) {
            leaving.push_back(key);
        } else if (!call.arguments.has("--ignore-daemonsets")) {
            return exited(
                1, answer.output,
                fmt::format(
                    "error: unable to drain node \"{}\" due to error: cannot delete DaemonSet-managed Pods "
                    "(use --ignore-daemonsets to ignore): {}/{}, continuing command...\n",
                    node, key.name_space, key.name));
        }
    }
    for (const ObjectKey& pod : leaving) {
        answer.output += fmt::format("evicting pod {}/{}\n", pod.name_space, pod.name);
        call.cluster.terminate(pod);
    }
    while (any_left(call.cluster, leaving, node)) {
        const Time next = call.world.next();
        if (next == never || !call.world.pass(std::max<Time>(1, next - call.world.clock)))
            return out_of_time();
    }
    for (const ObjectKey& pod : leaving) answer.output += fmt::format("pod/{} evicted\n", pod.name);
    answer.output += fmt::format("node/{} drained\n", node);
    return answer;
}

}  // namespace migc::runtime
