#include "runtime/natives/short_pod.hpp"

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

// The pod ends by itself even if nobody is left to delete it, and it gets no credentials of the cluster.
constexpr const char* overrides =
    R"({"spec":{"activeDeadlineSeconds":60,"automountServiceAccountToken":false,"terminationGracePeriodSeconds":0}})";

// From the clock and the question, not from a random device: a recorded run asks in the same words when
// replayed.
std::string name_of(Host& host, const ShortPod& pod) {
    const std::string question = fmt::format("{} {} {} {}", host.now(), host.setting("run-folder"), pod.image,
                                             fmt::join(pod.command, " "));
    return fmt::format("{}-{}", pod.purpose, sha256(question).substr(0, 10));
}

std::vector<std::string> run_arguments(const std::string& name, const ShortPod& pod) {
    std::vector<std::string> arguments = {"run",
                                          name,
                                          "--image=" + pod.image,
                                          "--restart=Never",
                                          "--labels=app.kubernetes.io/managed-by=migc",
                                          "--image-pull-policy=IfNotPresent",
                                          fmt::format("--overrides={}", overrides),
                                          "--pod-running-timeout=60s",
                                          "--attach",
                                          "--rm",
                                          "-i",
                                          "--quiet",
                                          "--command",
                                          "--"};
    arguments.insert(arguments.end(), pod.command.begin(), pod.command.end());
    return arguments;
}

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
    const auto object = get_object(host, "pod/" + name);
    const PodTrouble seen = object && !object->is_null() ? pod_trouble(*object) : PodTrouble{};
    return {
        fmt::format("the pod did not run: {}", seen.text.empty() ? complaint("kubectl", answer) : seen.text),
        seen.permanent};
}

}  // namespace

tl::expected<Answer, PodTrouble> run_short_pod(Host& host, const ShortPod& pod) {
    const std::string name = name_of(host, pod);
    Answer answer = host.run("kubectl", run_arguments(name, pod));
    PodTrouble trouble;
    if (!answer.succeeded()) trouble = trouble_of(host, name, pod, answer);
    // `--rm` does this too, but not if kubectl was ended before.
    host.run("kubectl", {"delete", "pod/" + name, "--ignore-not-found", "--wait=false"});
    if (!trouble.text.empty()) return tl::unexpected(std::move(trouble));
    return answer;
}

}  // namespace migc::runtime::inline natives
