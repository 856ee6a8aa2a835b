// The files that a change works from: found in the script, digested, copied into the run's own folder.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"
#include "runtime/evaluate/environment.hpp"

namespace migc::runtime::inline reviews {

// A stage with the environment that it acts in.
struct BoundStage {
    const ir::Stage* stage = nullptr;
    const StageEnvironment* environment = nullptr;
};

// The paths that stages name, relative to the project's root; a folder stands for what is below it. Those
// that a step makes, that hold a secret, or whose text only the run can tell are not among them.
struct NamedPaths {
    std::set<std::string> paths;
    std::set<std::string> terraform;  // folders of configuration
    // What else the steps name: those of the paths that the script puts together, or has from a parameter;
    // the tools that they run, the project's own programs, and the channels that they say something in.
    std::set<std::string> composed, tools, programs, channels;
    bool complete = true;  // false: the script has more steps, round by round, than are looked through

    void merge(NamedPaths other);
};
NamedPaths named_paths(const ir::Program& program, const std::vector<BoundStage>& stages);

// Safe to use from several threads.
class Inputs {
  public:
    // Finds and digests those of all stages, also where only some are run: the change is the same. The error
    // is a sentence: too many or too large files, a link that leads out of the project's root, a file that
    // cannot be read.
    static tl::expected<std::unique_ptr<Inputs>, std::string> collect(const ir::Program& program,
                                                                      const project::Inventory& inventory,
                                                                      const RunOptions& options);

    // By path: SHA-256 in hexadecimal, " executable" behind it where it may be executed; null for a file that
    // was named and is not there.
    [[nodiscard]] nlohmann::json digests();

    // Copies them below `folder` (mode 0700, files 0600, or 0700 where they are executable), and from then on
    // keeps the copies as the run's own steps change the files. The error is a sentence.
    tl::expected<void, std::string> copy_into(const std::filesystem::path& folder);

    // Those of which there is a copy below `folder` with another content.
    [[nodiscard]] std::vector<std::string> unlike(const std::filesystem::path& folder);

    // Which input at or below this path is not as it was reviewed; nothing if none, or if it is no input. The
    // path may be whole, or relative to the root.
    std::optional<std::string> changed(const std::string& path);
    // A step of the run has written or removed this file: from now on it is as it is now.
    void wrote(const std::string& path);
    // A program of the project has run: what it left is what the run goes on with.
    void accept_all();

  private:
    struct Stamp {  // what changes with the content, cheap to read
        std::uint64_t device = 0, inode = 0, size = 0;
        std::int64_t modified_ns = 0, changed_ns = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    struct Input {
        std::optional<std::string> digest;  // nothing: there is no such file
        Stamp stamp;
    };
    using Listing = std::map<std::string, Input>;

    Inputs() = default;
    tl::expected<void, std::string> add(const std::string& path, bool terraform);
    tl::expected<std::vector<std::string>, std::string> files_at(const std::string& path,
                                                                 bool terraform) const;
    tl::expected<Input, std::string> read(const std::string& path) const;
    static std::optional<Stamp> stamp_of(const std::filesystem::path& file);
    [[nodiscard]] std::string relative(const std::string& path) const;
    std::optional<std::string> changed_file(const std::string& path);
    void accept(const std::string& path);
    void copy(const std::string& path) const;

    std::mutex mutex_;
    std::filesystem::path root_;
    NamedPaths named_;
    Listing files_;
    std::uintmax_t bytes_ = 0;
    std::filesystem::path copies_;  // empty: none are kept
};

}  // namespace migc::runtime::inline reviews
