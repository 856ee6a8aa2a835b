#include "runtime/natives/times.hpp"

#include <sstream>

#include <date/date.h>
#include <re2/re2.h>

namespace migc::runtime::inline natives {
namespace {

std::optional<Time> parsed(const std::string& text, const char* format) {
    std::istringstream stream(text);
    date::sys_time<std::chrono::microseconds> time;
    stream >> date::parse(format, time);
    if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
    return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

}  // namespace

std::optional<Time> parse_iso_time(const std::string& text) {
    return parsed(text, "%FT%TZ");
}

// kubectl shows the headers of an answer only when it talks about its work; the path is open to all users.
std::int64_t server_clock_ahead(Host& host) {
    const Time before = host.now();
    const Answer answer = host.run("kubectl", {"get", "--raw", "/readyz", "-v=8"});
    const Time after = host.now();
    std::string date;
    if (!RE2::PartialMatch(answer.errors, R"((?i)\bdate: (\w{3}, \d{1,2} \w{3} \d{4} [\d:]{8} GMT))", &date))
        return 0;
    const auto server = parsed(date, "%a, %d %b %Y %T GMT");
    return server ? *server - (before + (after - before) / 2) : 0;
}

Time stage_began(Host& host) {
    return parse_iso_time(host.setting("stage-began")).value_or(host.now());
}

}  // namespace migc::runtime::inline natives
