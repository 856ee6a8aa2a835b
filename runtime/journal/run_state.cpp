#include "runtime/journal/run_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"

namespace migc::runtime::inline journal {

// Mostly one of the last is asked for.
Change* StageState::find(const StepId& step) {
    const auto found =
        std::find_if(changes.rbegin(), changes.rend(), [&](const Change& c) { return c.step == step; });
    return found == changes.rend() ? nullptr : &*found;
}

Change& StageState::add(Change change) {
    forget(change.step);
    return changes.emplace_back(std::move(change));
}

void StageState::add_in_failure(Change change) {
    std::erase_if(in_failure, [&](const Change& c) { return c.step == change.step; });
    in_failure.push_back(std::move(change));
}

void StageState::conclude_in_failure(const events::StepOutcome& outcome) {
    if (outcome.result != Outcome::Done) return;
    wrote(outcome.observed);
    knows(outcome.identities);
    for (const auto& [phrase, revision] : outcome.revisions) ++tool_writes[phrase];
}

void StageState::forget(const StepId& step) {
    if (const Change* known = find(step)) changes.erase(changes.begin() + (known - changes.data()));
}

Change* StageState::conclude(const StepId& step, const events::StepOutcome& outcome) {
    Change* const change = find(step);
    if (change == nullptr) return nullptr;
    change->conclude(outcome);
    if (change->state == ChangeState::Done) {
        // What an accepted command was to write, whatever somebody else has made of it since.
        wrote(change->observed);
        wrote(change->declared);
    }
    if (change->state == ChangeState::Done || change->state == ChangeState::Already)
        knows(change->identities);
    for (const auto& [phrase, revision] : change->revisions) ++tool_writes[phrase];
    for (const StepId& earlier : outcome.supersedes)
        for (Change& other : changes) other.superseded = other.superseded || other.step == earlier;
    return change;
}

void StageState::mark_undone(const StepId& step) {
    for (Change& change : changes)
        change.undone = change.undone || change.step == step || change.step.is_inside(step);
}

void StageState::mark_standing(const StepId& step) {
    for (Change& change : changes)
        if (change.step == step) change.undone = false;
}

void StageState::wrote(const Values& values) {
    for (const auto& [phrase, value] : values) written[phrase] = value;
}

void StageState::knows(const Texts& things) {
    for (const auto& [phrase, identity] : things) identities.insert(identity);
}

namespace {

std::string failure_of(const auto& ended) {
    return fmt::format("{}: {}", ended.text, ended.message);
}

// What the events of one stage say about it.
class StageReader {
  public:
    // `failing`: the step by which the stage failed, if nothing since says more; kept from event to event.
    StageReader(StageState& stage, StepId& failing) : stage_(stage), failing_(failing) {}

    void read(const Event& event) {
        time_ms_ = event.time_ms;
        std::visit([this](const auto& body) { on(body); }, event.body);
    }

  private:
    [[nodiscard]] ResumeState& past() { return stage_.past; }

    void on(const auto& /*of no interest*/) {}

    void on(const events::Intent& intent) {
        if (!intent.failure_block) {
            stage_.add(Change(intent));
            return;
        }
        past().open[intent.step] = intent;
        stage_.add_in_failure(Change(intent));
    }

    // A step that failed and was tried again is what came of it in the end.
    void failed_at(const StepId& step, std::string why) {
        if (past().failure) return;
        past().failure = std::move(why);
        failing_ = step;
    }

    void went_well(const StepId& step) {
        if (failing_ != step || step == StepId()) return;
        past().failure.reset();
        failing_ = {};
    }

    void on(const events::StepOutcome& ended) {
        const StepId& step = ended.step;
        const bool well = ended.result == Outcome::Done || ended.result == Outcome::Already;
        if (step.is_in_failure_block()) {
            if (well) past().done.insert(step);
            if (ended.result != Outcome::InDoubt) past().open.erase(step);
            stage_.conclude_in_failure(ended);
            return;
        }
        if (ended.call && stage_.find(step) == nullptr) stage_.add(Change(*ended.call));
        stage_.conclude(step, ended);
        // What turned out afterwards not to have happened is done again.
        const bool never_happened = ended.reconciled && !ended.acted;
        if (ended.result == Outcome::Failed && !never_happened) failed_at(step, failure_of(ended));
        if (well) went_well(step);
    }

    // A gate that is closed is no failure.
    void on(const events::Checked& checked) {
        const StepId& step = checked.step;
        if (step.is_gate()) return;
        if (checked.result == Finding::Holds) past().held.insert(step);
        if (checked.result == Finding::Holds) went_well(step);
        if (checked.result == Finding::Fails && !step.is_in_failure_block())
            failed_at(step, failure_of(checked));
    }

    void on(const events::Noted& noted) {
        using Kind = events::Noted::Kind;
        switch (noted.kind) {
            case Kind::Baseline:
                stage_.baselines[noted.step] = from_json(noted.value);
                break;
            case Kind::UndoStart:
                stage_.undo_starts[noted.step] = from_json(noted.value);
                break;
            case Kind::Decision:
                past().decisions[noted.step] = noted.value.get<bool>();
                break;
            case Kind::List:
                past().lists[noted.step] = from_json(noted.value);
                break;
            case Kind::Captures:
                past().captures[noted.step] = noted.value;
                break;
            case Kind::Soaked:
                past().soaked[noted.step] = {noted.value.get<std::int64_t>(), time_ms_};
                break;
            case Kind::Name:
                past().names[noted.step] = from_json(noted.value);
        }
    }

    void on(const events::StageFailed& failed) {
        failing_ = {};
        past().failure = failed.reason;
    }

    void on(const events::UndoBegun& undo) {
        past().undoing = true;
        past().cut_in_undo = true;
        if (undo.reason != undo_by_operator && undo.reason != undo_by_later_stage && !past().failure)
            past().failure = undo.reason;
    }

    void on(const events::UndoIntent& intent) {
        if (Change* undone = stage_.find(intent.step)) undone->open_parts[intent.part] = intent;
    }

    // An undo that did not come through is gone on with; whatever else ended a stage, a person has dealt
    // with.
    void on(const events::StageEnded& end) {
        stage_.passed = end.result == Outcome::Done;
        past().result = end.result;
        past().cut_in_undo = false;
        if (end.result == Outcome::Undone) past().undoing = false;
        if (!past().undoing && end.result != Outcome::Undone) past().failure.reset();
    }

    void on(const events::Resolved& resolved) {
        const bool done = resolved.verdict == events::Resolved::Verdict::Done;
        Change* one = stage_.find(resolved.step);
        if (one == nullptr) {
            past().open.erase(resolved.step);
            if (done) past().done.insert(resolved.step);
        } else if (resolved.part == events::Resolved::Part::Inverse) {
            for (const auto& [part, intent] : one->open_parts)
                if (done) one->finished_parts.insert(part);
            if (done && one->open_parts.empty()) stage_.mark_undone(resolved.step);
            one->open_parts.clear();
        } else {
            one->resolve(done);
        }
    }

    void on(const events::UndoOutcome& ended) {
        stage_.wrote(ended.observed);
        stage_.knows(ended.identities);
        Change* undone = stage_.find(ended.step);
        if (undone == nullptr) return;
        const bool well = ended.result == Outcome::Undone || ended.result == Outcome::NothingToUndo;
        if (ended.part) {
            if (well) undone->finished_parts.insert(*ended.part);
            if (ended.result != Outcome::InDoubt) undone->open_parts.erase(*ended.part);
            return;
        }
        if (well) stage_.mark_undone(ended.step);
        if (ended.result == Outcome::Failed) stage_.mark_standing(ended.step);
        if (ended.result != Outcome::InDoubt) undone->open_parts.clear();
    }

    StageState& stage_;
    StepId& failing_;
    std::int64_t time_ms_ = 0;  // of the event that is read
};

// The steps that were begun and have no outcome yet.
class OpenSteps {
  public:
    explicit OpenSteps(std::vector<OpenStep>& open) : open_(open) {}

    void read(const Event& event) {
        std::visit([this](const auto& body) { on(body); }, event.body);
    }

  private:
    void on(const auto& /*of no interest*/) {}

    void on(const events::Intent& intent) {
        if (!intent.composite) begin(intent, false);
    }

    void on(const events::UndoIntent& intent) { begin(intent, true); }

    void on(const events::StepOutcome& ended) { end(ended, false); }

    // Of an inverse in parts, the last part that ends well ends it as far as one can see.
    void on(const events::UndoOutcome& ended) { end(ended, true); }

    void on(const events::Resolved& resolved) {
        forget(resolved.step, resolved.part == events::Resolved::Part::Inverse);
    }

    void forget(const StepId& step, bool inverse) {
        std::erase_if(open_, [&](const OpenStep& one) { return one.step == step && one.inverse == inverse; });
    }

    OpenStep& begin(const events::OfStep& what, bool inverse) {
        const auto known = std::find_if(open_.begin(), open_.end(), [&](const OpenStep& one) {
            return one.step == what.step && one.inverse == inverse;
        });
        if (known != open_.end()) return *known;
        return open_.emplace_back(OpenStep{what.stage, what.step, what.text, {}, inverse, false});
    }

    void end(const auto& ended, bool inverse) {
        if (ended.result != Outcome::InDoubt) return forget(ended.step, inverse);
        OpenStep& open = begin(ended, inverse);
        open.in_doubt = true;
        open.message = ended.message;
        if (!is_part(ended)) open.text = ended.text;
    }

    static bool is_part(const events::StepOutcome& /*ended*/) { return false; }
    static bool is_part(const events::UndoOutcome& ended) { return ended.part.has_value(); }

    std::vector<OpenStep>& open_;
};

class RunReader {
  public:
    explicit RunReader(RunState& run) : run_(run), open_(run.open) {}

    void read(const Event& event) {
        open_.read(event);
        if (const auto* begun = event.as<events::StageBegun>()) return begin(*begun);
        if (const auto* begun = event.as<events::RunBegun>()) run_.begun = *begun;
        if (const auto* ended = event.as<events::RunEnded>()) run_.ended = *ended;
        if (const auto* resumed = event.as<events::RunResumed>())
            goes_on(resumed->action == events::RunResumed::Action::Undo);
        const auto* in_stage = event.as<events::InStage>();
        if (BegunStage* stage = in_stage == nullptr ? nullptr : find(in_stage->stage)) {
            if (const auto* undo = event.as<events::UndoBegun>()) goes_on(undo->reason == undo_by_operator);
            StageReader(stage->state, failing_[stage->name]).read(event);
        } else if (const auto* let = event.as<events::Noted>()) {
            run_.lets[let->name] = let->value;
        }
    }

  private:
    BegunStage* find(const std::string& name) {
        const auto found = std::find_if(run_.stages.begin(), run_.stages.end(),
                                        [&](const BegunStage& stage) { return stage.name == name; });
        return found == run_.stages.end() ? nullptr : &*found;
    }

    void goes_on(bool undoing) {
        run_.ended.reset();
        run_.undoing = run_.undoing || undoing;
    }

    // Format 1 has no mark of a run that goes on: that a stage is begun says so.
    void begin(const events::StageBegun& begun) {
        goes_on(false);
        if (find(begun.stage) != nullptr) return;
        run_.stages.push_back({begun.stage, begun.where, {}});
        run_.stages.back().state.past.begun = true;
    }

    RunState& run_;
    OpenSteps open_;
    std::map<std::string, StepId> failing_;  // by stage
};

}  // namespace

RunState run_state(const std::vector<Event>& events) {
    RunState run;
    RunReader reader(run);
    for (const Event& event : events) reader.read(event);
    return run;
}

}  // namespace migc::runtime::inline journal
