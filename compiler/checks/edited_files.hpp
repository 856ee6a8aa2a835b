// What the files of the project hold at each step: what is on the disk, with what the steps before have
// edited.
#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/checks/manifests.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/ir/value.hpp"
#include "compiler/source/source.hpp"

namespace migc::checks {

struct Event;

// `set value of FILE at POINTER to VALUE`, as far as it is known.
struct Edit {
    std::string file;
    std::string pointer;
    bool removes = false;
    std::optional<nlohmann::json> value;  // what is set; nothing if only a run can tell
};

// The edits that an event is, whether or not it happens, where their places are known.
std::vector<Edit> possible_edits(const Event& event);
// The edits that an event is; none where the place of one is not known, or whether it happens.
std::vector<Edit> edits_of(const Event& event);

// What stands at a pointer as a script may write it, `key=value` for an element of a list included; null if
// nothing.
const nlohmann::json* value_at(const nlohmann::json& whole, const std::string& pointer);

// What a value would be in a JSON file.
nlohmann::json in_json(const Value& value);

// A place in the order of all steps: how many of them have changed files by then.
using Moment = std::size_t;
constexpr Moment in_the_end = std::numeric_limits<Moment>::max();

class EditedFiles {
  public:
    // `root` is the project's; files that findings point into are added to `sources`.
    EditedFiles(std::filesystem::path root, SourceMap& sources) : root_(std::move(root)), sources_(sources) {}

    // Takes a step for done: an edit is made, every other change of a file makes it unknown from then on.
    void take(const Event& event);
    [[nodiscard]] Moment now() const { return now_; }

    // A whole file as it is then; null if it is not there, cannot be read, or only a run can tell.
    const nlohmann::json* file(const std::string& path, Moment when = in_the_end) const;
    // An object of a manifest as it is then; null if only a run can tell, or it is another one by then.
    const Object* version(const Object& object, Moment when = in_the_end) const;
    const nlohmann::json* object(const Object& object, Moment when = in_the_end) const;
    // Why an edit of a file could not be made as the file is then; nothing if it can be, or only a run can
    // tell.
    std::optional<documents::Problem> refusal(const Edit& edit, Moment when) const;
    // The place of a value on the disk; the file's first line if it is not there.
    Span span(const std::string& path, const std::string& pointer) const;

  private:
    struct Version {
        std::optional<std::string> text;  // nothing if only a run can tell
        std::optional<nlohmann::json> whole;
        std::optional<std::vector<Object>> objects;
    };
    struct File {
        std::vector<std::pair<Moment, Edit>> edits;  // in the order of the script
        std::optional<Moment> lost;                  // from when on only a run can tell what it holds
        std::map<std::size_t, Version> versions;     // by how many edits are made
        std::optional<FileId> id;
    };

    [[nodiscard]] bool is_lost(const File& file, Moment when) const;
    Version& on_disk(const std::string& path, File& file) const;
    Version& made(const std::string& path, File& file, Moment when) const;

    std::filesystem::path root_;
    SourceMap& sources_;
    Moment now_ = 0;
    std::optional<Moment> all_lost_;  // some step has changed a file that only a run can name
    // A cache but for the edits: a file is read, and edited, only when somebody asks for it.
    mutable std::map<std::string, File> files_;
    mutable std::size_t made_ = 0;
};

}  // namespace migc::checks
