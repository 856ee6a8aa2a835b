// What gates ask: the hour, and the people.
#include <chrono>

#include <date/tz.h>
#include <fmt/format.h>

#include "compiler/ir/window.hpp"
#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
Reading window(Host& host, const Arguments& arguments) {
    const auto parsed = ir::parse_window(text_argument(arguments, 0));
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
        static_cast<int>(date::floor<std::chrono::minutes>(local - midnight).count()) % ir::minutes_per_day;
    const bool open = parsed->is_open(day, minute);
    return {open,
            open ? ""
                 : fmt::format("it is {} {:02}:{:02} in {}", ir::day_name(day), minute / 60, minute % 60,
                               parsed->zone),
            false};
}

// Approvals travel as signed files, which this version cannot read: unknown, so the gate stays closed.
Reading approval(Host&, const Arguments&) {
    return mistaken("this version of migc cannot check approvals, so the gate stays closed");
}

}  // namespace migc::runtime
