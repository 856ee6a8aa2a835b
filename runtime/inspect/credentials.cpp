// Until when the credentials of a kubectl context are good.
#include <chrono>
#include <sstream>

#include <date/date.h>

#include "compiler/support/encoding.hpp"
#include "runtime/inspect/doctor.hpp"

namespace migc::runtime::inline inspect {
std::optional<Time> end_of_certificate(const std::string& base64_pem, Tools& tools) {
    CommandLine command;
    command.tool = "openssl";
    command.argv = {"openssl", "x509", "-noout", "-enddate"};
    command.input = base64_pem;
    if (base64_pem.find("-----BEGIN") == std::string::npos)
        command.input = from_base64(base64_pem, Base64::Standard, " \t\r\n").value_or("");
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
    const auto text =
        from_base64(std::string_view(token).substr(first + 1, second - first - 1), Base64::Url, "=");
    const auto claims = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!claims.is_object() || !claims.contains("exp") || !claims["exp"].is_number_integer())
        return std::nullopt;
    const auto seconds = claims["exp"].get<std::int64_t>();
    constexpr std::int64_t year_9999 = 253'402'300'799;
    if (seconds < 0 || seconds > year_9999) return std::nullopt;
    return seconds * 1000;
}

}  // namespace migc::runtime::inline inspect
