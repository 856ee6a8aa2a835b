#include "runtime/engine/history.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "runtime/planted.hpp"

namespace migc::runtime {
namespace {

class History {
  public:
    explicit History(RunState& run) : run_(run) {}

    tl::expected<void, std::string> read(const Event& event) {
        const std::string name = event.body.value("stage", "");
        if (event.kind == EventKind::StageBegun) return begin(name, event.body);
        if (event.kind == EventKind::RunBegun) about.begun = event.body;
        if (event.kind == EventKind::RunEnded) about.ended = event.body;
        if (event.kind == EventKind::RunResumed) resume(event.body);
        const auto stage =
            std::find_if(stages.begin(), stages.end(), [&](const auto& s) { return s->stage.name == name; });
        if (stage != stages.end()) {
            read_in(**stage, event);
        } else if (event.kind == EventKind::Noted) {
            const std::string global = event.body.value("name", "");
            run_.globals.bind_journaled(global, event.body.at("value"));
            about.lets.insert(global);
        }
        return {};
    }

    StageRuns stages;
    RunHistory about;

  private:
    void resume(const nlohmann::json& body) {
        about.ended = nlohmann::json();
        if (body.value("action", "") == "undo") about.undoing = true;
    }

    tl::expected<void, std::string> begin(const std::string& name, const nlohmann::json& body) {
        const ir::Stage* stage = run_.program.stage(name);
        if (stage == nullptr)
            return tl::unexpected(
                fmt::format("the script has no stage {}: it is not the one that was run", name));
        // Format 1 has no mark of a run that went on.
        about.ended = nlohmann::json();
        if (std::any_of(stages.begin(), stages.end(), [&](const auto& s) { return s->stage.name == name; }))
            return {};
        StageEnvironment environment = StageEnvironment::from_journal(body);
        // The journal keeps no secrets: they are given again.
        environment.parameters.insert(run_.options.parameters.begin(), run_.options.parameters.end());
        // Without one only the step that needs it cannot be undone.
        static_cast<void>(read_secrets(run_.program, run_.surroundings.inventory, run_.tools, environment));
        environment.conceal_secrets(run_.program);
        stages.push_back(std::make_unique<StageRun>(run_, *stage, std::move(environment)));
        stages.back()->past.begun = true;
        return {};
    }

    void read_in(StageRun& stage, const Event& event) {
        const std::string step = event.body.value("step", "");
        switch (event.kind) {
            case EventKind::Intent:
                if (event.body.value("failure_block", false))
                    stage.past.open[step] = event.body, stage.add_in_failure(Change::from_intent(event.body));
                else
                    stage.add(Change::from_intent(event.body));
                break;
            case EventKind::Outcome:
                conclude(stage, step, event.body);
                break;
            case EventKind::Checked:
                check(stage, step, event.body);
                break;
            case EventKind::Noted:
                note(stage, step, event);
                break;
            case EventKind::StageFailed:
                failing_step_.erase(&stage);
                if (!planted("forget-failure")) stage.past.failure = event.body.value("reason", "");
                break;
            case EventKind::UndoBegun:
                begin_undo(stage, event.body.value("reason", ""));
                break;
            case EventKind::Resolved:
                resolve(stage, step, event.body);
                break;
            case EventKind::UndoIntent:
                begin_inverse(stage, step, event.body);
                break;
            case EventKind::UndoOutcome:
                end_inverse(stage, step, event.body);
                break;
            case EventKind::StageEnded:
                end(stage, outcome_in(event.body));
                break;
            default:
                break;
        }
    }

    static bool in_failure_block(const StageRun& stage, const std::string& step) {
        return step.starts_with(stage.stage.name + "/on-failure.");
    }

    // A step that failed and was tried again is what came of it in the end.
    void failed_at(StageRun& stage, const std::string& step, std::string why) {
        if (stage.past.failure) return;
        stage.past.failure = std::move(why);
        failing_step_[&stage] = step;
    }

    void went_well(StageRun& stage, const std::string& step) {
        const auto failing = failing_step_.find(&stage);
        if (failing == failing_step_.end() || failing->second != step) return;
        stage.past.failure.reset();
        failing_step_.erase(failing);
    }

    void conclude(StageRun& stage, const std::string& step, const nlohmann::json& body) {
        const Outcome result = outcome_in(body);
        if (in_failure_block(stage, step)) {
            if (result == Outcome::Done || result == Outcome::Already) stage.past.done.insert(step);
            if (result != Outcome::InDoubt) stage.past.open.erase(step);
            return;
        }
        // What was there already has no intent.
        if (result == Outcome::Already && !stage.change(step)) stage.add(Change::from_intent(body));
        stage.conclude(step, body);
        // What turned out afterwards not to have happened is done again.
        const bool never_happened = body.value("settled", false) && !body.value("acted", true);
        if (result == Outcome::Failed && !never_happened) failed_at(stage, step, failure_of(body));
        if (result == Outcome::Done || result == Outcome::Already) went_well(stage, step);
    }

    static std::string failure_of(const nlohmann::json& body) {
        return fmt::format("{}: {}", body.value("text", ""), body.value("message", ""));
    }

    // A gate that is closed is no failure.
    void check(StageRun& stage, const std::string& step, const nlohmann::json& body) {
        if (step.starts_with(stage.stage.name + "/gate.")) return;
        const Finding found = finding_in(body);
        if (found == Finding::Holds && !planted("verify-again")) stage.past.held.insert(step);
        if (found == Finding::Holds) went_well(stage, step);
        if (found == Finding::Fails && !in_failure_block(stage, step))
            failed_at(stage, step, failure_of(body));
    }

    static void note(StageRun& stage, const std::string& step, const Event& event) {
        const nlohmann::json& value = event.body.at("value");
        const std::string kind = event.body.value("kind", "");
        if (event.body.value("baseline", false))
            stage.baselines[step] = from_json(value);
        else if (event.body.value("undo_start", false))
            stage.undo_starts[step] = from_json(value);
        else if (kind == "decision")
            planted("decide-again") ? void() : void(stage.past.decisions[step] = value.get<bool>());
        else if (kind == "list")
            stage.past.lists[step] = from_json(value);
        else if (kind == "captures")
            stage.past.captures[step] = value;
        else if (kind == "soaked")
            stage.past.soaked[step] = {value.get<std::int64_t>(), event.time_ms};
        else
            planted("let-again") ? void() : void(stage.past.names[step] = from_json(value));
    }

    void begin_undo(StageRun& stage, const std::string& reason) {
        about.ended = nlohmann::json();
        stage.past.undoing = true;
        stage.past.cut_in_undo = true;
        if (reason == undo_by_operator)
            about.undoing = true;
        else if (reason != undo_by_later_stage && !stage.past.failure)
            stage.past.failure = reason;
    }

    // An undo that did not come through is gone on with; whatever else ended a stage, a person has dealt
    // with.
    static void end(StageRun& stage, Outcome result) {
        stage.passed = result == Outcome::Done;
        stage.past.result = result;
        stage.past.cut_in_undo = false;
        if (result == Outcome::Undone) stage.past.undoing = false;
        if (!stage.past.undoing && result != Outcome::Undone) stage.past.failure.reset();
    }

    static void resolve(StageRun& stage, const std::string& step, const nlohmann::json& body) {
        const bool done = outcome_in(body, "verdict") == Outcome::Done;
        Change* one = change(stage, step);
        if (one == nullptr) {
            stage.past.open.erase(step);
            if (done) stage.past.done.insert(step);
        } else if (body.value("part", "") == "inverse") {
            for (const auto& [part, intent] : one->open_parts)
                if (done) one->finished_parts.insert(part);
            if (done && one->open_parts.empty()) stage.mark_undone(step);
            one->open_parts.clear();
        } else {
            one->resolve(done);
        }
    }

    static Change* change(StageRun& stage, const std::string& step) {
        const auto found = std::find_if(stage.changes.begin(), stage.changes.end(),
                                        [&](const Change& c) { return c.step == step; });
        return found == stage.changes.end() ? nullptr : &*found;
    }

    static void begin_inverse(StageRun& stage, const std::string& step, const nlohmann::json& body) {
        if (Change* undone = change(stage, step)) undone->open_parts[body.value("part", "")] = body;
    }

    static void end_inverse(StageRun& stage, const std::string& step, const nlohmann::json& body) {
        if (body.contains("observed")) stage.wrote(values_from_json(body.at("observed")));
        if (body.contains("identities")) stage.knows(body.at("identities"));
        Change* undone = change(stage, step);
        if (undone == nullptr) return;
        const Outcome result = outcome_in(body);
        const bool well = result == Outcome::Undone || result == Outcome::NothingToUndo;
        if (body.contains("part")) {
            const std::string part = body.at("part").get<std::string>();
            if (well) undone->finished_parts.insert(part);
            if (result != Outcome::InDoubt) undone->open_parts.erase(part);
            return;
        }
        if (well && !planted("undo-again")) stage.mark_undone(step);
        if (result != Outcome::InDoubt) undone->open_parts.clear();
    }

    RunState& run_;
    std::map<const StageRun*, std::string>
        failing_step_;  // by which a stage failed, and nothing since says more
};

// The project's folder when the run was made; empty if no event says it.
std::string root_of(const std::vector<Event>& events) {
    static const nlohmann::json::json_pointer place("/settings/root");
    for (const Event& event : events)
        if (event.kind == EventKind::StageBegun && event.body.contains(place) &&
            event.body.at(place).is_string())
            return event.body.at(place).get<std::string>();
    return {};
}

void replace_beginning(nlohmann::json& value, const std::string& before, const std::string& now) {
    if (!value.is_string()) return;
    const auto& text = value.get_ref<const std::string&>();
    const bool is_it = text == before || text.starts_with(before.ends_with('/') ? before : before + "/");
    if (is_it) value = now + text.substr(before.size());
}

}  // namespace

void move_to(const std::filesystem::path& root, std::vector<Event>& events) {
    const std::string before = root_of(events), now = root.string();
    if (before.empty() || before == now) return;
    const auto each = [&](nlohmann::json& body, const char* key, const std::string& below) {
        const auto found = body.is_object() ? body.find(key) : body.end();
        if (!body.is_object() || found == body.end() || !found->is_object()) return;
        for (auto& value : *found) replace_beginning(value, before + below, now + below);
    };
    for (Event& event : events) {
        for (const char* key : {"settings", "arguments", "scope"}) each(event.body, key, "");
        each(event.body, "captures", "/.migc");
        if (event.kind == EventKind::Noted && event.body.contains("value")) {
            each(event.body, "value", "/.migc");  // the captures of a composite
            replace_beginning(event.body["value"], before + "/.migc", now + "/.migc");
        }
        if (event.kind == EventKind::RunBegun && event.body.contains("stages") &&
            event.body["stages"].is_object())
            for (auto& stage : event.body["stages"]) each(stage, "settings", "");
    }
}

tl::expected<RunHistory, std::string> rebuild(RunState& run, const std::vector<Event>& events) {
    History history(run);
    try {
        for (const Event& event : events)
            if (auto read = history.read(event); !read) return tl::unexpected(read.error());
    } catch (const nlohmann::json::exception& error) {
        return tl::unexpected(fmt::format("an event of the run cannot be read: {}", error.what()));
    }
    history.about.stages = std::move(history.stages);
    return std::move(history.about);
}

}  // namespace migc::runtime
