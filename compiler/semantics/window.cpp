#include "compiler/semantics/window.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

namespace migc::semantics {
namespace {

constexpr std::array<std::string_view, 7> day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

// Takes what stands before a separator, or all that is left.
std::string_view take(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

std::optional<int> day_of(std::string_view name) {
    const auto* const found = std::ranges::find(day_names, name);
    return found == day_names.end() ? std::nullopt
                                    : std::optional(static_cast<int>(found - day_names.begin()));
}

// "02:30" in minutes.
std::optional<int> minute_of(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
    return hour < 24 && minute < 60 ? std::optional(hour * 60 + minute) : std::nullopt;
}

// Of a window's end: midnight may be written as the end of its day.
std::optional<int> end_minute_of(std::string_view text) {
    return text == "24:00" ? std::optional(minutes_per_day) : minute_of(text);
}

constexpr int last_year = 9999;  // that a date of four digits can be in

std::chrono::year_month_day date_of(int year, int month, int day) {
    return {std::chrono::year(year), std::chrono::month(unsigned(month)), std::chrono::day(unsigned(day))};
}

std::optional<Window> parsed(std::string_view text) {
    std::string_view days = take(text, ' '), hours = take(text, ' ');
    Window window;
    window.zone = text;
    const bool has_zone = !text.empty() && text.find_first_of(" \t\r\n") == std::string_view::npos;
    const auto begin = minute_of(take(hours, '-')), end = end_minute_of(hours);
    if (!has_zone || !begin || !end) return std::nullopt;
    window.begin = *begin;
    window.end = *end;
    if (days == "daily") return window;
    const bool is_range = days.find('-') != std::string_view::npos;
    const auto first = day_of(take(days, '-'));
    const auto last = is_range ? day_of(days) : first;
    if (!first || !last) return std::nullopt;
    window.first_day = *first;
    window.last_day = *last;
    return window;
}

}  // namespace

bool Window::has_day(int day) const {
    if (first_day <= last_day) return day >= first_day && day <= last_day;
    return day >= first_day || day <= last_day;
}

bool Window::is_open(int day, int minute) const {
    if (begin < end) return has_day(day) && minute >= begin && minute < end;
    // Over midnight: the part after it belongs to the day before.
    return (has_day(day) && minute >= begin) || (has_day((day + 6) % 7) && minute < end);
}

tl::expected<Window, std::string> parse_window(std::string_view text) {
    const auto window = parsed(text);
    // Whether it is all day or never nobody could tell, and a gate that is open all day is none.
    if (window && window->begin == window->end)
        return tl::unexpected(
            fmt::format("the window `{}` ends when it begins; a whole day is written 00:00-24:00", text));
    if (window) return *window;
    return tl::unexpected(
        fmt::format("`{}` is no window; write for example \"sat 02:00-04:00 Europe/Berlin\", \"mon-fri "
                    "22:00-05:00 UTC\" or \"daily 01:00-03:00 UTC\"",
                    text));
}

tl::expected<Freeze, std::string> parse_freeze(std::string_view text) {
    constexpr std::string_view to = " to ";
    const std::size_t middle = text.find(to), blank = text.rfind(' ');
    const bool has_parts = middle != std::string_view::npos && blank >= middle + to.size();
    const auto begin = has_parts ? local_time(text.substr(0, middle)) : std::nullopt;
    const auto end =
        has_parts ? local_end(text.substr(middle + to.size(), blank - middle - to.size())) : std::nullopt;
    if (!begin || !end || blank + 1 == text.size())
        return tl::unexpected(fmt::format(
            "`{}` is no freeze; write for example \"2026-12-20 18:00 to 2027-01-02 06:00 Europe/Berlin\"",
            text));
    if (*begin >= *end) return tl::unexpected(fmt::format("the freeze `{}` ends before it begins", text));
    return Freeze{*begin, *end, std::string(text.substr(blank + 1))};
}

std::optional<std::string> local_time(std::string_view text) {
    const std::string written(text);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, end = 0;
    const int fields = std::sscanf(written.c_str(), "%4d-%2d-%2d%n %2d:%2d%n", &year, &month, &day, &end,
                                   &hour, &minute, &end);
    const auto date = date_of(year, month, day);
    std::string whole = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", year, month, day, hour, minute);
    const bool is_time = (fields == 3 || fields == 5) && std::size_t(end) == written.size() && date.ok() &&
                         hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && whole.starts_with(written);
    return is_time ? std::optional(std::move(whole)) : std::nullopt;
}

std::optional<std::string> local_end(std::string_view text) {
    auto time = local_time(text);
    constexpr std::size_t date_length = 10;  // "2027-01-02"
    if (!time || text.size() > date_length) return time;
    int year = 0, month = 0, day = 0;
    std::sscanf(time->c_str(), "%4d-%2d-%2d", &year, &month, &day);
    const std::chrono::year_month_day next =
        std::chrono::sys_days(date_of(year, month, day)) + std::chrono::days(1);
    if (int(next.year()) > last_year) return fmt::format("{} 23:59", text);
    return fmt::format("{:04}-{:02}-{:02} 00:00", int(next.year()), unsigned(next.month()),
                       unsigned(next.day()));
}

std::string_view day_name(int day) {
    return day_names.at(static_cast<std::size_t>(day));
}

std::string last_safe_start(const Window& window, std::int64_t milliseconds) {
    const std::int64_t needed = (milliseconds + 59'999) / 60'000;
    if (needed > window.length()) return "";
    const int start = window.begin + window.length() - static_cast<int>(needed);
    const std::string_view day =
        window.first_day == window.last_day ? day_name((window.first_day + start / minutes_per_day) % 7) : "";
    const int minute = start % minutes_per_day;
    return fmt::format("{}{}{:02}:{:02} {}", day, day.empty() ? "" : " ", minute / 60, minute % 60,
                       window.zone);
}

bool never_together(const Window& a, const Window& b) {
    if (a.zone != b.zone) return false;
    for (int day = 0; day < 7; ++day)
        for (int minute = 0; minute < minutes_per_day; ++minute)
            if (a.is_open(day, minute) && b.is_open(day, minute)) return false;
    return true;
}

}  // namespace migc::semantics
