// The state of a run and of each of its stages, which everything in the engine works on.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/committed_tools.hpp"
#include "runtime/engine/recorder.hpp"
#include "runtime/engine/runbook.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/journal/run_state.hpp"
#include "runtime/review/inputs.hpp"

namespace migc::runtime::inline engine {

// How a statement, a block, a stage ended; later ones weigh more when branches end differently.
enum class ResultKind {
    Done,
    Cancelled,  // another branch failed before this one was through
    Stopped,    // the operator asked to stop
    Closed,     // a gate is closed
    Held,
    Failed,
    InDoubt,
    Untrusted,  // the journal cannot be written
};

struct Result {
    ResultKind kind = ResultKind::Done;
    std::string message;
    Reason why = Reason::None;
    [[nodiscard]] bool done() const { return kind == ResultKind::Done; }
};

enum class Purpose {
    Forward,
    Failure,  // the steps of a failure block
    Inverse,  // the steps of an inverse
};

// What a composite has found out in an earlier try and goes by in the next, by the ids of its steps: a list
// that is read again may have become shorter, and its elements would be taken for others.
struct Tries {
    std::mutex mutex;
    std::map<StepId, Value> names;     // of `let`
    std::map<StepId, bool> decisions;  // of `if`
    std::map<StepId, Value> lists;     // of `for`
};

// What an inverse left, by the probe's phrase.
struct Written {
    Values values;
    Texts identities;
};

// What an inverse goes by: what was there when it was decided that it is this run's to take back, by the
// probe's phrase, and since then what its own commands have left.
struct Backward {
    std::map<std::string, Reading> found;
    std::function<Result()> look_again;  // for when that is not so any more: held if it is somebody else's
    std::function<void()> settle;        // waits until what was restored so far has been caught up with
};

// Why steps are run, and on whose account.
struct StepContext {
    Purpose purpose = Purpose::Forward;
    const Change* undoing = nullptr;               // Inverse: the change that is taken back
    bool in_parts = false;                         // Inverse: of several steps, each told by itself
    Written* written = nullptr;                    // Inverse: what it left
    std::string* said = nullptr;                   // Inverse: what its tools warned of
    Backward* backward = nullptr;                  // Inverse
    const std::atomic<bool>* cancelled = nullptr;  // set when another branch failed
    std::optional<Time> deadline = {};             // of the composites around: when they have to be over
    Tries* tries = nullptr;                        // of the composite around that is tried again
};

// Shared by all stages of one run.
struct RunContext {
    RunContext(const ir::Program& the_program, const project::Inventory& inventory, Tools& the_tools,
               const RunOptions& the_options, Journal& journal, Listener listener);
    RunContext(const RunContext&) = delete;
    RunContext& operator=(const RunContext&) = delete;

    const ir::Program& program;
    const RunOptions& options;
    Recorder recorder;
    CommittedTools tools;
    Scope globals;                 // top-level lets
    std::set<std::string> passed;  // stages that completed
    KeptSecrets kept;              // what of them an undo needs
    EvalContext eval_context;
    Runbook runbook;
    std::unique_ptr<Inputs> inputs;  // the files that the run was reviewed with; null in an undo
    // What an earlier run must have passed a stage with: the change as it was reviewed, and as it is with the
    // files that this run's steps have changed.
    [[nodiscard]] std::vector<std::string> changes() const;
    nlohmann::json change;  // the parts of the change digest; see reviewed.hpp

    // The runbook's first lines: of which run, and as of when.
    std::string runbook_heading();
    // For before anything outside is touched or waited for, and at the end: the runbook is as things stand,
    // and all that was recorded is durable, and told, when it returns true.
    bool flush();
    // Whether the operator asked to stop, through a signal or the caller's hook.
    bool stopping();
    void stop() { stop_ = true; }
    // Whether nothing is to be waited for any more: the operator asked again, or nothing can be written down.
    bool hurried() const {
        return !recorder.trusted() || (options.hurry_requested && options.hurry_requested());
    }
    // The ids of the approvals that have opened a gate, and are not yet written down; each once.
    void approved_by(const std::vector<std::string>& approvals);
    std::vector<std::string> take_approvals();
    // Effects that may have begun and whose outcome is not written down.
    std::atomic<int> open_effects = 0;

  private:
    friend struct StageRun;
    std::atomic<bool> stop_ = false;
    // How often the run has written something under its tool's own name, by cluster, namespace and phrase.
    std::mutex writes_mutex_;
    std::map<std::string, int> tool_writes_;
    std::set<std::string> identities_;  // of the things that any stage has changed or made
    void keep_runbook();
    std::mutex approvals_mutex_;
    std::vector<std::string> approvals_;
    std::set<std::string> approvals_told_;
    std::mutex runbook_mutex_;
    std::atomic<bool> runbook_is_old_ = false;
};

// A stage of this run: what it has done so far, and what it is run with. Where it adds to its state while
// branches may be running, it is by the members below.
struct StageRun : StageState {
    // `before`: what an earlier process has done of it.
    StageRun(RunContext& the_run, const ir::Stage& the_stage, StageEnvironment the_environment,
             StageState before = {});
    StageRun(const StageRun&) = delete;
    StageRun& operator=(const StageRun&) = delete;

    RunContext& run;
    const ir::Stage& stage;
    const ir::Stage& definition;  // the stage itself, or the one whose steps it repeats
    StageEnvironment environment;
    Evaluator evaluator;
    Scope scope;

    void add(Change change);
    // A step was not begun after all: what it did before, if anything, is what it did.
    void put_back(const StepId& step, const std::optional<Change>& before);
    // As far as it is known now; nothing if that step is not known to have changed anything.
    std::optional<Change> change(const StepId& step);
    void conclude(const StepId& step, const events::StepOutcome& outcome);
    void conclude_in_failure(const events::StepOutcome& outcome);
    // What was changed inside of a step, so far.
    std::vector<Change> changes_inside(const StepId& step);
    void mark_undone(const StepId& step);
    void mark_standing(const StepId& step);
    // What this run last left in a probe, by phrase: anything else was written by somebody else.
    void wrote(const Values& values);
    [[nodiscard]] bool wrote(const std::string& phrase, const Value& value);
    void knows(const Texts& things);
    // Whether what is there now is another thing than the one that a step changed: somebody else deleted that
    // and made it anew. Never true where nothing tells them apart.
    [[nodiscard]] bool is_remade(const Change& change, const std::string& phrase, const Reading& now);

    // The revision that a step left under a name that others have, too; "" where it has none, or where the
    // run has written there more than once, so that a later one may be its own.
    [[nodiscard]] std::string own_revision(const Change& change, const std::string& phrase);

    // The changes that are about one of these names and that no later step has changed again: copies.
    std::vector<Change> changes_about(const std::set<std::string>& names);
    void add_in_failure(Change change);

    // Into the order of the script; only for when no branch is running.
    void sort_changes();
    const ir::Verb* verb(const std::string& signature) const;
    const std::optional<ir::Expr>& throughout() const;
    const std::optional<std::vector<ir::Step>>& on_failure() const;

    // {"stage": .., "step": ..}
    [[nodiscard]] events::OfStep about(const StepId& step, const std::string& text) const;
    // Writes down what was found out; false: it could not be. A name is for people, and of the script's.
    bool note(const StepId& step, events::Noted::Kind kind, nlohmann::json value, std::string name = {});

  private:
    List changed_workloads();
    [[nodiscard]] std::string whole_phrase(const std::string& phrase) const;
    void count_writes(const Texts& revisions);
    void share(const Texts& identities_by_phrase);
    void index();

    std::mutex mutex_;
    std::map<std::string, std::vector<StepId>> by_name_;  // the steps that changed something of that name
    std::vector<StepId> not_indexed_;
};

// What carries out the verb, where that is a native; else null.
const NativeEntry* native_of(const StageRun& stage, const ir::Verb& verb);

}  // namespace migc::runtime::inline engine
