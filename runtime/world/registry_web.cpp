// The registries of the world as curl sees them: the manifests of the OCI distribution API.
#include <fmt/format.h>

#include "compiler/kubernetes/image_name.hpp"
#include "runtime/world/web.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr const char* media_type = "application/vnd.docker.distribution.manifest.v2+json";

// An image as its registry names it: "registry-1.docker.io/library/redis" of "redis:7".
std::string whole_repository(const std::string& image) {
    const auto name = kubernetes::parse_image(image);
    return name ? name->registry + "/" + name->repository : "";
}

Answer answered(int status, const std::string& headers, const std::string& body, bool with_body) {
    return done("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(),
                with_body ? body : "");
}

Answer mistake(int status, const char* code, const std::string& message, bool with_body) {
    const Object errors = {{"errors", Object::array({{{"code", code}, {"message", message}}})}};
    return answered(status, "Content-Type: application/json\r\n", printed(errors, -1), with_body);
}

std::string manifest_of(const std::string& digest) {
    return printed({{"schemaVersion", 2}, {"mediaType", media_type}, {"config", {{"digest", digest}}}}, -1);
}

// What a request is about: everything between the scheme and "/manifests/", and what is behind that.
struct Place {
    std::string whole;      // "cr.example.org/team/web"
    std::string reference;  // a tag or a digest
};

std::optional<Place> place_of(const std::string& url) {
    const std::size_t scheme = url.find("://"), version = url.find("/v2/"),
                      manifests = url.rfind("/manifests/");
    if (scheme == std::string::npos || version == std::string::npos || manifests == std::string::npos ||
        manifests < version + 4)
        return std::nullopt;
    return Place{
        url.substr(scheme + 3, version - scheme - 3) + "/" + url.substr(version + 4, manifests - version - 4),
        url.substr(manifests + 11)};
}

bool has_registry(const Simulation& world, const std::string& whole) {
    const std::string registry = whole.substr(0, whole.find('/') + 1);
    return std::ranges::any_of(world.registry, [&](const auto& entry) {
        return whole_repository(entry.first).rfind(registry, 0) == 0;
    });
}

// The repository as the world writes it, with what a tag or a digest names in it.
struct Found {
    std::string written;
    std::string digest;
};

Found look_up(const Simulation& world, const Place& place) {
    Found found{place.whole, ""};
    for (const auto& [image, digest] : world.registry) {
        if (whole_repository(image) != place.whole) continue;
        found.written = repository(image);
        const std::string reference = kubernetes::parse_image(image)->reference;
        if (reference == place.reference || digest == place.reference) found.digest = digest;
    }
    return found;
}

Answer put(Simulation& world, const Place& place, const std::string& body, bool with_body) {
    const Object manifest = Object::parse(body, nullptr, false);
    const std::string digest = text_at(manifest, "/config/digest");
    const Found held = look_up(world, {place.whole, digest});
    if (held.digest.empty())
        return mistake(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", with_body);
    if (const auto set = set_tag(world, held.written + ":" + place.reference, digest); !set)
        return mistake(400, "TAG_INVALID", set.error(), with_body);
    return answered(201, fmt::format("Docker-Content-Digest: {}\r\n", digest), "", with_body);
}

}  // namespace

std::optional<Answer> registry_answer(Simulation& world, const WebRequest& request, bool with_body) {
    const auto place = place_of(request.url);
    if (!place || !has_registry(world, place->whole)) return std::nullopt;
    if (request.method == "PUT") return put(world, *place, request.body, with_body);
    const Found found = look_up(world, *place);
    if (found.digest.empty()) return mistake(404, "MANIFEST_UNKNOWN", "manifest unknown", with_body);
    return answered(
        200, fmt::format("Content-Type: {}\r\nDocker-Content-Digest: {}\r\n", media_type, found.digest),
        manifest_of(found.digest), with_body);
}

}  // namespace migc::runtime::inline world
