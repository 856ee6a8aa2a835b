#include "runtime/engine/history.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace migc::runtime {
namespace {

class History {
  public:
    explicit History(RunState& run) : run_(run) {}

    tl::expected<void, std::string> read(const Event& event) {
        const std::string name = event.body.value("stage", "");
        if (event.kind == EventKind::StageBegun) return begin(name, event.body);
        const auto stage =
            std::find_if(stages.begin(), stages.end(), [&](const auto& s) { return s->stage.name == name; });
        if (stage != stages.end()) {
            read_in(**stage, event);
        } else if (event.kind == EventKind::Noted) {
            run_.globals.bind(event.body.value("name", ""), from_json(event.body.at("value")));
        }
        return {};
    }

    StageRuns stages;

  private:
    tl::expected<void, std::string> begin(const std::string& name, const nlohmann::json& body) {
        const ir::Stage* stage = run_.program.stage(name);
        if (stage == nullptr)
            return tl::unexpected(
                fmt::format("the script has no stage {}: it is not the one that was run", name));
        StageEnvironment environment = StageEnvironment::from_journal(body);
        // The journal keeps no secrets: they are given again.
        environment.parameters.insert(run_.options.parameters.begin(), run_.options.parameters.end());
        // Without one only the step that needs it cannot be undone.
        static_cast<void>(read_secrets(run_.program, run_.surroundings.inventory, run_.tools, environment));
        for (const std::string& secret : environment.secret_values()) run_.recorder.conceal(secret);
        stages.push_back(std::make_unique<StageRun>(run_, *stage, std::move(environment)));
        return {};
    }

    static void read_in(StageRun& stage, const Event& event) {
        const std::string step = event.body.value("step", "");
        switch (event.kind) {
            case EventKind::Intent:
                if (!event.body.value("failure_block", false)) stage.add(Change::from_intent(event.body));
                break;
            case EventKind::Outcome:
                stage.conclude(step, event.body);
                break;
            case EventKind::Noted:
                if (event.body.value("baseline", false))
                    stage.baselines[step] = from_json(event.body.at("value"));
                if (event.body.value("undo_start", false))
                    stage.undo_starts[step] = from_json(event.body.at("value"));
                break;
            case EventKind::UndoIntent:
                begin_inverse(stage, step, event.body);
                break;
            case EventKind::UndoOutcome:
                end_inverse(stage, step, event.body);
                break;
            case EventKind::StageEnded:
                stage.passed = event.body.value("result", "") == "done";
                break;
            default:
                break;
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
        Change* undone = change(stage, step);
        if (undone == nullptr) return;
        const std::string result = body.value("result", "");
        const bool well = result == "undone" || result == "nothing-to-undo";
        if (body.contains("part")) {
            const std::string part = body.at("part").get<std::string>();
            if (well) undone->finished_parts.insert(part);
            if (result != "in-doubt") undone->open_parts.erase(part);
            return;
        }
        if (well) stage.mark_undone(step);
        if (result != "in-doubt") undone->open_parts.clear();
    }

    RunState& run_;
};

}  // namespace

tl::expected<StageRuns, std::string> rebuild(RunState& run, const std::vector<Event>& events) {
    History history(run);
    try {
        for (const Event& event : events)
            if (auto read = history.read(event); !read) return tl::unexpected(read.error());
    } catch (const nlohmann::json::exception& error) {
        return tl::unexpected(fmt::format("an event of the run cannot be read: {}", error.what()));
    }
    return std::move(history.stages);
}

}  // namespace migc::runtime
