// Reads values of migc.yaml and reports what is wrong with them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/project/yaml.hpp"

namespace migc::project {

// The keys that a map may have, and what is done with the value of each.
using Key = std::pair<std::string, std::function<void(const YamlNode&)>>;
using Keys = std::vector<Key>;

class Reader {
  public:
    explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    // Reports P001 at the node.
    Diagnostic& wrong(const YamlNode& node, std::string message) const;

    // Each of these takes what the value is called in messages; nothing is returned for what was reported.
    // A map may be left empty (`staging:`), then it has no entries.
    bool is_map(const YamlNode& node, std::string_view called) const;
    bool is_list(const YamlNode& node, std::string_view called) const;
    [[nodiscard]] std::optional<std::string> text(const YamlNode& node, std::string_view called) const;
    // An argument of a command that migc.yaml itself writes out: it may be an option.
    [[nodiscard]] std::optional<std::string> argument(const YamlNode& node, std::string_view called) const;
    [[nodiscard]] std::optional<bool> boolean(const YamlNode& node, std::string_view called) const;
    // A path below the project's root.
    [[nodiscard]] std::optional<std::string> path(const YamlNode& node, std::string_view called) const;
    // The same, or one outside of the project that the user allows, or will have to: see named_file.
    // `root`: the project's.
    [[nodiscard]] std::optional<std::string> named_file(const YamlNode& node, std::string_view called,
                                                        const std::filesystem::path& root) const;
    // A word that a script can name: letters, digits and hyphens, beginning with a letter.
    bool is_word(const YamlNode& node, std::string_view called) const;
    // The value of a script's parameter; refuses plain text that YAML readers take for different things.
    [[nodiscard]] std::optional<Scalar> parameter(const YamlNode& node, std::string_view called) const;

    // A key whose value is a text, for `each_key`; of what was reported, the place stays as it is.
    template <typename Place>
    Key text_key(std::string key, Place& place) const {
        const auto read = [this, called = "`" + key + "`", &place](const YamlNode& node) {
            if (auto found = text(node, called)) place = std::move(*found);
        };
        return {std::move(key), read};
    }

    // Hands each value of a map to its key's function; reports keys that are not known.
    void each_key(const YamlNode& map, std::string_view called, const Keys& keys) const;

  private:
    void report_unknown_key(const YamlNode& key, std::string_view called, const Keys& keys) const;

    Diagnostics& diagnostics_;
};

// Whether a path, as written, stays inside the folder that it is relative to.
bool stays_inside(const std::string& path);

}  // namespace migc::project
