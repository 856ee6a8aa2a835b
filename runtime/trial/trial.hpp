// One run of the real engine in a simulated world of its own, and what was left of it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/engine/engine.hpp"
#include "runtime/session/scratch.hpp"
#include "runtime/world/world.hpp"

namespace migc::trial {

using driver::Script;
using session::ScratchCopy;
using session::SessionOptions;

// Where a run is killed: behind its event of this number, written down or not. Then it is resumed.
struct Kill {
    std::size_t event = 0;  // the first is 0
    bool written = false;
    std::string text;  // for people: "`scale webapi to 4` was begun"
};

struct TrialPlan {
    std::vector<runtime::Fault> faults = {};
    std::optional<std::size_t> stop_after = {};  // intents: then the operator stops the run, and undoes it
    std::optional<Kill> kill = {};
    std::optional<runtime::Interference> other = {};  // somebody else acts, once
    bool undo = false;                                // what is done is undone then
};

// A command that changed something, as a fault can name it: its text, and which one of that text it is; and
// what was read next.
struct Changing {
    std::string text;
    std::size_t nth = 1;
    std::size_t during = 0;  // how many events were told before it
    std::string what;        // the text, without names that are made up each time
    std::vector<std::pair<std::string, std::size_t>> read_after;
};

struct Trial {
    runtime::RunResult result;
    std::optional<runtime::RunResult> undone;      // of `migc undo`, after a stop or a run that is done
    std::optional<runtime::RunResult> resumed;     // of `migc resume`, after a kill
    std::string stage;                             // the last that was begun
    std::map<std::string, nlohmann::json> begins;  // the world's state when each stage began
    nlohmann::json before, after;                  // and before and after the run
    std::vector<nlohmann::json> ended;             // and when the run, and what followed it, had ended
    std::vector<std::string> lost;                 // writes of others that were overwritten
    bool interfered = false;                       // whether somebody else did something
    std::vector<std::string> idle_faults;          // those that met no command, each in a sentence
    bool undid_all = false;
    std::vector<runtime::Event> events;     // as they are told
    std::vector<runtime::Event> journaled;  // as they are written down, before anything is undone or resumed
    std::vector<Changing> changing;
    std::vector<std::size_t> commands;  // how many had been run when each step began, and when it was told of
    std::size_t intents = 0;
    std::size_t step_began = 0;  // how many commands had been run when the last step began
    bool undoing = false;        // whether an undo has begun

    // The state in which whatever is undone must end.
    [[nodiscard]] const nlohmann::json& origin() const {
        const auto began = begins.find(stage);
        return undid_all || undone || began == begins.end() ? before : began->second;
    }
    [[nodiscard]] const runtime::RunResult& last() const {
        return resumed ? *resumed : undone ? *undone : result;
    }
};

// In a copy of the project where there is one, which is afterwards as it was. The error: the world cannot be
// had.
tl::expected<Trial, std::string> try_run(const SessionOptions& options, Script& script, const TrialPlan& plan,
                                         ScratchCopy* copy);

// Why nobody could live with how it ended; nothing if it ended well: done, undone with everything as it was,
// held or in doubt for a reason that is told.
std::optional<std::string> hole(const Trial& trial, const ir::Program& program, std::size_t faults);

// The same where somebody else acted as well: of `plain`, the run, and its undo, without them. Nothing of
// theirs may be lost, and what is called done or undone must be so for all that the script changes.
std::optional<std::string> hole_with_others(const Trial& trial, const Trial& plain);

// Which of the faults that the options ask for would meet no command, each in a sentence. Nothing of the
// trial is told, or kept. Where nothing could be tried, nothing is said: the run itself will say why.
std::vector<std::string> idle_faults(SessionOptions options, Script& script);

// "clusters/staging/../replicas: 2 -> 3", one per line.
std::vector<std::string> differences(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace migc::trial
