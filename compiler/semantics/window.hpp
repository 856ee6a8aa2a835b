// A maintenance window as a gate writes it: "sat 02:00-04:00 Europe/Berlin", "mon-fri 22:00-05:00 UTC",
// "daily ..".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace migc::semantics {

constexpr int minutes_per_day = 24 * 60;

// Days of the week, 0 is Sunday, and minutes of the day; a window that ends before it begins ends on the next
// day.
struct Window {
    int first_day = 0;
    int last_day = 6;
    int begin = 0;
    int end = 0;       // `minutes_per_day` for 24:00
    std::string zone;  // as written: whether there is such a time zone only a machine's data base knows

    // In minutes.
    [[nodiscard]] int length() const { return end > begin ? end - begin : end - begin + minutes_per_day; }
    [[nodiscard]] bool is_open(int day, int minute) const;
    [[nodiscard]] bool has_day(int day) const;
};

// The error says how a window is written, or that it ends when it begins.
tl::expected<Window, std::string> parse_window(std::string_view text);

// A freeze as a gate writes it: "2026-12-20 18:00 to 2027-01-02 06:00 Europe/Berlin". Given by dates it lasts
// from the begin of its first day to the end of its last.
struct Freeze {
    std::string from;  // as local_time() gives it
    std::string to;    // as local_end() gives it: the first minute after it
    std::string zone;  // as written
};

// The error says how a freeze is written, or that it ends before it begins.
tl::expected<Freeze, std::string> parse_freeze(std::string_view text);

// "2026-12-20 18:00" of that, or of a day alone, at whose midnight it begins; nothing if there is no such
// time.
std::optional<std::string> local_time(std::string_view text);

// The same for an end: of a day alone the midnight at which that day is over.
std::optional<std::string> local_end(std::string_view text);

// "sun".
std::string_view day_name(int day);

// When one must have begun to be through so many milliseconds later: "sat 02:40 Europe/Berlin", or without a
// day where there are several. Empty if the window is too short for it.
std::string last_safe_start(const Window& window, std::int64_t milliseconds);

// Whether there is no minute of the week at which both are open; false where their time zones differ.
bool never_together(const Window& a, const Window& b);

}  // namespace migc::semantics
