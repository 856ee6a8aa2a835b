#include "compiler/semantics/step_id.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace migc;
using semantics::StepId;

TEST_CASE("an id says where a step stands") {
    const StepId second = StepId::steps_of("staging").child(2);
    CHECK(second.text() == "staging/2");
    CHECK(second.child(1).text() == "staging/2.1");
    CHECK(second.turn(3).child(1).text() == "staging/2[3].1");
    CHECK(second.undo().child(1).text() == "staging/2/undo.1");
    CHECK(StepId::gates_of("staging").child("evidence").text() == "staging/gate.evidence");
    CHECK(StepId::failure_block_of("staging").child(1).text() == "staging/on-failure.1");
    CHECK(second.turn(3).child(1).stage() == "staging");
    CHECK(second.turn(3).child(1).within_stage() == "2[3].1");
}

TEST_CASE("an id knows the block that it is of") {
    CHECK(StepId("staging/gate.1").is_gate());
    CHECK_FALSE(StepId("staging/1").is_gate());
    CHECK_FALSE(StepId("gate.1/1").is_gate());
    CHECK(StepId("staging/on-failure.2.1").is_in_failure_block());
    CHECK_FALSE(StepId("staging/on-failure").is_in_failure_block());
}

TEST_CASE("only what is part of a step is inside of it") {
    const StepId outer("staging/2");
    CHECK(StepId("staging/2.1").is_inside(outer));
    CHECK(StepId("staging/2[1].1").is_inside(outer));
    CHECK_FALSE(StepId("staging/2").is_inside(outer));
    CHECK_FALSE(StepId("staging/20").is_inside(outer));
    CHECK_FALSE(StepId("staging/2/undo.1").is_inside(outer));
}

TEST_CASE("steps stand in the order of their numbers") {
    std::vector<StepId> ids = {StepId("s/10"), StepId("s/2[10].1"), StepId("s/2[9].2"), StepId("s/2"),
                               StepId("s/1.2")};
    std::sort(ids.begin(), ids.end(), semantics::earlier);
    CHECK(ids == std::vector{StepId("s/1.2"), StepId("s/2"), StepId("s/2[9].2"), StepId("s/2[10].1"),
                             StepId("s/10")});
}

TEST_CASE("a step is found by its id") {
    ir::Program program;
    ir::Step loop, branch, call;
    loop.kind = ir::StepKind::For;
    branch.kind = ir::StepKind::If;
    branch.body = {call};
    call.text = "in the else";
    branch.otherwise = {call};
    loop.body = {branch};
    ir::Stage staging, production;
    staging.name = "staging";
    staging.steps = {loop};
    production.name = "production";
    production.repeats = "staging";
    program.stages = {staging, production};
    for (const char* id : {"staging/1[7].1.2", "production/1[1].1.2"}) {
        const ir::Step* found = semantics::find_step(program, StepId(id));
        REQUIRE(found != nullptr);
        CHECK(found->text == "in the else");
    }
    for (const char* id :
         {"", "elsewhere/1", "staging", "staging/0", "staging/2", "staging/1.1.3", "staging/99999999999"})
        CHECK(semantics::find_step(program, StepId(id)) == nullptr);
}

TEST_CASE("an id is written as its text") {
    CHECK(nlohmann::json(StepId("staging/1")).dump() == "\"staging/1\"");
    CHECK(nlohmann::json("staging/1").get<StepId>() == StepId("staging/1"));
}
