// The judge of a drill: it goes by what the engine says in types, and not by its words.
#include "runtime/trial/trial.hpp"

#include <catch2/catch.hpp>

#include "runtime/trial/drill.hpp"
#include "tests/unit/events.hpp"

using namespace migc;
using namespace migc::trial;
using runtime::Event;
using runtime::EventKind;

namespace {

SessionOptions learning() {
    SessionOptions options;
    options.world = "learning";
    return options;
}

// A run that has left something changed.
Trial held(const std::string& message) {
    Trial trial;
    trial.before = {{"replicas", 2}};
    trial.after = {{"replicas", 4}};
    trial.result.result = Outcome::Held;
    trial.result.message = message;
    trial.result.standing = {"staging/1"};
    return trial;
}

TrialPlan first_scaling(runtime::FaultKind kind) {
    TrialPlan plan;
    plan.faults.push_back({kind, "kubectl scale", 1, 0});
    return plan;
}

constexpr const char* head =
    "stage staging < scale webapi to 4; verify replicas of webapi is 5 within 5s; > ";

}  // namespace

TEST_CASE("words alone excuse nothing") {
    const ir::Program program;
    for (const char* words : {"held, as the failure block says", "whether it is so could not be found out",
                              "it stays as it is: so", "there is no way back: so"})
        CHECK(hole(held(words), program, 1));
    Trial trial = held("held");
    trial.result.why = Reason::AskedFor;
    CHECK_FALSE(hole(trial, program, 1));
    trial.result.why = Reason::NotSeen;
    CHECK_FALSE(hole(trial, program, 1));
}

TEST_CASE("an undo that is held may say why") {
    const ir::Program program;
    for (const Reason why : {Reason::None, Reason::NoWayBack, Reason::Stays, Reason::NotProved}) {
        Trial trial = held("held");
        trial.events.push_back(event_of(EventKind::UndoOutcome, 0, {{"result", Outcome::Held}}, why));
        CHECK(hole(trial, program, 1).has_value() == (why == Reason::None));
        // Of one that went well it says nothing.
        trial.events.back() = event_of(EventKind::UndoOutcome, 0, {{"result", Outcome::Undone}}, why);
        CHECK(hole(trial, program, 1));
    }
}

TEST_CASE("called undone, it must be so") {
    Trial trial = held("");
    trial.result.result = Outcome::Undone;
    CHECK(hole(trial, {}, 1) == "it is called undone, and something is not as it was");
    trial.after = trial.before;
    CHECK_FALSE(hole(trial, {}, 1));
}

TEST_CASE("the engine says why it has left something") {
    auto script = driver::load_text(std::string(head) + "on failure < hold; >");
    REQUIRE_FALSE(script->diagnostics.has_errors());
    auto trial = try_run(learning(), *script, {}, nullptr);
    REQUIRE(trial);
    CHECK(trial->result.result == Outcome::Held);
    CHECK(trial->result.why == Reason::AskedFor);

    script = driver::load_text(
        "stage staging < scale webapi to 4 irreversible because \"so\"; verify replicas of webapi is 5 within 5s; > "
        "on failure undo;");
    REQUIRE_FALSE(script->diagnostics.has_errors());
    trial = try_run(learning(), *script, {}, nullptr);
    REQUIRE(trial);
    const auto says = [&](Reason why) {
        return std::any_of(trial->events.begin(), trial->events.end(), [&](const Event& event) {
            return event.kind() == EventKind::UndoOutcome && event.why == why;
        });
    };
    CHECK(says(Reason::NoWayBack));
    CHECK_FALSE(hole(*trial, script->program, 1));

    // Nobody can tell whose work it is: its command reported a failure, and it is there.
    script = driver::load_text(std::string(head) + "on failure undo;");
    trial = try_run(learning(), *script, first_scaling(runtime::FaultKind::FailAfter), nullptr);
    REQUIRE(trial);
    CHECK_FALSE(hole(*trial, script->program, 1));
}

TEST_CASE("a drill goes through what can go wrong, and takes the gates away") {
    const auto script = driver::load_text(
        "stage staging < gate window \"mon 00:00-00:01 UTC\"; scale webapi to 4; verify pods ready within 5m; > on failure "
        "undo;");
    const auto tally = drill({1, false, learning()}, *script);
    REQUIRE(tally);
    CHECK(tally->commands == 1);
    CHECK(tally->runs > 5);
    CHECK(tally->counterexamples.empty());
    CHECK(as_json(*tally).find("\"verdict\": \"survived\"") != std::string::npos);
    auto options = learning();
    options.world = "no such world";
    CHECK_FALSE(drill({1, false, options}, *script));
}
