// What a run, a plan, an undo and a trial have in common: the tools they act through, and the options that
// choose them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/driver/script.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/tools/tools.hpp"
#include "runtime/world/world.hpp"

namespace migc::session {

using driver::Script;

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

    // Nothing is printed here. Told are single lines, and what is wrong with the file of a world.
    std::function<void(const std::string& line)> tell = [](const std::string&) {};
    std::function<void(const Diagnostics&, const SourceMap&)> findings = [](const auto&, const auto&) {};
    // Whether a person lets these programs of the project be run; nothing where nobody can be asked.
    std::function<std::optional<bool>(const std::string& programs)> ask = [](const auto&) {
        return std::nullopt;
    };
};

// Why nothing is begun, and with which exit code.
struct Refusal {
    std::string message;
    int exit_code = 2;
    bool in_lines = false;  // the message has several
};
constexpr int locked = 5;  // somebody else is at work, or the script is not the one that was agreed on

// Neither simulated nor replayed.
bool is_live(const SessionOptions& options);

// Whether a step of the script may change files of the project.
bool edits_files(const ir::Program& program);

// What a live run of it locks: each environment, and the project's files.
std::vector<std::string> lock_names(const ir::Program& program);

// The tools that the options ask for; the error is a sentence.
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

class ScratchCopy;
// Writes what --state asks for: the world's state, and the files of the scratch copy that the run left
// changed. Tells what others wrote, and whether it is still there; and why the file could not be written.
void close_session(const SessionOptions& options, Session& session, const ScratchCopy* scratch);

}  // namespace migc::session
