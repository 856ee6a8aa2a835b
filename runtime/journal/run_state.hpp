// What a run has done so far and how far it has come, as its events tell: the one fold over them. Undo and
// resume begin from it, status and history show it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/semantics/outcome.hpp"
#include "runtime/journal/change.hpp"
#include "runtime/journal/event.hpp"

namespace migc::runtime::inline journal {

// Reasons of an undo that are no failure of the stage.
constexpr const char* undo_by_operator = "the operator asked for it";
constexpr const char* undo_by_later_stage = "a later stage undoes all";

// How long a soak has seen its condition hold, and when it last saw it.
struct Soaked {
    std::int64_t seen_ms = 0;
    std::int64_t last_ms = 0;
};

// What of a stage is not done, decided or waited for a second time when the run goes on.
struct ResumeState {
    bool begun = false;                         // the stage's gates were open once
    std::map<StepId, Value> names;              // of `let` and `as`
    std::map<StepId, bool> decisions;           // of `if`
    std::map<StepId, Value> lists;              // of `for`
    std::map<StepId, nlohmann::json> captures;  // of a composite
    std::map<StepId, Soaked> soaked;
    std::set<StepId> held;                // verifications and soaks that are over
    std::set<StepId> done;                // calls of the failure block
    std::map<StepId, events::Call> open;  // intents of the failure block without an outcome
    // Why the stage failed, if it did and nobody has dealt with it.
    std::optional<std::string> failure;
    Outcome result = Outcome::None;  // how the stage ended last
    bool undoing = false;            // an undo of the stage was begun, and not all is undone
    bool cut_in_undo = false;        // the last undo of the stage did not come to its end
};

// A stage that was begun. A running stage is one of these, too: it adds to it what it writes down.
struct StageState {
    bool passed = false;
    ResumeState past;
    std::vector<Change> changes;          // in the order in which they were begun
    std::vector<Change> in_failure;       // what the failure block changed: no undo takes it back
    std::map<StepId, Value> baselines;    // of `undo .. after P`, by step: P before the stage began
    std::map<StepId, Value> undo_starts;  // likewise: P when the stage's first undo began
    Values written;                       // what the run last left in a probe
    std::set<std::string> identities;     // of the things that the run has changed or made
    // How often the run has written something under its tool's own name, by phrase.
    std::map<std::string, int> tool_writes;

    // Null if that step is not known to have changed anything.
    Change* find(const StepId& step);
    // A step that is run again takes the place of what it did before.
    Change& add(Change change);
    void add_in_failure(Change change);
    // What a step of the failure block has done is this run's work, too.
    void conclude_in_failure(const events::StepOutcome& outcome);
    void forget(const StepId& step);
    // Takes in its outcome; null if that step is not known.
    Change* conclude(const StepId& step, const events::StepOutcome& outcome);
    // The change of that step is taken back, and with a composite all that was done inside of it.
    void mark_undone(const StepId& step);
    // What was called undone is not: a look when all was taken back has found something else.
    void mark_standing(const StepId& step);
    void wrote(const Values& values);
    // The identities of things, by phrase.
    void knows(const Texts& things);
};

struct BegunStage {
    std::string name;
    PinnedEnvironment environment;
    StageState state;
};

// A step of which nobody knows how it went.
struct OpenStep {
    std::string stage;
    StepId step;
    std::string text;      // "scale webapi to 4"
    std::string message;   // why it is in doubt; empty if it is not looked into yet
    bool inverse = false;  // it is the step's undo that was begun
    bool in_doubt = false;
};

struct RunState {
    std::optional<events::RunBegun> begun;
    std::optional<events::RunEnded> ended;       // the last one; none if the run went on after it
    std::map<std::string, nlohmann::json> lets;  // names of the run, as they are written down
    bool undoing = false;                        // the operator asked to undo the whole run
    std::vector<BegunStage> stages;              // in the order in which they were begun
    std::vector<OpenStep> open;  // likewise. A composite that was interrupted is none of them: its steps are
};

RunState run_state(const std::vector<Event>& events);

}  // namespace migc::runtime::inline journal
