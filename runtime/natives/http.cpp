// Web endpoints, asked from here or from a pod inside the cluster.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/http_answer.hpp"
#include "runtime/natives/inside.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

constexpr std::int64_t most_requests = 1000;

using Statuses = tl::expected<std::vector<std::int64_t>, std::string>;

bool is_success(std::int64_t status) {
    return status >= 200 && status < 300;
}

Statuses ask_from_here(Host& host, const std::string& url, std::int64_t times) {
    std::vector<std::int64_t> statuses;
    for (std::int64_t i = 0; i < times; ++i) {
        const Answer answer = host.run(
            "curl", {"--max-time", "10", "--output", "/dev/null", "--write-out", "%{http_code}", "--", url});
        if (!answer.succeeded()) return tl::unexpected(complaint("curl", answer));
        const auto found = statuses_in(answer.output);
        if (found.size() != 1) return tl::unexpected<std::string>("curl: the answer is no status");
        statuses.push_back(found.front());
    }
    return statuses;
}

// "9 times 200, once 503".
std::string distribution(const std::vector<std::int64_t>& statuses) {
    std::map<std::int64_t, int> counts;
    for (const std::int64_t status : statuses) ++counts[status];
    std::vector<std::string> parts;
    for (const auto& [status, count] : counts)
        parts.push_back(count == 1 ? fmt::format("once {}", status)
                                   : fmt::format("{} times {}", count, status));
    return fmt::format("{}", fmt::join(parts, ", "));
}

// One for all: the lowest that is no success, so that one bad answer in ten is seen.
std::int64_t telling(const std::vector<std::int64_t>& statuses) {
    std::int64_t worst = 0;
    for (const std::int64_t status : statuses)
        if (!is_success(status) && (worst == 0 || status < worst)) worst = status;
    return worst != 0 ? worst : *std::max_element(statuses.begin(), statuses.end());
}

}  // namespace

Reading http_status(Host& host, const Arguments& arguments) {
    const std::string url = text_argument(arguments, 0);
    const std::int64_t times = std::clamp<std::int64_t>(int_argument(arguments, 2, 1), 1, most_requests);
    const Statuses statuses =
        bool_argument(arguments, 1) ? ask_from_inside(host, url, times) : ask_from_here(host, url, times);
    if (!statuses) return unknown(statuses.error());
    return {Value(telling(*statuses)), fmt::format("{} answered {}", url, distribution(*statuses)), false};
}

Reading http_json(Host& host, const Arguments& arguments) {
    const std::string url = text_argument(arguments, 0);
    const std::string pointer = text_argument(arguments, 1);
    if (!is_pointer(pointer))
        return mistaken(fmt::format("`{}` is no JSON pointer; one looks like /status/ready", pointer));
    const Answer answer = host.run("curl", {"--max-time", "10", "--include", "--", url});
    if (!answer.succeeded()) return unknown(complaint("curl", answer));
    const HttpAnswer page = parse_http(answer.output);
    if (!is_success(page.status)) return unknown(fmt::format("{} answered {}", url, page.status));
    const auto json = nlohmann::json::parse(page.body, nullptr, false);
    if (json.is_discarded() || answer.truncated)
        return unknown(fmt::format("{} did not answer with JSON", url));
    const nlohmann::json& found = field(json, pointer);
    return found.is_null() ? absent() : json_reading(found);
}

}  // namespace migc::runtime
