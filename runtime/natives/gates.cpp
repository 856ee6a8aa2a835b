// What gates ask: the hour, and the people.
#include <algorithm>
#include <array>
#include <chrono>

#include <date/tz.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

constexpr std::array day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int minutes_per_day = 24 * 60;

// Days of the week and minutes of the day; a window that ends before it begins ends on the next day.
struct Window {
    int first_day = 0;
    int last_day = 6;
    int begin = 0;
    int end = 0;
    std::string zone;
};

int day_number(const std::string& name) {
    const auto found = std::find(day_names.begin(), day_names.end(), name);
    return static_cast<int>(found - day_names.begin());
}

tl::expected<Window, std::string> parse_window(const std::string& text) {
    static const re2::RE2 form(
        R"((daily|sun|mon|tue|wed|thu|fri|sat)(?:-(sun|mon|tue|wed|thu|fri|sat))? ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+))");
    std::string first, last;
    int hour = 0, minute = 0, end_hour = 0, end_minute = 0;
    Window window;
    if (!re2::RE2::FullMatch(text, form, &first, &last, &hour, &minute, &end_hour, &end_minute, &window.zone))
        return tl::unexpected(
            fmt::format("`{}` is no window; write for example \"sat 02:00-04:00 Europe/Berlin\", \"mon-fri "
                        "22:00-05:00 UTC\" or \"daily 01:00-03:00 UTC\"",
                        text));
    if (first != "daily") {
        window.first_day = day_number(first);
        window.last_day = last.empty() ? window.first_day : day_number(last);
    }
    window.begin = hour * 60 + minute;
    window.end = end_hour * 60 + end_minute;
    return window;
}

bool day_is_in(const Window& window, int day) {
    if (window.first_day <= window.last_day) return day >= window.first_day && day <= window.last_day;
    return day >= window.first_day || day <= window.last_day;
}

bool is_open(const Window& window, int day, int minute) {
    if (window.begin < window.end)
        return day_is_in(window, day) && minute >= window.begin && minute < window.end;
    // Over midnight: the part after it belongs to the day before.
    return (day_is_in(window, day) && minute >= window.begin) ||
           (day_is_in(window, (day + 6) % 7) && minute < window.end);
}

}  // namespace

Reading window(Host& host, const Arguments& arguments) {
    const auto parsed = parse_window(text_argument(arguments, 0));
    if (!parsed) return mistaken(parsed.error());
    const date::time_zone* zone = nullptr;
    try {
        zone = date::locate_zone(parsed->zone);
    } catch (const std::runtime_error&) {
        return mistaken(fmt::format("there is no time zone `{}`", parsed->zone));
    }
    const date::sys_time<std::chrono::milliseconds> now{std::chrono::milliseconds(host.now())};
    const auto local = zone->to_local(now);
    const auto midnight = date::floor<date::days>(local);
    const int day = static_cast<int>(date::weekday(midnight).c_encoding());
    const int minute =
        static_cast<int>(date::floor<std::chrono::minutes>(local - midnight).count()) % minutes_per_day;
    const bool open = is_open(*parsed, day, minute);
    return {open,
            open ? ""
                 : fmt::format("it is {} {:02}:{:02} in {}", day_names[static_cast<std::size_t>(day)],
                               minute / 60, minute % 60, parsed->zone),
            false};
}

// Approvals travel as signed files, which this version cannot read: unknown, so the gate stays closed.
Reading approval(Host&, const Arguments&) {
    return mistaken("this version of migc cannot check approvals, so the gate stays closed");
}

}  // namespace migc::runtime
