// Until when the credentials of a kubectl context are good.
#include <charconv>
#include <chrono>
#include <ctime>
#include <sstream>

#include <date/date.h>
#include <fmt/format.h>

#include "runtime/inspect/doctor.hpp"

namespace migc::runtime::inline inspect {
namespace {

// Both alphabets; other characters are passed over, as PEM wants it.
std::string from_base64(std::string_view text) {
    std::string bytes;
    unsigned value = 0;
    int bits = 0;
    for (const char c : text) {
        unsigned digit = 0;
        if (c >= 'A' && c <= 'Z')
            digit = static_cast<unsigned>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            digit = static_cast<unsigned>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            digit = static_cast<unsigned>(c - '0') + 52;
        else if (c == '+' || c == '-')
            digit = 62;
        else if (c == '/' || c == '_')
            digit = 63;
        else
            continue;
        value = ((value << 6U) | digit) & 0xFFFFFFU;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((value >> static_cast<unsigned>(bits)) & 0xFFU);
    }
    return bytes;
}

}  // namespace

std::optional<Time> end_of_certificate(const std::string& base64_pem, Tools& tools) {
    CommandLine command;
    command.tool = "openssl";
    command.argv = {"openssl", "x509", "-noout", "-enddate"};
    command.input = base64_pem.find("-----BEGIN") == std::string::npos ? from_base64(base64_pem) : base64_pem;
    const Answer answer = tools.run(command);
    if (!answer.succeeded()) return std::nullopt;
    // notAfter=Nov 25 02:03:13 2027 GMT
    std::istringstream in(answer.output);
    date::sys_seconds end;
    in >> date::parse("notAfter=%b %d %H:%M:%S %Y", end);
    if (in.fail()) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(end.time_since_epoch()).count();
}

std::optional<Time> end_of_token(const std::string& token) {
    const auto first = token.find('.');
    const auto second = first == std::string::npos ? first : token.find('.', first + 1);
    if (second == std::string::npos) return std::nullopt;
    const auto claims = nlohmann::json::parse(
        from_base64(std::string_view(token).substr(first + 1, second - first - 1)), nullptr, false);
    if (!claims.is_object() || !claims.contains("exp") || !claims["exp"].is_number_integer())
        return std::nullopt;
    const auto seconds = claims["exp"].get<std::int64_t>();
    constexpr std::int64_t year_9999 = 253'402'300'799;
    if (seconds < 0 || seconds > year_9999) return std::nullopt;
    return seconds * 1000;
}

}  // namespace migc::runtime::inline inspect
