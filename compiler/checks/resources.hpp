// Which resources there are: what a step touches is called by one name, however it is written.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/checks/manifests.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"

namespace migc::checks {

// Whether what an object holds is gone with it: a claim, a volume, a namespace, a resource definition.
bool holds_data(const ResourceKey& thing);
// Whether a thing is in the cluster or behind it, and no file of the project or image.
bool is_live(const ResourceKey& thing);

// Some things, for people: the first few by name.
std::string in_words(const std::set<ResourceKey>& things);

// Which argument of a probe's role names the file that it is about; nothing if it is about none.
std::optional<std::size_t> file_in(const ir::Probe& probe);

class Resources {
  public:
    Resources(const ir::Program& program, const project::Inventory& inventory, const Manifests& manifests)
        : program_(program), inventory_(inventory), manifests_(manifests) {}

    // How a resource is called in the cluster: webapi is "deployment/monadic-pipeline-webapi".
    [[nodiscard]] ResourceKey thing(const ResourceRef& resource) const;
    // What a probe is about, by its role, else by the types of its parameters. An object of a manifest is
    // named by its handle, and the manifest is only where it is described.
    [[nodiscard]] std::set<ResourceKey> things_of(const ir::Probe& probe,
                                                  const std::vector<std::optional<Value>>& arguments,
                                                  const std::vector<std::optional<Value>>& role) const;

    // The object that the manifests at a path declare of a thing, and that a step applies in an environment;
    // null if they declare none.
    const Object* applied(const std::string& path, const ResourceKey& thing, const std::string& environment);
    // Those of some objects that speak of an environment: not those of another environment's folder or
    // namespace, and not those that only stages of others apply.
    [[nodiscard]] Manifests::Objects of_environment(const Manifests::Objects& objects,
                                                    const std::string& environment) const;
    // Whether the path of a file names an environment, so that it speaks of that one only.
    [[nodiscard]] bool is_of_one(const std::string& file) const { return !named_by(file).empty(); }

  private:
    struct Applied {
        std::vector<std::string> files;
        std::map<ResourceKey, const Object*> objects;
        std::set<std::string> environments;
    };

    void add_things(std::set<ResourceKey>& things, ir::TypeKind type,
                    const std::optional<Value>& argument) const;
    [[nodiscard]] bool is_of(const Object& object, const std::string& environment) const;
    [[nodiscard]] const std::set<std::string>& named_by(const std::string& file) const;
    [[nodiscard]] const std::set<std::string>& namespaces() const;

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const Manifests& manifests_;
    std::map<std::string, Applied> applied_;                 // by path
    std::map<std::string, std::set<std::string>> appliers_;  // by file: the environments
    // Caches: of the namespaces that any manifest names, and by file of the environments that its path names.
    mutable std::optional<std::set<std::string>> namespaces_;
    mutable std::map<std::string, std::set<std::string>> named_;
};

}  // namespace migc::checks
