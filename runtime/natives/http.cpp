// What web endpoints answer, asked from here or from a pod inside the cluster. Redirects are not followed: a
// header that is a secret must not be sent to whom the server names. It is told where they lead.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "runtime/natives/http_content.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/latency.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::int64_t most_requests = 1000;

using Request = tl::expected<HttpRequest, std::string>;

// The address is the first argument; how it is asked follows from `terms` on.
Request request_in(Host& host, const Arguments& arguments, std::size_t terms) {
    return make_request(host, text_argument(arguments, 0), request_terms(host, arguments, terms));
}

std::int64_t times_in(const Arguments& arguments, std::size_t index, std::int64_t usual) {
    return std::clamp<std::int64_t>(int_argument(arguments, index, usual), 1, most_requests);
}

// "9 times 200, once 503".
std::string distribution(const std::vector<Transfer>& transfers) {
    std::map<std::string, int> counts;
    for (const Transfer& transfer : transfers)
        ++counts[transfer.failure == 0 ? std::to_string(transfer.status) + led_to(transfer.redirect)
                                       : "not at all"];
    if (transfers.size() == 1) return counts.begin()->first;
    std::vector<std::string> parts;
    parts.reserve(counts.size());
    for (const auto& [what, count] : counts)
        parts.push_back(count == 1 ? fmt::format("once {}", what) : fmt::format("{} times {}", count, what));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string fewer(const HttpRequest& request, std::size_t got, std::int64_t times) {
    return fmt::format("{}: there are {} answers to {} requests", request.url, got, times);
}

// What is wrong with a series in which every request must have been answered; nothing if it is whole.
std::optional<Reading> incomplete(const HttpRequest& request, const HttpSeries& series, std::int64_t times) {
    if (!series.failure.empty()) return unknown(series.failure);
    if (series.transfers.size() != static_cast<std::size_t>(times))
        return unknown(fewer(request, series.transfers.size(), times));
    if (series.trouble.empty()) return std::nullopt;
    if (times == 1) return not_known(series.trouble, series.permanent);
    return not_known(fmt::format("{}; it answered {}", series.trouble, distribution(series.transfers)),
                     series.permanent);
}

// One for all: the lowest that is no success, so that one bad answer in ten is seen.
std::int64_t telling(const std::vector<Transfer>& transfers) {
    std::int64_t worst = 0;
    for (const Transfer& transfer : transfers)
        if (!is_success(transfer.status) && (worst == 0 || transfer.status < worst)) worst = transfer.status;
    return worst != 0 ? worst : transfers.front().status;
}

Reading status_of(Host& host, const HttpRequest& request, std::int64_t times) {
    const HttpSeries series = ask(host, request, times);
    if (auto trouble = incomplete(request, series, times)) return *trouble;
    const Transfer& first = series.transfers.front();
    const std::string why = times > 1 || !first.redirect.empty()
                                ? fmt::format("{} answered {}", request.url, distribution(series.transfers))
                                : "";
    return {Value(telling(series.transfers)), why};
}

// The answer to a request that must be a success.
tl::expected<HttpAnswer, Reading> page_of(Host& host, const Request& request) {
    if (!request) return tl::unexpected(mistaken(request.error()));
    HttpOutcome outcome = send(host, *request);
    if (outcome.answer.status == 0) return tl::unexpected(not_known(outcome.failure, outcome.permanent));
    if (!is_success(outcome.answer.status))
        return tl::unexpected(
            unknown("{} answered {}{}", request->url, outcome.answer.status, led_to(outcome.redirect)));
    return std::move(outcome.answer);
}

}  // namespace

static Reading http_status(Host& host, const Arguments& arguments) {
    const Request request = request_in(host, arguments, 2);
    return request ? status_of(host, *request, times_in(arguments, 1, 1)) : mistaken(request.error());
}

static Reading http_head(Host& host, const Arguments& arguments) {
    Request request = request_in(host, arguments, 1);
    if (!request) return mistaken(request.error());
    request->method = "HEAD";
    return status_of(host, *request, 1);
}

static Reading http_post_status(Host& host, const Arguments& arguments) {
    Request request = request_in(host, arguments, 3);
    if (!request) return mistaken(request.error());
    const auto content = content_in(arguments, 1);
    if (!content) return mistaken(content.error());
    request->method = "POST";
    give_content(*request, *content);
    return status_of(host, *request, 1);
}

static Reading http_json(Host& host, const Arguments& arguments) {
    const std::string pointer = text_argument(arguments, 1);
    if (!is_pointer(pointer))
        return mistaken("`{}` is no JSON pointer; one looks like /status/ready", pointer);
    const auto page = page_of(host, request_in(host, arguments, 2));
    if (!page) return page.error();
    const auto parsed = json::parse(page->body, nullptr, false);
    if (parsed.is_discarded()) return unknown("{} did not answer with JSON", text_argument(arguments, 0));
    const json& found = field(parsed, pointer);
    return found.is_null() ? absent() : json_reading(found);
}

static Reading http_body(Host& host, const Arguments& arguments) {
    const auto page = page_of(host, request_in(host, arguments, 1));
    if (!page) return page.error();
    if (!is_text(page->body)) return unknown("{} did not answer with text", text_argument(arguments, 0));
    return {Value(page->body)};
}

// An error is often answered fast, so its time says nothing about how fast the endpoint works.
static Reading http_latency(Host& host, const Arguments& arguments) {
    constexpr std::int64_t usual_requests = 20;
    const auto percent = percentile_named(text_argument(arguments, 1));
    if (!percent) return mistaken(percent.error());
    const Request request = request_in(host, arguments, 3);
    if (!request) return mistaken(request.error());
    const std::int64_t times = times_in(arguments, 2, usual_requests);
    const HttpSeries series = ask(host, *request, times);
    if (auto trouble = incomplete(*request, series, times)) return *trouble;
    if (!is_success(telling(series.transfers)))
        return unknown("{} answered {}", request->url, distribution(series.transfers));
    std::vector<double> seconds;
    for (const Transfer& transfer : series.transfers) seconds.push_back(transfer.seconds);
    const double found = percentile(std::move(seconds), *percent);
    return {Value(Duration{std::llround(found * 1000)}), fmt::format("over {} requests", times)};
}

const Rows http_rows([]() -> std::vector<Row> {
    return {
        // [url, times, TERMS]: int
        reads("http-status", http_status),
        // [url, TERMS]: int
        reads("http-head", http_head),
        // [url, file, json, TERMS]: int
        reads("http-post-status", http_post_status),
        // [url, pointer, TERMS]: json, or absent
        reads("http-json", http_json),
        // [url, TERMS]: string
        reads("http-body", http_body),
        // [url, percentile, times, TERMS]: duration
        reads("http-latency", http_latency),
    };
});

}  // namespace migc::runtime::inline natives
