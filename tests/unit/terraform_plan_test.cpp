// Plans beside plans and beside the state.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/natives/plan.hpp"

using namespace migc::runtime;
using nlohmann::json;

namespace {

json change(const std::string& address, const json& actions, const json& before, const json& after,
            const json& unknown = json::object()) {
    return {
        {"address", address},
        {"change", {{"actions", actions}, {"before", before}, {"after", after}, {"after_unknown", unknown}}}};
}

using Changes = std::vector<json>;

PlanSummary plan(const Changes& changes, const json& outputs = json::object()) {
    const auto summary =
        summarize({{"format_version", "1.2"}, {"resource_changes", changes}, {"output_changes", outputs}});
    REQUIRE(summary);
    return *summary;
}

const json new_id = {{"id", true}};
const json create = change("a.x[0]", {"create"}, nullptr, {{"size", 1}}, new_id);
const json destroy = change("a.x[0]", {"delete"}, {{"size", 1}, {"id", "7"}}, nullptr);
const json grow = change("a.y", {"update"}, {{"size", 1}, {"tag", "t"}, {"id", "8"}},
                         {{"size", 2}, {"tag", "t"}, {"id", "8"}});
const json shrink = change("a.y", {"update"}, {{"size", 2}, {"tag", "t"}, {"id", "8"}},
                           {{"size", 1}, {"tag", "t"}, {"id", "8"}});
const json replace =
    change("a.z", {"delete", "create"}, {{"zone", "a"}, {"id", "9"}}, {{"zone", "b"}}, new_id);
const json replace_back =
    change("a.z", {"create", "delete"}, {{"zone", "b"}, {"id", "10"}}, {{"zone", "a"}}, new_id);

bool mirrors(const Changes& back, const Changes& forward) {
    return beyond_taking_back(plan(back), plan(forward)).empty() &&
           left_standing(plan(back), plan(forward)).empty();
}

std::vector<std::string> beyond(const Changes& back, const Changes& forward) {
    return beyond_taking_back(plan(back), plan(forward));
}

std::map<std::string, StateEntry> state(const Changes& resources) {
    return entries_of({{"values", {{"root_module", {{"resources", resources}}}}}});
}

json resource(const std::string& address, const json& values, bool tainted = false) {
    return {{"address", address}, {"values", values}, {"tainted", tainted}};
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("each change has its opposite") {
    CHECK(mirrors({destroy}, {create}));
    CHECK(mirrors({create}, {destroy}));
    CHECK(mirrors({shrink}, {grow}));
    CHECK(mirrors({replace_back}, {replace}));
    CHECK(mirrors({shrink, destroy}, {create, grow}));
    CHECK_FALSE(mirrors({create}, {create}));
    CHECK_FALSE(mirrors({destroy}, {create, grow}));
    CHECK(mirrors({}, {}));
}

TEST_CASE("a way back that does more is told") {
    CHECK(beyond({destroy, shrink}, {create}) == Texts{"change a.y"});
    CHECK(beyond({destroy}, {grow}) == Texts{"destroy a.x[0]"});
    const json other = change("a.y", {"update"}, {{"size", 2}}, {{"size", 5}});
    CHECK(beyond({other}, {grow}) == Texts{"give size of a.y another value than before"});
    const json more = change("a.y", {"update"}, {{"size", 2}, {"tag", "t"}}, {{"size", 1}, {"tag", "u"}});
    CHECK(beyond({more}, {grow}) == Texts{"give tag of a.y another value than before"});
    // A secret is compared, and never told.
    const json secret = change("a.y", {"update"}, {{"key", "old"}}, {{"key", "new"}});
    const json wrong = change("a.y", {"update"}, {{"key", "new"}}, {{"key", "hunter2"}});
    CHECK(beyond({wrong}, {secret}) == Texts{"give key of a.y another value than before"});
}

TEST_CASE("what is replaced can be replaced back, and finished where it stopped half-way") {
    CHECK(beyond({replace_back}, {replace}).empty());
    const json again = change("a.z", {"create"}, nullptr, {{"zone", "a"}}, new_id);
    CHECK(beyond({again}, {replace}).empty());
    CHECK(beyond({change("a.z", {"delete"}, {{"zone", "b"}}, nullptr)}, {replace}) == Texts{"destroy a.z"});
}

TEST_CASE("values that are known only afterwards are no difference") {
    const json forward =
        change("a.y", {"update"}, {{"size", 1}, {"seen", "1"}}, {{"size", 2}}, {{"seen", true}});
    const json back =
        change("a.y", {"update"}, {{"size", 2}, {"seen", "2"}}, {{"size", 1}}, {{"seen", true}});
    CHECK(mirrors({back}, {forward}));
}

TEST_CASE("what a plan brings about is found in the state") {
    const PlanSummary all = plan({create, grow, change("a.w", {"delete"}, {{"id", "1"}}, nullptr)});
    CHECK(facts_of(all) == Texts{"create a.x[0]", "create a.x[0] complete", "update a.y",
                                 "update a.y complete", "destroy a.w"});
    const Changes before = {resource("a.y", {{"size", 1}, {"tag", "t"}}), resource("a.w", {{"id", "1"}})};
    CHECK(facts_in(all, state(before), false).empty());
    CHECK(not_created(all, state(before)) == Texts{"a.x[0]"});
    const Changes after = {resource("a.y", {{"size", 2}, {"tag", "other"}}),
                           resource("a.x[0]", {{"size", 1}})};
    CHECK(facts_in(all, state(after), false) == facts_of(all));
    CHECK(not_created(all, state(after)).empty());
}

TEST_CASE("what was created half-way is there, but not complete") {
    const auto tainted = state({resource("a.x[0]", {{"size", 1}}, true)});
    CHECK(facts_in(plan({create}), tainted, false) == Texts{"create a.x[0]"});
    CHECK(not_created(plan({create}), tainted) == Texts{"a.x[0]"});
}

TEST_CASE("a replacement between its halves is neither") {
    CHECK(facts_in(plan({replace}), state({resource("a.z", {{"zone", "a"}, {"id", "9"}})}), false).empty());
    CHECK(facts_in(plan({replace}), state({}), false) == Texts{"replace a.z"});
    CHECK(facts_in(plan({replace}), state({resource("a.z", {{"zone", "b"}, {"id", "10"}})}), false) ==
          Texts{"replace a.z", "replace a.z complete"});
}

TEST_CASE("a provider may write a value in its own way") {
    const auto own = state({resource("a.y", {{"size", "2 GB"}, {"tag", "t"}})});
    CHECK(facts_in(plan({grow}), own, true) == Texts{"update a.y", "update a.y complete"});
    CHECK(facts_in(plan({grow}), own, false) == Texts{"update a.y"});
}

TEST_CASE("resources in modules, and outputs where nothing else changes") {
    const auto entries = entries_of(json::parse(R"({"values": {
        "root_module": {"child_modules": [{"resources": [{"address": "module.a.b.c", "values": {"id": "1"}}]}]},
        "outputs": {"count": {"value": 3}}}})"));
    CHECK(entries.count("module.a.b.c") == 1);
    const json outputs =
        json::parse(R"({"count": {"actions": ["update"], "before": 2, "after": 3, "after_unknown": false}})");
    CHECK(facts_in(plan({}, outputs), entries, false) ==
          Texts{"update output.count", "update output.count complete"});
    CHECK(facts_of(plan({create}, outputs)) == Texts{"create a.x[0]", "create a.x[0] complete"});
}

TEST_CASE("counts, and what is no plan") {
    const PlanSummary sum =
        plan({create, grow, replace, change("a.q", {"no-op"}, json::object(), json::object())});
    CHECK(sum.adds == 2);
    CHECK(sum.changes == 1);
    CHECK(sum.destroys == 1);
    CHECK(sum.touched.size() == 3);
    CHECK_FALSE(summarize(json::object()));
    CHECK_FALSE(summarize({{"format_version", "1.2"}, {"errored", true}}));
    CHECK(summarize({{"format_version", "1.2"}, {"resource_changes", "nonsense"}}));
    CHECK(is_within("module.a.b.c[0]", "module.a"));
    CHECK_FALSE(is_within("a.bc", "a.b"));
}
