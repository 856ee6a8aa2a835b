// kubectl logs.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

std::optional<std::size_t> count_of(const KubectlCall& call, const char* option) {
    return whole_number<std::size_t>(call.arguments.value_or(option, ""));
}

// The log begins so late as `--since` says.
Time since(const KubectlCall& call) {
    const auto duration = parse_duration(call.arguments.value_or("--since", ""));
    return duration ? call.cluster.now() - duration->milliseconds : 0;
}

// Only the first container of a pod writes.
const std::vector<LogLine>& lines_of(const KubectlCall& call, const ObjectKey& pod) {
    static const std::vector<LogLine> nothing;
    const PodRecord& record = call.cluster.pods.at(pod);
    const std::string first = text_at(*call.cluster.find(pod), "/spec/containers/0/name");
    if (call.arguments.value_or("-c --container", first) != first) return nothing;
    return call.arguments.has("--previous -p") ? record.log_before : record.log;
}

std::string text_of(const KubectlCall& call, const ObjectKey& pod) {
    std::vector<std::string> chosen;
    for (const LogLine& line : lines_of(call, pod))
        if (line.time >= since(call)) chosen.push_back(line.text);
    const std::size_t tail = count_of(call, "--tail").value_or(chosen.size());
    const std::string container = text_at(*call.cluster.find(pod), "/spec/containers/0/name");
    const std::string prefix =
        call.arguments.has("--prefix") ? fmt::format("[pod/{}/{}] ", pod.name, container) : "";
    std::string text;
    for (std::size_t i = chosen.size() - std::min(chosen.size(), tail); i < chosen.size(); ++i)
        text += prefix + chosen[i] + "\n";
    return text.substr(0, count_of(call, "--limit-bytes").value_or(text.size()));
}

// What keeps a pod's log from being read.
std::optional<Answer> refusal(const KubectlCall& call, const ObjectKey& pod) {
    const Object& object = *call.cluster.find(pod);
    const std::string container =
        call.arguments.value_or("-c --container", text_at(object, "/spec/containers/0/name"));
    const bool known = std::ranges::any_of(list_at(object, "/spec/containers"), [&](const Object& one) {
        return text_at(one, "/name") == container;
    });
    if (!known) return failed("error: container {} is not valid for pod {}\n", container, pod.name);
    const PodRecord& record = call.cluster.pods.at(pod);
    if (call.arguments.has("--previous -p") && record.restarts == 0)
        return failed(
            "Error from server (BadRequest): previous terminated container \"{}\" in pod "
            "\"{}\" not found\n",
            container, pod.name);
    const bool waits = record.stage == PodStage::Unscheduled || record.stage == PodStage::Creating ||
                       record.stage == PodStage::Blocked;
    if (waits && record.restarts == 0)
        return failed(
            "Error from server (BadRequest): container \"{}\" in pod \"{}\" is waiting to "
            "start: {}\n",
            container, pod.name, record.reason.empty() ? "ContainerCreating" : record.reason);
    return std::nullopt;
}

Answer selected_logs(KubectlCall& call, const std::string& selector) {
    std::string text;
    for (const auto& [key, pod] : call.cluster.all("pods", call.name_space)) {
        const auto chosen = selected(object_at(pod, "/metadata/labels"), selector);
        if (!chosen) return unmodelled("kubectl logs -l " + selector);
        if (*chosen) text += text_of(call, key);
    }
    return done(text);
}

}  // namespace

Answer kubectl_logs(KubectlCall& call) {
    if (const auto selector = call.arguments.value("-l --selector")) return selected_logs(call, *selector);
    const auto target = target_typed(call, "pods");
    if (!target) {
        const std::string& errors = target.error().errors;
        return errors.rfind("Error from server", 0) == 0
                   ? failed("error: e{} in namespace \"{}\"\n", errors.substr(1, errors.size() - 2),
                            call.name_space)
                   : target.error();
    }
    const auto pods = pods_behind(call, *target);
    if (pods.empty()) return failed("error: timed out waiting for the condition\n");
    const std::size_t shown = call.arguments.has("--all-pods") ? pods.size() : 1;
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) {
        if (auto refused = refusal(call, pods[i])) return *refused;
        text += text_of(call, pods[i]);
    }
    const std::string note = shown == 1 && pods.size() > 1
                                 ? fmt::format("Found {} pods, using pod/{}\n", pods.size(), pods[0].name)
                                 : "";
    return exited(0, text, note);
}

}  // namespace migc::runtime::inline world
