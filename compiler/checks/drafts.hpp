// The project's files as the script leaves them: what is on the disk, with the edits of its steps so far.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/checks/manifests.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/source/source.hpp"

namespace migc::checks {

// `set value of FILE at POINTER to VALUE`, as far as it is known.
struct Edit {
    std::string file;
    std::string pointer;
    bool removes = false;
    std::optional<nlohmann::json> value;  // what is set; nothing if only a run can tell
};

// The edit that a change of a file is; nothing for every other event, and where the place is not known.
std::optional<Edit> edit_of(const Event& event);

// What stands at a pointer as a script may write it, `key=value` for an element of a list included; null if
// nothing.
const nlohmann::json* value_at(const nlohmann::json& whole, const std::string& pointer);

// What a value would be in a JSON file.
nlohmann::json in_json(const Value& value);

class Drafts {
  public:
    // `root` is the project's; files that findings point into are added to `sources`.
    Drafts(std::filesystem::path root, SourceMap& sources) : root_(std::move(root)), sources_(sources) {}

    // Takes an event of the script for done: an edit is made, every other change of a file makes it unknown.
    void take(const Event& event);

    // A whole file as it is by now; null if it is not there, cannot be read, or only a run can tell.
    const nlohmann::json* file(const std::string& path);
    // An object of a manifest as it is by now; null if only a run can tell.
    const nlohmann::json* object(const Object& object);
    // The place of a value on the disk; the file's first line if it is not there.
    Span span(const std::string& path, const std::string& pointer);

  private:
    // Read, and edited, only when somebody asks for it.
    struct Draft {
        std::vector<Edit> edits;  // in the order of the script
        std::size_t made = 0;     // how many of them the value has
        bool known = true;
        std::optional<std::string> text;  // as it is on the disk
        std::optional<nlohmann::json> value;
        std::optional<FileId> id;
    };

    const std::string& text(const std::string& path, Draft& draft);

    std::filesystem::path root_;
    SourceMap& sources_;
    std::map<std::string, Draft> drafts_;
    bool all_unknown_ = false;  // some step has changed a file that only a run can name
};

}  // namespace migc::checks
