#include "runtime/world/web.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"

namespace migc::runtime::inline world {
namespace {

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

WebResponse unresolved(const std::string& host) {
    return {.failure = 6, .message = "Could not resolve host: " + host};
}

WebResponse refused(const Place& place) {
    return {.failure = 7,
            .message = fmt::format("Failed to connect to {} port {} after 0 ms: Couldn't connect to server",
                                   place.host, place.port)};
}

// The service that a host names inside a cluster: "web", "web.shop", "web.shop.svc.cluster.local".
std::optional<ObjectKey> service_of(const Cluster& cluster, const std::string& host,
                                    const std::string& name_space) {
    const auto parts = split(host, '.');
    const ObjectKey key{"services", parts.size() > 1 ? parts[1] : name_space, parts[0]};
    return cluster.find(key) ? std::optional(key) : std::nullopt;
}

std::vector<ObjectKey> serving_pods(const Cluster& cluster, const ObjectKey& service) {
    const Object* found = cluster.find(service);
    if (!found || object_at(*found, "/spec/selector").empty()) return {};
    auto pods = pods_with(cluster, service.name_space, object_at(*found, "/spec/selector"));
    std::erase_if(pods, [&](const ObjectKey& pod) { return !is_ready(cluster, pod); });
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
    Cluster* cluster = nullptr;
    ObjectKey service;
};

std::optional<Backend> backend_of(Simulation& world, const WebEndpoint* endpoint,
                                  const std::optional<Origin>& inside, const std::string& host) {
    if (inside) {
        Cluster& cluster = world.clusters.at(inside->cluster);
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

// What the pod that served a request writes into its log.
void log_request(const Backend& backend, const ObjectKey& pod, const WebRequest& request, int status) {
    std::string line = backend.cluster->behaviour_of(*backend.cluster->find(pod)).request_log;
    if (line.empty()) return;
    const std::size_t host = request.url.find("://");
    const std::size_t path = request.url.find('/', host == std::string::npos ? 0 : host + 3);
    const std::pair<const char*, std::string> values[] = {
        {"${method}", request.method},
        {"${path}", path == std::string::npos ? "/" : request.url.substr(path)},
        {"${status}", std::to_string(status)}};
    for (const auto& [name, value] : values)
        if (const std::size_t at = line.find(name); at != std::string::npos)
            line.replace(at, std::string_view(name).size(), value);
    backend.cluster->pods[pod].log.push_back({backend.cluster->now(), line});
}

bool is_served_by(const WebAnswer& answer, const Cluster* cluster, const ObjectKey& pod) {
    if (!answer.when.image && answer.when.config_map.empty()) return true;
    return cluster && applies(answer.when, *cluster->find(pod), cluster->pods.at(pod).seen);
}

const WebAnswer* answer_of(const WebEndpoint& endpoint, const Cluster* cluster, const ObjectKey& pod) {
    const auto found = std::ranges::find_if(endpoint.answers, [&](const WebAnswer& answer) {
        return endpoint.asked % answer.every == 0 && is_served_by(answer, cluster, pod);
    });
    return found == endpoint.answers.end() ? nullptr : &*found;
}

std::string header_of(const WebRequest& request, const std::string& name) {
    const auto is_it = [&](const std::string& header) {
        return lower_case(header).starts_with(lower_case(name) + ":");
    };
    const auto found = std::find_if(request.headers.rbegin(), request.headers.rend(), is_it);
    if (found == request.headers.rend()) return {};
    const std::size_t value = found->find_first_not_of(' ', name.size() + 1);
    return value == std::string::npos ? "" : found->substr(value);
}

std::string etag_of(const WebContent& content) {
    return fmt::format("\"{}-{}\"", sha256(content.body).substr(0, 8), content.version);
}

bool condition_holds(const WebRequest& request, const WebContent* content) {
    const std::string match = header_of(request, "If-Match");
    if (!match.empty() && (!content || match != etag_of(*content))) return false;
    return header_of(request, "If-None-Match") != "*" || !content;
}

WebResponse document(const WebEndpoint& endpoint, const WebContent& content, int status) {
    WebResponse response{.status = status, .body = content.body};
    if (!content.type.empty()) response.headers.emplace_back("Content-Type", content.type);
    if (endpoint.etags) response.headers.emplace_back("ETag", etag_of(content));
    return response;
}

// A store of documents: GET, HEAD, PUT, DELETE by address; POST to an address makes a new one below it.
WebResponse kept(WebEndpoint& endpoint, const WebRequest& request) {
    const auto found = endpoint.contents.find(request.url);
    WebContent* content = found == endpoint.contents.end() ? nullptr : &found->second;
    const WebContent given{header_of(request, "Content-Type"), request.body, ++endpoint.versions};
    if (request.method == "POST") {
        const std::string url = fmt::format("{}/{}", request.url, ++endpoint.created);
        WebResponse response = document(endpoint, endpoint.contents[url] = given, 201);
        response.headers.emplace_back("Location", url);
        return response;
    }
    if (endpoint.etags && !condition_holds(request, content)) return {.status = 412};
    if (request.method == "PUT") {
        WebResponse response{.status = content ? 204 : 201};
        endpoint.contents[request.url] = given;
        if (endpoint.etags) response.headers.emplace_back("ETag", etag_of(given));
        return response;
    }
    if (!content) return {.status = 404};
    if (request.method != "DELETE") return document(endpoint, *content, 200);
    endpoint.contents.erase(found);
    return {.status = 204};
}

WebResponse answered(WebEndpoint& endpoint, const WebAnswer& answer, const WebRequest& request) {
    const bool last = &answer == &endpoint.answers.back();
    WebResponse response;
    if (endpoint.keeps && last) {
        response = kept(endpoint, request);
    } else {
        response = {.status = answer.status, .body = answer.body};
        if (!answer.redirect.empty()) response.headers.emplace_back("Location", answer.redirect);
    }
    if (!answer.latencies_ms.empty())
        response.latency_ms = answer.latencies_ms[(endpoint.asked - 1) % answer.latencies_ms.size()];
    return response;
}

WebEndpoint* endpoint_of(Simulation& world, bool inside, const WebRequest& request) {
    const auto found = std::ranges::find_if(world.web, [&](const WebEndpoint& endpoint) {
        return (inside || !endpoint.inside_only) && is_for(endpoint, request.url, request.method);
    });
    return found == world.web.end() ? nullptr : &*found;
}

bool is_known_host(const Simulation& world, bool inside, const std::string& host) {
    return std::ranges::any_of(world.web, [&](const WebEndpoint& other) {
        return (inside || !other.inside_only) && knows_host(other, host);
    });
}

}  // namespace

std::string WebResponse::header(const std::string& name) const {
    const auto found =
        std::ranges::find_if(headers, [&](const auto& header) { return header.first == name; });
    return found == headers.end() ? "" : found->second;
}

WebResponse respond(Simulation& world, const std::optional<Origin>& inside, const WebRequest& request) {
    const Place place = place_of(request.url);
    WebEndpoint* endpoint = endpoint_of(world, inside.has_value(), request);
    const auto backend = backend_of(world, endpoint, inside, place.host);
    ObjectKey pod;
    if (backend) {
        const auto pods = serving_pods(*backend->cluster, backend->service);
        if (pods.empty()) return refused(place);
        pod = pods[(endpoint ? endpoint->served++ : 0) % pods.size()];
    }
    if (!endpoint)
        return backend || is_known_host(world, inside.has_value(), place.host) ? WebResponse{.status = 404}
                                                                               : unresolved(place.host);
    ++endpoint->asked;
    const WebAnswer* answer = answer_of(*endpoint, backend ? backend->cluster : nullptr, pod);
    WebResponse response = answer ? answered(*endpoint, *answer, request) : WebResponse{.status = 404};
    if (backend) log_request(*backend, pod, request, response.status);
    return response;
}

}  // namespace migc::runtime::inline world
