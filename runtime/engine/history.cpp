#include "runtime/engine/history.hpp"

#include <fmt/format.h>

namespace migc::runtime::inline engine {
namespace {

// The project's folder when the run was made; empty if no event says it.
std::string root_of(const std::vector<Event>& events) {
    for (const Event& event : events)
        if (const auto* begun = event.as<events::StageBegun>())
            if (const auto root = begun->where.settings.find("root"); root != begun->where.settings.end())
                return root->second;
    return {};
}

// Where the project's folder was, and where it is.
class Move {
  public:
    Move(std::string before, std::string now) : before_(std::move(before)), now_(std::move(now)) {}

    void in(events::StageBegun& begun) const { in(begun.where); }
    void in(events::RunBegun& begun) const {
        for (auto& [stage, pinned] : begun.stages) in(pinned);
    }
    void in(events::Intent& intent) const { in_call(intent); }
    void in(events::UndoIntent& intent) const { in_call(intent); }
    void in(events::StepOutcome& ended) const {
        if (ended.call) in_call(*ended.call);
    }
    void in(events::Noted& noted) const {
        in_each(noted.value, kept);  // the captures of a composite
        in(noted.value, kept);
    }
    void in(auto& /*says nothing of files*/) const {}

  private:
    static constexpr const char* kept = "/.migc";  // what migc itself keeps

    void in(PinnedEnvironment& pinned) const {
        for (auto& [key, text] : pinned.settings) in(text);
    }
    void in_call(events::Call& call) const {
        in_each(call.arguments);
        in_each(call.scope);
        in_each(call.captures, kept);
    }
    void in_each(nlohmann::json& object, const std::string& below = {}) const {
        if (!object.is_object()) return;
        for (auto& value : object) in(value, below);
    }
    void in(nlohmann::json& value, const std::string& below) const {
        if (value.is_string()) in(value.get_ref<std::string&>(), below);
    }
    void in(std::string& text, const std::string& below = {}) const {
        const std::string from = before_ + below;
        if (text == from || text.starts_with(from.ends_with('/') ? from : from + "/"))
            text = now_ + below + text.substr(from.size());
    }

    std::string before_, now_;
};

}  // namespace

void move_to(const std::filesystem::path& root, std::vector<Event>& events) {
    const std::string before = root_of(events);
    if (before.empty() || before == root.string()) return;
    const Move move(before, root.string());
    for (Event& event : events) std::visit([&](auto& body) { move.in(body); }, event.body);
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
