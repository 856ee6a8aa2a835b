// What run, plan and undo share: the tools they act through, and the options that choose them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "cli/frontend.hpp"
#include "runtime/engine/consent.hpp"
#include "runtime/engine/options.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/tools/tools.hpp"
#include "runtime/world/world.hpp"

namespace migc::cli {

struct SessionOptions {
    std::string world;                             // --world: a file, or "learning"; empty: live
    std::vector<std::string> faults;               // --fault, in the simulated world
    std::vector<std::string> interference;         // --interfere, likewise
    std::string record, replay;                    // --record, --replay: transcript files
    std::string context, name_space;               // --context, --namespace
    std::vector<std::string> set;                  // --set NAME=VALUE
    std::vector<std::string> stages;               // --stage: these only
    std::vector<std::string> approvals, evidence;  // --approval, --evidence: signed files
    bool allow_tools = false;                      // --allow-tools: what the project says is executed
    bool only_digests = false;                     // for which nothing of the project is ever executed
    runtime::Work work = runtime::Work::Looks;
    bool json = false;
    std::string state;       // --state: write the world's state there at the end
    std::vector<int> locks;  // descriptors of what is locked, for a tool that may outlive migc
};

// Neither simulated nor replayed.
bool is_live(const SessionOptions& options);

// Whether a step of the script may change files of the project.
bool edits_files(const ir::Program& program);

// What a live run of it locks: each environment, and the project's files.
std::vector<std::string> lock_names(const ir::Program& program);

void add_session_options(CLI::App& command, SessionOptions& options);

// A copy of the project in a temporary folder, for a simulated or replayed run that would edit its files;
// gone with the object.
class ScratchCopy {
  public:
    // Nothing if the run is live or the script edits no file. Sets the inventory's root to the copy.
    static tl::expected<std::unique_ptr<ScratchCopy>, std::string> make(const SessionOptions& options,
                                                                        Script& script);
    ~ScratchCopy();
    ScratchCopy(const ScratchCopy&) = delete;
    ScratchCopy& operator=(const ScratchCopy&) = delete;

    // The files that are not as they were copied: their path, and the digest of what they hold now, or null
    // for one that is gone.
    [[nodiscard]] nlohmann::json changed_files() const;
    // Makes it as it was copied; the error names a file for which that failed, or which is another by now.
    [[nodiscard]] tl::expected<void, std::string> restore() const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    ScratchCopy(std::filesystem::path of, std::filesystem::path folder)
        : of_(std::move(of)), folder_(std::move(folder)) {}
    std::filesystem::path of_;
    std::filesystem::path folder_;
    std::map<std::string, std::string> copied_;  // path -> digest
};

// The tools that the options ask for; the error is a sentence, or empty if diagnostics were printed.
struct Session {
    SourceMap sources;  // of the world's file
    std::unique_ptr<runtime::Tools> tools;
    std::string world;                             // its name, for reports; empty if live
    runtime::ConsentedTools* consented = nullptr;  // the tools, if they are live
    runtime::World* simulated = nullptr;  // the tools, or what is behind them; null if live or replayed

    // Others act by the steps of a run as well: to be told every event.
    void on(const runtime::Event& event) const;
};
tl::expected<std::unique_ptr<Session>, std::string> open_session(const SessionOptions& options,
                                                                 const Script& script);

// Values of --set, typed by the script's parameters; the error names the wrong one.
tl::expected<runtime::RunOptions, std::string> run_options(const SessionOptions& options,
                                                           const Script& script);

// Writes what --state asks for: the world's state, and the files of the scratch copy that the run left
// changed. Says what others wrote, and whether it is still there.
void close_session(const SessionOptions& options, Session& session, const ScratchCopy* scratch);

}  // namespace migc::cli
