#include <catch2/catch.hpp>

#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/semantics/window.hpp"

using namespace migc;
using namespace migc::semantics;

TEST_CASE("freezes") {
    const auto freeze = parse_freeze("2026-12-20 18:00 to 2027-01-02 Europe/Berlin");
    REQUIRE(freeze);
    CHECK(freeze->from == "2026-12-20 18:00");
    CHECK(freeze->to == "2027-01-03 00:00");  // to the end of that day
    CHECK(freeze->zone == "Europe/Berlin");
    for (const char* text : {"", "next christmas", "2026-12-20 to 2027-01-02", "2026-12-20 to 2027-01-02 ",
                             "2026-02-30 to 2026-03-02 UTC", " to  UTC", "2026-12-20 24:00 to 2027-01-02 UTC",
                             "2027-01-02 06:00 to 2026-12-20 18:00 UTC"})
        CHECK_FALSE(parse_freeze(text));
}

TEST_CASE("what a failure block adds to the times of a stage") {
    ir::Step undo, hold, change;
    undo.kind = ir::StepKind::Undo;
    hold.kind = ir::StepKind::Hold;
    change.kind = ir::StepKind::Call;
    Times times;
    times.undo_ms = 100;
    times.failure({undo, change}, 5);
    CHECK(times.undo_ms == 105);
    times.failure({hold}, 1);
    CHECK(times.undo_ms == 106);
    times.failure({change}, 7);  // by hand, instead of the steps' own undo
    CHECK(times.undo_ms == 7);
}

TEST_CASE("maintenance windows") {
    const auto night = parse_window("sat 02:00-04:00 Europe/Berlin");
    REQUIRE(night);
    CHECK(night->length() == 120);
    CHECK(night->is_open(6, 120));
    CHECK_FALSE(night->is_open(6, 240));
    CHECK_FALSE(night->is_open(0, 120));
    CHECK(last_safe_start(*night, 50 * 60'000) == "sat 03:10 Europe/Berlin");
    CHECK(last_safe_start(*night, 50 * 60'000 + 1) == "sat 03:09 Europe/Berlin");
    CHECK(last_safe_start(*night, 120 * 60'000) == "sat 02:00 Europe/Berlin");
    CHECK(last_safe_start(*night, 121 * 60'000).empty());

    const auto over_midnight = parse_window("fri-sat 23:00-01:00 UTC");
    REQUIRE(over_midnight);
    CHECK(over_midnight->length() == 120);
    CHECK(over_midnight->is_open(0, 30));  // what began on Saturday
    CHECK_FALSE(over_midnight->is_open(1, 30));
    CHECK(last_safe_start(*over_midnight, 30 * 60'000) == "00:30 UTC");
    CHECK(last_safe_start(*parse_window("sat 23:00-01:00 UTC"), 30 * 60'000) == "sun 00:30 UTC");
    CHECK(parse_window("daily 00:00-24:00 UTC")->length() == minutes_per_day);

    CHECK(never_together(*night, *parse_window("mon-fri 02:00-04:00 Europe/Berlin")));
    CHECK(never_together(*night, *parse_window("sat 04:00-05:00 Europe/Berlin")));
    CHECK_FALSE(never_together(*night, *parse_window("daily 03:59-05:00 Europe/Berlin")));
    CHECK_FALSE(never_together(*night, *parse_window("mon 02:00-04:00 UTC")));  // another zone: not compared

    for (const char* bad :
         {"", "sat", "sat 02:00-04:00", "sat 2:00-4:00 UTC", "sat 02:60-03:00 UTC", "satur 02:00-04:00 UTC",
          "sat-x 02:00-04:00 UTC", "sat 02:00 04:00 UTC", "sat 02:00-04:00 ", "sat 02:00-04:00 Europe Berlin",
          "sat  02:00-04:00 UTC", "sat 02:00-04:00-05:00 UTC", "- - -"})
        CHECK_FALSE(parse_window(bad));
}

TEST_CASE("the times of a stage") {
    Times times;
    times.soak(7);
    times.call({100, 20, true}, ir::UndoKind::Steps, true, "scale");
    times.verify({0, 5, true});
    times.soak(1000);
    times.call({3, 0, false}, ir::UndoKind::None, false, "notify");
    CHECK(times.steps_ms == 128);
    CHECK(times.soaks_ms == 1007);
    CHECK(times.soaks_between_ms == 7);  // the last one may go on when the window is over
    CHECK(times.undo_ms == 120);
    CHECK(times.window_ms() == 128 + 7 + 120);
    CHECK(times.no_return.empty());

    Times both = times, branch = times;
    branch.call({50, 0, true}, ir::UndoKind::Irreversible, true, "grow");
    both.beside(times, branch);
    branch = times;
    branch.call({10, 0, true}, ir::UndoKind::Steps, true, "restart");
    both.beside(times, branch);
    CHECK(both.steps_ms == 178);  // the longest branch
    CHECK(both.undo_ms == 130);   // each is undone by itself
    CHECK(both.no_return == "grow");
}

TEST_CASE("tries again take time, too") {
    const auto literal = [](std::int64_t number) {
        ir::Expr expression;
        expression.value = Value(number);
        return expression;
    };
    const NumberOf value = [](const ir::Expr& expression) -> std::optional<std::int64_t> {
        const auto* number = expression.value.get_if<std::int64_t>();
        return number != nullptr ? std::optional(*number) : std::nullopt;
    };
    ir::Step step;
    const ir::Verb verb;
    CHECK(call_bound({}, step, verb, value, value).total() == default_action_ms);
    CHECK_FALSE(call_bound({}, step, verb, value, value).stated);
    step.within = literal(1000);
    step.retry = literal(3);
    step.every = literal(10);
    CHECK(call_bound({}, step, verb, value, value).total() == 4030);
    CHECK(call_bound({}, step, verb, value, value).stated);
    step.retry = literal(-5);
    CHECK(call_bound({}, step, verb, value, value).total() == 1000);
    step.retry = literal(std::numeric_limits<std::int64_t>::max());
    CHECK(call_bound({}, step, verb, value, value).total() < std::numeric_limits<std::int64_t>::max() / 1000);
}

TEST_CASE("what is known of an expression without a run") {
    const auto is = [](ir::ExprKind kind, std::vector<ir::Expr> children, const char* name = "") {
        ir::Expr expression;
        expression.kind = kind;
        expression.name = name;
        expression.children = std::move(children);
        return expression;
    };
    const auto text = [](const char* value) {
        ir::Expr expression;
        expression.value = Value(std::string(value));
        return expression;
    };
    const Leaf leaf = [](const ir::Expr& expression) {
        return expression.name == "a" ? std::optional(Value(std::string("x"))) : std::nullopt;
    };
    const ir::Expr known = is(ir::ExprKind::Local, {}, "a"), unknown = is(ir::ExprKind::Local, {}, "b");

    ir::Expr joined = is(ir::ExprKind::Interpolate, {text("-"), known, text("-")});
    joined.type.kind = ir::TypeKind::String;
    CHECK(same(*known_value(joined, leaf), std::string("-x-")));
    CHECK(same(*known_value(is(ir::ExprKind::List, {known, text("y")}), leaf),
               List{std::string("x"), std::string("y")}));
    CHECK_FALSE(known_value(is(ir::ExprKind::List, {known, unknown}), leaf));
    CHECK(*literal<std::string>(text("y")) == "y");
    CHECK(literal<std::int64_t>(text("y")) == nullptr);
    CHECK(literal<std::string>(known) == nullptr);

    // A name that is "a" holds, one that is "b" does not, of every other nobody knows.
    const Decide decide = [](const ir::Expr& expression) -> std::optional<bool> {
        if (expression.name.empty() || expression.name == "c") return std::nullopt;
        return expression.name == "a";
    };
    const ir::Expr holds = known, fails = unknown, open = is(ir::ExprKind::Local, {}, "c");
    CHECK(known_truth(is(ir::ExprKind::Not, {fails}), decide) == true);
    CHECK(known_truth(is(ir::ExprKind::And, {open, fails}), decide) == false);
    CHECK(known_truth(is(ir::ExprKind::Or, {open, holds}), decide) == true);
    CHECK_FALSE(known_truth(is(ir::ExprKind::And, {open, holds}), decide));
    CHECK_FALSE(known_truth(is(ir::ExprKind::Not, {open}), decide));
}

namespace {

ir::Expr local(std::string name) {
    ir::Expr expression;
    expression.kind = ir::ExprKind::Local;
    expression.name = std::move(name);
    return expression;
}

ir::Command command(const std::string& name) {
    ir::Command made;
    made.arguments = local(name + "-arguments");
    made.pointer = local(name + "-pointer");
    made.standard_input = local(name + "-stdin");
    return made;
}

template <class Part>
std::vector<std::string> visited(const Part& part) {
    std::vector<std::string> names;
    each_expression(part, [&](const ir::Expr& one) { names.push_back(one.name); });
    return names;
}

}  // namespace

TEST_CASE("a visit comes to every expression of a declaration, but for those of its role") {
    ir::Step inverse;
    inverse.value = local("inverse");
    ir::Verb verb;
    verb.role.arguments = {local("role")};
    verb.needs = {local("needs")};
    verb.captures = {{"prior", local("capture"), {}}};
    verb.effects = {{local("effect"), ir::Becomes::Value, local("becomes"), {}}};
    verb.action = command("do");
    verb.undo.steps = {inverse};
    verb.undo.after = local("after");
    verb.result = local("result");
    verb.within = local("within");
    CHECK(visited(verb) == std::vector<std::string>{"needs", "capture", "effect", "becomes", "do-arguments",
                                                    "do-pointer", "do-stdin", "inverse", "after", "result",
                                                    "within"});
    ir::Probe probe;
    probe.role.arguments = {local("role")};
    probe.depends = {local("depends")};
    probe.computed = local("computed");
    probe.converges = local("converges");
    probe.read = command("read");
    probe.watch = command("watch");
    probe.within = local("within");
    CHECK(visited(probe) == std::vector<std::string>{"depends", "computed", "converges", "read-arguments",
                                                     "read-pointer", "read-stdin", "watch-arguments",
                                                     "watch-pointer", "watch-stdin", "within"});
    ir::Tool tool;
    tool.arguments = local("arguments");
    tool.environment = local("environment");
    tool.within = local("within");
    CHECK(visited(tool) == std::vector<std::string>{"arguments", "environment", "within"});
}
