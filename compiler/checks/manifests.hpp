// The Kubernetes objects that the project's manifests declare, with their places. Read when first asked for.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/checks/resource_key.hpp"
#include "compiler/documents/text.hpp"
#include "compiler/source/source.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {

struct Object {
    ResourceKey thing;
    std::string file;  // relative to the project's root
    nlohmann::json json;
    std::size_t document = 0;  // its number in the file
    std::string item;          // of a List: the object's pointer in the document, "/items/2"
};

// Why a manifest, or a document of it, declares no object.
struct Unusable {
    std::string file;
    std::size_t offset = 0;  // in bytes
    std::string message;
    bool whole = true;  // nothing can be said of the file; else a document of it is no object
};

// The whole text of a project's file; nothing if it is none, is too large, or cannot be read.
std::optional<std::string> content(const std::filesystem::path& root, const std::filesystem::path& path);

// What a place in a text says, as far as its first line goes.
Span first_line(FileId file, std::string_view text, documents::Range range);

// Whether an object runs pods that go on running, so that somebody has to start them anew.
bool is_workload(const ResourceKey& thing);

class Manifests {
  public:
    using Objects = std::vector<const Object*>;

    // `root` is the project's; files that findings point into are added to `sources`.
    Manifests(std::filesystem::path root, SourceMap& sources);
    ~Manifests();
    Manifests(const Manifests&) = delete;
    Manifests& operator=(const Manifests&) = delete;

    // The objects of a file, or of the files in a folder; what cannot be read has none.
    [[nodiscard]] const Objects& of(const std::string& path) const;
    // The files that `apply` of a path takes, relative to the root.
    [[nodiscard]] std::vector<std::string> files_of(const std::string& path) const;
    // The objects of the folders in which one looks for manifests: k8s, kubernetes, manifests, deploy; and of
    // every file that `of` was asked for.
    [[nodiscard]] const Objects& all() const;
    // At least those of all whose files hold every one of the words, in whatever case: those that were given
    // before, and perhaps more.
    [[nodiscard]] Objects mentioning(const std::set<std::string>& words) const;
    // Those of all that declare a thing.
    [[nodiscard]] const Objects& declaring(const ResourceKey& thing) const;
    // The workloads whose pods read a ConfigMap or Secret ("configmap/settings").
    [[nodiscard]] const Objects& readers(const ResourceKey& thing) const;
    // The autoscalers that set the number of a workload's pods.
    [[nodiscard]] const Objects& autoscalers(const ResourceKey& thing) const;
    // The services that select a workload's pods.
    [[nodiscard]] Objects services(const Object& workload) const;
    // The workloads whose pods mount a claim.
    [[nodiscard]] Objects mounting(const ResourceKey& claim) const;
    // What of the files that were read declares no object.
    [[nodiscard]] const std::vector<Unusable>& unusable() const { return unusable_; }
    // The text of a file that was read; nothing if it could not be.
    [[nodiscard]] std::optional<std::string_view> text(const std::string& file) const;
    // The objects that a file would declare with another text.
    [[nodiscard]] static std::vector<Object> objects_of(const std::string& file, std::string_view text);
    // Where an object says what stands at a JSON pointer; the last place on the way to it that is there.
    [[nodiscard]] Span span(const Object& object, const std::string& pointer) const;
    // The rest of the line at an offset of a file that was read.
    [[nodiscard]] Span span(const std::string& file, std::size_t offset) const;

  private:
    struct File;
    using Index = std::unordered_map<ResourceKey, Objects>;

    File& read(const std::filesystem::path& full) const;        // not parsed yet
    const File& file(const std::filesystem::path& full) const;  // parsed
    const std::vector<std::filesystem::path>& usual_files() const;
    void look_for(const std::set<std::string>& words) const;
    void enter(const Object& object) const;
    void look_around() const;
    FileId id_of(File& file, const std::string& name) const;

    std::filesystem::path root_;
    SourceMap& sources_;
    mutable std::map<std::string, std::unique_ptr<File>> files_;
    mutable std::vector<Unusable> unusable_;
    mutable Objects all_;
    mutable bool has_all_ = false;
    mutable std::set<std::set<std::string>> looked_for_;
    mutable std::optional<std::vector<std::filesystem::path>> usual_files_;
    mutable std::map<std::string, Objects> paths_;
    mutable Index by_thing_, by_configuration_, by_scaled_;
    mutable std::unordered_map<std::string, Objects> by_selected_;  // by the first label
};

}  // namespace migc::checks
