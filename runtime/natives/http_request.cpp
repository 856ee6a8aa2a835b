#include "runtime/natives/http_request.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/support/read_file.hpp"
#include "runtime/natives/inside.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

// Each transfer ends with a line of its own, also one that failed.
constexpr std::string_view transfer_mark = "\nmigc ";
constexpr const char* write_out =
    "\\nmigc %{exitcode} %{http_code} %{time_total} %{time_pretransfer} %{redirect_url}\\n";

constexpr const char* largest_body = "8388608";  // bytes that an answer may have: it is read as a whole

// curl's exit codes that waiting does not change, and that of a name without an address.
constexpr int unsupported_protocol = 1;
constexpr int malformed_url = 3;
constexpr int host_not_resolved = 6;

bool is_token(std::string_view text) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
        return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

// Line ends would begin another header; curl drops what follows a NUL.
bool is_header_value(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// "scheme://[AUTHORITY]/path"
std::string_view authority_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    return url.substr(0, url.find_first_of("/?#\\"));
}

tl::expected<std::string, std::string> secret_in(const fs::path& file) {
    constexpr std::uintmax_t limit = std::uintmax_t{64} << 10;
    const auto text = file_content(file, limit);
    if (!text) return failure("no header can be read from {}: {}", file.string(), text.error());
    std::string secret = *text;
    while (!secret.empty() && std::isspace(static_cast<unsigned char>(secret.back())) != 0) secret.pop_back();
    if (secret.empty()) return failure("{} holds no header", file.string());
    if (!is_header_value(secret))
        return failure("{} holds more than one line, which is no header", file.string());
    return secret;
}

// A token without the word that says what it is ("Bearer"), too: a server may repeat it alone.
std::vector<std::string> secrets_of(const HttpRequest& request) {
    std::vector<std::string> secrets;
    if (request.secret_url) secrets.push_back(request.url);
    for (const std::string& header : request.secret_headers) {
        const std::string value = header.substr(header.find(": ") + 2);
        const std::string token = value.substr(value.rfind(' ') + 1);
        for (const std::string& secret : {value, token})
            if (secret.size() >= shortest_secret) secrets.push_back(secret);
    }
    return secrets;
}

// What every call says.
CurlCall common(const HttpRequest& request) {
    CurlCall call;
    call.set("max-time", request.method == "GET" || request.method == "HEAD" ? "10" : "60");
    if (request.method == "HEAD")
        call.flag("head");
    else if (request.method != "GET")
        call.set("request", request.method);
    for (const std::string& header : request.headers) call.set("header", header);
    for (const std::string& header : request.secret_headers) call.hide("header", header);
    if (request.body) call.hide("data-raw", *request.body);
    call.set("write-out", write_out);
    if (request.secret_url)
        call.hide("url", request.url);
    else
        call.set("url", request.url);
    return call;
}

// curl applies one `--output` to one URL.
void repeat(CurlCall& call, const HttpRequest& request, std::int64_t times) {
    call.set("output", "/dev/null");
    for (std::int64_t i = 1; i < times; ++i) {
        call.hide("url", request.url);
        call.hide("output", "/dev/null");
    }
}

template <typename Number>
Number number_in(std::string_view word) {
    Number number{};
    std::from_chars(word.data(), word.data() + word.size(), number);
    return number;
}

// "0 200 0.012345 0.001000 http://elsewhere/"
std::optional<Transfer> transfer_in(std::string_view line) {
    std::vector<std::string_view> words;
    while (words.size() < 4) {
        const std::size_t end = line.find(' ');
        if (end == std::string_view::npos) return std::nullopt;
        words.push_back(line.substr(0, end));
        line.remove_prefix(end + 1);
    }
    return Transfer{number_in<int>(words[0]), number_in<std::int64_t>(words[1]), number_in<double>(words[2]),
                    number_in<double>(words[3]) > 0, std::string(line)};
}

std::string hint_for(const HttpRequest& request, int failure) {
    if (failure != host_not_resolved || request.from_inside || !is_cluster_name(request.url)) return {};
    return fmt::format("; {} is a name that only the cluster knows: ask `from inside`",
                       authority_of(request.url));
}

bool is_permanent(const HttpRequest& request, int failure) {
    return failure == unsupported_protocol || failure == malformed_url || !hint_for(request, failure).empty();
}

std::string failure_of(const HttpRequest& request, const Answer& answer, int failure) {
    if (request.from_inside && answer.ending == Ending::NotStarted) return answer.reason;
    return fmt::format("{}: {}{}", request.secret_url ? "its address" : request.url,
                       complaint(request.from_inside ? "from inside" : "curl", answer),
                       hint_for(request, failure));
}

Answer run_curl(Host& host, const HttpRequest& request, const CurlCall& call) {
    Answer answer = request.from_inside ? curl_inside(host, request.url, call.whole_input())
                                        : host.run("curl", call.arguments(), call.input());
    return without_secrets(std::move(answer), request);
}

}  // namespace

std::string curl_value(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (c == '\n')
            result += "\\n";
        else if (c == '\r')
            result += "\\r";
        else if (c == '\t')
            result += "\\t";
        else
            result += c;
    }
    return result + "\"";
}

nlohmann::json request_terms(Host& host, const Arguments& arguments, std::size_t first) {
    nlohmann::json terms;
    if (bool_argument(arguments, first)) terms["inside"] = true;
    if (const auto headers = words_of(list_argument(arguments, first + 1)); !headers.empty())
        terms["headers"] = headers;
    const std::string file = text_argument(arguments, first + 3);
    // From the project's root: the project may be somewhere else when it is undone.
    if (!file.empty())
        terms["secret"] = {{"name", text_argument(arguments, first + 2)},
                           {"file", fs::path(file).lexically_proximate(host.setting("root")).string()}};
    return terms;
}

tl::expected<HttpRequest, std::string> make_request(Host& host, const std::string& url,
                                                    const nlohmann::json& terms) {
    HttpRequest request;
    request.url = url;
    request.from_inside = field(terms, "/inside") == true;
    if (url.find('\0') != std::string::npos || url.find_first_of("\r\n") != std::string::npos)
        return failure("the address holds a line end or a NUL character");
    if (authority_of(url).find('@') != std::string_view::npos)
        return failure(
            "an address is seen by everybody, so it must hold no password: use `with header "
            "\"Authorization\" from file ..`");
    for (const auto& header : field(terms, "/headers")) {
        const std::string text = header.is_string() ? header.get<std::string>() : "";
        if (!is_token(text.substr(0, text.find(':'))) || !is_header_value(text) ||
            text.find(':') == std::string::npos)
            return failure("`{}` is no header; one looks like \"Accept: text/plain\"", text);
        request.headers.push_back(text);
    }
    if (const nlohmann::json& secret = field(terms, "/secret"); secret.is_object()) {
        const std::string name = text_field(secret, "/name");
        if (!is_token(name)) return failure("`{}` is no name of a header", name);
        const auto value = secret_in(fs::path(host.setting("root")) / text_field(secret, "/file"));
        if (!value) return tl::unexpected(value.error());
        request.secret_headers.push_back(name + ": " + *value);
        for (const std::string& text : secrets_of(request)) host.redact(text);
    }
    return request;
}

std::vector<std::string> CurlCall::arguments() const {
    std::vector<std::string> words;
    bool hides = false;
    for (const Option& option : options_) {
        hides = hides || option.hidden;
        if (option.hidden) continue;
        words.push_back("--" + option.name);
        if (option.value) words.push_back(*option.value);
    }
    if (hides) append(words, {"--config", "-"});
    return words;
}

std::string CurlCall::config(bool only_hidden) const {
    std::string text;
    for (const Option& option : options_) {
        if (only_hidden && !option.hidden) continue;
        text += option.value ? fmt::format("{} = {}\n", option.name, curl_value(*option.value))
                             : option.name + "\n";
    }
    return text;
}

CurlCall curl_call(const HttpRequest& request) {
    CurlCall call = common(request);
    call.set("max-filesize", largest_body);
    call.flag("include");
    return call;
}

CurlCall curl_series(const HttpRequest& request, std::int64_t times) {
    CurlCall call = common(request);
    if (times > 1) {
        call.flag("http1.1");
        call.set("header", "Connection: close");
    }
    repeat(call, request, times);
    return call;
}

CurlCall curl_burst(const HttpRequest& request, std::int64_t times, std::int64_t parallel) {
    CurlCall call = common(request);
    call.flag("http1.1");
    call.flag("parallel");
    call.flag("parallel-immediate");
    call.set("parallel-max", std::to_string(parallel));
    repeat(call, request, times);
    return call;
}

std::vector<Transfer> transfers_in(std::string_view printed) {
    std::vector<Transfer> transfers;
    for (std::size_t at = printed.find(transfer_mark); at != std::string_view::npos;
         at = printed.find(transfer_mark, at)) {
        at += transfer_mark.size();
        const std::string_view line = printed.substr(at, printed.find('\n', at) - at);
        if (auto transfer = transfer_in(line)) transfers.push_back(std::move(*transfer));
    }
    return transfers;
}

HttpOutcome send(Host& host, const HttpRequest& request) {
    const Answer answer = run_curl(host, request, curl_call(request));
    HttpOutcome outcome;
    const std::size_t end = answer.output.rfind(transfer_mark);
    const auto transfers =
        end == std::string::npos ? std::vector<Transfer>{} : transfers_in(answer.output.substr(end));
    if (transfers.empty() || transfers.front().failure != 0 || answer.truncated) {
        const int failure = transfers.empty() ? 0 : transfers.front().failure;
        outcome.failure = failure_of(request, answer, failure);
        // Without curl's own word nothing is known but whether it was started.
        outcome.sent = transfers.empty() ? answer.ending != Ending::NotStarted : transfers.front().sent;
        outcome.permanent = is_permanent(request, failure);
        return outcome;
    }
    outcome.answer = parse_http(std::string_view(answer.output).substr(0, end));
    outcome.answer.status = transfers.front().status;
    outcome.redirect = transfers.front().redirect;
    outcome.sent = true;
    return outcome;
}

HttpSeries series_of(const HttpRequest& request, const Answer& answer) {
    HttpSeries series;
    series.transfers = transfers_in(answer.output);
    if (series.transfers.empty()) series.failure = failure_of(request, answer, 0);
    const auto failed = std::find_if(series.transfers.begin(), series.transfers.end(),
                                     [](const Transfer& t) { return t.failure != 0; });
    if (failed == series.transfers.end()) return series;
    series.trouble = failure_of(request, answer, failed->failure);
    series.permanent = is_permanent(request, failed->failure);
    return series;
}

HttpSeries ask(Host& host, const HttpRequest& request, std::int64_t times) {
    return series_of(request, run_curl(host, request, curl_series(request, times)));
}

Answer without_secrets(Answer answer, const HttpRequest& request) {
    Redaction own;
    for (const std::string& secret : secrets_of(request)) own.add(secret);
    for (std::string* text : {&answer.output, &answer.errors}) *text = own.apply(std::move(*text));
    return answer;
}

bool is_cluster_name(const std::string& url) {
    std::string_view host = authority_of(url);
    if (host.starts_with('[')) return false;
    host = host.substr(0, host.find(':'));
    while (host.ends_with('.')) host.remove_suffix(1);
    return (host.find('.') == std::string_view::npos && host != "localhost") || host.ends_with(".svc") ||
           host.ends_with(".cluster.local");
}

bool is_success(std::int64_t status) {
    return status >= 200 && status < 300;
}

}  // namespace migc::runtime::inline natives
