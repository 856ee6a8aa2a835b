#include "runtime/journal/run_state.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/events.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;

namespace {

Event event(EventKind kind, json body) {
    return event_of(kind, 1000, body);
}

Event in_staging(EventKind kind, json body) {
    body["stage"] = "staging";
    return event(kind, std::move(body));
}

Event intent(const char* step) {
    return in_staging(EventKind::Intent, {{"step", step},
                                          {"text", "scale webapi to 4"},
                                          {"verb", "scale"},
                                          {"before", {{"replicas of webapi", 2}}}});
}

Event outcome(const char* step, Outcome result, json more = json::object()) {
    more.update({{"step", step}, {"result", result}, {"text", "scale webapi to 4"}, {"message", "said"}});
    return in_staging(EventKind::Outcome, more);
}

const StageState& staging(const RunState& run) {
    REQUIRE(run.stages.size() == 1);
    return run.stages.front().state;
}

RunState read(std::vector<Event> events) {
    events.insert(events.begin(), {event(EventKind::RunBegun, {{"script", "a.mig"}}),
                                   in_staging(EventKind::StageBegun, {{"environment", "staging"}})});
    return run_state(events);
}

}  // namespace

TEST_CASE("a step that was begun is open until its outcome is known") {
    const RunState begun = read({intent("staging/1")});
    REQUIRE(begun.open.size() == 1);
    CHECK(begun.open[0].step == StepId("staging/1"));
    CHECK_FALSE(begun.open[0].in_doubt);
    CHECK(staging(begun).changes.at(0).state == ChangeState::Begun);

    const RunState doubtful = read({intent("staging/1"), outcome("staging/1", Outcome::InDoubt)});
    REQUIRE(doubtful.open.size() == 1);
    CHECK(doubtful.open[0].in_doubt);
    CHECK(doubtful.open[0].message == "said");

    const RunState done = read({intent("staging/1"), outcome("staging/1", Outcome::Done)});
    CHECK(done.open.empty());
    CHECK(staging(done).changes.at(0).to_undo());
}

TEST_CASE("a step that is run again takes the place of what it did before") {
    const RunState run = read({intent("staging/1"), outcome("staging/1", Outcome::Failed),
                               intent("staging/1"), outcome("staging/1", Outcome::Done)});
    REQUIRE(staging(run).changes.size() == 1);
    CHECK(staging(run).changes[0].state == ChangeState::Done);
    CHECK_FALSE(staging(run).past.failure);
}

TEST_CASE("a failure stands until the step that failed goes well") {
    const RunState failed = read({intent("staging/1"), outcome("staging/1", Outcome::Failed)});
    CHECK(staging(failed).past.failure == "scale webapi to 4: said");
    const RunState another = read({intent("staging/1"), outcome("staging/1", Outcome::Failed),
                                   intent("staging/2"), outcome("staging/2", Outcome::Done)});
    CHECK(staging(another).past.failure.has_value());
    // What turned out not to have happened at all is done again.
    const RunState never = read(
        {intent("staging/1"), outcome("staging/1", Outcome::Failed, {{"settled", true}, {"acted", false}})});
    CHECK_FALSE(staging(never).past.failure);
}

TEST_CASE("what is undone takes what is inside of it along") {
    const RunState run =
        read({intent("staging/1"), intent("staging/1.1"), outcome("staging/1.1", Outcome::Done),
              outcome("staging/1", Outcome::Done), intent("staging/10"), outcome("staging/10", Outcome::Done),
              in_staging(EventKind::UndoBegun, {{"reason", undo_by_operator}}),
              in_staging(EventKind::UndoOutcome, {{"step", "staging/1"}, {"result", Outcome::Undone}})});
    CHECK(run.undoing);
    CHECK(staging(run).past.cut_in_undo);
    const auto& changes = staging(run).changes;
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].undone);
    CHECK(changes[1].undone);
    CHECK_FALSE(changes[2].undone);
}

TEST_CASE("what a person decides about ends the doubt") {
    const auto resolved = [](const char* part, const char* verdict) {
        return in_staging(EventKind::Resolved, {{"step", "staging/1"}, {"part", part}, {"verdict", verdict}});
    };
    const std::vector<Event> doubt = {intent("staging/1"), outcome("staging/1", Outcome::InDoubt)};
    const RunState done = read({doubt[0], doubt[1], resolved("forward", "done")});
    CHECK(done.open.empty());
    CHECK(staging(done).changes.at(0).to_undo());
    const RunState not_done = read({doubt[0], doubt[1], resolved("forward", "not-done")});
    CHECK_FALSE(staging(not_done).changes.at(0).to_undo());
}

TEST_CASE("a run that goes on has no end") {
    const Event ended = event(EventKind::RunEnded, {{"result", Outcome::Held}});
    CHECK(read({ended}).ended->result == Outcome::Held);
    CHECK_FALSE(read({ended, event(EventKind::RunResumed, {{"action", "resume"}})}).ended);
    CHECK_FALSE(read({ended, event(EventKind::RunResumed, {{"action", "resume"}})}).undoing);
    CHECK(read({ended, event(EventKind::RunResumed, {{"action", "undo"}})}).undoing);
    // Format 1 says it by a stage that begins.
    CHECK_FALSE(read({ended, in_staging(EventKind::StageBegun, json::object())}).ended);
}

TEST_CASE("a stage that passed, or dealt with its failure, goes on from there") {
    const auto end = [](Outcome result) { return in_staging(EventKind::StageEnded, {{"result", result}}); };
    CHECK(staging(read({end(Outcome::Done)})).passed);
    const Event failed = in_staging(EventKind::StageFailed, {{"reason", "it broke"}});
    CHECK(staging(read({failed})).past.failure == "it broke");
    CHECK_FALSE(staging(read({failed, end(Outcome::Held)})).past.failure);
}

TEST_CASE("a run of no events has no beginning, and an event that says nothing is none") {
    CHECK_FALSE(run_state({}).begun);
    CHECK_THROWS(event(EventKind::Noted, {{"name", "x"}}));
}

TEST_CASE("what a step of the failure block has done is the run's own work") {
    const std::string step = StepId::failure_block_of("staging").child(1).text();
    const json seen = {{"observed", {{"replicas of webapi", 3}}}};
    const auto written = [&](Outcome result) {
        return staging(read({intent("staging/1"), outcome("staging/1", Outcome::Done), intent(step.c_str()),
                             outcome(step.c_str(), result, seen)}))
            .written;
    };
    CHECK(show(written(Outcome::Done).at("replicas of webapi")) == "3");
    CHECK_FALSE(written(Outcome::Failed).contains("replicas of webapi"));
}
