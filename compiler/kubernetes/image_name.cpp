#include "compiler/kubernetes/image_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace migc::kubernetes {
namespace {

// Docker's own registry is called one thing in names and another on the network.
constexpr const char* docker_registry = "registry-1.docker.io";

bool is_registry(std::string_view part) {
    return part == "localhost" || part.find_first_of(".:") != std::string_view::npos;
}

bool is_plain(std::string_view text, std::string_view more) {
    return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](unsigned char c) {
        return std::isalnum(c) != 0 || more.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

bool is_on_this_machine(std::string_view registry) {
    const std::string_view host = registry.substr(0, registry.rfind(':'));
    return host == "localhost" || host.starts_with("127.") || host == "[::1]";
}

// The colon before the tag: one before the last slash is that of a port.
std::size_t tag_colon(std::string_view image) {
    const auto slash = image.rfind('/');
    const auto colon = image.rfind(':');
    const bool is_port = slash != std::string_view::npos && colon != std::string_view::npos && colon < slash;
    return is_port ? std::string_view::npos : colon;
}

// Takes the digest or the tag off the end.
std::string take_reference(std::string_view& text) {
    std::string reference = "latest";
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        reference = text.substr(at + 1);
        text = text.substr(0, at);
    }
    const auto colon = tag_colon(text);
    if (colon == std::string_view::npos) return reference;
    if (reference == "latest") reference = text.substr(colon + 1);
    text = text.substr(0, colon);
    return reference;
}

}  // namespace

std::string ImageName::manifest_url() const {
    return fmt::format("{}://{}/v2/{}/manifests/{}", is_on_this_machine(registry) ? "http" : "https",
                       registry, repository, reference);
}

std::string ImageName::at_digest(const std::string& digest) const {
    return fmt::format("{}/{}@{}", registry == docker_registry ? "docker.io" : registry, repository, digest);
}

tl::expected<ImageName, std::string> parse_image(std::string_view text) {
    std::string_view rest = text;
    ImageName name;
    name.reference = take_reference(rest);
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos && is_registry(rest.substr(0, slash))) {
        name.registry = rest.substr(0, slash);
        name.repository = rest.substr(slash + 1);
        if (name.registry == "docker.io") name.registry = docker_registry;
    } else {
        name.registry = docker_registry;
        name.repository = (slash == std::string_view::npos ? "library/" : "") + std::string(rest);
    }
    if (!is_plain(name.registry, ".-_:[]") || !is_plain(rest, "._-/:[]") ||
        !is_plain(name.repository, "._-/") || !is_plain(name.reference, "._-:"))
        return tl::unexpected(fmt::format("`{}` is no name of an image", text));
    return name;
}

bool is_moving(std::string_view image, const std::vector<std::string>& environments) {
    constexpr std::array<std::string_view, 8> usual = {"latest", "stable", "edge", "main",
                                                       "master", "dev",    "prod", "nightly"};
    if (image.empty() || image.find_first_of("@$") != std::string_view::npos) return false;
    const auto colon = tag_colon(image);
    if (colon == std::string_view::npos) return true;
    const std::string_view tag = image.substr(colon + 1);
    return std::ranges::find(usual, tag) != usual.end() ||
           std::ranges::find(environments, tag) != environments.end();
}

}  // namespace migc::kubernetes
