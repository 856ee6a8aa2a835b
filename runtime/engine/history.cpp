#include "runtime/engine/history.hpp"

#include <fmt/format.h>

namespace migc::runtime::inline engine {
namespace {

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

tl::expected<StageRuns, std::string> stages_of(RunContext& run, RunState& history) {
    for (const auto& [name, value] : history.lets) run.globals.bind_journaled(name, value);
    StageRuns stages;
    for (BegunStage& begun : history.stages) {
        const ir::Stage* stage = run.program.stage(begun.name);
        if (stage == nullptr)
            return tl::unexpected(
                fmt::format("the script has no stage {}: it is not the one that was run", begun.name));
        StageEnvironment environment = StageEnvironment::from_journal(begun.environment);
        // The journal keeps no secrets: they are given again.
        environment.parameters.insert(run.options.parameters.begin(), run.options.parameters.end());
        // Without one only the step that needs it cannot be undone.
        static_cast<void>(read_secrets(run.program, run.eval_context.inventory, run.tools, environment));
        environment.redact_secrets(run.program);
        stages.push_back(
            std::make_unique<StageRun>(run, *stage, std::move(environment), std::move(begun.state)));
    }
    return stages;
}

}  // namespace migc::runtime::inline engine
