// The break-glass sheet: the commands that take back, by hand and without migc, what a run has done so far.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/engine/change.hpp"
#include "runtime/engine/environment.hpp"
#include "runtime/engine/evaluate.hpp"

namespace migc::runtime {

struct StageRun;

// Safe to use from several threads. Reads nothing from the outside, and holds no secret: a command that needs
// one says its name.
class Sheet {
  public:
    // What it is given outlives it.
    Sheet(const ir::Program& program, const project::Inventory& inventory, const RunOptions& options);
    ~Sheet();
    Sheet(const Sheet&) = delete;
    Sheet& operator=(const Sheet&) = delete;

    // Takes in how a change stands now; what is undone or left nothing is not on the sheet any more.
    void update(const StageRun& stage, const Change& change);
    // The whole sheet, the last change first. `heading` says of which run.
    std::string text(const std::string& heading);
    // Writes it into a folder as `undo-sheet.txt`, whole or not at all, for its owner only. A sheet that
    // cannot be written stops no run: the journal has all of it.
    void write(const std::filesystem::path& folder, const std::string& heading);

  private:
    struct Entry {
        std::string stage;
        bool composite = false;  // speaks for the steps inside of it
        bool deferred = false;   // runs after what it follows, so last in its stage
        std::string text;
    };
    class Writer;
    class NoTools;

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const RunOptions& options_;
    std::unique_ptr<NoTools> tools_;
    std::mutex mutex_;
    std::vector<std::string> stages_;                                     // in the order of the run
    std::map<std::string, Entry, decltype(&earlier)> entries_{&earlier};  // by step
};

}  // namespace migc::runtime
