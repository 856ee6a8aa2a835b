#include "runtime/natives/short_pod.hpp"

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

// kubectl ends with the exit code of the command, whose words are in the output: its log has both streams.
bool command_failed(const Answer& answer) {
    return answer.ending == Ending::Exited && answer.errors.find(" terminated (Error)") != std::string::npos;
}

PodTrouble failed_command(const ShortPod& pod, const Answer& answer) {
    Answer said = answer;
    said.errors = answer.output;
    const bool silent = answer.output.find_first_not_of(" \r\n\t") == std::string::npos;
    return {fmt::format("`{}` in a pod of {} ended with exit code {}{}", pod.command.front(), pod.image,
                        answer.status, silent ? "" : complaint("", said)),
            false};
}

PodTrouble trouble_of(Host& host, const std::string& name, const ShortPod& pod, const Answer& answer) {
    if (command_failed(answer)) return failed_command(pod, answer);
    if (answer.errors.find("executable file not found") != std::string::npos)
        return {fmt::format("the image {} has no program `{}`", pod.image, pod.command.front()), true};
    const PodTrouble seen = why_not_run(host, name, answer);
    return {"the pod did not run: " + seen.text, seen.permanent};
}

}  // namespace

// From the clock and the question, not from a random device: a recorded run asks in the same words when
// replayed.
std::string pod_name(Host& host, const std::string& purpose, const std::string& question) {
    const std::string all = fmt::format("{} {} {}", host.now(), host.setting("run-folder"), question);
    return purpose + "-" + sha256(all).substr(0, 10);
}

// The pod ends by itself even if nobody is left to delete it, and it gets no credentials of the cluster.
std::vector<std::string> run_arguments(const std::string& pod, const std::string& image,
                                       std::int64_t seconds) {
    const json spec = {{"activeDeadlineSeconds", seconds},
                       {"automountServiceAccountToken", false},
                       {"terminationGracePeriodSeconds", 0}};
    std::vector<std::string> arguments = {"run", pod, "--image=" + image, "--restart=Never"};
    append(arguments, {"--labels=app.kubernetes.io/managed-by=migc", "--image-pull-policy=IfNotPresent",
                       "--overrides=" + json{{"spec", spec}}.dump()});
    return arguments;
}

std::vector<std::string> attached_run(const std::string& pod, const std::string& image, std::int64_t seconds,
                                      const std::vector<std::string>& command) {
    std::vector<std::string> arguments = run_arguments(pod, image, seconds);
    append(arguments, {"--pod-running-timeout=60s", "--attach", "--rm", "-i", "--quiet", "--command", "--"});
    append(arguments, command);
    return arguments;
}

PodTrouble why_not_run(Host& host, const std::string& pod, const Answer& answer) {
    const auto object = get_object(host, "pod/" + pod);
    PodTrouble seen = object && !object->is_null() ? pod_trouble(*object) : PodTrouble{};
    if (seen.text.empty()) seen.text = complaint("kubectl", answer);
    return seen;
}

// `--rm` does this too, but not if kubectl was ended before.
void remove_pod(Host& host, const std::string& pod) {
    host.run("kubectl", {"delete", "pod/" + pod, "--ignore-not-found", "--wait=false"});
}

tl::expected<Answer, PodTrouble> run_short_pod(Host& host, const ShortPod& pod) {
    constexpr std::int64_t seconds = 60;
    const std::string name =
        pod_name(host, pod.purpose, fmt::format("{} {}", pod.image, fmt::join(pod.command, " ")));
    Answer answer = host.run("kubectl", attached_run(name, pod.image, seconds, pod.command));
    PodTrouble trouble;
    if (!answer.succeeded()) trouble = trouble_of(host, name, pod, answer);
    remove_pod(host, name);
    if (!trouble.text.empty()) return tl::unexpected(std::move(trouble));
    return answer;
}

}  // namespace migc::runtime::inline natives
