// Names of images as docker writes them.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

struct ImageName {
    std::string registry;    // "cr.example.org:5000", "registry-1.docker.io"
    std::string repository;  // "team/web", "library/redis"
    std::string reference;   // a tag, "latest" if none is written, or a digest

    // Where a registry keeps the manifest. Plain HTTP only on this machine, as docker does.
    [[nodiscard]] std::string manifest_url() const;
    // The same image by its digest, as docker wants it.
    [[nodiscard]] std::string at_digest(const std::string& digest) const;
};

tl::expected<ImageName, std::string> parse_image(std::string_view text);

}  // namespace migc::runtime::inline natives
