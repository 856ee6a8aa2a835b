#include "runtime/natives/inside.hpp"

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/rollout.hpp"

namespace migc::runtime::inline natives {
namespace {

// Pinned: the answer must not change because somebody published another curl.
constexpr const char* default_image = "curlimages/curl:8.10.1";

constexpr std::int64_t one_call_seconds = 120;

const std::vector<std::string>& curl_command() {
    static const std::vector<std::string> command = {
        "curl", "-q", "--globoff", "--proto", "=http,https", "--silent", "--show-error", "--config", "-"};
    return command;
}

// The pod ends by itself even if nobody is left to delete it, and it gets no credentials of the cluster.
std::string overrides(std::int64_t seconds) {
    return nlohmann::json{{"spec",
                           {{"activeDeadlineSeconds", seconds},
                            {"automountServiceAccountToken", false},
                            {"terminationGracePeriodSeconds", 0}}}}
        .dump();
}

// From the clock and the question, not from a random device: a recorded run asks in the same words when
// replayed.
std::string pod_name(Host& host, const std::string& question) {
    return "migc-inside-" +
           sha256(fmt::format("{} {} {}", host.now(), host.setting("run-folder"), question)).substr(0, 10);
}

std::vector<std::string> run_arguments(Host& host, const std::string& pod, std::int64_t seconds) {
    const std::string& image = host.inventory().inside_image;
    return {"run",
            pod,
            "--image=" + (image.empty() ? default_image : image),
            "--restart=Never",
            "--labels=app.kubernetes.io/managed-by=migc",
            "--image-pull-policy=IfNotPresent",
            "--overrides=" + overrides(seconds)};
}

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
}

std::string why_not(Host& host, const std::string& pod, const Answer& answer) {
    const auto object = get_object(host, "pod/" + pod);
    const std::string trouble = object && !object->is_null() ? pod_trouble(*object).text : std::string();
    return fmt::format("the pod that asks from inside did not run: {}",
                       trouble.empty() ? complaint("kubectl", answer) : trouble);
}

// Whether kubectl gave up before it had attached to the pod, so that curl never got its input.
bool never_attached(const Answer& answer) {
    return answer.ending == Ending::NotStarted || answer.errors.starts_with("Error from server") ||
           answer.errors.find("timed out waiting for the condition") != std::string::npos;
}

// `--rm` does this too, but not if kubectl was ended before.
void remove(Host& host, const std::string& pod) {
    host.run("kubectl", {"delete", "pod/" + pod, "--ignore-not-found", "--wait=false"});
}

}  // namespace

Answer curl_inside(Host& host, const std::string& question, const std::string& config) {
    const std::string pod = pod_name(host, question);
    auto arguments = run_arguments(host, pod, one_call_seconds);
    append(arguments, {"--pod-running-timeout=60s", "--attach", "--rm", "-i", "--quiet", "--command", "--"});
    append(arguments, curl_command());
    Answer answer = host.run("kubectl", arguments, config);
    if (!answer.succeeded() && never_attached(answer)) {
        answer.reason = why_not(host, pod, answer);
        answer.ending = Ending::NotStarted;
    }
    remove(host, pod);
    return answer;
}

CurlPod::CurlPod(Host& host, const std::string& question, std::int64_t seconds)
    : host_(host), pod_(pod_name(host, question)) {
    auto arguments = run_arguments(host, pod_, seconds);
    append(arguments, {"--command", "--", "sleep", std::to_string(seconds)});
    Answer answer = host.run("kubectl", arguments);
    if (answer.succeeded())
        answer = host.run("kubectl", {"wait", "pod/" + pod_, "--for=condition=Ready", "--timeout=60s"});
    if (!answer.succeeded()) failure_ = why_not(host, pod_, answer);
}

CurlPod::~CurlPod() {
    remove(host_, pod_);
}

Answer CurlPod::run(const std::string& config) {
    std::vector<std::string> arguments = {"exec", "-i", "pod/" + pod_, "--"};
    append(arguments, curl_command());
    return host_.run("kubectl", arguments, config);
}

Answer CurlPod::start() {
    return host_.run("kubectl", {"exec", "pod/" + pod_, "--", "curl", "--version"});
}

}  // namespace migc::runtime::inline natives
