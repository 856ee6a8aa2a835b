// Manifests: YAML or JSON files, each with one or more Kubernetes objects.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace migc::kubernetes {

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

// "webapi" of "deployment/webapi", also with a namespace between both; "" if there is no slash.
std::string object_name(const std::string& written);
// "deployment/webapi" of "deploy/webapi" and "Deployment/namespace/webapi": a type and a name, however they
// are spelled. A text without a slash stays as it is.
std::string plain_handle(std::string_view written);

struct Document {
    Handle handle;
    nlohmann::json declared;  // which fields it has; scalars are strings
    std::string text;  // as it stands in the file: kubectl reads it, so that no meaning is lost on the way
};

// Why a document is no object that could be applied; empty if it is one.
std::string why_no_object(const nlohmann::json& document);
// Whether a document holds several objects.
bool is_list(const nlohmann::json& document);
// Whether a file of a folder holds objects: .yaml, .yml or .json, and no kustomization, which says how
// manifests are put together.
bool is_manifest_name(const std::filesystem::path& file);

// The objects of a manifest's text in document order; `file` is for messages.
tl::expected<std::vector<Document>, std::string> parse_manifest(std::string_view text,
                                                                const std::string& file);

// The objects of a file, or of the manifests of a folder in order of their names. A file that is as it was
// when it was last read in this process is not parsed again.
tl::expected<std::vector<Document>, std::string> read_manifest(const std::filesystem::path& path);
// The object of that handle (`Handle::text`) in a file or folder; nothing if none is declared there. Once
// found it is looked for in its file first, and elsewhere only if it is not there any more.
tl::expected<std::optional<Document>, std::string> object_in_manifest(const std::filesystem::path& path,
                                                                      const std::string& handle);

// The names of what else is in a folder; empty for a file.
tl::expected<std::vector<std::string>, std::string> files_beside_manifests(const std::filesystem::path& path);

}  // namespace migc::kubernetes
