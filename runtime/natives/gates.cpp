// What gates ask: the hour, and the people.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "runtime/natives/calendar.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trust/approval.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::int64_t worth_telling_ms = 60'000;  // how far a clock may be set before it is told

std::string zone_in(const std::string& text) {
    return text.substr(text.rfind(' ') + 1);
}

// People sign by the real clock, also what runs in a simulated world. A clock that was set back makes no
// approval valid again.
Time time_of_signing(Host& host) {
    return std::max(host.kind() == "live" ? host.now() : system_now(), host.newest_known());
}

// "; the clock was set 2h forward since the run began".
std::string clock_note(Host& host) {
    const std::int64_t set = host.now() - host.steady();
    if (std::abs(set) < worth_telling_ms) return {};
    return fmt::format("; the clock was set {} {} since the run began", shown_duration(std::abs(set)),
                       set > 0 ? "forward" : "back");
}

}  // namespace

// A clock that is set while a run goes on opens no window: it must be open by the new time and by the old.
static Reading window(Host& host, const Arguments& arguments) {
    const std::string text = text_argument(arguments, 0);
    if (auto why = clock_is_behind(host.kind(), host.now(), host.newest_known()))
        return not_yet(std::move(*why));
    const auto hour = window_at(text, host.now());
    if (!hour) return mistaken(hour.error());
    const auto by_old_time = window_at(text, host.steady());
    const bool open = hour->within && by_old_time && by_old_time->within;
    const std::string note = clock_note(host);
    if (open) return {true, note.empty() ? "" : note.substr(2)};
    if (hour->within) return not_yet("it is {} only by a clock that was set{}", hour->now, note);
    const std::string next =
        hour->until == 0 ? "" : fmt::format("; it opens {}", local_time(hour->until, zone_in(text)));
    return not_yet("it is {}{}{}", hour->now, next, note);
}

// Frozen by the new time or by the old.
static Reading freeze(Host& host, const Arguments& arguments) {
    const std::string text = text_argument(arguments, 0);
    if (auto why = clock_is_behind(host.kind(), host.now(), host.newest_known()))
        return not_yet(std::move(*why));
    const auto hour = freeze_at(text, host.now());
    if (!hour) return mistaken(hour.error());
    const auto by_old_time = freeze_at(text, host.steady());
    if (hour->within)
        return {false, fmt::format("changes are frozen until {}", local_time(hour->until, zone_in(text))),
                false};
    if (by_old_time && by_old_time->within)
        return not_yet("the freeze is over only by a clock that was set" + clock_note(host));
    return {true};
}

static Reading approval(Host& host, const Arguments& arguments) {
    const trust::Question question{
        host.approvals(),           int_argument(arguments, 0, 1),   words_of(list_argument(arguments, 1)),
        host.inventory().approvers, host.inventory().approver_users, time_of_signing(host)};
    if (question.digest.empty())
        return mistaken("what would be approved has no digest here, so the gate stays closed");
    const trust::Judgement judgement = trust::judge(question);
    if (judgement.enough) host.approved_by(judgement.counted);
    const bool has_note = judgement.enough && !question.note.empty();
    return {judgement.enough, judgement.why + (has_note ? "; " + question.note : "")};
}

const Rows gates_rows([]() -> std::vector<Row> {
    return {
        reads("in-window", window),
        // ["2026-12-20 to 2027-01-02 Europe/Berlin"]: bool
        reads("outside-freeze", freeze),
        // [count, people]: bool
        reads("approval", approval),
    };
});

}  // namespace migc::runtime::inline natives
