// Manifests: YAML or JSON files, each with one or more Kubernetes objects.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

// How an object is named between probes and verbs: "deployment/redis", or with the namespace that the
// manifest gives "deployment/monadic-pipeline/redis". The type is what kubectl takes: the kind in small
// letters, with the API group where it is not one of Kubernetes' own ("certificate.cert-manager.io").
struct Handle {
    std::string type;
    std::string name_space;
    std::string name;

    [[nodiscard]] std::string text() const {
        return type + (name_space.empty() ? "/" : "/" + name_space + "/") + name;
    }
    [[nodiscard]] std::string written() const { return type + "/" + name; }
};
tl::expected<Handle, std::string> parse_handle(std::string_view text);

struct Document {
    Handle handle;
    nlohmann::json declared;  // which fields it has; scalars are strings
    std::string text;  // as it stands in the file: kubectl reads it, so that no meaning is lost on the way
};

// The objects of a manifest's text in document order; `file` is for messages.
tl::expected<std::vector<Document>, std::string> parse_manifest(std::string_view text,
                                                                const std::string& file);

// The objects of a file, or of the .yaml, .yml and .json files of a folder in order of their names; a
// kustomization is none of them.
tl::expected<std::vector<Document>, std::string> read_manifest(const std::filesystem::path& path);

// The names of what else is in a folder; empty for a file.
tl::expected<std::vector<std::string>, std::string> files_beside_manifests(const std::filesystem::path& path);

}  // namespace migc::runtime::inline natives
