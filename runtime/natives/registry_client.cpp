#include "runtime/natives/registry_client.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/support/encoding.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

constexpr const char* manifest_types =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
constexpr int unauthorized = 401;
constexpr int forbidden = 403;
constexpr int bad_request = 400;

struct Request {
    std::string url;
    std::string method;
    std::string manifest;
    std::string media_type;
    std::string authority;  // a file with the registry's own certificate authority, or ""
    std::string secret;     // lines of curl's configuration: credentials
};

std::vector<std::string> curl_arguments(const Request& request) {
    const bool is_head = request.method == "HEAD";
    std::vector<std::string> list = {"--max-time", is_head ? "10" : "30", is_head ? "--head" : "--include"};
    if (request.method == "PUT")
        append(list, {"--request", "PUT", "--header", "Content-Type: " + request.media_type});
    else
        append(list, {"--header", manifest_types});
    if (!request.authority.empty()) append(list, {"--cacert", request.authority});
    if (!request.secret.empty() || request.method == "PUT") append(list, {"--config", "-"});
    append(list, {"--", request.url});
    return list;
}

RegistryAnswer send(Host& host, const Request& request) {
    const std::string body =
        request.method == "PUT" ? "data-binary = " + curl_value(request.manifest) + "\n" : std::string();
    RegistryAnswer answer;
    answer.curl = host.run("curl", curl_arguments(request), request.secret + body);
    if (answer.curl.succeeded()) answer.http = parse_http(answer.curl.output);
    return answer;
}

// What docker keeps a registry's credentials under.
bool is_entry_of(std::string entry, const std::string& registry) {
    if (registry == "registry-1.docker.io") return entry == "https://index.docker.io/v1/";
    for (const char* scheme : {"https://", "http://"})
        if (entry.starts_with(scheme)) entry.erase(0, std::string_view(scheme).size());
    return entry.substr(0, entry.find('/')) == registry;
}

fs::path docker_config() {
    if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != '\0')
        return fs::path(folder) / "config.json";
    const char* home = std::getenv("HOME");
    return home == nullptr ? fs::path() : fs::path(home) / ".docker" / "config.json";
}

// "name:password" as `docker login` left it; nothing where a credential helper keeps it.
std::optional<std::string> credentials(Host& host, const std::string& registry) {
    if (host.kind() != "live") return std::nullopt;  // a run that is not real needs no secret
    const auto text = read_bytes(docker_config());
    if (!text) return std::nullopt;
    const json config = json::parse(*text, nullptr, false);
    for (const auto& [entry, kept] : field(config, "/auths").items())
        if (const auto pair = from_base64(text_field(kept, "/auth"));
            is_entry_of(entry, registry) && pair && pair->find(':') != std::string::npos)
            return pair;
    return std::nullopt;
}

std::string parameter_of(const std::string& challenge, const std::string& name) {
    std::string value;
    RE2::PartialMatch(challenge, "[ ,]" + name + "=\"([^\"]*)\"", &value);
    return value;
}

// As part of an address: whatever is not plain is written by its number.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                           std::string_view("-._~").find(c) != std::string::npos;
        result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return result;
}

// A token for what the registry named in its challenge; without credentials it is one for everybody.
std::optional<std::string> token(Host& host, const std::string& challenge,
                                 const std::optional<std::string>& secret) {
    const std::string realm = parameter_of(challenge, "realm");
    const bool safe = realm.starts_with("https://") || (realm.starts_with("http://") && !secret) ||
                      realm.starts_with("http://127.0.0.1") || realm.starts_with("http://localhost");
    if (!safe) return std::nullopt;
    const std::string url =
        fmt::format("{}{}service={}&scope={}", realm, realm.find('?') == std::string::npos ? '?' : '&',
                    escaped(parameter_of(challenge, "service")), escaped(parameter_of(challenge, "scope")));
    std::vector<std::string> list = {"--max-time", "30"};
    if (secret) append(list, {"--config", "-"});
    append(list, {"--", url});
    const Answer answer = host.run("curl", list, secret ? "user = " + curl_value(*secret) + "\n" : "");
    const json said = json::parse(answer.succeeded() ? answer.output : "", nullptr, false);
    for (const char* name : {"/token", "/access_token"})
        if (const std::string found = text_field(said, name); !found.empty()) return found;
    return std::nullopt;
}

std::optional<std::string> answer_to(Host& host, const std::string& challenge, const std::string& registry) {
    const auto secret = credentials(host, registry);
    if (challenge.starts_with("Bearer")) {
        const auto granted = token(host, challenge, secret);
        if (!granted) return std::nullopt;
        return "header = " + curl_value("Authorization: Bearer " + *granted) + "\n";
    }
    if (!secret || !challenge.starts_with("Basic")) return std::nullopt;
    return "user = " + curl_value(*secret) + "\n";
}

// Where docker, too, looks for the certificate authority of a registry.
std::string authority_of(Host& host, const std::string& registry) {
    const fs::path file = fs::path("/etc/docker/certs.d") / registry / "ca.crt";
    std::error_code error;
    return host.kind() == "live" && fs::exists(file, error) ? file.string() : "";
}

// On this machine it is plain HTTP as a rule; a registry with a certificate says that it is not.
RegistryAnswer send_by_either(Host& host, Request& request) {
    RegistryAnswer answer = send(host, request);
    const bool is_plain = request.url.starts_with("http://");
    if (!is_plain || (answer.curl.succeeded() && answer.http.status != bad_request)) return answer;
    Request secure = request;
    secure.url.insert(4, "s");
    RegistryAnswer other = send(host, secure);
    // If neither works, what the first said counts: unless it was just that it is not plain.
    if (!other.curl.succeeded() && !answer.curl.succeeded()) return answer;
    request = secure;
    return other;
}

}  // namespace

std::string RegistryAnswer::reason() const {
    const json said = json::parse(http.body, nullptr, false);
    const std::string message = text_field(said, "/errors/0/message");
    return message.empty() ? text_field(said, "/errors/0/code") : message;
}

RegistryAnswer ask_registry(Host& host, const kubernetes::ImageName& image, const std::string& method,
                            const std::string& manifest, const std::string& media_type) {
    constexpr int host_not_resolved = 6;
    Request request{
        image.manifest_url(), method, manifest, media_type, authority_of(host, image.registry), {}};
    RegistryAnswer answer = send_by_either(host, request);
    if (!answer.curl.succeeded()) {
        answer.needs_docker = answer.curl.ending == Ending::Exited && answer.curl.status == host_not_resolved;
        return answer;
    }
    if (answer.http.status == unauthorized) {
        const auto secret = answer_to(host, answer.http.header("WWW-Authenticate"), image.registry);
        if (secret) {
            request.secret = *secret;
            answer = send(host, request);
        }
    }
    answer.needs_docker = answer.http.status == unauthorized || answer.http.status == forbidden;
    return answer;
}

}  // namespace migc::runtime::inline natives
