// kubectl run, exec.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "runtime/world/kubectl.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime::inline world {
namespace {

// What a command in a pod answers: curl reaches the web as the pod sees it, others are declared in the file.
Answer inside(KubectlCall& call, const std::vector<CommandAnswer>& declared, const Object* pod,
              const std::vector<std::string>& words) {
    const std::string line = joined(words);
    for (const auto* answers : {&declared, &std::as_const(call.cluster.answers)})
        for (const CommandAnswer& answer : *answers)
            if (found_in(answer.command, line)) return call.world.end(answer);
    if (pod != nullptr)
        if (auto answer = run_in_container(call, *pod, words)) return *answer;
    if (!words.empty() && words[0] == "curl")
        return curl_from(call.world, Origin{call.cluster.name, call.name_space}, call.input,
                         {words.begin() + 1, words.end()});
    return unmodelled("the command `{}` in a pod", line);
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
        if (const auto [key, value, negated] = requirement_of(one); value) labels[key] = *value;
    return labels;
}

constexpr std::int64_t start_limit_ms = 60'000;

// Waits until the pod's container runs; false if the time is up first.
bool wait_until_started(KubectlCall& call, const ObjectKey& pod, std::int64_t limit_ms) {
    const Time last = call.world.clock + limit_ms;
    while (call.cluster.pods[pod].stage != PodStage::Ready &&
           call.cluster.pods[pod].stage != PodStage::Running) {
        if (!call.world.pass_to_next(last) || call.world.clock >= last) return false;
    }
    return true;
}

}  // namespace

tl::expected<Target, Answer> target_typed(const KubectlCall& call, const char* usual_type) {
    std::vector<std::string> words = call.arguments.words;
    if (words.size() == 1 && words[0].find('/') == std::string::npos) words.insert(words.begin(), usual_type);
    return existing_target(call, words);
}

std::vector<ObjectKey> pods_behind(const KubectlCall& call, const Target& target) {
    if (target.key.plural == "pods") return {target.key};
    const Object& owner = *call.cluster.find(target.key);
    std::vector<ObjectKey> found =
        target.key.plural == "services"
            ? pods_with(call.cluster, target.key.name_space, object_at(owner, "/spec/selector"))
            : owned(call.cluster, "pods", owner);
    for (const ObjectKey& set : owned(call.cluster, "replicasets", owner))
        for (const ObjectKey& pod : owned(call.cluster, "pods", *call.cluster.find(set)))
            found.push_back(pod);
    std::ranges::sort(found);
    std::stable_partition(found.begin(), found.end(),
                          [&](const ObjectKey& pod) { return is_ready(call.cluster, pod); });
    return found;
}

Answer kubectl_run(KubectlCall& call) {
    const auto& words = call.arguments.words;
    const bool attached = call.arguments.has("--attach");
    if (words.size() != 1 || call.arguments.value_or("--restart", "") != "Never" ||
        attached != call.arguments.has("--rm"))
        return unmodelled("kubectl run other than --restart=Never, with or without --attach --rm");
    const std::string image = call.arguments.value_or("--image", "");
    if (image.empty()) return failed("error: --image is required\n");
    const ObjectKey key{"pods", call.name_space, words[0]};
    if (call.cluster.find(key))
        return failed("Error from server (AlreadyExists): pods \"{}\" already exists\n", words[0]);
    Object pod = head_of(call.cluster, key);
    pod["metadata"]["labels"] = labels_of(call.arguments.value_or("--labels -l", "run=" + words[0]));
    pod["spec"] = {{"restartPolicy", "Never"},
                   {"containers", Object::array({Object{{"name", words[0]}, {"image", image}}})}};
    if (const auto overrides = call.arguments.value("--overrides")) {
        const Object patch = Object::parse(*overrides, nullptr, false);
        if (!patch.is_object()) return failed("error: Invalid JSON Patch\n");
        pod.merge_patch(patch);
    }
    const auto stored = store(call, *call.cluster.kinds.by_plural("pods"), pod);
    if (!stored) return stored.error();
    if (!attached) return done("pod/{} created\n", key.name);
    const bool started = wait_until_started(call, key, start_limit_ms);
    const bool in_time = started || call.world.clock < call.world.deadline;
    Answer answer = started ? inside(call, {}, nullptr, call.arguments.after_dashes)
                            : failed("error: timed out waiting for the condition\n");
    call.cluster.erase(key);
    if (started && answer.ending == Ending::Exited && answer.status != 0 && answer.status != not_modelled)
        answer.errors += fmt::format("pod {}/{} terminated (Error)\n", key.name_space, key.name);
    return in_time ? answer : out_of_time();
}

Answer kubectl_wait(KubectlCall& call) {
    const auto target = existing_target(call, call.arguments.words);
    if (!target) return target.error();
    if (target->key.plural != "pods" || call.arguments.value_or("--for", "") != "condition=Ready")
        return unmodelled("kubectl wait other than for a pod's condition=Ready");
    const auto limit = parse_duration(call.arguments.value_or("--timeout", "30s"));
    if (!limit) return unmodelled("kubectl wait --timeout " + call.arguments.value_or("--timeout", ""));
    if (wait_until_started(call, target->key, limit->milliseconds))
        return done("{} condition met\n", target->shown());
    return call.world.clock < call.world.deadline
               ? failed("error: timed out waiting for the condition on pods/{}\n", target->key.name)
               : out_of_time();
}

Answer kubectl_exec(KubectlCall& call) {
    const auto target = target_typed(call, "pods");
    if (!target) return target.error();
    if (call.arguments.after_dashes.empty())
        return failed("error: you must specify at least one command for the container\n");
    const auto pods = pods_behind(call, *target);
    if (pods.empty()) return failed("error: timed out waiting for the condition\n");
    const Object& pod = *call.cluster.find(pods[0]);
    const PodRecord& record = call.cluster.pods[pods[0]];
    if (record.stage != PodStage::Ready && record.stage != PodStage::Running)
        return failed("error: unable to upgrade connection: container not found (\"{}\")\n",
                      text_at(pod, "/spec/containers/0/name"));
    return as_kubectl(
        inside(call, call.cluster.behaviour_of(pod).answers, &pod, call.arguments.after_dashes));
}

}  // namespace migc::runtime::inline world
