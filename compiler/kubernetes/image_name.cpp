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

// Takes the digest and the tag off the end.
void take_reference(std::string_view& text, ImageName& name) {
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        name.reference = text.substr(at + 1);
        text = text.substr(0, at);
    }
    if (const auto colon = tag_colon(text); colon != std::string_view::npos) {
        name.tag = text.substr(colon + 1);
        text = text.substr(0, colon);
    } else if (name.reference.empty()) {
        name.tag = "latest";
    }
    if (name.reference.empty()) name.reference = name.tag;
}

// ------------------------------------------------ the grammar of docker's names

bool is_lower_or_digit(unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0;
}

// Words of small letters and digits, between them `.`, `_`, `__` or hyphens.
bool is_path_part(std::string_view part) {
    if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (is_lower_or_digit(part[i])) continue;
        const std::size_t begin = i;
        while (i + 1 < part.size() && part[i + 1] == part[begin]) ++i;
        const std::size_t length = i + 1 - begin;
        const bool is_good =
            part[begin] == '-' || (part[begin] == '.' && length == 1) || (part[begin] == '_' && length <= 2);
        if (!is_good || !is_lower_or_digit(part[i + 1])) return false;
    }
    return true;
}

bool is_host_and_port(std::string_view text) {
    if (text.starts_with('[')) return text.find(']') != std::string_view::npos;
    const std::size_t colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return false;
    }
    const std::string_view edges = ".-";
    return is_plain(host, ".-") && edges.find(host.front()) == std::string_view::npos &&
           edges.find(host.back()) == std::string_view::npos && host.find("..") == std::string_view::npos;
}

std::string why_no_digest(std::string_view digest) {
    const std::size_t colon = digest.find(':');
    const std::string_view algorithm = digest.substr(0, colon);
    const std::string_view digits = colon == std::string_view::npos ? "" : digest.substr(colon + 1);
    constexpr std::array<std::pair<std::string_view, std::size_t>, 3> known = {
        {{"sha256", 64}, {"sha384", 96}, {"sha512", 128}}};
    const auto* of_it = std::ranges::find(known, algorithm, &std::pair<std::string_view, std::size_t>::first);
    if (colon == std::string_view::npos || !is_plain(algorithm, "+._-"))
        return "a digest is an algorithm and its digits: `@sha256:` and 64 of them";
    if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos)
        return "a digest has only the digits 0 to 9 and a to f";
    if (of_it != known.end() && digits.size() != of_it->second)
        return fmt::format("a digest of {} has {} digits, and this has {}", algorithm, of_it->second,
                           digits.size());
    return digits.size() < 32 ? "the digest is too short" : "";
}

std::string why_no_tag(std::string_view tag) {
    if (tag.empty()) return "the tag behind `:` is empty";
    if (tag.size() > 128) return "a tag has at most 128 characters";
    return is_plain(tag, "_.-") && tag.front() != '.'
               ? ""
               : "a tag has only letters, digits, `_`, `.` and `-`, and begins with none of the last two";
}

std::string why_no_path(std::string_view path) {
    std::size_t begin = 0;
    while (begin <= path.size()) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        begin = end + 1;
        if (is_path_part(part)) continue;
        if (part.empty()) return "a part of its path is empty";
        if (std::ranges::any_of(part, [](unsigned char c) { return std::isupper(c) != 0; }))
            return fmt::format("`{}` has capitals, and the path of an image is in small letters", part);
        return part.find(':') != std::string_view::npos
                   ? "it has more than one `:` for a tag"
                   : fmt::format("`{}` is no part of the path of an image", part);
    }
    return "";
}

// The registry is what has a dot, a port or capitals before the first slash.
std::string_view registry_of(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view first = text.substr(0, slash);
    const bool has_capitals =
        std::ranges::any_of(first, [](unsigned char c) { return std::isupper(c) != 0; });
    return slash != std::string_view::npos && (is_registry(first) || has_capitals) ? first
                                                                                   : std::string_view();
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
    take_reference(rest, name);
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

std::string why_no_image(std::string_view text) {
    if (text.find('$') != std::string_view::npos) return "";
    if (text.empty()) return "it is empty";
    if (text.find_first_of(" \t\r\n") != std::string_view::npos) return "it has a blank in it";
    if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos)
        return fmt::format("it is an address; leave `{}` out", text.substr(0, scheme + 3));
    const std::size_t at = text.find('@');
    if (at != std::string_view::npos)
        if (std::string why = why_no_digest(text.substr(at + 1)); !why.empty()) return why;
    std::string_view name = text.substr(0, at);
    if (const std::size_t colon = tag_colon(name); colon != std::string_view::npos) {
        if (std::string why = why_no_tag(name.substr(colon + 1)); !why.empty()) return why;
        name = name.substr(0, colon);
    }
    if (name.size() > 255) return "a name has at most 255 characters";
    const std::string_view registry = registry_of(name);
    if (registry.empty()) return why_no_path(name);
    if (!is_host_and_port(registry)) return fmt::format("`{}` is no registry", registry);
    return why_no_path(name.substr(registry.size() + 1));
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
