// Names of images as docker writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace migc::kubernetes {

struct ImageName {
    std::string registry;    // "cr.example.org:5000", "registry-1.docker.io"
    std::string repository;  // "team/web", "library/redis"
    std::string reference;   // a digest, else a tag, else "latest"
    std::string tag;         // that is written, or "latest" where nothing is

    // Where a registry keeps the manifest. Plain HTTP only on this machine, as docker does.
    [[nodiscard]] std::string manifest_url() const;
    // Empty if it goes by a tag.
    [[nodiscard]] std::string digest() const { return reference == tag ? "" : reference; }
    // The same image by its digest, as docker wants it.
    [[nodiscard]] std::string at_digest(const std::string& digest) const;
};

// Takes what a tool may have answered; whether a cluster would take it, why_no_image says.
tl::expected<ImageName, std::string> parse_image(std::string_view text);

// Why a cluster could not pull an image of this name, as the end of a sentence: "a name has no blanks"; empty
// if it could. Nothing is said of a text with a `$`.
std::string why_no_image(std::string_view text);

// Whether the name may be another image tomorrow: it has no tag, or one that is pushed again and again, such
// as "latest" or the name of one of these environments. A digest never does; nothing is said of a text with a
// `$`.
bool is_moving(std::string_view image, const std::vector<std::string>& environments);

}  // namespace migc::kubernetes
