#include "runtime/plan/plan.hpp"

#include <catch2/catch.hpp>

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
    nlohmann::json make() { return *make_plan(program, project, tools, options); }
};

}  // namespace

TEST_CASE("a plan says what would happen, and changes nothing") {
    Planning planning;
    add_stage(planning.program, "staging",
              {scale_to(4), configure_as(7), restart(), verify(is(replicas(), number(4)), 90'000)});
    const std::string text = plan(planning.program, planning.project, planning.tools, planning.options);
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
    const auto steps = planning.make()["stages"][0]["steps"];
    CHECK(steps[1]["already"] == true);
    CHECK(steps[2]["effects"][0]["before"] == "4");
    CHECK(steps[2]["undo"] == "scale webapi to 4");
}

TEST_CASE("a plan says what it cannot know") {
    Planning planning;
    planning.tools.faults.push_back({" get ", failed(1, "no route to host"), false, -1});
    add_stage(planning.program, "staging", {scale_to(4)});
    const auto step = planning.make()["stages"][0]["steps"][0];
    CHECK(step["problems"].size() == 1);
    CHECK(step["effects"][0]["before"].get<std::string>().find("unknown") == 0);
}

TEST_CASE("a stage without a cluster is a problem, not a plan") {
    Planning planning;
    planning.tools.contexts = "other\n";
    add_stage(planning.program, "production", {scale_to(4)});
    CHECK_FALSE(make_plan(planning.program, planning.project, planning.tools, planning.options));
    CHECK(plan(planning.program, planning.project, planning.tools, planning.options).find("protected") !=
          std::string::npos);
}
