// Takes one stage's changes back, last first.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/call.hpp"
#include "runtime/engine/converge.hpp"
#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

// Later ones weigh more.
enum class UndoEnd { Undone, Held, Failed, InDoubt, Untrusted };

Outcome result_of(UndoEnd end);

// What a step without an outcome is reconciled for.
enum class ReconcileFor { Undo, Resume };

class StageUndo {
  public:
    explicit StageUndo(StageRun& stage);

    // Runs the inverses of done and half-done steps, sees that what they restored is restored and caught up
    // with. What cannot be undone is left and told; the others go on, except past an irreversible step.
    UndoEnd run(const std::string& reason);
    // Why it did not end as Undone, for people.
    [[nodiscard]] const std::string& message() const { return message_; }

    // Decides about a change whose outcome nobody wrote down, by looking until what one sees is stable: done,
    // not done (it has not acted), half done, or still in doubt. Where nothing can be seen, a step that
    // leaves nothing to undo is no matter for an undo; for a run that goes on it is in doubt, unless all it
    // yields is a result. False if the journal fails.
    bool reconcile(Change& change, ReconcileFor purpose);

  private:
    struct Inverse;
    enum class State { Ours, Untouched, Foreign, Unreadable };
    struct Found {
        State state = State::Ours;
        std::string message;
        Reason why = Reason::None;
    };

    // An effect that an inverse has restored.
    struct Restored {
        EffectTarget target;
        std::shared_ptr<Scope> scope;
        StepId step;
        std::set<std::string> names;  // of what the probe asks about: "webapi", "settings"
        std::string field;            // of it, as a JSON pointer; empty for the whole, or if it is no field
        bool changed_again = false;  // by the inverse of an earlier step: it need not be as it was in between
    };

    struct Reconciled {
        bool known = true;
        bool all_taken = true;
        bool all_before = true;
        std::map<std::string, Value> observed;
    };

    Reconciled look_back(const Inverse& inverse);
    Reconciled look_until_stable(const Inverse& inverse);
    std::vector<StepId> superseded_by(const Inverse& inverse);
    Outcome reconciled_result(const Inverse& inverse, const Reconciled& reconciled, ReconcileFor purpose,
                              bool& acted);
    void remember_earlier();
    std::vector<Inverse> collect();
    std::optional<Inverse> prepare(Change& change);
    void undo_all(std::vector<Inverse>& inverses);
    bool undo_one(Inverse& inverse);
    void run_steps(Inverse& inverse);
    Found look(const Inverse& inverse);
    Found look_at_all(const Inverse& inverse);
    bool may_be_block(const Inverse& inverse);
    std::string theirs_in(const Inverse& inverse, const ir::Effect& effect, const std::string& phrase,
                          const Value& now);
    Found look_twice(const Inverse& inverse);
    Found look_inside(const Inverse& inverse);
    Reading read_with_writer(Evaluator& snapshot, const Inverse& inverse, const ir::Effect& effect);
    Found look_at(Evaluator& snapshot, const Inverse& inverse, const ir::Effect& effect);
    void run_due(std::vector<Inverse>& inverses);
    void run_overdue(std::vector<Inverse>& inverses);
    Value after(const Inverse& inverse);
    Value start(const Inverse& inverse);
    [[nodiscard]] bool went_with_its_object(const Restored& restored);
    void settle();
    void check_restored();
    Result holds_as_before(Converge& converge, const Restored& restored);
    void remember_restored(Inverse& inverse);
    void stands(const StepId& step, const std::string& message);
    void remember_all_restored(Inverse& inverse);
    std::string restored_text(const Inverse& inverse);
    std::string field_of(const ir::Effect& effect, const Scope& scope);
    void conclude(Change& change, Outcome result, const std::string& message, Reason why = Reason::None,
                  const Written& written = {});
    void worsen(UndoEnd end, const std::string& message);
    [[nodiscard]] bool is_own(const Inverse& inverse, const std::string& phrase, const Reading& now);
    [[nodiscard]] std::set<std::string> names_of(const Inverse& inverse);
    void leave(const Inverse& inverse);
    [[nodiscard]] bool was_put_back_by_others(const Inverse& inverse);
    [[nodiscard]] bool is_on_top(const Inverse& inverse);
    [[nodiscard]] const Change* left_around(const Inverse& inverse);
    [[nodiscard]] bool covered(const Change& change) const;

    StageRun& stage_;
    UndoEnd end_ = UndoEnd::Undone;
    std::string message_;
    std::map<std::string, Restored> restored_;
    std::vector<const Inverse*> skipped_;  // left without being run: what they did goes on
    // What was left to somebody else.
    struct Left {
        const Change* change;
        const ir::Verb* verb;
        std::set<std::string> names;
    };
    std::vector<Left> left_;
    // Somebody else has put something back: what follows a value may have to follow it all the same.
    bool put_back_ = false;
    bool stopped_ = false;
    bool rested_ = false;                   // since the undo began
    std::map<std::string, Reading> found_;  // at the last look, by the probe's phrase
};

// Reads, before a stage begins, what the inverses that run `after` something compare with.
// False if the journal fails.
bool take_baselines(StageRun& stage);

}  // namespace migc::runtime::inline engine
