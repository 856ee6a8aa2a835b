#include "runtime/inspect/status.hpp"

#include <filesystem>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/events.hpp"

using namespace migc;
using namespace migc::runtime;

namespace {

constexpr Time begun = 1795399200000;  // mon 2026-11-23 02:00 UTC
constexpr std::int64_t minute = 60'000;

ir::Expr duration(std::int64_t ms) {
    ir::Expr expression;
    expression.value = Value(Duration{ms});
    return expression;
}

// stage production < scale; shrink (no way back); > with a window.
ir::Program program() {
    ir::Program result;
    ir::Probe window;
    window.signature = "window (when: string)";
    ir::Parameter named;
    named.name = "when";
    window.parameters = {named};
    ir::Expr role;
    role.kind = ir::ExprKind::Local;
    role.name = "when";
    window.role = {ir::Role::Window, {role}, {}};
    result.probes.push_back(window);
    ir::Verb scale, shrink;
    scale.signature = "scale";
    shrink.signature = "shrink";
    scale.action.emplace();
    shrink.action.emplace();
    scale.within = duration(minute);
    scale.effects.emplace_back();
    scale.undo.kind = ir::UndoKind::Steps;
    shrink.undo.kind = ir::UndoKind::Irreversible;
    result.verbs = {scale, shrink};
    ir::Stage stage;
    stage.name = "production";
    ir::Step gate;
    gate.kind = ir::StepKind::Gate;
    gate.condition.emplace().kind = ir::ExprKind::Probe;
    ir::Expr when;
    when.value = Value(std::string("mon 01:00-03:00 UTC"));
    gate.condition->children = {when};
    stage.gates = {gate};
    ir::Step call;
    stage.steps = {call, call};
    stage.steps[1].verb = 1;
    result.stages.push_back(stage);
    return result;
}

Event event(EventKind kind, nlohmann::json body) {
    body["stage"] = "production";
    return event_of(kind, begun, body);
}

Event intent(int step, const char* verb) {
    return event(
        EventKind::Intent,
        {{"step", "production/" + std::to_string(step)}, {"verb", verb}, {"text", verb}, {"command", verb}});
}

Event outcome(int step, const char* result) {
    return event(EventKind::Outcome,
                 {{"step", "production/" + std::to_string(step)}, {"result", result}, {"acted", true}});
}

struct Run {
    RunSummary about{"2026-11-23-1", "a.mig", "", "live", "", begun, 0, "unfinished", 0};
    ir::Program program = ::program();
    std::vector<Event> events = {event(EventKind::StageBegun, {})};
    std::optional<Progress> progress;
    std::optional<LockState> worker;
    Time now = begun;

    [[nodiscard]] StatusInput input() const { return {about, events, program, progress, worker, now}; }
    [[nodiscard]] Status status() const { return status_of(input()); }
    [[nodiscard]] std::string text() const { return render_status(status(), input()); }
};

bool says(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what stands, and how long taking it back may take") {
    Run run;
    CHECK(run.status().standing.empty());
    run.events.push_back(intent(1, "scale"));
    run.events.push_back(outcome(1, "done"));
    CHECK(run.status().standing == std::vector<std::string>{"scale"});
    CHECK(run.status().undo_ms == 2 * minute);  // the command, and until its effect is seen
    CHECK(run.status().no_return.empty());
    run.events.push_back(event(EventKind::UndoOutcome, {{"step", "production/1"}, {"result", "undone"}}));
    CHECK(run.status().standing.empty());
    run.events.push_back(intent(2, "shrink"));
    run.events.push_back(outcome(2, "done"));
    CHECK(run.status().no_return == "shrink");
    CHECK(says(run.text(), "which cannot be undone"));
}

TEST_CASE("an undo that was written for a step takes as long as its own steps may") {
    Run run;
    ir::Step look;
    look.kind = ir::StepKind::Verify;
    look.within = duration(10 * minute);
    ir::Step back;
    run.program.stages[0].steps[0].undo.emplace();
    run.program.stages[0].steps[0].undo->kind = ir::UndoKind::Steps;
    run.program.stages[0].steps[0].undo->steps = {back, look};
    run.events.push_back(intent(1, "scale"));
    run.events.push_back(outcome(1, "done"));
    CHECK(run.status().undo_ms == 12 * minute);
}

TEST_CASE("a step whose outcome is not written down is in doubt, unless somebody is at it") {
    Run run;
    run.events.push_back(intent(1, "scale"));
    CHECK(run.status().in_doubt == std::vector<std::string>{"production/1 (scale)"});
    CHECK(run.status().state == "cut off");
    CHECK(says(run.text(), "migc resolve 2026-11-23-1"));
    run.worker = LockState{"production",
                           LockCondition::Held,
                           {"the run of a.mig", "2026-11-23-1", "ann", "web1", 7, begun, 1},
                           1000,
                           {}};
    run.progress = Progress{"production/1", "scale", "1 of 4 pods ready", begun - 5000};
    CHECK(run.status().in_doubt.empty());
    CHECK(run.status().state == "at work");
    CHECK(says(run.text(), "scale, for 5s: 1 of 4 pods ready"));
    CHECK(says(run.text(), "process 7 on web1"));
    CHECK_FALSE(says(run.text(), "migc resolve"));
}

TEST_CASE("the window, and until when an undo fits into it") {
    Run run;
    run.events.push_back(intent(1, "scale"));
    run.events.push_back(outcome(1, "done"));
    CHECK(run.status().window_open);
    CHECK(run.status().last_safe_ms == begun + 58 * minute);
    CHECK(says(run.text(), "closes in 1h; an undo has to begin by mon 2026-11-23 02:58 in UTC"));
    run.now = begun + 59 * minute;
    CHECK(says(run.text(), "does not fit into it any more"));
    run.now = begun + 61 * minute;
    CHECK(says(run.text(), "is closed; it opens mon 2026-11-30 01:00"));
}

TEST_CASE("what a run is at stands in a file beside the journal") {
    std::string folder = (std::filesystem::temp_directory_path() / "migc-status-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    {
        ProgressFile file(folder);
        CHECK_FALSE(read_progress(folder));
        file.on(event(EventKind::StepBegun, {{"step", "production/2"}, {"text", "verify pods ready"}}));
        file.on(event(EventKind::Waiting, {{"step", "production/2"}, {"state", "1 of 4 pods ready"}}));
        const auto progress = read_progress(folder);
        REQUIRE(progress);
        CHECK(progress->text == "verify pods ready");
        CHECK(progress->state == "1 of 4 pods ready");
        CHECK(progress->since_ms == begun);
        file.on(event(EventKind::StageEnded, {}));
        CHECK_FALSE(read_progress(folder));
    }
    ProgressFile nowhere("/nonexistent/folder");
    nowhere.on(event(EventKind::StepBegun, {{"step", "a/1"}, {"text", "x"}}));
    CHECK_FALSE(read_progress("/nonexistent/folder"));
    const auto pipe = std::filesystem::path(folder) / "progress.json";
    std::filesystem::remove(pipe);
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_FALSE(read_progress(folder));  // and waits for nobody
    std::filesystem::remove_all(folder);
}
