// The undo runbook: the commands that take back, by hand and without migc, what a run
// has done so far. It is a text for bash: every line does its work as it is typed, from any folder and with
// any current context; what cannot be typed is said in a comment. What the lines need besides (patches,
// definitions, files) lies beside it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/replaced_file.hpp"
#include "runtime/evaluate/environment.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/journal/change.hpp"

namespace migc::runtime::inline engine {

struct StageRun;

// Safe to use from several threads. Reads nothing from the outside, and holds no secret: a command that needs
// one says its name.
class Runbook {
  public:
    // What it is given outlives it.
    Runbook(const ir::Program& program, const project::Inventory& inventory, const RunOptions& options);
    ~Runbook();
    Runbook(const Runbook&) = delete;
    Runbook& operator=(const Runbook&) = delete;

    // The run's folder; what the lines name lies in its folder `undo`. Before the first `update`.
    void belongs_to(const std::filesystem::path& folder);
    // Takes in how a change stands now; what is undone or left nothing is not on the runbook any more.
    void update(const StageRun& stage, const Change& change);
    void forget(const std::string& stage, const StepId& step);
    // The whole runbook, the last change first. `heading` says of which run.
    std::string text(const std::string& heading);
    // Keeps it in a folder from now on, as `undo-sheet.txt`, for its owner only.
    void keep_in(const std::filesystem::path& folder);
    [[nodiscard]] bool is_kept() const { return file_ != nullptr; }
    // Writes it where it is kept, whole or not at all. A runbook that cannot be written stops no run: the
    // journal has all of it.
    void write(const std::string& heading);
    // Writes the files that the lines name, each for its owner only, and removes those that none names any
    // more.
    void write_files();

  private:
    struct Entry {
        bool composite = false;  // speaks for the steps inside of it
        bool deferred = false;   // runs after what it follows, so last in its stage
        std::string text;
        std::map<std::string, std::string> files;  // by whole path
    };
    struct Part {
        std::string stage;
        StageEnvironment environment;  // as the lines may know it
        std::map<StepId, Entry, decltype(&semantics::earlier)> entries{&semantics::earlier};  // by step
    };
    class Writer;
    class NoTools;

    Part& part_of(const StageRun& stage);
    // The last one first, without what a composite speaks for.
    [[nodiscard]] std::vector<const Entry*> shown() const;
    static std::vector<const Entry*> shown(const Part& part);
    static std::string assembled(const std::string& heading, const std::vector<const Entry*>& entries);
    void write_wanted_files(const std::vector<const Entry*>& entries);

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const RunOptions& options_;
    std::unique_ptr<NoTools> tools_;
    std::mutex mutex_;
    std::vector<Part> parts_;  // a stage each, in the order of the run
    std::unique_ptr<ReplacedFile> file_;
    std::filesystem::path folder_;
    std::map<std::string, std::string> written_;  // what this process has put into files, by whole path
};

}  // namespace migc::runtime::inline engine
