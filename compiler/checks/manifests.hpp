// The Kubernetes objects that the project's manifests declare, with their places. Read when first asked for.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/source/source.hpp"

namespace migc::checks {

struct Object {
    std::string thing;  // "deployment/webapi"
    std::string file;   // relative to the project's root
    nlohmann::json json;
    std::size_t document = 0;  // its number in the file
};

// The text at a JSON pointer; empty if there is none.
std::string text_at(const nlohmann::json& object, const char* pointer);

class Manifests {
  public:
    // `root` is the project's; files that findings point into are added to `sources`.
    Manifests(std::filesystem::path root, SourceMap& sources) : root_(std::move(root)), sources_(sources) {}

    // The objects of a file, or of the files of a folder; what cannot be read has none.
    [[nodiscard]] std::vector<const Object*> of(const std::string& path) const;
    // The objects of the folders in which one looks for manifests: k8s, kubernetes, manifests, deploy; and of
    // every file that `of` was asked for.
    [[nodiscard]] const std::vector<const Object*>& all() const;
    // Those of them that are called so: one, unless several files declare it.
    [[nodiscard]] const std::vector<const Object*>& declaring(const std::string& thing) const;
    // The workloads whose pods read a ConfigMap or Secret ("configmap/settings").
    [[nodiscard]] std::vector<const Object*> readers(const std::string& thing) const;
    // Where an object says what stands at a JSON pointer; its file's first line if it says nothing there.
    [[nodiscard]] Span span(const Object& object, const std::string& pointer) const;

  private:
    const std::vector<Object>& file(const std::filesystem::path& full) const;

    std::filesystem::path root_;
    SourceMap& sources_;
    mutable std::map<std::string, std::vector<Object>> files_;
    mutable std::map<std::string, std::pair<std::optional<FileId>, std::string>> texts_;
    mutable std::optional<std::vector<const Object*>> all_;
    mutable std::optional<std::map<std::string, std::vector<const Object*>>> by_name_;
};

}  // namespace migc::checks
