// What containers wrote since the stage began.
//
// The kubelet decides by its own clock what "since" means: it is asked for so many seconds back, and no time
// of this machine's clock crosses over. Up to two seconds more are seen, so that none is missed.
#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/pod_command.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/times.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::size_t container_limit = std::size_t{16} << 20;  // bytes of one container's log
constexpr std::size_t text_limit = std::size_t{1} << 20;        // bytes of what `logs of` answers

struct Logs {
    std::map<std::string, std::vector<std::string>> lines;  // those that match, by pod
    std::string gap;                                        // why something may be missing; empty: nothing is

    [[nodiscard]] std::int64_t count() const {
        std::size_t sum = 0;
        for (const auto& [pod, of_pod] : lines) sum += of_pod.size();
        return static_cast<std::int64_t>(sum);
    }
};

// Unless it is had: why not.
using Found = tl::expected<Logs, Reading>;

class LogReader {
  public:
    LogReader(Host& host, const RE2* expression)
        : host_(host),
          expression_(expression),
          since_(fmt::format("--since={}s", (host.now() - stage_began(host)) / 1000 + 2)) {}

    Found read(const json& pods) {
        for (const json& pod : pods) {
            const std::string name = name_of(pod);
            logs_.lines[name];
            for (const json& status : container_statuses(pod))
                if (auto read = read_container(name, status); !read) return tl::unexpected(read.error());
        }
        return std::move(logs_);
    }

  private:
    tl::expected<void, Reading> read_container(const std::string& pod, const json& status) {
        const std::string container = text_field(status, "/name");
        const json& last = field(status, "/lastState/terminated");
        const bool never_started = !field(status, "/state/waiting").is_null() && last.is_null();
        if (never_started) return {};
        if (!last.is_null()) {
            if (auto read = take(pod, container, {"--previous"}); !read) return read;
            note_lost_ones(pod, status);
        }
        return take(pod, container, {});
    }

    // The cluster keeps the log of the present container and of the one before.
    void note_lost_ones(const std::string& pod, const json& status) {
        const auto began = parse_iso_time(text_field(status, "/lastState/terminated/startedAt"));
        const bool others_before = int_field(status, "/restartCount") > 1;
        if (!others_before || !began) return;
        if (!clock_ahead_) clock_ahead_ = server_clock_ahead(host_);
        if (*began > stage_began(host_) + *clock_ahead_)
            note(fmt::format(
                "pod {} was restarted several times since the stage began, and only the last two logs "
                "are kept",
                pod));
    }

    tl::expected<void, Reading> take(const std::string& pod, const std::string& container,
                                     const std::vector<std::string>& options) {
        std::vector<std::string> arguments = {
            "logs", pod, "-c", container, since_, fmt::format("--limit-bytes={}", container_limit)};
        append(arguments, options);
        const Answer answer = host_.run("kubectl", arguments);
        if (!answer.succeeded()) return not_there(answer);
        if (answer.output.size() >= container_limit || answer.truncated)
            note(fmt::format("the log of container {} of pod {} is longer than {} MiB", container, pod,
                             container_limit >> 20));
        add(logs_.lines[pod], answer.output);
        return {};
    }

    // A pod that is gone by now, or a container that has not started, has no log.
    static tl::expected<void, Reading> not_there(const Answer& answer) {
        const bool none =
            answer.ending == Ending::Exited &&
            RE2::PartialMatch(answer.errors, "not found|waiting to start|previous terminated container");
        if (none) return {};
        return tl::unexpected(unknown(complaint("kubectl", answer)));
    }

    void add(std::vector<std::string>& lines, std::string_view text) const {
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            const std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (expression_ == nullptr || RE2::PartialMatch(line, *expression_)) lines.emplace_back(line);
        }
    }

    void note(const std::string& gap) {
        if (logs_.gap.empty()) logs_.gap = gap;
    }

    Host& host_;
    const RE2* expression_;
    std::string since_;
    std::optional<std::int64_t> clock_ahead_;
    Logs logs_;
};

// Of [workload, expression or absent].
Found logs_found(Host& host, const Arguments& arguments) {
    const bool all = argument(arguments, 1).is_absent();
    const RE2 expression(text_argument(arguments, 1), RE2::Quiet);
    if (!expression.ok())
        return tl::unexpected(
            mistaken("`{}` is no regular expression: {}", text_argument(arguments, 1), expression.error()));
    const auto pods = pods_named(host, argument(arguments, 0));
    if (!pods) return tl::unexpected(unknown(pods.error()));
    if (!*pods) return tl::unexpected(absent(text_argument(arguments, 0) + " does not exist"));
    return LogReader(host, all ? nullptr : &expression).read(**pods);
}

// A match is a match; that there is none can be told only where nothing is missing.
Reading counted(const Logs& logs, std::int64_t count, std::string why) {
    if (logs.gap.empty()) return {Value(count), std::move(why)};
    if (count == 0) return unknown(logs.gap);
    return {Value(count), fmt::format("{}; at least so many, since {}", why, logs.gap)};
}

std::string per_pod(const Logs& logs) {
    std::vector<std::string> parts;
    for (const auto& [pod, lines] : logs.lines) parts.push_back(fmt::format("{}: {}", pod, lines.size()));
    return enumerate(parts, 5);
}

}  // namespace

static Reading logs_of(Host& host, const Arguments& arguments) {
    const Found logs = logs_found(host, arguments);
    if (!logs) return logs.error();
    std::string text;
    for (const auto& [pod, lines] : logs->lines)
        for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    if (text.size() > text_limit)
        return unknown("the logs are longer than {} MiB; ask for the lines `matching` something",
                       text_limit >> 20);
    if (text.empty() && !logs->gap.empty()) return unknown(logs->gap);
    return {Value(std::move(text)), per_pod(*logs)};
}

static Reading log_line_count(Host& host, const Arguments& arguments) {
    const Found logs = logs_found(host, arguments);
    return logs ? counted(*logs, logs->count(), per_pod(*logs)) : logs.error();
}

static Reading pods_serving(Host& host, const Arguments& arguments) {
    const Found logs = logs_found(host, arguments);
    if (!logs) return logs.error();
    std::int64_t count = 0;
    for (const auto& [pod, lines] : logs->lines) count += lines.empty() ? 0 : 1;
    return counted(*logs, count, per_pod(*logs));
}

static Reading requests_per_pod(Host& host, const Arguments& arguments) {
    const Found logs = logs_found(host, arguments);
    if (!logs) return logs.error();
    if (!logs->gap.empty()) return unknown(logs->gap);
    json counts = json::object();
    for (const auto& [pod, lines] : logs->lines) counts[pod] = lines.size();
    return as_it_is(std::move(counts));
}

const Rows logs_rows([]() -> std::vector<Row> {
    return {
        // string
        reads("logs-of", logs_of),
        // int
        reads("log-line-count", log_line_count),
        // int
        reads("pods-serving", pods_serving),
        // json: pod -> number
        reads("requests-per-pod", requests_per_pod),
    };
});

}  // namespace migc::runtime::inline natives
