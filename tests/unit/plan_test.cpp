#include "runtime/plan/plan.hpp"

#include <catch2/catch.hpp>

#include "runtime/tools/redaction.hpp"
#include "tests/unit/fakes.hpp"

using namespace fakes;

namespace {

struct Planning {
    ir::Program program = declarations();
    project::Inventory project = inventory();
    FakeTools tools;
    RunOptions options;

    Planning() {
        options.natives = [](std::string_view) { return nullptr; };
        tools.field("staging", "webapi", "replicas") = 2;
        tools.field("staging", "webapi", "configuration") = 1;
        tools.field("staging", "webapi", "seen") = 10;
    }
    Plan make() { return *make_plan(program, project, tools, options); }
    std::vector<PlanStep> steps() { return make().stages.at(0).steps; }
};

}  // namespace

TEST_CASE("a plan says what would happen, and changes nothing") {
    Planning planning;
    add_stage(planning.program, "staging",
              {scale_to(4), configure_as(7), restart(), verify(is(replicas(), number(4)), 90'000)});
    const std::string text = render_plan(planning.make());
    CHECK(planning.tools.changes.empty());
    CHECK(text.find("stage staging in staging (context staging, namespace staging)") != std::string::npos);
    CHECK(text.find("replicas of webapi: 2 \xe2\x86\x92 4") != std::string::npos);
    CHECK(text.find("kubectl --context staging --namespace staging put deployment/webapi replicas 4") !=
          std::string::npos);
    CHECK(text.find("prior = 2") != std::string::npos);
    CHECK(text.find("scale webapi to 2") != std::string::npos);
    CHECK(text.find("restart webapi (after configuration of webapi is changed back)") != std::string::npos);
    CHECK(text.find("on failure: undo") != std::string::npos);
}

TEST_CASE("later steps are planned as if earlier ones were done") {
    Planning planning;
    add_stage(planning.program, "staging", {scale_to(4), scale_to(4), scale_to(6)});
    const auto steps = planning.steps();
    CHECK(steps.at(1).action->already);
    CHECK(steps.at(2).action->effects.at(0).before.text == "4");
    CHECK(steps.at(2).undo->text == "scale webapi to 4");
}

TEST_CASE("a plan says what it cannot know") {
    Planning planning;
    planning.tools.faults.push_back({" get ", failed(1, "no route to host"), false, -1});
    add_stage(planning.program, "staging", {scale_to(4)});
    const auto step = planning.steps().at(0);
    CHECK(step.problems.size() == 1);
    CHECK(step.action->effects.at(0).before.text.find("unknown") == 0);
}

TEST_CASE("what only the run can know is told as such, everywhere, and is no problem") {
    Planning planning;
    add_stage(planning.program, "staging", {call(Poke, {workload("webapi")}), scale_to(4)});
    const auto plan = planning.make();
    const auto step = plan.stages.at(0).steps.at(1);
    CHECK(step.problems.empty());
    CHECK_FALSE(has_problem(plan));
    CHECK(step.captures->at("prior") == "(known after step 1)");
    const auto& effect = step.action->effects.at(0);
    CHECK(effect.before.text == "(known after step 1)");
    CHECK(effect.before.kind == PlanValue::Kind::LeftOpen);
    CHECK(effect.after.text == "4");
    CHECK(effect.after.kind == PlanValue::Kind::Known);
    CHECK_FALSE(step.action->already);
    CHECK(step.undo->text == "scale webapi to (known after step 1)");
    CHECK(render_plan(plan).find("replicas of webapi: (known after step 1) \xe2\x86\x92 4") !=
          std::string::npos);
    CHECK(render_plan_markdown(plan).find("known after step 1") != std::string::npos);
}

TEST_CASE("an if that only the run can decide is shown both ways") {
    Planning planning;
    ir::Step choice = step(ir::StepKind::If, "if replicas of webapi is 2 <");
    choice.condition = is(replicas(), number(2));
    choice.body = {scale_to(4)};
    choice.otherwise = {scale_to(5)};
    add_stage(planning.program, "staging", {call(Poke, {workload("webapi")}), choice, scale_to(6)});
    const auto steps = planning.steps();
    REQUIRE(steps.size() == 5);
    CHECK(steps[1].known == "which way it goes is known after step 1");
    CHECK(steps[2].when == "only if 2 holds");
    CHECK(steps[3].when == "only if 2 does not hold");
    CHECK(steps[4].action->effects.at(0).before.text == "(known after step 2)");
}

TEST_CASE("what one branch changes, the others may meet or not") {
    Planning planning;
    ir::Step both = step(ir::StepKind::Parallel, "parallel <");
    both.body = {scale_to(4), scale_to(4)};
    add_stage(planning.program, "staging", {both});
    for (const auto& step : planning.steps())
        CHECK(step.action->effects.at(0).before.text == "(known after step 1)");
}

TEST_CASE("what cannot go well is a problem of the plan") {
    Planning planning;
    planning.tools.faults.push_back({" get ", failed(1, "no route to host"), false, -1});
    add_stage(planning.program, "staging", {scale_to(4)});
    CHECK(has_problem(planning.make()));
}

TEST_CASE("drift names the field, the object that was made anew, and not what was left to the run") {
    using nlohmann::json;
    const auto plan_with = [](json step) {
        step["step"] = "staging/1";
        step["text"] = "do it";
        return *saved_plan(json{{"stages", {{{"stage", "staging"}, {"steps", {std::move(step)}}}}}});
    };
    const auto effect = [](const char* before, json was) {
        return json{{"effects", {{{"probe", "form of x"}, {"before", before}, {"was", std::move(was)}}}}};
    };
    const json two = {{"spec", {{"replicas", 2}, {"image", "web:1"}}}};
    const json three = {{"spec", {{"replicas", 3}, {"image", "web:2"}}}};
    CHECK(live_drift(plan_with(effect("the object", two)), plan_with(effect("the object", three))) ==
          std::vector<std::string>{
              "staging: form of x: /spec/image is web:2, the plan was made when it was web:1",
              "staging: form of x: /spec/replicas is 3, the plan was made when it was 2"});
    CHECK(live_drift(plan_with(effect("the object", two)), plan_with(effect("the object", two))).empty());
    CHECK(live_drift(plan_with(effect("(known after step 1)", {})), plan_with(effect("4", {}))).empty());
    const auto anew = live_drift(plan_with({{"objects", {{"deployment/x", "u-1"}}}}),
                                 plan_with({{"objects", {{"deployment/x", "u-2"}}}}));
    REQUIRE(anew.size() == 1);
    CHECK(anew.front().find("deployment/x was made anew: it has the UID u-2") != std::string::npos);
    CHECK(live_drift(plan_with({{"seen", {{"id", "sha256:a"}}}}),
                     plan_with({{"seen", {{"id", "sha256:b"}}}})) ==
          std::vector<std::string>{
              "staging: `id` of do it is sha256:b, the plan was made when it was sha256:a"});
}

TEST_CASE("what a plan has seen is the same when it was saved and read") {
    Planning planning;
    add_stage(planning.program, "staging", {call(Poke, {workload("webapi")}), scale_to(4), restart()});
    const Plan plan = planning.make();
    const auto saved = saved_plan(nlohmann::json(plan));
    REQUIRE(saved);
    CHECK(live_drift(*saved, plan).empty());
    const auto& effect = saved->stages.at(0).steps.at(1).action->effects.at(0);
    CHECK(effect.before.kind == PlanValue::Kind::LeftOpen);
    CHECK(saved->stages.at(0).steps.at(2).number == "3");
    CHECK_FALSE(saved_plan({{"stages", 1}}));
    CHECK_FALSE(saved_plan({{"stages", {{{"stage", "staging"}}}}}));
}

TEST_CASE("a secret stands nowhere in a plan") {
    const std::string secret = "correct-horse-battery";
    secrets().add(secret);
    const std::string text = "it has " + secret;
    Plan plan;
    PlanStep step{"1", PlanStepKind::Call, text, {text}};
    step.captures.emplace()[secret] = text;
    step.undo = PlanUndo{ir::UndoKind::Steps, text};
    step.seen[secret] = Value(text);
    step.action.emplace().command = {text, {{{text}, text}}};
    step.action->effects.push_back({text, {text}, {text}, {{{"/a", {text, nullptr}}}}, {{{"a", text}}}});
    plan.stages.push_back(
        {"staging", text, text, text, {{text, false, text}}, {step}, text, {}, {{text, ""}}});
    redact(plan);
    CHECK(nlohmann::json(plan).dump().find(secret) == std::string::npos);
    CHECK(plan.stages.at(0).steps.at(0).action->command.commands.at(0).argv.at(0) == "it has (secret)");
}

TEST_CASE("a stage without a cluster is a problem, not a plan") {
    Planning planning;
    planning.tools.contexts = "other\n";
    add_stage(planning.program, "production", {scale_to(4)});
    const auto refused = make_plan(planning.program, planning.project, planning.tools, planning.options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("protected") != std::string::npos);
}
