#include "runtime/engine/engine.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/engine/beforehand.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/history.hpp"
#include "runtime/engine/stage.hpp"
#include "runtime/engine/still_ours.hpp"
#include "runtime/engine/undo.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/review/reviewed.hpp"

namespace migc::runtime::inline engine {
namespace {

int exit_code(Outcome result) {
    if (result == Outcome::Done) return 0;
    if (result == Outcome::Undone) return 1;
    if (result == Outcome::Held) return 3;
    return result == Outcome::Refused ? 5 : 4;
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
    return {Outcome::Refused, code, {}, std::move(message), {}};
}

RunResult refused(const Problem& problem) {
    RunResult result = refused(problem.message, problem.exit_code);
    result.in_lines = problem.in_lines;
    return result;
}

}  // namespace

struct Engine::State {
    State(const ir::Program& the_program, const project::Inventory& the_inventory, Tools& the_tools,
          Journal& the_journal, Listener listener, RunOptions the_options)
        : options(std::move(the_options)),
          inventory(the_inventory),
          tools(the_tools),
          journal(the_journal),
          run(the_program, the_inventory, the_tools, options, the_journal, std::move(listener)) {
        run.eval_context.changed_since = [this](const std::string& stage, const std::string& id) {
            return id.empty() ? changed_since(stage) : changed_since_run(id, stage);
        };
        run.eval_context.environment_of = [this](const std::string& stage) -> const StageEnvironment* {
            for (const auto& one : stages)
                if (one->stage.name == stage) return &one->environment;
            return nullptr;
        };
    }

    RunOptions options;
    const project::Inventory& inventory;
    Tools& tools;
    Journal& journal;
    RunContext run;
    StageRuns stages;
    Time begun_ms = 0;
    nlohmann::json parts;             // of the run digest
    std::vector<events::Noted> lets;  // written once the run has begun

    [[nodiscard]] std::string changed_since(const std::string& stage);
    [[nodiscard]] std::string changed_since_run(const std::string& id, const std::string& stage);
    std::optional<Problem> resolve();
    std::optional<Problem> evaluate_lets(const std::map<std::string, nlohmann::json>& known = {});
    std::optional<Problem> check_requirements();
    StageEnvironment common() const;
    void redact_secrets();
    std::optional<Problem> look_at_inputs();
    std::optional<Problem> copy_inputs();
    std::optional<Problem> look_at_inputs_again(const std::optional<events::RunBegun>& begun);
    [[nodiscard]] std::vector<std::string> drifted_inputs();
    [[nodiscard]] bool being_written(const std::string& path) const;
    std::optional<Problem> begin();
    bool record_beginning();
    bool record_lets();
    [[nodiscard]] events::RunResumed resumed(bool undoing) const;
    StageEnd run_stages();
    UndoEnd undo_before(std::size_t stage);
    RunResult run_everything();
    tl::expected<RunState, std::string> recall(const std::string& id);
    RunResult undo_run(const std::string& id);
    RunResult undo_everything();
    RunResult undo_stages();
    RunResult resume_run(const std::string& id);
    RunResult resume_from(const RunState& history);
    StageEnd resume_stages();
    std::optional<Problem> add_stages(const std::optional<events::RunBegun>& begun);
    std::optional<Problem> begin_again(const RunState& history);
    RunResult guarded(const std::function<RunResult()>& work);
    std::optional<Problem> another_cluster();
    std::optional<Problem> another_workspace();
    bool reconcile_open_steps(ReconcileFor purpose);
    [[nodiscard]] std::vector<StepId> in_doubt() const;
    RunResult finish_in_doubt(const std::vector<StepId>& steps, const std::string& consequence);
    [[nodiscard]] std::vector<std::string> standing() const;
    std::optional<Problem> prepare_folders();
    [[nodiscard]] std::vector<StepId> to_decide() const;
    RunResult finish(const StageEnd& end, int code);
    [[nodiscard]] bool is_closed_for_undo(Outcome result) const;
};

Engine::Engine(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
               Journal& journal, Listener listener, RunOptions options)
    : state_(std::make_unique<State>(program, inventory, tools, journal, std::move(listener),
                                     std::move(options))) {}

Engine::~Engine() = default;

// A gate that asks for a stage asks for what stands, not for what was once so.
std::string Engine::State::changed_since(const std::string& stage) {
    for (const auto& one : stages)
        if (one->stage.name == stage) return StillOurs(*one).all().message;
    return {};
}

// Likewise of a stage, or a stage's environment, that passed in an earlier run: what its journal says is
// looked at again from here. A world begins anew with each run, and tells nothing of an earlier one.
std::string Engine::State::changed_since_run(const std::string& id, const std::string& stage) {
    if (tools.kind() == "simulated") return {};
    const auto events = journal.events(id);
    if (!events) return {};
    RunContext earlier(run.program, inventory, tools, options, journal, {});
    RunState history = run_state(*events);
    const auto then = stages_of(earlier, history);
    if (!then) return {};
    for (const auto& one : *then)
        if (one->stage.name == stage || one->environment.name == stage)
            if (std::string why = StillOurs(*one).theirs(); !why.empty()) return why;
    return {};
}

// Before anything is written down: a refusal leaves no trace.
std::optional<Problem> Engine::State::resolve() {
    for (const ir::Stage& stage : run.program.stages) {
        if (!is_chosen(options, stage.name)) continue;
        auto environment = resolve_environment(run.program, stage, inventory, options, run.tools);
        if (!environment) return environment.error();
        stages.push_back(std::make_unique<StageRun>(run, stage, std::move(*environment)));
    }
    redact_secrets();
    if (auto problem = look_at_inputs()) return problem;
    if (auto problem = evaluate_lets()) return problem;
    if (auto problem = check_requirements()) return problem;
    return known_beforehand(run, stages);
}

void Engine::State::redact_secrets() {
    for (const auto& stage : stages) stage->environment.redact_secrets(run.program);
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
    if (auto why = refusal(options, reviewed)) return Problem{*why, exit_code(Outcome::Refused), true};
    return std::nullopt;
}

StageEnvironment Engine::State::common() const {
    return common_environment(run.program, inventory, options);
}

// Those that the journal knows are bound already.
std::optional<Problem> Engine::State::evaluate_lets(const std::map<std::string, nlohmann::json>& known) {
    const StageEnvironment environment = common();
    Evaluator evaluator(run.eval_context, environment);
    evaluator.globals = &run.globals;
    for (const ir::Step& step : run.program.lets) {
        if (known.contains(step.name)) continue;
        const Reading reading = evaluator.evaluate(*step.value, run.globals);
        if (reading.value.is_unknown()) return Problem{fmt::format("{}: {}", step.text, explain(reading))};
        const bool secret = step.value->type.kind == ir::TypeKind::Secret;
        auto value =
            secret ? kept_form(&run.kept, *step.value, run.globals, reading.value) : to_json(reading.value);
        if (secret)
            run.globals.bind_secret(step.name, reading.value, value);
        else
            run.globals.bind(step.name, reading.value);
        if (!secret || !value.is_null())
            lets.push_back({{}, events::Noted::Kind::Name, step.name, std::move(value)});
    }
    return std::nullopt;
}

std::optional<Problem> Engine::State::check_requirements() {
    const StageEnvironment environment = common();
    Evaluator evaluator(run.eval_context, environment);
    evaluator.globals = &run.globals;
    for (const ir::Requirement& requirement : run.program.requirements) {
        const Reading reading = evaluator.evaluate(requirement.condition, run.globals);
        if (truth(reading.value) != true)
            return Problem{fmt::format("nothing is begun: the script requires `{}`: {}", requirement.text,
                                       explain(reading))};
    }
    return std::nullopt;
}

std::optional<Problem> Engine::State::prepare_folders() {
    const bool live = run.tools.kind() == "live";
    if (live)
        if (const auto made = make_run_folder(inventory.root, run.recorder.run()); !made)
            return Problem{"nothing is begun: " + made.error()};
    const auto folder = std::filesystem::absolute(inventory.root) / ".migc" / "runs" / run.recorder.run();
    for (const auto& stage : stages) {
        stage->environment.settings["run-folder"] = folder.string();
        // The name under which a server keeps what this run writes: of this run and of no other, also where
        // two operators on two machines have runs of one number. A stage that was begun before goes on under
        // the name by which it has written.
        stage->environment.settings.try_emplace(
            "manager", fmt::format("migc:{}-{}", run.recorder.run(),
                                   sha256(fmt::format("{} {}", begun_ms, options.script)).substr(0, 6)));
    }
    if (!live || stages.empty()) return std::nullopt;
    run.runbook.keep_in(folder);
    run.kept.belongs_to(run.recorder.run(), folder);
    return std::nullopt;
}

std::optional<Problem> Engine::State::begin() {
    RunSummary about;
    about.script = options.script;
    about.title = run.program.migration ? run.program.migration->title : "";
    about.mode = run.tools.kind();
    about.digest = run.changes().front();
    about.begun_ms = run.tools.now();
    if (about.mode == "live")
        if (const auto runs = make_state_folder(inventory.root, "runs"); !runs)
            return Problem{"nothing is begun: " + runs.error()};
    const auto id = journal.begin_run(about, options.script_text);
    if (!id) return Problem{"the journal cannot be written, so nothing is begun: " + id.error()};
    run.recorder.belongs_to(*id);
    options.run = *id;
    begun_ms = about.begun_ms;
    return prepare_folders();
}

// The run works from copies, so that nobody changes under its hands what was reviewed.
std::optional<Problem> Engine::State::copy_inputs() {
    if (stages.empty() || run.tools.kind() != "live") return std::nullopt;
    const std::filesystem::path folder = stages.front()->environment.setting("run-folder");
    const auto copied = run.inputs->copy_into(folder / "inputs");
    return copied ? std::nullopt : std::optional(Problem{copied.error()});
}

// Whether a step that names the file was cut off: then it is as that step has left it.
bool Engine::State::being_written(const std::string& path) const {
    const auto names_it = [&](const Change& change) {
        return change.state == ChangeState::Begun && change.arguments.dump().find(path) != std::string::npos;
    };
    return std::any_of(stages.begin(), stages.end(), [&](const auto& stage) {
        return std::any_of(stage->changes.begin(), stage->changes.end(), names_it);
    });
}

// The inputs that are not as the run's own copies are.
std::vector<std::string> Engine::State::drifted_inputs() {
    if (stages.empty() || run.tools.kind() != "live") return {};
    auto drifted = run.inputs->unlike(
        std::filesystem::path(stages.front()->environment.setting("run-folder")) / "inputs");
    std::erase_if(drifted, [this](const std::string& path) { return being_written(path); });
    return drifted;
}

// A run that goes on works with what it was begun with: the same change, the same files but for its own
// edits.
std::optional<Problem> Engine::State::look_at_inputs_again(const std::optional<events::RunBegun>& begun) {
    redact_secrets();
    if (auto problem = look_at_inputs()) return problem;
    if (!begun) return copy_inputs();
    if (!begun->files.is_null()) run.change["files"] = begun->files;
    if (options.without_evidence.empty()) options.without_evidence = begun->without_evidence;
    if (!begun->run_digest.empty()) options.run_digest = begun->run_digest;
    if (const auto drifted = drifted_inputs(); !drifted.empty())
        return Problem{
            fmt::format(
                "nothing is begun: {} not as when the run stopped. Put {} back (the run's copies are in "
                ".migc/runs/{}/inputs), or undo the run and begin a new one",
                fmt::format("{} {}", fmt::join(drifted, ", "), drifted.size() == 1 ? "is" : "are"),
                drifted.size() == 1 ? "it" : "them", run.recorder.run()),
            exit_code(Outcome::Refused)};
    return copy_inputs();
}

bool Engine::State::record_beginning() {
    events::RunBegun begun;
    begun.run = run.recorder.run();
    begun.script = options.script;
    if (run.program.migration) begun.title = run.program.migration->title;
    begun.digest = run.changes().front();
    begun.run_digest = options.run_digest;
    begun.reviewed = parts;
    begun.files = run.change.value("files", nlohmann::json::object());
    begun.by = options.operated_by;
    begun.mode = run.tools.kind();
    begun.world = options.world;
    for (const auto& stage : stages) {
        begun.environments.push_back(stage->environment.name);
        begun.stages[stage->stage.name] = stage->environment.journal();
    }
    if (const std::string* why = emergency(run.program)) begun.emergency = *why;
    begun.without_evidence = options.without_evidence;
    begun.consent = options.consent;
    return run.recorder.record(begun) && record_lets();
}

events::RunResumed Engine::State::resumed(bool undoing) const {
    using Action = events::RunResumed::Action;
    return {run.recorder.run(), undoing ? Action::Undo : Action::Resume, options.operated_by,
            options.consent};
}

// The last of a run's beginning: whoever looks sees a run that has begun.
bool Engine::State::record_lets() {
    const bool written = std::all_of(lets.begin(), lets.end(),
                                     [this](const events::Noted& let) { return run.recorder.record(let); });
    return written && run.flush();
}

UndoEnd Engine::State::undo_before(std::size_t stage) {
    UndoEnd worst = UndoEnd::Undone;
    while (stage-- > 0 && worst < UndoEnd::InDoubt) {
        if (stages[stage]->past.result == Outcome::Undone) continue;
        StageUndo undo(*stages[stage]);
        const UndoEnd end = undo.run(undo_by_later_stage);
        worst = std::max(worst, end);
        if (!run.recorder.record(
                events::StageEnded{{stages[stage]->stage.name}, result_of(end), undo.message()}))
            return UndoEnd::Untrusted;
    }
    return worst;
}

StageEnd Engine::State::run_stages() {
    for (std::size_t i = 0; i < stages.size(); ++i) {
        if (stages[i]->passed) continue;
        StageFlow flow(*stages[i], [this, i] { return undo_before(i); });
        if (StageEnd end = flow.run(); end.result != Outcome::Done) return end;
    }
    return {Outcome::Done, {}};
}

std::vector<std::string> Engine::State::standing() const {
    std::vector<std::string> texts;
    for (const auto& stage : stages)
        for (const Change& change : stage->changes)
            if (change.stands() && !only_said(*stage, change))
                texts.push_back(fmt::format("{}: {}", stage->stage.name, change.text));
    return texts;
}

// The steps about which a person has to decide before the run can go on.
std::vector<StepId> Engine::State::to_decide() const {
    std::vector<StepId> steps = in_doubt();
    for (const auto& stage : stages)
        for (const Change& change : stage->changes)
            if (change.undo_in_doubt && !change.undone) steps.push_back(change.step);
    return steps;
}

// All that it had done is undone: nobody will need the secrets again that it kept for that.
bool Engine::State::is_closed_for_undo(Outcome result) const {
    return result == Outcome::Undone &&
           std::none_of(stages.begin(), stages.end(), [](const auto& stage) { return has_changes(*stage); });
}

RunResult Engine::State::finish(const StageEnd& end, int code) {
    RunResult result{end.result, code, run.recorder.run(), end.message, standing(), end.why};
    events::RunEnded body{result.result, result.exit_code, result.message, result.standing, {}};
    if (end.result == Outcome::InDoubt) body.decide = to_decide();
    const bool was_trusted = run.recorder.trusted();
    const bool written = run.recorder.end(body);
    run.flush();  // the runbook
    if (written && is_closed_for_undo(result.result)) run.kept.erase();
    if (written) return result;
    // However well it went, the journal does not say so, and whoever reads it must not be told otherwise.
    const Outcome unwritten = untrusted_result(run);
    if (was_trusted && code < exit_code(unwritten)) {
        result.result = unwritten;
        result.exit_code = exit_code(unwritten);
        result.message = run.recorder.failure();
        body = {result.result, result.exit_code, result.message, body.standing, body.decide};
    }
    run.recorder.tell(body);
    return result;
}

RunResult Engine::State::run_everything() {
    if (auto problem = resolve()) return refused(*problem);
    if (auto problem = begin()) return refused(problem->message);
    if (!record_beginning()) return finish({Outcome::Held, run.recorder.failure()}, exit_code(Outcome::Held));
    if (auto problem = copy_inputs()) return finish({Outcome::Refused, problem->message}, problem->exit_code);
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
        run.flush();
        run.recorder.tell(
            events::RunEnded{Outcome::InDoubt, exit_code(Outcome::InDoubt), message, standing(), {}});
        return {Outcome::InDoubt, exit_code(Outcome::InDoubt), run.recorder.run(), message, standing()};
    }
}

RunResult Engine::run() {
    return state_->guarded([this] { return state_->run_everything(); });
}

// What a context is called may lead to another cluster by now: there, an undo would change what it has not
// done.
std::optional<Problem> Engine::State::another_cluster() {
    for (const auto& stage : stages) {
        const std::string then = stage->environment.setting("cluster");
        const auto now = then.empty() ? tl::expected<std::string, std::string>("")
                                      : cluster_identity(run.program, stage->environment, run.tools);
        if (now && *now != then)
            return Problem{fmt::format(
                "context {} leads to another cluster than when the run began (kube-system has UID {}, then it was "
                "{}): nothing is touched. Let the context lead to the run's cluster again",
                stage->environment.setting("context"), *now, then)};
    }
    return std::nullopt;
}

// An undo finds the workspace by itself, and leaves what is in another one; going on would begin there.
std::optional<Problem> Engine::State::another_workspace() {
    for (const auto& stage : stages) {
        const auto shown = [](const std::string& name) { return name.empty() ? "default" : name; };
        const std::string selected = terraform_workspace(stage->environment);
        if (const std::string was = stage->environment.setting("workspace"); selected != was)
            return Problem{fmt::format(
                "terraform's workspace {0} is selected in {2}, and the run began in {1}: nothing is touched. "
                "`terraform workspace select {1}` goes back to it",
                shown(selected), shown(was), stage->environment.setting("terraform-dir"))};
    }
    return std::nullopt;
}

// Composites that were cut off are as far as the steps inside of them are.
bool Engine::State::reconcile_open_steps(ReconcileFor purpose) {
    for (const auto& stage : stages) {
        StageUndo undo(*stage);
        for (Change& change : stage->changes) {
            const ir::Verb* verb = stage->verb(change.verb);
            if (!change.open() || (purpose == ReconcileFor::Resume && verb != nullptr && !verb->action))
                continue;
            if (!undo.reconcile(change, purpose)) return false;
            const bool half_done = change.state == ChangeState::Failed && change.acted;
            if (half_done && purpose == ReconcileFor::Resume && !stage->past.failure)
                stage->past.failure = fmt::format("{}: it was interrupted half done", change.text);
        }
    }
    return true;
}

std::vector<StepId> Engine::State::in_doubt() const {
    std::vector<StepId> steps;
    for (const auto& stage : stages)
        for (const Change& change : stage->changes)
            if (change.state == ChangeState::InDoubt && !change.undone) steps.push_back(change.step);
    return steps;
}

RunResult Engine::State::finish_in_doubt(const std::vector<StepId>& steps, const std::string& consequence) {
    return finish({Outcome::InDoubt, fmt::format("how {} went could not be found out, so {}",
                                                 fmt::join(steps, ", "), consequence)},
                  exit_code(Outcome::InDoubt));
}

RunResult Engine::State::undo_everything() {
    if (!run.recorder.record(resumed(true)) || !run.flush())
        return finish({Outcome::InDoubt, run.recorder.failure()}, exit_code(Outcome::InDoubt));
    if (!reconcile_open_steps(ReconcileFor::Undo))
        return finish({Outcome::InDoubt, run.recorder.failure()}, exit_code(Outcome::InDoubt));
    if (const auto steps = in_doubt(); !steps.empty()) return finish_in_doubt(steps, "nothing is undone");
    return undo_stages();
}

RunResult Engine::State::undo_stages() {
    UndoEnd worst = UndoEnd::Undone;
    std::string message;
    for (auto stage = stages.rbegin(); stage != stages.rend() && worst < UndoEnd::InDoubt; ++stage) {
        if (!has_changes(**stage) && !(*stage)->past.cut_in_undo) continue;
        StageUndo undo(**stage);
        const UndoEnd end = undo.run(undo_by_operator);
        if (end > worst) message = undo.message();
        worst = std::max(worst, end);
        run.recorder.record(events::StageEnded{{(*stage)->stage.name}, result_of(end), undo.message()});
        if (run.stopping()) break;
    }
    if (!run.recorder.trusted())
        return finish({Outcome::InDoubt, run.recorder.failure()}, exit_code(Outcome::InDoubt));
    if (run.stopping() && worst == UndoEnd::Undone && !standing().empty())
        return finish({Outcome::Held, "stopped by the operator"}, exit_code(Outcome::Held));
    return finish({result_of(worst), message}, worst == UndoEnd::Undone ? 0 : exit_code(result_of(worst)));
}

// The run as the journal has it; from then on events are added to it.
tl::expected<RunState, std::string> Engine::State::recall(const std::string& id) {
    const auto about = journal.find(id);
    if (!about) return tl::unexpected(about.error());
    auto events = journal.events(about->id);
    if (!events) return tl::unexpected(events.error());
    move_to(std::filesystem::absolute(inventory.root).lexically_normal(), *events);
    RunState history = run_state(*events);
    auto begun = stages_of(run, history);
    if (!begun) return tl::unexpected(begun.error());
    stages = std::move(*begun);
    run.recorder.belongs_to(about->id);
    options.run = about->id;
    begun_ms = about->begun_ms;
    run.runbook.belongs_to(std::filesystem::absolute(inventory.root) / ".migc" / "runs" / about->id);
    for (const auto& stage : stages) {
        if (stage->passed) run.passed.insert(stage->stage.name);
        for (const Change& change : stage->changes) run.runbook.update(*stage, change);
    }
    return history;
}

RunResult Engine::State::undo_run(const std::string& id) {
    const auto history = recall(id);
    if (!history) return refused(history.error());
    for (const ir::Tool& tool : run.program.tools) static_cast<void>(pin(tool, inventory.root, tools));
    if (auto problem = another_cluster()) return refused(problem->message);
    if (auto problem = prepare_folders()) return refused(problem->message);
    return undo_everything();
}

// Those that were not begun get the environment that the run found when it began.
std::optional<Problem> Engine::State::add_stages(const std::optional<events::RunBegun>& begun) {
    const auto pinned = begun ? begun->stages : std::map<std::string, PinnedEnvironment>();
    StageRuns all;
    for (const ir::Stage& stage : run.program.stages) {
        if (!pinned.empty() && !pinned.contains(stage.name)) continue;  // the run was not asked for it
        const auto known = std::find_if(stages.begin(), stages.end(), [&](const auto& one) {
            return one != nullptr && one->stage.name == stage.name;
        });
        if (known != stages.end()) {
            all.push_back(std::move(*known));
            continue;
        }
        auto environment = resolve_environment(run.program, stage, inventory, options, run.tools);
        if (!environment) return environment.error();
        if (pinned.contains(stage.name)) {
            auto before = StageEnvironment::from_journal(pinned.at(stage.name));
            before.parameters.insert(environment->parameters.begin(), environment->parameters.end());
            before.secrets = environment->secrets;
            *environment = std::move(before);
        }
        all.push_back(std::make_unique<StageRun>(run, stage, std::move(*environment)));
    }
    stages = std::move(all);
    return prepare_folders();
}

std::optional<Problem> Engine::State::begin_again(const RunState& history) {
    if (auto problem = add_stages(history.begun)) return problem;
    if (auto problem = look_at_inputs_again(history.begun)) return problem;
    if (auto problem = evaluate_lets(history.lets)) return problem;
    // What has failed already is dealt with first, whatever the steps that are left would need.
    const bool goes_back =
        history.undoing || std::any_of(stages.begin(), stages.end(),
                                       [](const auto& stage) { return stage->past.failure.has_value(); });
    return goes_back ? std::nullopt : known_beforehand(run, stages);
}

// The stage that failed is dealt with first: whatever came before it is done, and an undo of all takes it
// back.
StageEnd Engine::State::resume_stages() {
    for (std::size_t i = 0; i < stages.size(); ++i) {
        StageRun& stage = *stages[i];
        if (!stage.past.failure) continue;
        if (stage.past.result == Outcome::Undone) return {Outcome::Undone, *stage.past.failure};
        return StageFlow(stage, [this, i] { return undo_before(i); }).run();
    }
    return run_stages();
}

RunResult Engine::State::resume_from(const RunState& history) {
    if (auto problem = begin_again(history)) return refused(*problem);
    // Cut off before its first event: nothing was begun.
    if (!history.begun) {
        if (!record_beginning())
            return finish({Outcome::Held, run.recorder.failure()}, exit_code(Outcome::Held));
        const StageEnd end = run_stages();
        return finish(end, exit_code(end.result));
    }
    const bool recorded = run.recorder.record(resumed(history.undoing)) && record_lets();
    const ReconcileFor purpose = history.undoing ? ReconcileFor::Undo : ReconcileFor::Resume;
    if (!recorded || !reconcile_open_steps(purpose))
        return finish({Outcome::InDoubt, run.recorder.failure()}, exit_code(Outcome::InDoubt));
    if (const auto steps = in_doubt(); !steps.empty())
        return finish_in_doubt(steps, history.undoing ? "nothing is undone" : "the run does not go on");
    if (history.undoing) return undo_stages();
    const StageEnd end = resume_stages();
    return finish(end, exit_code(end.result));
}

RunResult Engine::State::resume_run(const std::string& id) {
    const auto history = recall(id);
    if (!history) return refused(history.error());
    const Outcome ended = history->ended ? history->ended->result : Outcome::None;
    if (ended == Outcome::Done || ended == Outcome::Undone)
        return {ended,
                exit_code(ended),
                {},
                fmt::format("run {} is {}: there is nothing to continue", run.recorder.run(), word(ended)),
                {}};
    if (auto problem = history->undoing ? std::nullopt : another_workspace())
        return refused(problem->message);
    if (auto problem = another_cluster()) return refused(problem->message);
    return resume_from(*history);
}

RunResult Engine::resume(const std::string& id) {
    return state_->guarded([this, &id] { return state_->resume_run(id); });
}

tl::expected<std::string, std::string> Engine::runbook(const std::string& id) {
    try {
        if (const auto history = state_->recall(id); !history) return tl::unexpected(history.error());
        state_->run.runbook.write_files();
        return state_->run.runbook.text(state_->run.runbook_heading());
    } catch (const std::exception& error) {
        return tl::unexpected(fmt::format("a mistake in migc itself: {}", error.what()));
    }
}

RunResult Engine::undo(const std::string& id) {
    return state_->guarded([this, &id] { return state_->undo_run(id); });
}

}  // namespace migc::runtime::inline engine
