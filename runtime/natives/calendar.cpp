#include "runtime/natives/calendar.hpp"

#include <chrono>

#include <date/tz.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/semantics/window.hpp"
#include "compiler/support/failure.hpp"

namespace migc::runtime::inline natives {
namespace {

using date::local_days;
using Minutes = std::chrono::minutes;
using LocalMinute = date::local_time<Minutes>;

bool day_is_in(const semantics::Window& window, local_days day) {
    return window.has_day(static_cast<int>(date::weekday(day).c_encoding()));
}

tl::expected<const date::time_zone*, std::string> zone_of(const std::string& name) {
    try {
        return date::locate_zone(name);
    } catch (const std::runtime_error&) {
        return failure("there is no time zone `{}`", name);
    }
}

// A local time that is skipped is the moment at which it is skipped.
Time moment(const date::time_zone& zone, LocalMinute local, date::choose which) {
    const auto time = zone.to_sys(local, which);
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

date::local_time<std::chrono::milliseconds> local(const date::time_zone& zone, Time time) {
    return zone.to_local(date::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds(time)});
}

std::string hour_in_words(const date::time_zone& zone, Time now) {
    const auto time = local(zone, now);
    const auto midnight = date::floor<date::days>(time);
    const auto minutes = std::chrono::floor<Minutes>(time - midnight).count();
    return fmt::format("{} {:02}:{:02} in {}",
                       semantics::day_name(static_cast<int>(date::weekday(midnight).c_encoding())),
                       minutes / 60, minutes % 60, zone.name());
}

tl::expected<LocalMinute, std::string> parse_local(const std::string& text) {
    static const re2::RE2 form(R"((\d{4})-(\d\d)-(\d\d)(?: ([01]\d|2[0-3]):([0-5]\d))?)");
    int year = 0, hour = 0, minute = 0;
    unsigned month = 0, day = 0;
    std::string hours, minutes;
    if (!re2::RE2::FullMatch(text, form, &year, &month, &day, &hours, &minutes))
        return failure("`{}` is no time such as \"2026-12-20 18:00\"", text);
    if (!hours.empty()) hour = std::stoi(hours), minute = std::stoi(minutes);
    const auto date = date::year(year) / date::month(month) / date::day(day);
    if (!date.ok()) return failure("there is no day {}", text.substr(0, 10));
    return local_days(date) + Minutes(hour * 60 + minute);
}

tl::expected<Hour, std::string> period_at(const std::string& from, const std::string& to,
                                          const std::string& zone, Time now) {
    const auto where = zone_of(zone);
    if (!where) return failure(where.error());
    const auto begin = parse_local(from), end = parse_local(to);
    if (!begin) return failure(begin.error());
    if (!end) return failure(end.error());
    const Time first = moment(**where, *begin, date::choose::earliest);
    const Time last = moment(**where, *end, date::choose::latest);
    const bool within = now >= first && now < last;
    return Hour{within, within ? last : now < first ? first : 0, hour_in_words(**where, now)};
}

}  // namespace

tl::expected<Hour, std::string> window_at(const std::string& text, Time now) {
    const auto window = semantics::parse_window(text);
    if (!window) return failure(window.error());
    const auto zone = zone_of(window->zone);
    if (!zone) return failure(zone.error());
    Hour hour{false, 0, hour_in_words(**zone, now)};
    const local_days today = date::floor<date::days>(local(**zone, now));
    const date::days over_midnight(window->end <= window->begin ? 1 : 0);
    // From yesterday's, which may end today, to the same day in two weeks: the next one may be skipped.
    for (local_days day = today - date::days(1); day <= today + date::days(14); day += date::days(1)) {
        if (!day_is_in(*window, day)) continue;
        const Time begin = moment(**zone, day + Minutes(window->begin), date::choose::earliest);
        const Time end = moment(**zone, day + over_midnight + Minutes(window->end), date::choose::earliest);
        if (end <= begin || now >= end) continue;
        hour.within = now >= begin;
        hour.until = hour.within ? end : begin;
        break;
    }
    return hour;
}

tl::expected<Hour, std::string> freeze_at(const std::string& text, Time now) {
    const auto freeze = semantics::parse_freeze(text);
    if (!freeze) return failure(freeze.error());
    return period_at(freeze->from, freeze->to, freeze->zone, now);
}

std::optional<std::string> frozen(const project::Inventory& inventory, Time now) {
    for (const project::Freeze& freeze : inventory.freezes) {
        const auto hour = period_at(freeze.from, freeze.to, freeze.zone, now);
        if (!hour) return fmt::format("a freeze in migc.yaml cannot be read: {}", hour.error());
        if (hour->within)
            return fmt::format("changes are frozen until {} {}: {}", freeze.to, freeze.zone, freeze.why);
    }
    return std::nullopt;
}

std::optional<std::string> clock_is_behind(const std::string& kind, Time now, Time newest_known) {
    constexpr std::int64_t worth_telling_ms = 60'000;
    if (kind != "live" || newest_known - now <= worth_telling_ms) return std::nullopt;
    const auto second = [](Time time) {
        return date::format("%F %T",
                            date::floor<std::chrono::seconds>(
                                date::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(time))));
    };
    return fmt::format(
        "the clock says {} UTC, and the journal has what a run did at {}: it was set back, or was wrong then. Set it "
        "right; if it was wrong then, move .migc away, keep it as long as what its runs did may have to be undone, and "
        "say so: `migc journal adopt --because \"..\"`",
        second(now), second(newest_known));
}

std::string local_time(Time time, const std::string& zone) {
    const auto where = zone_of(zone);
    if (!where) return zone;
    const auto minute = date::floor<Minutes>(local(**where, time));
    const auto day = date::floor<date::days>(minute);
    const date::year_month_day date(day);
    const auto minutes = (minute - day).count();
    return fmt::format("{} {:04}-{:02}-{:02} {:02}:{:02} in {}",
                       semantics::day_name(static_cast<int>(date::weekday(day).c_encoding())),
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), minutes / 60, minutes % 60, zone);
}

}  // namespace migc::runtime::inline natives
