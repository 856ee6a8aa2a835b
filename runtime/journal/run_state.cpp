#include "runtime/journal/run_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::runtime::inline journal {

using semantics::step_in;

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

void StageState::forget(const StepId& step) {
    if (const Change* known = find(step)) changes.erase(changes.begin() + (known - changes.data()));
}

Change* StageState::conclude(const StepId& step, const nlohmann::json& outcome) {
    Change* const change = find(step);
    if (change == nullptr) return nullptr;
    change->conclude(outcome);
    if (change->state == ChangeState::Done) {
        // What an accepted command was to write, whatever somebody else has made of it since.
        wrote(change->observed);
        wrote(change->declared);
    }
    if (change->state == ChangeState::Done || change->state == ChangeState::Already)
        for (const auto& [phrase, identity] : change->identities) identities.insert(identity);
    for (const auto& [phrase, revision] : change->revisions) ++tool_writes[phrase];
    for (const StepId& earlier : outcome.value("supersedes", std::vector<StepId>()))
        for (Change& other : changes) other.superseded = other.superseded || other.step == earlier;
    return change;
}

void StageState::mark_undone(const StepId& step) {
    for (Change& change : changes)
        change.undone = change.undone || change.step == step || change.step.is_inside(step);
}

void StageState::wrote(const std::map<std::string, Value>& values) {
    for (const auto& [phrase, value] : values) written[phrase] = value;
}

void StageState::knows(const nlohmann::json& things) {
    for (const auto& [phrase, identity] : things.items())
        if (identity.is_string()) identities.insert(identity.get<std::string>());
}

namespace {

std::string failure_of(const nlohmann::json& body) {
    return fmt::format("{}: {}", text_of(body, "text"), text_of(body, "message"));
}

// What the events of one stage say about it.
class StageReader {
  public:
    // `failing`: the step by which the stage failed, if nothing since says more; kept from event to event.
    StageReader(StageState& stage, StepId& failing) : stage_(stage), failing_(failing) {}

    void read(const Event& event) {
        const StepId step = step_in(event.body);
        switch (event.kind) {
            case EventKind::Intent:
                return begin(step, event.body);
            case EventKind::Outcome:
                return conclude(step, event.body);
            case EventKind::Checked:
                return check(step, event.body);
            case EventKind::Noted:
                return note(step, event);
            case EventKind::StageFailed:
                failing_ = {};
                past().failure = text_of(event.body, "reason");
                return;
            case EventKind::UndoBegun:
                return begin_undo(text_of(event.body, "reason"));
            case EventKind::Resolved:
                return resolve(step, event.body);
            case EventKind::UndoIntent:
                if (Change* undone = stage_.find(step))
                    undone->open_parts[step_in(event.body, "part")] = event.body;
                return;
            case EventKind::UndoOutcome:
                return end_inverse(step, event.body);
            case EventKind::StageEnded:
                return end(outcome_in(event.body));
            default:
                return;
        }
    }

  private:
    [[nodiscard]] ResumeState& past() { return stage_.past; }

    void begin(const StepId& step, const nlohmann::json& body) {
        if (!body.value("failure_block", false)) {
            stage_.add(Change::from_intent(body));
            return;
        }
        past().open[step] = body;
        stage_.add_in_failure(Change::from_intent(body));
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

    void conclude(const StepId& step, const nlohmann::json& body) {
        const Outcome result = outcome_in(body);
        const bool well = result == Outcome::Done || result == Outcome::Already;
        if (step.is_in_failure_block()) {
            if (well) past().done.insert(step);
            if (result != Outcome::InDoubt) past().open.erase(step);
            return;
        }
        // What was there already has no intent.
        if (result == Outcome::Already && stage_.find(step) == nullptr) stage_.add(Change::from_intent(body));
        stage_.conclude(step, body);
        // What turned out afterwards not to have happened is done again.
        const bool never_happened = body.value("settled", false) && !body.value("acted", true);
        if (result == Outcome::Failed && !never_happened) failed_at(step, failure_of(body));
        if (well) went_well(step);
    }

    // A gate that is closed is no failure.
    void check(const StepId& step, const nlohmann::json& body) {
        if (step.is_gate()) return;
        const Finding found = finding_in(body);
        if (found == Finding::Holds) past().held.insert(step);
        if (found == Finding::Holds) went_well(step);
        if (found == Finding::Fails && !step.is_in_failure_block()) failed_at(step, failure_of(body));
    }

    void note(const StepId& step, const Event& event) {
        const nlohmann::json& value = event.body.at("value");
        const std::string kind = text_of(event.body, "kind");
        if (event.body.value("baseline", false))
            stage_.baselines[step] = from_json(value);
        else if (event.body.value("undo_start", false))
            stage_.undo_starts[step] = from_json(value);
        else if (kind == "decision")
            past().decisions[step] = value.get<bool>();
        else if (kind == "list")
            past().lists[step] = from_json(value);
        else if (kind == "captures")
            past().captures[step] = value;
        else if (kind == "soaked")
            past().soaked[step] = {value.get<std::int64_t>(), event.time_ms};
        else
            past().names[step] = from_json(value);
    }

    void begin_undo(const std::string& reason) {
        past().undoing = true;
        past().cut_in_undo = true;
        if (reason != undo_by_operator && reason != undo_by_later_stage && !past().failure)
            past().failure = reason;
    }

    // An undo that did not come through is gone on with; whatever else ended a stage, a person has dealt
    // with.
    void end(Outcome result) {
        stage_.passed = result == Outcome::Done;
        past().result = result;
        past().cut_in_undo = false;
        if (result == Outcome::Undone) past().undoing = false;
        if (!past().undoing && result != Outcome::Undone) past().failure.reset();
    }

    void resolve(const StepId& step, const nlohmann::json& body) {
        const bool done = outcome_in(body, "verdict") == Outcome::Done;
        Change* one = stage_.find(step);
        if (one == nullptr) {
            past().open.erase(step);
            if (done) past().done.insert(step);
        } else if (text_of(body, "part") == "inverse") {
            for (const auto& [part, intent] : one->open_parts)
                if (done) one->finished_parts.insert(part);
            if (done && one->open_parts.empty()) stage_.mark_undone(step);
            one->open_parts.clear();
        } else {
            one->resolve(done);
        }
    }

    void end_inverse(const StepId& step, const nlohmann::json& body) {
        if (body.contains("observed")) stage_.wrote(values_from_json(body.at("observed")));
        if (body.contains("identities")) stage_.knows(body.at("identities"));
        Change* undone = stage_.find(step);
        if (undone == nullptr) return;
        const Outcome result = outcome_in(body);
        const bool well = result == Outcome::Undone || result == Outcome::NothingToUndo;
        if (body.contains("part")) {
            const StepId part = step_in(body, "part");
            if (well) undone->finished_parts.insert(part);
            if (result != Outcome::InDoubt) undone->open_parts.erase(part);
            return;
        }
        if (well) stage_.mark_undone(step);
        if (result != Outcome::InDoubt) undone->open_parts.clear();
    }

    StageState& stage_;
    StepId& failing_;
};

bool is_composite(const nlohmann::json& intent) {
    return !intent.contains("before") && text_of(intent, "command").empty();
}

// The steps that were begun and have no outcome yet.
class OpenSteps {
  public:
    explicit OpenSteps(std::vector<OpenStep>& open) : open_(open) {}

    void read(const Event& event) {
        switch (event.kind) {
            case EventKind::Intent:
                if (!is_composite(event.body)) begin(event.body, false);
                return;
            case EventKind::UndoIntent:
                begin(event.body, true);
                return;
            case EventKind::Outcome:
                return end(event.body, false);
            case EventKind::UndoOutcome:
                return end(event.body, true);
            case EventKind::Resolved:
                return forget(step_in(event.body), text_of(event.body, "part") == "inverse");
            default:
                return;
        }
    }

  private:
    void forget(const StepId& step, bool inverse) {
        std::erase_if(open_, [&](const OpenStep& one) { return one.step == step && one.inverse == inverse; });
    }

    OpenStep& begin(const nlohmann::json& body, bool inverse) {
        const StepId step = step_in(body);
        const auto known = std::find_if(open_.begin(), open_.end(), [&](const OpenStep& one) {
            return one.step == step && one.inverse == inverse;
        });
        if (known != open_.end()) return *known;
        return open_.emplace_back(
            OpenStep{text_of(body, "stage"), step, text_of(body, "text"), {}, inverse, false});
    }

    // Of an inverse in parts, the last part that ends well ends it as far as one can see.
    void end(const nlohmann::json& body, bool inverse) {
        if (outcome_in(body) != Outcome::InDoubt) return forget(step_in(body), inverse);
        OpenStep& open = begin(body, inverse);
        open.in_doubt = true;
        open.message = text_of(body, "message");
        if (!body.contains("part")) open.text = text_of(body, "text");
    }

    std::vector<OpenStep>& open_;
};

class RunReader {
  public:
    explicit RunReader(RunState& run) : run_(run), open_(run.open) {}

    void read(const Event& event) {
        open_.read(event);
        const std::string name = text_of(event.body, "stage");
        if (event.kind == EventKind::StageBegun) return begin(name, event.body);
        if (event.kind == EventKind::RunBegun) run_.begun = event.body;
        if (event.kind == EventKind::RunEnded) run_.ended = event.body;
        if (event.kind == EventKind::RunResumed) goes_on(text_of(event.body, "action") == "undo");
        if (BegunStage* stage = find(name)) {
            if (event.kind == EventKind::UndoBegun)
                goes_on(text_of(event.body, "reason") == undo_by_operator);
            StageReader(stage->state, failing_[name]).read(event);
        } else if (event.kind == EventKind::Noted) {
            run_.lets[text_of(event.body, "name")] = event.body.at("value");
        }
    }

  private:
    BegunStage* find(const std::string& name) {
        const auto found = std::find_if(run_.stages.begin(), run_.stages.end(),
                                        [&](const BegunStage& stage) { return stage.name == name; });
        return found == run_.stages.end() ? nullptr : &*found;
    }

    void goes_on(bool undoing) {
        run_.ended = nlohmann::json();
        run_.undoing = run_.undoing || undoing;
    }

    // Format 1 has no mark of a run that goes on: that a stage is begun says so.
    void begin(const std::string& name, const nlohmann::json& body) {
        goes_on(false);
        if (find(name) != nullptr) return;
        run_.stages.push_back({name, body, {}});
        run_.stages.back().state.past.begun = true;
    }

    RunState& run_;
    OpenSteps open_;
    std::map<std::string, StepId> failing_;  // by stage
};

}  // namespace

tl::expected<RunState, std::string> run_state(const std::vector<Event>& events) {
    RunState run;
    RunReader reader(run);
    try {
        for (const Event& event : events) reader.read(event);
    } catch (const nlohmann::json::exception& error) {
        return tl::unexpected(fmt::format("an event of the run cannot be read: {}", error.what()));
    }
    return run;
}

}  // namespace migc::runtime::inline journal
