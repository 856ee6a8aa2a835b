#include "runtime/trust/times.hpp"

#include <chrono>
#include <sstream>

#include <date/date.h>

namespace migc::trust {

namespace {

std::string formatted(const char* format, runtime::Time time) {
    const date::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(time)};
    return date::format(format, date::floor<std::chrono::seconds>(moment));
}

}  // namespace

std::string written_time(runtime::Time time) {
    return formatted("%FT%TZ", time);
}

std::string utc_time(runtime::Time time) {
    return formatted("%F %T UTC", time);
}

std::optional<runtime::Time> read_time(const std::string& text) {
    std::istringstream stream(text);
    date::sys_seconds time;
    stream >> date::parse("%FT%TZ", time);
    if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace migc::trust
