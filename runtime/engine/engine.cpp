#include "runtime/engine/engine.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

#include "runtime/engine/guards.hpp"
#include "runtime/engine/history.hpp"
#include "runtime/engine/reviewed.hpp"
#include "runtime/engine/stage.hpp"
#include "runtime/engine/undo.hpp"
#include "runtime/engine/wait.hpp"

namespace migc::runtime {
namespace {

int exit_code(const std::string& result) {
    if (result == "done") return 0;
    if (result == "undone") return 1;
    if (result == "held") return 3;
    return result == "refused" ? 5 : 4;
}

// Words, a plan, a check: nothing that could stand.
bool only_said(const StageRun& stage, const Change& change) {
    const ir::Verb* verb = stage.verb(change.verb);
    return verb != nullptr && !change.own_undo && verb->effects.empty() &&
           verb->undo.kind == ir::UndoKind::None;
}

bool is_chosen(const RunOptions& options, const std::string& stage) {
    return options.only.empty() ||
           std::find(options.only.begin(), options.only.end(), stage) != options.only.end();
}

bool has_changes(const StageRun& stage) {
    return std::any_of(stage.changes.begin(), stage.changes.end(),
                       [](const Change& change) { return change.to_undo(); });
}

RunResult refused(std::string message, int code = 2) {
    return {"refused", code, {}, std::move(message), {}};
}

}  // namespace

struct Engine::State {
    State(const ir::Program& the_program, const project::Inventory& the_inventory, Tools& the_tools,
          Journal& the_journal, Listener listener, RunOptions the_options)
        : options(std::move(the_options)),
          inventory(the_inventory),
          journal(the_journal),
          run(the_program, the_inventory, the_tools, options, the_journal, std::move(listener)) {}

    RunOptions options;
    const project::Inventory& inventory;
    Journal& journal;
    RunState run;
    StageRuns stages;
    nlohmann::json parts;                           // of the run digest
    nlohmann::json lets = nlohmann::json::array();  // bodies of Noted, written once the run has begun

    std::optional<Problem> resolve();
    std::optional<Problem> evaluate_lets();
    void conceal_secrets();
    std::optional<Problem> look_at_inputs();
    std::optional<Problem> copy_inputs();
    std::optional<Problem> begin();
    bool record_beginning();
    StageEnd run_stages();
    UndoEnd undo_before(std::size_t stage);
    RunResult run_everything();
    RunResult undo_run(const std::string& id);
    RunResult undo_everything(const std::string& id);
    RunResult guarded(const std::function<RunResult()>& work);
    bool settle_open_steps();
    [[nodiscard]] bool in_doubt() const;
    [[nodiscard]] std::vector<std::string> standing() const;
    void prepare_folder(StageEnvironment& environment) const;
    RunResult finish(const StageEnd& end, int code);
};

Engine::Engine(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
               Journal& journal, Listener listener, RunOptions options)
    : state_(std::make_unique<State>(program, inventory, tools, journal, std::move(listener),
                                     std::move(options))) {}

Engine::~Engine() = default;

// Before anything is written down: a refusal leaves no trace.
std::optional<Problem> Engine::State::resolve() {
    for (const ir::Stage& stage : run.program.stages) {
        if (!is_chosen(options, stage.name)) continue;
        auto environment = resolve_environment(run.program, stage, inventory, options, run.tools);
        if (!environment) return environment.error();
        stages.push_back(std::make_unique<StageRun>(run, stage, std::move(*environment)));
    }
    conceal_secrets();
    if (auto problem = look_at_inputs()) return problem;
    return evaluate_lets();
}

void Engine::State::conceal_secrets() {
    for (const auto& stage : stages)
        for (const std::string& secret : stage->environment.secret_values()) {
            run.tools.conceal(secret);
            run.recorder.conceal(secret);
        }
}

// What will run is what was reviewed, or nothing is begun.
std::optional<Problem> Engine::State::look_at_inputs() {
    std::vector<BoundStage> bound;
    for (const auto& stage : stages) bound.push_back({&stage->stage, &stage->environment});
    auto inputs = Inputs::collect(run.program, inventory, options);
    if (!inputs) return Problem{inputs.error()};
    const Reviewed reviewed = review(run.program, bound, inventory, **inputs, run.tools);
    run.inputs = std::move(*inputs);
    run.change = reviewed.change;
    options.run_digest = reviewed.run_digest();
    parts = reviewed.run;
    if (auto why = refusal(options, reviewed)) return Problem{*why, exit_code("refused")};
    return std::nullopt;
}

std::optional<Problem> Engine::State::evaluate_lets() {
    StageEnvironment common;
    common.settings["root"] = std::filesystem::absolute(inventory.root).lexically_normal().string();
    common.parameters = common_parameters(run.program, options);
    Evaluator evaluator(run.surroundings, common);
    evaluator.globals = &run.globals;
    for (const ir::Step& step : run.program.lets) {
        const Reading reading = evaluator.evaluate(*step.value, run.globals);
        if (reading.value.is_unknown()) return Problem{fmt::format("{}: {}", step.text, explain(reading))};
        const bool secret = step.value->type.kind == ir::TypeKind::Secret;
        run.globals.bind(step.name, reading.value, secret);
        if (!secret) lets.push_back({{"name", step.name}, {"value", to_json(reading.value)}});
    }
    for (const ir::Requirement& requirement : run.program.requirements) {
        const Reading reading = evaluator.evaluate(requirement.condition, run.globals);
        if (truth(reading.value) != true)
            return Problem{fmt::format("nothing is begun: the script requires `{}`: {}", requirement.text,
                                       explain(reading))};
    }
    return std::nullopt;
}

void Engine::State::prepare_folder(StageEnvironment& environment) const {
    const auto folder = std::filesystem::absolute(inventory.root) / ".migc" / "runs" / run.recorder.run();
    environment.settings["run-folder"] = folder.string();
    if (run.tools.kind() != "live") return;
    std::error_code ignored;  // what needs the folder says so when it writes into it
    std::filesystem::create_directories(folder, ignored);
    for (const auto& made : {folder.parent_path(), folder})
        std::filesystem::permissions(made, std::filesystem::perms::owner_all, ignored);
}

std::optional<Problem> Engine::State::begin() {
    RunSummary about;
    about.script = options.script;
    about.title = run.program.migration ? run.program.migration->title : "";
    about.mode = run.tools.kind();
    about.digest = run.changes().front();
    about.begun_ms = run.tools.now();
    const auto id = journal.begin_run(about, options.script_text);
    if (!id) return Problem{"the journal cannot be written, so nothing is begun: " + id.error()};
    run.recorder.belongs_to(*id);
    for (const auto& stage : stages) prepare_folder(stage->environment);
    return std::nullopt;
}

// The run works from copies, so that nobody changes under its hands what was reviewed.
std::optional<Problem> Engine::State::copy_inputs() {
    if (stages.empty() || run.tools.kind() != "live") return std::nullopt;
    const std::filesystem::path folder = stages.front()->environment.setting("run-folder");
    const auto copied = run.inputs->copy_into(folder / "inputs");
    return copied ? std::nullopt : std::optional(Problem{copied.error()});
}

bool Engine::State::record_beginning() {
    nlohmann::json environments = nlohmann::json::array();
    for (const auto& stage : stages) environments.push_back(stage->environment.name);
    nlohmann::json body = {{"run", run.recorder.run()},
                           {"script", options.script},
                           {"title", run.program.migration ? run.program.migration->title : ""},
                           {"digest", run.changes().front()},
                           {"run_digest", options.run_digest},
                           {"reviewed", parts},
                           {"files", run.change.value("files", nlohmann::json::object())},
                           {"operator", options.operator_name},
                           {"mode", run.tools.kind()},
                           {"world", options.world},
                           {"environments", environments}};
    if (const std::string* why = emergency(run.program)) body["emergency"] = *why;
    if (!run.recorder.record(EventKind::RunBegun, body)) return false;
    return std::all_of(lets.begin(), lets.end(), [this](const nlohmann::json& let) {
        return run.recorder.record(EventKind::Noted, let);
    });
}

UndoEnd Engine::State::undo_before(std::size_t stage) {
    UndoEnd worst = UndoEnd::Undone;
    while (stage-- > 0 && worst < UndoEnd::InDoubt) {
        StageUndo undo(*stages[stage]);
        const UndoEnd end = undo.run("a later stage undoes all");
        worst = std::max(worst, end);
        if (!run.recorder.record(EventKind::StageEnded, {{"stage", stages[stage]->stage.name},
                                                         {"result", result_of(end)},
                                                         {"message", undo.message()}}))
            return UndoEnd::Untrusted;
    }
    return worst;
}

StageEnd Engine::State::run_stages() {
    for (std::size_t i = 0; i < stages.size(); ++i) {
        StageFlow flow(*stages[i], [this, i] { return undo_before(i); });
        if (StageEnd end = flow.run(); end.result != "done") return end;
    }
    return {"done", {}};
}

std::vector<std::string> Engine::State::standing() const {
    std::vector<std::string> texts;
    for (const auto& stage : stages)
        for (const Change& change : stage->changes)
            if (change.stands() && !only_said(*stage, change))
                texts.push_back(fmt::format("{}: {}", stage->stage.name, change.text));
    return texts;
}

RunResult Engine::State::finish(const StageEnd& end, int code) {
    RunResult result{end.result, code, run.recorder.run(), end.message, standing()};
    const bool was_trusted = run.recorder.trusted();
    const bool written = run.recorder.end({{"result", result.result},
                                           {"exit_code", result.exit_code},
                                           {"message", result.message},
                                           {"standing", result.standing}});
    // However well it went, the journal does not say so, and whoever reads it must not be told otherwise.
    if (!written && was_trusted && code < exit_code("held")) {
        result.result = "held";
        result.exit_code = exit_code("held");
        result.message = run.recorder.failure();
    }
    return result;
}

RunResult Engine::State::run_everything() {
    if (auto problem = resolve()) return refused(problem->message, problem->exit_code);
    if (auto problem = begin()) return refused(problem->message);
    if (!record_beginning()) return finish({"held", run.recorder.failure()}, exit_code("held"));
    if (auto problem = copy_inputs()) return finish({"refused", problem->message}, problem->exit_code);
    const StageEnd end = run_stages();
    return finish(end, exit_code(end.result));
}

// No exception leaves the engine: what is left then is told as it is.
RunResult Engine::State::guarded(const std::function<RunResult()>& work) {
    try {
        return work();
    } catch (const std::exception& error) {
        const std::string message = fmt::format("a mistake in migc itself: {}", error.what());
        if (run.recorder.run().empty()) return refused(message);
        return {"in-doubt", exit_code("in-doubt"), run.recorder.run(), message, standing()};
    }
}

RunResult Engine::run() {
    return state_->guarded([this] { return state_->run_everything(); });
}

bool Engine::State::settle_open_steps() {
    for (const auto& stage : stages) {
        StageUndo undo(*stage);
        for (Change& change : stage->changes) {
            const bool open = change.state == ChangeState::Begun || change.state == ChangeState::InDoubt;
            if (open && !change.undone && !undo.settle(change)) return false;
        }
    }
    return true;
}

bool Engine::State::in_doubt() const {
    return std::any_of(stages.begin(), stages.end(), [](const auto& stage) {
        return std::any_of(stage->changes.begin(), stage->changes.end(), [](const Change& change) {
            return change.state == ChangeState::InDoubt && !change.undone;
        });
    });
}

RunResult Engine::State::undo_everything(const std::string& id) {
    run.recorder.belongs_to(id);
    if (!settle_open_steps()) return finish({"in-doubt", run.recorder.failure()}, 4);
    if (in_doubt())
        return finish({"in-doubt",
                       "how a step went could not be found out, so nothing is undone: a person has to look"},
                      4);
    UndoEnd worst = UndoEnd::Undone;
    std::string message;
    for (auto stage = stages.rbegin(); stage != stages.rend() && worst < UndoEnd::InDoubt; ++stage) {
        if (!has_changes(**stage)) continue;
        StageUndo undo(**stage);
        const UndoEnd end = undo.run("the operator asked for it");
        if (end > worst) message = undo.message();
        worst = std::max(worst, end);
        run.recorder.record(
            EventKind::StageEnded,
            {{"stage", (*stage)->stage.name}, {"result", result_of(end)}, {"message", undo.message()}});
        if (run.stopping()) break;
    }
    if (!run.recorder.trusted()) return finish({"in-doubt", run.recorder.failure()}, 4);
    if (run.stopping() && worst == UndoEnd::Undone && !standing().empty())
        return finish({"held", "stopped by the operator"}, 3);
    return finish({result_of(worst), message}, worst == UndoEnd::Undone ? 0 : exit_code(result_of(worst)));
}

RunResult Engine::State::undo_run(const std::string& id) {
    const auto about = journal.find(id);
    if (!about) return refused(about.error());
    const auto events = journal.events(about->id);
    if (!events) return refused(events.error());
    auto rebuilt = rebuild(run, *events);
    if (!rebuilt) return refused(rebuilt.error());
    stages = std::move(*rebuilt);
    return undo_everything(about->id);
}

RunResult Engine::undo(const std::string& id) {
    return state_->guarded([this, &id] { return state_->undo_run(id); });
}

}  // namespace migc::runtime
