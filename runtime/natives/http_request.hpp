// A request over HTTP, and what curl is told and says about it. Who starts curl (here, or in a pod of the
// cluster) makes no difference to either.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/http_answer.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    bool secret_url = false;                  // as good as a password (a web hook): curl gets it like one
    std::vector<std::string> headers;         // "Accept: text/plain"
    std::vector<std::string> secret_headers;  // likewise; curl gets them on standard input and nowhere else
    std::optional<std::string> body;
    bool from_inside = false;
};

// How requests are asked, besides their address: {"inside": true, "headers": [..], "secret": {"name": ..,
// "file": ..}}; null if there is nothing special. Of a secret it holds where it is, never what it is, so that
// it can be written down. `arguments` from `first` on: from inside, headers, header's name, header's file.
nlohmann::json request_terms(Host& host, const Arguments& arguments, std::size_t first);

// The error: an address or a header that cannot be sent, or a file that cannot be read.
tl::expected<HttpRequest, std::string> make_request(Host& host, const std::string& url,
                                                    const nlohmann::json& terms);

// As a value of curl's configuration file.
std::string curl_value(std::string_view text);

// What curl is told. What is secret or long goes by its configuration on standard input.
class CurlCall {
  public:
    void flag(std::string name) { options_.push_back({std::move(name), std::nullopt, false}); }
    void set(std::string name, std::string value) { add(std::move(name), std::move(value), false); }
    void hide(std::string name, std::string value) { add(std::move(name), std::move(value), true); }

    // As arguments with the rest on standard input; where even they would be seen (they are part of a pod's
    // specification), all of it on standard input.
    [[nodiscard]] std::vector<std::string> arguments() const;
    [[nodiscard]] std::string input() const { return config(true); }
    [[nodiscard]] std::string whole_input() const { return config(false); }

  private:
    struct Option {
        std::string name;  // without the dashes
        std::optional<std::string> value;
        bool hidden;
    };
    void add(std::string name, std::string value, bool hidden) {
        options_.push_back({std::move(name), std::move(value), hidden});
    }
    [[nodiscard]] std::string config(bool only_hidden) const;

    std::vector<Option> options_;
};

// With the answer's headers and body in what curl prints.
CurlCall curl_call(const HttpRequest& request);
// Without them, so many times, each on a connection of its own: behind one address there may be several pods.
CurlCall curl_series(const HttpRequest& request, std::int64_t times);
// At most `parallel` at a time, connections kept.
CurlCall curl_burst(const HttpRequest& request, std::int64_t times, std::int64_t parallel);
// How one transfer went, as curl says.
struct Transfer {
    int failure = 0;          // curl's exit code; 0: there was an answer
    std::int64_t status = 0;  // of the answer
    double seconds = 0;       // altogether
    bool sent = false;        // whether anything of the request may have reached the server
    std::string redirect;     // where the answer leads to; "" if it does not
};
std::vector<Transfer> transfers_in(std::string_view printed);

// What came of one request.
struct HttpOutcome {
    HttpAnswer answer;     // with status 0: there was none
    std::string redirect;  // where it leads to; "" if it does not
    std::string failure;   // why there was none
    bool sent = false;     // the server may have got the request
    bool permanent = false;
};
HttpOutcome send(Host& host, const HttpRequest& request);

// What came of many.
struct HttpSeries {
    std::vector<Transfer> transfers;
    std::string failure;  // why there are none at all
    std::string trouble;  // what curl said of those without an answer
    bool permanent = false;
};
HttpSeries ask(Host& host, const HttpRequest& request, std::int64_t times);

// Makes a series of what curl (or kubectl, for it) said.
HttpSeries series_of(const HttpRequest& request, const Answer& answer);

// The answer without the secrets of the request, should the server or curl repeat one.
Answer without_secrets(Answer answer, const HttpRequest& request);

// Whether only the cluster's own name service knows the address's host.
bool is_cluster_name(const std::string& url);

bool is_success(std::int64_t status);

}  // namespace migc::runtime::inline natives
