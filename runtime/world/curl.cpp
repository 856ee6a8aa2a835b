// The web as a simulated curl sees it, from outside the clusters and from a pod.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/simulation.hpp"

namespace migc::runtime {
namespace {

constexpr Options options{
    "-m --max-time --connect-timeout -o --output -w --write-out -X --request -d --data --data-binary "
    "--data-raw -H --header "
    "-K --config --url --retry --proto",
    "-q --disable -g --globoff -s --silent -S --show-error -i --include -I --head -f --fail -sS -fsS -L --location -k "
    "--insecure",
    false};

struct Response {
    int status = 0;
    std::string body;
    std::int64_t latency_ms = 0;
    // When there is none: curl's own exit code and message.
    int failure = 0;
    std::string message;
};

struct Place {
    std::string host;
    std::string port;
};

Place place_of(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const std::string authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
    const std::size_t colon = authority.rfind(':');
    const bool secure = url.rfind("https://", 0) == 0;
    if (colon == std::string::npos) return {authority, secure ? "443" : "80"};
    return {authority.substr(0, colon), authority.substr(colon + 1)};
}

Response unresolved(const std::string& host) {
    return {0, "", 0, 6, "Could not resolve host: " + host};
}

Response refused(const Place& place) {
    return {0, "", 0, 7,
            fmt::format("Failed to connect to {} port {} after 0 ms: Couldn't connect to server", place.host,
                        place.port)};
}

// The service that a host names inside a cluster: "web", "web.shop", "web.shop.svc.cluster.local".
std::optional<ObjectKey> service_of(const Cluster& cluster, const std::string& host,
                                    const std::string& name_space) {
    const auto parts = split(host, '.');
    const ObjectKey key{"services", parts.size() > 1 ? parts[1] : name_space, parts[0]};
    return cluster.find(key) ? std::optional(key) : std::nullopt;
}

std::vector<ObjectKey> serving_pods(const Cluster& cluster, const ObjectKey& service) {
    std::vector<ObjectKey> pods;
    const Object* found = cluster.find(service);
    if (!found) return pods;
    const Object selector = object_at(*found, "/spec/selector");
    for (const ObjectKey& key : cluster.keys("pods", service.name_space))
        if (!selector.empty() && is_ready(cluster, key) &&
            has_labels(object_at(*cluster.find(key), "/metadata/labels"), selector))
            pods.push_back(key);
    return pods;
}

bool is_for(const WebEndpoint& endpoint, const std::string& url, const std::string& method) {
    if (!endpoint.method.empty() && endpoint.method != method) return false;
    if (!endpoint.url.empty()) return endpoint.url == url;
    if (!endpoint.prefix.empty()) return url.rfind(endpoint.prefix, 0) == 0;
    return endpoint.pattern && found_in(endpoint.pattern, url);
}

bool knows_host(const WebEndpoint& endpoint, const std::string& host) {
    const std::string& url = endpoint.url.empty() ? endpoint.prefix : endpoint.url;
    return !url.empty() && place_of(url).host == host;
}

// Where the pods are that serve an endpoint; nothing if it is served from outside every cluster.
struct Backend {
    const Cluster* cluster = nullptr;
    ObjectKey service;
};

std::optional<Backend> backend_of(const Simulation& world, const WebEndpoint* endpoint,
                                  const std::optional<Origin>& inside, const std::string& host) {
    if (inside) {
        const Cluster& cluster = world.clusters.at(inside->cluster);
        if (const auto service = service_of(cluster, host, inside->name_space))
            return Backend{&cluster, *service};
    }
    if (!endpoint || endpoint->service.empty()) return std::nullopt;
    const auto context =
        world.contexts.find(endpoint->context.empty() ? world.current_context : endpoint->context);
    const std::string cluster = inside && endpoint->context.empty() ? inside->cluster
                                : context == world.contexts.end()   ? ""
                                                                    : context->second;
    const auto found = world.clusters.find(cluster);
    if (found == world.clusters.end()) return std::nullopt;
    const std::string name_space = !endpoint->name_space.empty() ? endpoint->name_space
                                   : inside                      ? inside->name_space
                                                                 : "default";
    return Backend{&found->second, {"services", name_space, endpoint->service}};
}

const WebAnswer* answer_of(const WebEndpoint& endpoint, const Cluster* cluster, const ObjectKey& pod) {
    for (const WebAnswer& answer : endpoint.answers) {
        const bool unconditional = !answer.when.image && answer.when.config_map.empty();
        if (unconditional ||
            (cluster && applies(answer.when, *cluster->find(pod), cluster->pods.at(pod).seen)))
            return &answer;
    }
    return nullptr;
}

Response respond(Simulation& world, const std::optional<Origin>& inside, const std::string& url,
                 const std::string& method) {
    const Place place = place_of(url);
    const auto found = std::find_if(world.web.begin(), world.web.end(), [&](const WebEndpoint& endpoint) {
        return (inside || !endpoint.inside_only) && is_for(endpoint, url, method);
    });
    WebEndpoint* endpoint = found == world.web.end() ? nullptr : &*found;
    const auto backend = backend_of(world, endpoint, inside, place.host);
    ObjectKey pod;
    if (backend) {
        const auto pods = serving_pods(*backend->cluster, backend->service);
        if (pods.empty()) return refused(place);
        pod = pods[(endpoint ? endpoint->served++ : 0) % pods.size()];
    }
    if (!endpoint) {
        const bool known =
            backend || std::any_of(world.web.begin(), world.web.end(), [&](const WebEndpoint& other) {
                return (inside || !other.inside_only) && knows_host(other, place.host);
            });
        return known ? Response{404, "", 0, 0, ""} : unresolved(place.host);
    }
    const WebAnswer* answer = answer_of(*endpoint, backend ? backend->cluster : nullptr, pod);
    return answer ? Response{answer->status, answer->body, answer->latency_ms, 0, ""}
                  : Response{404, "", 0, 0, ""};
}

std::string unescaped(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        result += text[i];
    }
    return result;
}

// `url = "..."` of a config file on standard input.
std::optional<std::string> url_of_config(const std::string& text) {
    for (const std::string& line : split(text, '\n')) {
        const std::size_t name = line.find_first_not_of(" \t");
        if (name == std::string::npos || line.compare(name, 3, "url") != 0) continue;
        const std::size_t open = line.find('"');
        const std::size_t close = line.rfind('"');
        if (open != std::string::npos && close > open)
            return unescaped(line.substr(open + 1, close - open - 1));
        const std::size_t begin = line.find_first_not_of(" \t=:", name + 3);
        if (begin != std::string::npos) return line.substr(begin);
    }
    return std::nullopt;
}

std::optional<std::string> data_of(const Arguments& arguments, const std::string& input) {
    const auto data = arguments.value("-d --data --data-binary --data-raw");
    return data && *data == "@-" ? std::optional(input) : data;
}

// The write-out text; no value for a variable that is not known here.
std::optional<std::string> written_out(const std::string& format, const Response& response,
                                       std::int64_t took_ms) {
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format.compare(i, 2, "\\n") == 0) {
            text += '\n';
            ++i;
        } else if (format.compare(i, 2, "%{") == 0) {
            const std::size_t end = format.find('}', i);
            const std::string name = format.substr(i + 2, end == std::string::npos ? end : end - i - 2);
            if (name == "http_code" || name == "response_code")
                text += fmt::format("{:03}", response.status);
            else if (name == "time_total")
                text += fmt::format("{:.6f}", static_cast<double>(took_ms) / 1000);
            else
                return std::nullopt;
            i = end;
        } else {
            text += format[i];
        }
    }
    return text;
}

std::string method_of(const Arguments& arguments) {
    const std::string usual = arguments.value("-d --data --data-binary --data-raw") ? "POST"
                              : arguments.has("-I --head")                          ? "HEAD"
                                                                                    : "GET";
    return arguments.value_or("-X --request", usual);
}

std::string body_of(const Arguments& arguments, const Response& response) {
    if (arguments.value_or("-o --output", "") == "/dev/null") return {};
    const bool with_head = arguments.has("-i --include -I --head");
    std::string head = with_head ? fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n", response.status,
                                               response.body.size())
                                 : "";
    return arguments.has("-I --head") ? head : head + response.body;
}

// Applies curl's own time limit.
Response limited(Simulation& world, const Arguments& arguments, Response response) {
    const double limit = std::atof(arguments.value_or("-m --max-time", "0").c_str());
    const auto limit_ms = static_cast<std::int64_t>(std::clamp(limit, 0.0, 1e9) * 1000);
    if (limit_ms == 0 || response.latency_ms <= limit_ms) {
        world.pass(response.latency_ms);
        return response;
    }
    world.pass(limit_ms);
    return {0, "", limit_ms, 28,
            fmt::format("Operation timed out after {} milliseconds with 0 bytes received", limit_ms)};
}

Answer transfer(Simulation& world, const std::optional<Origin>& inside, const Arguments& arguments,
                const std::string& url, const std::string& input) {
    const std::string method = method_of(arguments);
    const Response response = limited(world, arguments, respond(world, inside, url, method));
    const bool changes = method != "GET" && method != "HEAD" && response.failure == 0;
    if (changes) {
        world.posted.push_back(data_of(arguments, input).value_or(""));
        world.acted = true;
    }
    const auto written = written_out(arguments.value_or("-w --write-out", ""), response, response.latency_ms);
    if (!written) return unmodelled("curl --write-out " + arguments.value_or("-w --write-out", ""));
    if (response.failure != 0)
        return exited(response.failure, *written,
                      fmt::format("curl: ({}) {}\n", response.failure, response.message));
    if (arguments.has("-f --fail -fsS") && response.status >= 400)
        return exited(22, *written,
                      fmt::format("curl: (22) The requested URL returned error: {}\n", response.status));
    return done(body_of(arguments, response) + *written);
}

}  // namespace

Answer curl_from(Simulation& world, const std::optional<Origin>& inside, const std::string& input,
                 const std::vector<std::string>& list) {
    const auto arguments = Arguments::parse(list, options);
    if (!arguments) return unmodelled("curl " + arguments.error());
    std::vector<std::string> urls = arguments->words;
    urls.insert(urls.end(), arguments->after_dashes.begin(), arguments->after_dashes.end());
    if (const auto url = arguments->value("--url")) urls.push_back(*url);
    if (arguments->value_or("-K --config", "") == "-")
        if (const auto url = url_of_config(input)) urls.push_back(*url);
    if (urls.empty()) return exited(2, "", "curl: no URL specified!\n");
    const std::string output = arguments->value_or("-o --output", "/dev/null");
    if (output != "/dev/null" && output != "-") return unmodelled("curl --output to a file");
    // Several addresses are asked one after the other; the last one decides, as with curl.
    Answer all;
    for (const std::string& url : urls) {
        Answer one = transfer(world, inside, *arguments, url, input);
        one.output.insert(0, all.output);
        one.errors.insert(0, all.errors);
        all = std::move(one);
    }
    return all;
}

Answer curl(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments) {
    return curl_from(world, std::nullopt, command.input, arguments);
}

}  // namespace migc::runtime
