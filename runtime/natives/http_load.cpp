// A bounded load test: requests arrive at a given rate, in one batch a second, whether or not those before
// them were fast. Where the start of a batch takes long itself, as in a pod far away, there are fewer and
// larger ones. What it cannot do it says, instead of measuring something smaller.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "compiler/support/write_file.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/inside.hpp"
#include "runtime/natives/latency.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::int64_t most_per_second = 1000;
constexpr std::int64_t longest_ms = std::int64_t{30} * 60 * 1000;
constexpr std::int64_t most_requests = 200'000;
constexpr std::int64_t most_in_parallel = 300;  // of curl itself
constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t longest_batch_ms = 10 * second_ms;
constexpr double reached = 0.9;  // of the rate that was asked for

struct Load {
    HttpRequest request;
    std::int64_t rate = 0;  // per second
    std::int64_t duration_ms = 0;

    [[nodiscard]] std::int64_t requests() const { return rate * duration_ms / second_ms; }
};

tl::expected<Load, std::string> load_in(Host& host, const Arguments& arguments) {
    auto request = make_request(host, text_argument(arguments, 0), request_terms(host, arguments, 3));
    if (!request) return tl::unexpected(request.error());
    const auto* duration = argument(arguments, 2).get_if<Duration>();
    const Load load{*request, int_argument(arguments, 1, 0),
                    duration != nullptr ? duration->milliseconds : 0};
    if (load.rate < 1 || load.rate > most_per_second)
        return failure("a load test makes 1 to {} requests per second, not {}", most_per_second, load.rate);
    if (load.duration_ms < second_ms || load.duration_ms > longest_ms)
        return failure("a load test lasts one second to 30 minutes");
    if (load.requests() > most_requests)
        return failure("{} requests are more than the {} that a load test may make", load.requests(),
                       most_requests);
    return load;
}

// Where the batches are made: here, or in one pod for all of them. Only as many requests at a time as keep up
// with the rate: a burst of all of them is another load than the one that was asked for.
class Site {
  public:
    Site(Host& host, const Load& load)
        : host_(host), request_(load.request), parallel_((load.rate + 9) / 10) {
        constexpr std::int64_t spare_seconds = 120;
        if (!request_.from_inside) return;
        pod_.emplace(host, request_.url, load.duration_ms / second_ms + spare_seconds);
        failure_ = pod_->failure();
        if (failure_.empty()) look_how_long_a_start_takes();
    }
    [[nodiscard]] const std::string& failure() const { return failure_; }
    // How much time one batch stands for, in milliseconds.
    [[nodiscard]] std::int64_t batch_ms() const { return batch_ms_; }
    HttpSeries batch(std::int64_t times) {
        const CurlCall call = curl_burst(request_, times, parallel_);
        const Time begin = host_.now();
        const Answer answer =
            pod_ ? pod_->run(call.whole_input()) : host_.run("curl", call.arguments(), call.input());
        if (host_.now() - begin > batch_ms_ * 8 / 10) fall_behind();
        return series_of(request_, without_secrets(answer, request_));
    }

  private:
    Host& host_;
    const HttpRequest& request_;
    std::int64_t parallel_;
    std::int64_t batch_ms_ = second_ms;
    std::optional<CurlPod> pod_;
    std::string failure_;

    // At most half of a batch's time is for its start.
    void look_how_long_a_start_takes() {
        const Time begin = host_.now();
        const Answer answer = pod_->start();
        if (!answer.succeeded()) failure_ = complaint("kubectl", answer);
        const std::int64_t took_ms = host_.now() - begin;
        batch_ms_ =
            std::clamp((2 * took_ms + second_ms - 1) / second_ms * second_ms, second_ms, longest_batch_ms);
    }
    void fall_behind() {
        parallel_ = std::min(parallel_ * 2, most_in_parallel);
        if (pod_) batch_ms_ = std::min(batch_ms_ * 2, longest_batch_ms);
    }
};

struct Measured {
    std::vector<double> seconds;  // of the successes
    std::map<std::string, std::int64_t> answers;
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    std::int64_t took_ms = 0;
    std::int64_t batch_ms = 0;  // of the longest
    std::string trouble;        // the first
    std::string failure;        // why there is no more to measure
    bool stopped = false;       // by the operator

    void add(const HttpSeries& series, std::int64_t times) {
        requests += times;
        for (const Transfer& transfer : series.transfers) {
            ++answers[transfer.failure == 0 ? std::to_string(transfer.status) : "none"];
            if (transfer.failure == 0 && is_success(transfer.status)) seconds.push_back(transfer.seconds);
        }
        errors = requests - static_cast<std::int64_t>(seconds.size());
        if (trouble.empty()) trouble = series.failure.empty() ? series.trouble : series.failure;
    }
    [[nodiscard]] double rate() const {
        return static_cast<double>(requests) * 1000 / static_cast<double>(took_ms);
    }
};

// Batches that are late are made at once, as long as the duration lasts: what waits arrives all the same.
Measured measure(Host& host, const Load& load) {
    Measured measured;
    Site site(host, load);
    measured.failure = site.failure();
    const Time begin = host.now();
    const Time end = begin + load.duration_ms;
    for (Time due = begin; measured.failure.empty() && due < end && host.now() < end;) {
        measured.stopped = host.sleep_until(due) == WakeReason::Interrupted;
        const std::int64_t batch_ms = std::min(site.batch_ms(), end - due);
        const std::int64_t times = load.rate * batch_ms / second_ms;
        if (measured.stopped || times == 0) break;
        due += batch_ms;
        measured.batch_ms = std::max(measured.batch_ms, batch_ms);
        const HttpSeries series = site.batch(times);
        measured.add(series, times);
        // Nothing at all came of it, so nothing would come of the rest.
        if (series.transfers.empty()) measured.failure = series.failure;
    }
    if (measured.failure.empty() && !measured.stopped)
        measured.stopped = host.sleep_until(end) == WakeReason::Interrupted;
    measured.took_ms = std::max<std::int64_t>(host.now() - begin, 1);
    return measured;
}

double milliseconds_of(const Measured& measured, int percent) {
    return std::round(percentile(measured.seconds, percent) * 10'000) / 10;
}

json report_of(const Load& load, const Measured& measured) {
    json report = {{"url", load.request.url},
                   {"requests", measured.requests},
                   {"errors", measured.errors},
                   {"error-rate", 100.0 * static_cast<double>(measured.errors) /
                                      static_cast<double>(std::max<std::int64_t>(measured.requests, 1))},
                   {"asked-rate", load.rate},
                   {"achieved-rate", std::round(measured.rate() * 10) / 10},
                   {"answers", measured.answers}};
    for (const int percent : {50, 95, 99})
        report[fmt::format("p{}-ms", percent)] =
            measured.seconds.empty() ? json() : json(milliseconds_of(measured, percent));
    if (measured.batch_ms > second_ms) report["batch-ms"] = measured.batch_ms;
    if (measured.stopped) report["stopped"] = true;
    if (!measured.trouble.empty()) report["trouble"] = measured.trouble;
    return report;
}

bool write_report(const std::string& file, const json& report) {
    return write_file(file, report.dump(-1, ' ', false, json::error_handler_t::replace), {.synced = false})
        .has_value();
}

// A service that holds a smaller load says nothing about the one that was asked for.
std::string shortfall(const Load& load, const Measured& measured) {
    // Then the run stops after this step, and nobody relies on the report.
    if (measured.stopped) return {};
    if (measured.rate() >= reached * static_cast<double>(load.rate)) return {};
    return fmt::format(
        "only {:.0f} of {} requests per second could be made: the endpoint answers too slowly for "
        "that, or the machine that asks is too slow",
        measured.rate(), load.rate);
}

}  // namespace

static Answer load_test(Host& host, const Arguments& arguments) {
    const auto load = load_in(host, arguments);
    if (!load) return refused(load.error());
    const Measured measured = measure(host, *load);
    if (!measured.failure.empty()) return went_wrong(measured.failure);
    if (const std::string slow = shortfall(*load, measured); !slow.empty()) return went_wrong(slow);
    const std::string file = text_argument(arguments, 7);
    if (!write_report(file, report_of(*load, measured)))
        return went_wrong(fmt::format("the report cannot be written into {}", file));
    return well({});
}

static std::string preview_load_test(Host&, const Arguments& arguments) {
    return fmt::format("curl --parallel -- {}", text_argument(arguments, 0));
}

// [report, percentile]
static Reading load_latency(Host&, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 1);
    const auto percent = percentile_named(name);
    if (!percent) return mistaken(percent.error());
    const json report = json_argument(arguments, 0);
    if (!report.contains(name + "-ms")) return mistaken("a report of a load test has p50, p95 and p99");
    const json& found = field(report, "/" + name + "-ms");
    if (!found.is_number()) return unknown("no request of the load test succeeded");
    return {Value(Duration{std::llround(found.get<double>())})};
}

// [report]
static Reading load_error_rate(Host&, const Arguments& arguments) {
    const json report = json_argument(arguments, 0);
    const json& found = field(report, "/error-rate");
    if (!found.is_number()) return mistaken("this is no report of a load test");
    return {Value(Percent{found.get<double>()}), text_field(report, "/trouble")};
}

// [report, field]
static Reading load_count(Host&, const Arguments& arguments) {
    const json report = json_argument(arguments, 0);
    const json& found = field(report, "/" + text_argument(arguments, 1));
    if (!found.is_number()) return mistaken("this is no report of a load test");
    return {Value(static_cast<std::int64_t>(std::llround(found.get<double>())))};
}

const Rows http_load_rows([]() -> std::vector<Row> {
    return {
        // [url, rate, duration, TERMS, record]
        does("load-test", load_test, preview_load_test).reaches({Reach::Of::Pods}),
        // [report, percentile]: duration
        reads("load-latency", load_latency),
        // [report]: percent
        reads("load-error-rate", load_error_rate),
        // [report, field]: int
        reads("load-count", load_count),
    };
});

}  // namespace migc::runtime::inline natives
