#include "runtime/natives/inside.hpp"

#include "runtime/natives/reading.hpp"
#include "runtime/natives/short_pod.hpp"

namespace migc::runtime::inline natives {
namespace {

// Pinned: the answer must not change because somebody published another curl.
constexpr const char* default_image = "curlimages/curl:8.10.1";

constexpr std::int64_t one_call_seconds = 120;
constexpr const char* purpose = "migc-inside";

const std::vector<std::string>& curl_command() {
    static const std::vector<std::string> command = {
        "curl", "-q", "--globoff", "--proto", "=http,https", "--silent", "--show-error", "--config", "-"};
    return command;
}

std::string image_in(Host& host) {
    const std::string& image = host.inventory().inside_image;
    return image.empty() ? default_image : image;
}

std::string why_not(Host& host, const std::string& pod, const Answer& answer) {
    return "the pod that asks from inside did not run: " + why_not_run(host, pod, answer).text;
}

// Whether kubectl gave up before it had attached to the pod, so that curl never got its input.
bool never_attached(const Answer& answer) {
    return answer.ending == Ending::NotStarted || answer.errors.starts_with("Error from server") ||
           answer.errors.find("timed out waiting for the condition") != std::string::npos;
}

}  // namespace

Answer curl_inside(Host& host, const std::string& question, const std::string& config) {
    const std::string pod = pod_name(host, purpose, question);
    Answer answer =
        host.run("kubectl", attached_run(pod, image_in(host), one_call_seconds, curl_command()), config);
    if (!answer.succeeded() && never_attached(answer)) {
        answer.reason = why_not(host, pod, answer);
        answer.ending = Ending::NotStarted;
    }
    remove_pod(host, pod);
    return answer;
}

CurlPod::CurlPod(Host& host, const std::string& question, std::int64_t seconds)
    : host_(host), pod_(pod_name(host, purpose, question)) {
    auto arguments = run_arguments(pod_, image_in(host), seconds);
    append(arguments, {"--command", "--", "sleep", std::to_string(seconds)});
    Answer answer = host.run("kubectl", arguments);
    if (answer.succeeded())
        answer = host.run("kubectl", {"wait", "pod/" + pod_, "--for=condition=Ready", "--timeout=60s"});
    if (!answer.succeeded()) failure_ = why_not(host, pod_, answer);
}

CurlPod::~CurlPod() {
    remove_pod(host_, pod_);
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
