// What a simulated curl understands and prints.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/web.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr Options options{
    "-m --max-time --connect-timeout -o --output -w --write-out -X --request -d --data --data-binary "
    "--data-raw -H --header -K --config --url --retry --proto --max-filesize --parallel-max",
    "-q --disable -g --globoff -s --silent -S --show-error -i --include -I --head -f --fail -sS -fsS -L --location -k "
    "--insecure --http1.1 -Z --parallel --parallel-immediate",
    false};
constexpr std::string_view data_options = "-d --data --data-binary --data-raw";

// Text as it stands between quotation marks in a configuration.
std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 1 < text.size();
        if (escape) ++i;
        const char c = text[i];
        result += !escape ? c : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
    }
    return result;
}

// The options of a config file: `name`, `name = "value"`, `name = value`.
std::vector<std::string> config_words(const std::string& text) {
    std::vector<std::string> words;
    for (const std::string& line : split(text, '\n')) {
        const std::size_t begin = line.find_first_not_of(" \t");
        if (begin == std::string::npos || line[begin] == '#') continue;
        const std::size_t end = line.find_first_of(" \t=:", begin);
        words.push_back("--" + line.substr(begin, end - begin));
        const std::size_t value = end == std::string::npos ? end : line.find_first_not_of(" \t=:", end);
        if (value == std::string::npos) continue;
        const std::size_t close = line.rfind('"');
        const bool quoted = line[value] == '"' && close > value;
        words.push_back(quoted ? unescaped(line.substr(value + 1, close - value - 1)) : line.substr(value));
    }
    return words;
}

std::string method_of(const Arguments& arguments) {
    const std::string usual = arguments.value(data_options) ? "POST"
                              : arguments.has("-I --head")  ? "HEAD"
                                                            : "GET";
    return arguments.value_or("-X --request", usual);
}

WebRequest request_of(const Arguments& arguments, const std::string& url, const std::string& input) {
    WebRequest request{method_of(arguments), url, arguments.values("-H --header"), {}};
    if (const auto data = arguments.value(data_options)) request.body = *data == "@-" ? input : *data;
    return request;
}

std::string variable(const std::string& name, const WebResponse& response, std::int64_t took_ms) {
    const double seconds = static_cast<double>(took_ms) / 1000;
    if (name == "http_code" || name == "response_code") return fmt::format("{:03}", response.status);
    if (name == "time_total") return fmt::format("{:.6f}", seconds);
    if (name == "exitcode") return std::to_string(response.failure);
    const bool redirects = response.status >= 300 && response.status < 400;
    if (name == "redirect_url") return redirects ? response.header("Location") : "";
    // A connection that was never made has no such time.
    const bool connected = response.failure == 0 || response.failure == 28;
    return fmt::format("{:.6f}", connected ? 0.0001 : 0);
}

// The write-out text; no value for a variable that is not known here.
std::optional<std::string> written_out(const std::string& format, const WebResponse& response,
                                       std::int64_t took_ms) {
    constexpr std::string_view known =
        "http_code response_code time_total exitcode redirect_url time_pretransfer";
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format.compare(i, 2, "\\n") == 0) {
            text += '\n';
            ++i;
        } else if (format.compare(i, 2, "%{") == 0) {
            const std::size_t end = format.find('}', i);
            const std::string name = format.substr(i + 2, end == std::string::npos ? end : end - i - 2);
            if (!listed(known, name)) return std::nullopt;
            text += variable(name, response, took_ms);
            i = end;
        } else {
            text += format[i];
        }
    }
    return text;
}

std::string page(const Arguments& arguments, const std::string& method, const WebResponse& response) {
    if (arguments.value_or("-o --output", "") == "/dev/null") return {};
    std::string head;
    if (arguments.has("-i --include -I --head")) {
        head = fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n", response.status, response.body.size());
        for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
        head += "\r\n";
    }
    return method == "HEAD" ? head : head + response.body;
}

// Applies curl's own time limit.
WebResponse limited(const Arguments& arguments, WebResponse response) {
    const double limit = std::atof(arguments.value_or("-m --max-time", "0").c_str());
    const auto limit_ms = static_cast<std::int64_t>(std::clamp(limit, 0.0, 1e9) * 1000);
    if (limit_ms == 0 || response.latency_ms <= limit_ms) return response;
    return {
        .latency_ms = limit_ms,
        .failure = 28,
        .message = fmt::format("Operation timed out after {} milliseconds with 0 bytes received", limit_ms)};
}

bool is_change(const WebRequest& request) {
    return request.method != "GET" && request.method != "HEAD";
}

class Curl {
  public:
    Curl(Simulation& world, const std::optional<Origin>& inside, const Arguments& arguments,
         const std::string& input)
        : world_(world), inside_(inside), arguments_(arguments), input_(input) {
        const int lanes = arguments.has("-Z --parallel")
                              ? std::atoi(arguments.value_or("--parallel-max", "50").c_str())
                              : 1;
        lanes_.resize(static_cast<std::size_t>(std::clamp(lanes, 1, 300)));
    }

    // Several addresses are asked one after the other, or in parallel; the last one decides, as with curl.
    Answer run(const std::vector<std::string>& urls) {
        Answer all;
        for (const std::string& url : urls) {
            Answer one = transfer(url);
            if (one.status == not_modelled) return one;
            one.output.insert(0, all.output);
            one.errors.insert(0, all.errors);
            all = std::move(one);
        }
        return world_.pass(*std::ranges::max_element(lanes_)) ? all : out_of_time();
    }

  private:
    Answer transfer(const std::string& url) {
        const WebRequest request = request_of(arguments_, url, input_);
        if (const auto answer = registry_answer(world_, request, !arguments_.has("-I --head")))
            return *answer;
        const WebResponse response = limited(arguments_, respond(world_, inside_, request));
        *std::ranges::min_element(lanes_) += response.latency_ms;
        if (is_change(request) && (response.failure == 0 || response.failure == 28)) {
            world_.posted.push_back(request.body);
            world_.acted = true;
        }
        const std::string format = arguments_.value_or("-w --write-out", "");
        const auto written = written_out(format, response, response.latency_ms);
        if (!written) return unmodelled("curl --write-out " + format);
        if (response.failure != 0)
            return exited(response.failure, *written,
                          fmt::format("curl: ({}) {}\n", response.failure, response.message));
        if (arguments_.has("-f --fail -fsS") && response.status >= 400)
            return exited(22, *written,
                          fmt::format("curl: (22) The requested URL returned error: {}\n", response.status));
        return done(page(arguments_, request.method, response) + *written);
    }

    Simulation& world_;
    const std::optional<Origin>& inside_;
    const Arguments& arguments_;
    const std::string& input_;
    std::vector<std::int64_t> lanes_;  // how long each is busy, in milliseconds
};

}  // namespace

Answer curl_from(Simulation& world, const std::optional<Origin>& inside, const std::string& input,
                 const std::vector<std::string>& list) {
    if (list == std::vector<std::string>{"--version"}) return done("curl (simulated)\n");
    auto arguments = Arguments::parse(list, options);
    if (arguments && arguments->value_or("-K --config", "") == "-") {
        // What is behind "--" stays the last.
        auto whole = config_words(input);
        whole.insert(whole.end(), list.begin(), list.end());
        arguments = Arguments::parse(whole, options);
    }
    if (!arguments) return unmodelled("curl " + arguments.error());
    std::vector<std::string> urls = arguments->words;
    urls.insert(urls.end(), arguments->after_dashes.begin(), arguments->after_dashes.end());
    for (const std::string& url : arguments->values("--url")) urls.push_back(url);
    if (urls.empty()) return exited(2, "", "curl: no URL specified!\n");
    const std::string output = arguments->value_or("-o --output", "/dev/null");
    if (output != "/dev/null" && output != "-") return unmodelled("curl --output to a file");
    return Curl(world, inside, *arguments, input).run(urls);
}

Answer curl(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments) {
    return curl_from(world, std::nullopt, command.input, arguments);
}

}  // namespace migc::runtime::inline world
