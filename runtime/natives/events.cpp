// What the cluster said about the namespace since the stage began.
//
// Events are told apart by the API server's clock: ours is set against it. The cluster forgets events after a
// while, an hour if nobody set it otherwise; so what was seen is kept as long as this process runs, and where
// something may have been forgotten in between, the answer is unknown.
#include <mutex>

#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/times.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr Time kept_for_ms = Time{55} * 60'000;  // a little less than the hour of an API server
constexpr Time clock_error_ms = 1'000;           // the server tells its clock in whole seconds

// When an event was last seen; 0 if it does not say.
Time time_of(const json& event) {
    Time latest = 0;
    for (const char* pointer :
         {"/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/metadata/creationTimestamp"})
        latest = std::max(latest, parse_iso_time(text_field(event, pointer)).value_or(0));
    return latest;
}

// "Warning BackOff Pod/web-7f-x: Back-off restarting failed container".
std::string told(const json& event) {
    return fmt::format("{} {} {}/{}: {}", text_field(event, "/type"), text_field(event, "/reason"),
                       text_field(event, "/involvedObject/kind"), text_field(event, "/involvedObject/name"),
                       text_field(event, "/message"));
}

// What one stage of one run has seen so far.
struct Memory {
    std::map<std::string, std::string> told;  // by uid
    Time looked = 0;
    bool complete = false;

    void look(const json& events, Time began, Time now) {
        Time oldest = now;
        for (const json& event : events) {
            const Time time = time_of(event);
            oldest = std::min(oldest, time);
            if (time >= began) told[text_field(event, "/metadata/uid")] = runtime::told(event);
        }
        // Where an older one is still there, those since then are as well.
        complete = oldest < began || now - began < kept_for_ms || (complete && now - looked < kept_for_ms);
        looked = now;
    }
};

Memory remembered(Host& host, const json& events, Time began, Time now) {
    static std::mutex mutex;
    static std::map<std::string, Memory> memories;
    const std::string stage = fmt::format("{} {} {} {}", host.setting("run-folder"), host.setting("context"),
                                          host.setting("namespace"), host.setting("stage-began"));
    const std::lock_guard lock(mutex);
    Memory& memory = memories[stage];
    memory.look(events, began, now);
    return memory;
}

// Unless they are had: why not.
using Found = tl::expected<std::vector<std::string>, Reading>;

Found events_found(Host& host, const Arguments& arguments) {
    const RE2 expression(text_argument(arguments, 0), RE2::Quiet);
    if (!expression.ok())
        return tl::unexpected(
            mistaken("`{}` is no regular expression: {}", text_argument(arguments, 0), expression.error()));
    const auto list = list_objects(host, {"events"});
    if (!list) return tl::unexpected(unknown(list.error()));
    const std::int64_t ahead = server_clock_ahead(host);
    // Events have whole seconds, so the one in which the stage began counts.
    const Time began = stage_began(host) + ahead - clock_error_ms - 1'000;
    const Memory memory = remembered(host, *list, began, host.now() + ahead);
    std::vector<std::string> matching;
    for (const auto& [uid, text] : memory.told)
        if (RE2::PartialMatch(text, expression)) matching.push_back(text);
    if (matching.empty() && !memory.complete)
        return tl::unexpected(unknown(
            "the stage began so long ago that the cluster may have forgotten events since then; none that it still has "
            "matches"));
    return matching;
}

}  // namespace

static Reading events_matching(Host& host, const Arguments& arguments) {
    const auto events = events_found(host, arguments);
    if (!events) return events.error();
    return {list_of(*events), enumerate(*events)};
}

static Reading event_count(Host& host, const Arguments& arguments) {
    const auto events = events_found(host, arguments);
    if (!events) return events.error();
    return {Value(static_cast<std::int64_t>(events->size())), enumerate(*events)};
}

const Rows events_rows([]() -> std::vector<Row> {
    return {
        // list of string
        reads("events-matching", events_matching),
        // int
        reads("event-count", event_count),
    };
});

}  // namespace migc::runtime::inline natives
