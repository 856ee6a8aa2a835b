#include "runtime/natives/inside.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/rollout.hpp"

namespace migc::runtime {
namespace {

// Pinned: the answer must not change because somebody published another curl.
constexpr const char* default_image = "curlimages/curl:8.10.1";

// The pod ends by itself even if nobody is left to delete it, and it gets no credentials of the cluster.
constexpr const char* overrides =
    R"({"spec":{"activeDeadlineSeconds":60,"automountServiceAccountToken":false,"terminationGracePeriodSeconds":0}})";

// From the clock and the question, not from a random device: a recorded run asks in the same words when
// replayed.
std::string pod_name(Host& host, const std::string& url) {
    return "migc-inside-" +
           sha256(fmt::format("{} {} {}", host.now(), host.setting("run-folder"), url)).substr(0, 10);
}

std::vector<std::string> run_arguments(Host& host, const std::string& pod, const std::string& url,
                                       std::int64_t times) {
    const std::string& image = host.inventory().inside_image;
    std::vector<std::string> arguments = {"run",
                                          pod,
                                          "--image=" + (image.empty() ? default_image : image),
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
                                          "--",
                                          "curl",
                                          "-q",
                                          "--globoff",
                                          "--proto",
                                          "=http,https",
                                          "--silent",
                                          "--show-error",
                                          "--max-time",
                                          "10",
                                          "--output",
                                          "/dev/null",
                                          "--write-out",
                                          "%{http_code}\\n"};
    // curl applies one `--output` to one URL.
    for (std::int64_t i = 1; i < times; ++i) arguments.insert(arguments.end(), {"--output", "/dev/null"});
    arguments.insert(arguments.end(), static_cast<std::size_t>(times), url);
    return arguments;
}

std::string why_not(Host& host, const std::string& pod, const Answer& answer) {
    const auto object = get_object(host, "pod/" + pod);
    const std::string trouble = object && !object->is_null() ? pod_trouble(*object).text : std::string();
    if (answer.errors.find("curl: (") != std::string::npos) return complaint("from inside", answer);
    return fmt::format("the pod that asks from inside did not run: {}",
                       trouble.empty() ? complaint("kubectl", answer) : trouble);
}

}  // namespace

std::vector<std::int64_t> statuses_in(std::string_view text) {
    std::vector<std::int64_t> statuses;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool digits =
            std::all_of(line.begin(), line.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
        if (line.size() == 3 && digits && line != "000") statuses.push_back(std::stoi(std::string(line)));
    }
    return statuses;
}

tl::expected<std::vector<std::int64_t>, std::string> ask_from_inside(Host& host, const std::string& url,
                                                                     std::int64_t times) {
    if (url.starts_with('-')) return tl::unexpected(fmt::format("`{}` is no URL", url));
    const std::string pod = pod_name(host, url);
    const Answer answer = host.run("kubectl", run_arguments(host, pod, url, times));
    auto statuses = statuses_in(answer.output);
    std::string problem;
    if (!answer.succeeded())
        problem = why_not(host, pod, answer);
    else if (statuses.size() != static_cast<std::size_t>(times))
        problem = fmt::format("the pod that asks from inside gave {} of {} answers", statuses.size(), times);
    // `--rm` does this too, but not if kubectl was ended before.
    host.run("kubectl", {"delete", "pod/" + pod, "--ignore-not-found", "--wait=false"});
    if (!problem.empty()) return tl::unexpected(std::move(problem));
    return statuses;
}

}  // namespace migc::runtime
