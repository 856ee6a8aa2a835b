#include "runtime/engine/stage_run.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "runtime/engine/still_ours.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/review/reviewed.hpp"
#include "runtime/tools/thread.hpp"

namespace migc::runtime::inline engine {

RunContext::RunContext(const ir::Program& the_program, const project::Inventory& inventory, Tools& the_tools,
                       const RunOptions& the_options, Journal& journal, Listener listener)
    : program(the_program),
      options(the_options),
      recorder(journal, the_tools, std::move(listener)),
      tools(the_tools, [this] { return flush() ? "" : recorder.failure(); }),
      kept(inventory.root, the_tools.kind() == "live"),
      eval_context{the_program,
                   inventory,
                   tools,
                   the_options,
                   [this](const std::string& stage) { return passed.contains(stage); },
                   [this](const std::string& path) {
                       if (inputs) inputs->wrote(path);
                   },
                   [this] { return changes(); }},
      runbook(the_program, inventory, the_options) {
    recorder.fenced_by(options.lock_lost);
    eval_context.kept = &kept;
    eval_context.approved_by = [this](const auto& approvals) { approved_by(approvals); };
}

void RunContext::approved_by(const std::vector<std::string>& approvals) {
    const std::lock_guard lock(approvals_mutex_);
    for (const std::string& one : approvals)
        if (approvals_told_.insert(one).second) approvals_.push_back(one);
}

std::vector<std::string> RunContext::take_approvals() {
    const std::lock_guard lock(approvals_mutex_);
    return std::exchange(approvals_, {});
}

std::string RunContext::runbook_heading() {
    const std::string title = program.migration ? printable(program.migration->title, 200) : "";
    return fmt::format(
        "# Run {}{}: what takes back by hand, without migc, what it has done so far.\n"
        "# Script {}; as of {}. Of the project in {}.\n"
        "# For bash, from any folder and with any current context: `bash -e` stops where a line is refused. In this\n"
        "# order. After each one see that it is as it says; if it is not, stop and find out why.\n",
        recorder.run(), title.empty() ? "" : fmt::format(" ({})", title), printable(options.script, 400),
        iso_time(tools.now()), eval_context.inventory.root.string());
}

void RunContext::keep_runbook() {
    const std::lock_guard lock(runbook_mutex_);
    if (runbook_is_old_.exchange(false) && runbook.is_kept()) runbook.write(runbook_heading());
}

// How a step went is on the runbook with what is begun next: it costs as much as the rest of a small step, so
// it is written while the disk is waited for. Where that fails, the runbook names what was not begun, as
// something to look at.
bool RunContext::flush() {
    std::future<void> written;
    if (runbook_is_old_ && runbook.is_kept())
        written =
            without_signals([this] { return std::async(std::launch::async, [this] { keep_runbook(); }); });
    const bool durable = recorder.flush();
    written.valid() ? written.get() : keep_runbook();  // which somebody else may be writing just now
    return durable;
}

std::vector<std::string> RunContext::changes() const {
    if (!inputs) return {};
    Reviewed reviewed{change, {}};
    std::vector<std::string> digests = {reviewed.change_digest()};
    reviewed.change["files"] = inputs->digests();
    if (std::string now = reviewed.change_digest(); now != digests.front()) digests.push_back(std::move(now));
    return digests;
}

bool RunContext::stopping() {
    if (!stop_ && options.stop_requested && options.stop_requested()) stop_ = true;
    return stop_;
}

StageRun::StageRun(RunContext& the_run, const ir::Stage& the_stage, StageEnvironment the_environment,
                   StageState before)
    : StageState(std::move(before)),
      run(the_run),
      stage(the_stage),
      definition(semantics::stage_with_steps(the_run.program, the_stage)),
      environment(std::move(the_environment)),
      evaluator(the_run.eval_context, environment),
      scope(&the_run.globals) {
    evaluator.globals = &the_run.globals;
    evaluator.changed_workloads = [this] { return changed_workloads(); };
    for (const Change& change : changes)
        if (change.state != ChangeState::Begun) not_indexed_.push_back(change.step);
    for (const auto& [phrase, count] : tool_writes) run.tool_writes_[whole_phrase(phrase)] += count;
    run.identities_.insert(identities.begin(), identities.end());
}

void StageRun::add(Change change) {
    {
        const std::lock_guard lock(mutex_);
        run.runbook.update(*this, StageState::add(std::move(change)));
    }
    run.runbook_is_old_ = true;
}

void StageRun::put_back(const StepId& step, const std::optional<Change>& before) {
    if (before) return add(*before);
    {
        const std::lock_guard lock(mutex_);
        forget(step);
        run.runbook.forget(stage.name, step);
    }
    run.runbook_is_old_ = true;
}

std::optional<Change> StageRun::change(const StepId& step) {
    const std::lock_guard lock(mutex_);
    const Change* found = find(step);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

void StageRun::conclude(const StepId& step, const events::StepOutcome& outcome) {
    {
        const std::lock_guard lock(mutex_);
        const Change* concluded = StageState::conclude(step, outcome);
        if (concluded == nullptr) return;
        count_writes(concluded->revisions);
        if (concluded->state == ChangeState::Done || concluded->state == ChangeState::Already)
            share(concluded->identities);
        not_indexed_.push_back(step);
        run.runbook.update(*this, *concluded);
    }
    run.runbook_is_old_ = true;
}

void StageRun::conclude_in_failure(const events::StepOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    StageState::conclude_in_failure(outcome);
    count_writes(outcome.revisions);
    if (outcome.result == Outcome::Done) share(outcome.identities);
}

void StageRun::count_writes(const Texts& revisions) {
    const std::lock_guard writes(run.writes_mutex_);
    for (const auto& [phrase, revision] : revisions) ++run.tool_writes_[whole_phrase(phrase)];
}

std::string StageRun::whole_phrase(const std::string& phrase) const {
    return environment.setting("context") + "/" + environment.setting("namespace") + "/" + phrase;
}

std::string StageRun::own_revision(const Change& change, const std::string& phrase) {
    const auto found = change.revisions.find(phrase);
    if (found == change.revisions.end()) return {};
    const std::lock_guard writes(run.writes_mutex_);
    if (run.tool_writes_[whole_phrase(phrase)] != 1) return {};
    const auto thing = change.identities.find(phrase);
    return found->second + (thing == change.identities.end() ? "" : " " + thing->second);
}

std::vector<Change> StageRun::changes_about(const std::set<std::string>& names) {
    std::vector<Change> found;
    if (names.empty()) return found;
    index();
    const std::lock_guard lock(mutex_);
    std::set<StepId> steps;
    for (const std::string& name : names)
        if (const auto known = by_name_.find(name); known != by_name_.end())
            steps.insert(known->second.begin(), known->second.end());
    for (const Change& change : changes)
        if (!change.superseded && steps.contains(change.step)) found.push_back(change);
    return found;
}

// What a change is about is found out once, when somebody asks.
void StageRun::index() {
    std::vector<Change> fresh;
    {
        const std::lock_guard lock(mutex_);
        for (const StepId& step : std::exchange(not_indexed_, {}))
            for (const Change& change : changes)
                if (change.step == step && !change.superseded) fresh.push_back(change);
    }
    for (const Change& change : fresh) {
        const ir::Verb* declared = verb(change.verb);
        if (declared == nullptr) continue;
        const Scope names = scope_of(*this, change);
        std::set<std::string> all;
        for (const ir::Effect& effect : declared->effects)
            all.merge(names_in(evaluator, effect.probe, names));
        const std::lock_guard lock(mutex_);
        for (const std::string& name : all) by_name_[name].push_back(change.step);
    }
}

void StageRun::add_in_failure(Change change) {
    const std::lock_guard lock(mutex_);
    StageState::add_in_failure(std::move(change));
}

std::vector<Change> StageRun::changes_inside(const StepId& step) {
    const std::lock_guard lock(mutex_);
    std::vector<Change> found;
    std::copy_if(changes.begin(), changes.end(), std::back_inserter(found),
                 [&](const Change& change) { return change.step.is_inside(step); });
    return found;
}

void StageRun::mark_undone(const StepId& step) {
    {
        const std::lock_guard lock(mutex_);
        StageState::mark_undone(step);
        for (const Change& change : changes)
            if (change.step == step || change.step.is_inside(step)) run.runbook.update(*this, change);
    }
    run.runbook_is_old_ = true;
}

void StageRun::mark_standing(const StepId& step) {
    {
        const std::lock_guard lock(mutex_);
        StageState::mark_standing(step);
        if (const Change* change = find(step)) run.runbook.update(*this, *change);
    }
    run.runbook_is_old_ = true;
}

void StageRun::wrote(const Values& values) {
    const std::lock_guard lock(mutex_);
    StageState::wrote(values);
}

bool StageRun::wrote(const std::string& phrase, const Value& value) {
    const std::lock_guard lock(mutex_);
    const auto found = written.find(phrase);
    return found != written.end() && equal(found->second, value);
}

void StageRun::knows(const Texts& things) {
    const std::lock_guard lock(mutex_);
    StageState::knows(things);
    share(things);
}

// What one stage has made again is no stranger's to the others.
void StageRun::share(const Texts& identities_by_phrase) {
    const std::lock_guard writes(run.writes_mutex_);
    for (const auto& [phrase, identity] : identities_by_phrase) run.identities_.insert(identity);
}

bool StageRun::is_remade(const Change& change, const std::string& phrase, const Reading& now) {
    const auto then = change.identities.find(phrase);
    if (now.identity.empty() || then == change.identities.end() || then->second == now.identity) return false;
    const std::lock_guard writes(run.writes_mutex_);
    return !run.identities_.contains(now.identity);
}

void StageRun::sort_changes() {
    std::stable_sort(changes.begin(), changes.end(),
                     [](const Change& a, const Change& b) { return semantics::earlier(a.step, b.step); });
}

const ir::Verb* StageRun::verb(const std::string& signature) const {
    const auto& verbs = run.program.verbs;
    const auto found = std::find_if(verbs.begin(), verbs.end(),
                                    [&](const ir::Verb& verb) { return verb.signature == signature; });
    return found == verbs.end() ? nullptr : &*found;
}

const std::optional<ir::Expr>& StageRun::throughout() const {
    return stage.throughout ? stage.throughout : definition.throughout;
}

const std::optional<std::vector<ir::Step>>& StageRun::on_failure() const {
    return stage.on_failure ? stage.on_failure : definition.on_failure;
}

events::OfStep StageRun::about(const StepId& step, const std::string& text) const {
    return {{{stage.name}, step}, text};
}

bool StageRun::note(const StepId& step, events::Noted::Kind kind, nlohmann::json value, std::string name) {
    return run.recorder.record(events::Noted{{{stage.name}, step}, kind, std::move(name), std::move(value)});
}

List StageRun::changed_workloads() {
    const std::lock_guard lock(mutex_);
    std::vector<const Change*> ordered;
    for (const Change& change : changes)
        if (change.acted && change.state != ChangeState::Begun) ordered.push_back(&change);
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const Change* a, const Change* b) { return semantics::earlier(a->step, b->step); });
    List workloads;
    for (const Change* change : ordered)
        for (const std::string& name : change->workloads) {
            const Value workload(ResourceRef{"workload", name});
            if (std::none_of(workloads.begin(), workloads.end(),
                             [&](const Value& w) { return same(w, workload); }))
                workloads.push_back(workload);
        }
    return workloads;
}

const NativeEntry* native_of(const StageRun& stage, const ir::Verb& verb) {
    const bool is_native = verb.action && !verb.action->native.empty();
    return is_native ? stage.run.options.natives(verb.action->native) : nullptr;
}

}  // namespace migc::runtime::inline engine
