#include "runtime/engine/engine.hpp"

#include <algorithm>
#include <limits>

#include <catch2/catch.hpp>

#include "runtime/evaluate/convert.hpp"
#include "runtime/evaluate/effect.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/evaluate/text.hpp"
#include "tests/unit/fakes.hpp"

// How a failed check shows what it has found.
template <>
struct Catch::StringMaker<migc::Outcome> {
    static std::string convert(migc::Outcome outcome) { return word(outcome); }
};

using namespace fakes;
using migc::runtime::compare;

namespace {

using Lines = std::vector<std::string>;

// A world of one workload in two clusters, and what is run in it.
struct Bench {
    ir::Program program = declarations();
    project::Inventory project = inventory();
    FakeTools tools;
    FakeJournal journal;
    RunOptions options;
    std::vector<Event> events;

    Bench() {
        options.natives = [](std::string_view) { return nullptr; };
        for (const char* context : {"staging", "production"}) {
            tools.field(context, "webapi", "replicas") = 2;
            tools.field(context, "webapi", "configuration") = 1;
            tools.field(context, "webapi", "seen") = 10;
            tools.field(context, "webapi", "caught") = true;
            tools.field(context, "pipeline", "replicas") = 1;
        }
    }

    RunResult run() {
        Engine engine(
            program, project, tools, journal, [this](const Event& e) { events.push_back(e); }, options);
        return engine.run();
    }
    RunResult resume() {
        Engine engine(
            program, project, tools, journal, [this](const Event& e) { events.push_back(e); }, options);
        return engine.resume("run-1");
    }
    RunResult undo() {
        Engine engine(program, project, tools, journal, {}, options);
        return engine.undo("run-1");
    }
    // Undoes; where a step is in doubt, decides as a person would who has looked at the cluster.
    RunResult undo_deciding() {
        RunResult result = undo();
        for (int i = 0; i < 8 && result.exit_code == 4; ++i) {
            decide();
            result = undo();
        }
        return result;
    }
    void decide() {
        std::map<std::string, Event> open;
        for (const Event& event : journal.stored) {
            const std::string step = json_of(event).value("step", "");
            const bool intent = event.kind() == EventKind::Intent || event.kind() == EventKind::UndoIntent;
            const bool outcome = event.kind() == EventKind::Outcome || event.kind() == EventKind::UndoOutcome;
            if (intent) open[step] = event;
            if (event.kind() == EventKind::Resolved ||
                (outcome && json_of(event).value("result", "") != "in-doubt"))
                open.erase(step);
        }
        for (const auto& [step, event] : open) {
            nlohmann::json body = {{"stage", json_of(event).at("stage")}, {"step", step}};
            if (event.kind() == EventKind::UndoIntent) body["part"] = "inverse";
            body["verdict"] = has_happened(json_of(event)) ? "done" : "not-done";
            journal.stored.push_back(event_of(EventKind::Resolved, tools.now(), body));
        }
    }
    bool has_happened(const nlohmann::json& intent) {
        const auto field = [](const std::string& phrase) {
            return phrase.starts_with("replicas")             ? "replicas"
                   : phrase.find("seen") != std::string::npos ? "seen"
                                                              : "configuration";
        };
        for (const auto& [phrase, before] : intent.at("before").items())
            if (tools.field("staging", "webapi", field(phrase)) == before) return false;
        return true;
    }
    int replicas(const std::string& context = "staging", const std::string& name = "webapi") {
        return tools.field(context, name, "replicas").get<int>();
    }
};

struct Evaluation {
    ir::Program program = declarations();
    project::Inventory project = inventory();
    FakeTools tools;
    RunOptions options;
    StageEnvironment environment;
    EvalContext eval_context{program, project, tools, options, {}};
    Evaluator evaluator{eval_context, environment};
    Scope scope;

    Evaluation() {
        environment.settings = {{"root", "/tmp"}, {"context", "staging"}, {"namespace", "n"}};
        tools.field("staging", "webapi", "replicas") = 2;
    }
    Reading operator()(const ir::Expr& e) { return evaluator.evaluate(e, scope); }
    tl::expected<std::vector<std::string>, std::string> argv(std::vector<ir::Expr> arguments) {
        const auto line = evaluator.command_line(kubectl(std::move(arguments)), scope);
        if (!line) return tl::unexpected(line.error());
        return std::vector<std::string>(line->argv.begin() + 5, line->argv.end());
    }
};

ir::Expr unknown() {
    return literal(Value(Unknown{"no network"}));
}
ir::Expr yes() {
    return literal(Value(true));
}
ir::Expr no() {
    return literal(Value(false));
}

}  // namespace

// ------------------------------------------------------------------ expressions

TEST_CASE("unknown is never false, and one side may decide alone") {
    Evaluation evaluate;
    using ir::ExprKind;
    CHECK(truth(evaluate(node(ExprKind::And, {unknown(), no()})).value) == false);
    CHECK(truth(evaluate(node(ExprKind::Or, {unknown(), yes()})).value) == true);
    CHECK(evaluate(node(ExprKind::And, {unknown(), yes()})).value.is_unknown());
    CHECK(evaluate(node(ExprKind::Or, {unknown(), no()})).value.is_unknown());
    CHECK(evaluate(node(ExprKind::Not, {unknown()})).value.is_unknown());
    CHECK(evaluate(is(unknown(), unknown())).value.is_unknown());
    CHECK(evaluate(node(ExprKind::IsAbsent, {unknown()})).value.is_unknown());
    CHECK(truth(evaluate(node(ExprKind::IsAbsent, {literal(Value(Absent{}))})).value) == true);
}

TEST_CASE("comparisons know units") {
    using ir::Comparison;
    const auto holds = [](Comparison c, Value a, Value b) { return truth(compare(c, a, b).value); };
    CHECK(holds(Comparison::Is, Value(Quantity{"1Gi", 1073741824}), Value(Quantity{"1024Mi", 1073741824})) ==
          true);
    CHECK(holds(Comparison::Below, Value(Duration{1000}), Value(Duration{2000})) == true);
    CHECK(holds(Comparison::AtLeast, Value(std::int64_t{4}), Value(std::int64_t{4})) == true);
    CHECK(holds(Comparison::Matches, Value("sha256:abc"), Value("^sha256:")) == true);
    CHECK(holds(Comparison::Contains, Value(List{Value("a"), Value("b")}), Value("b")) == true);
    CHECK(holds(Comparison::Contains, Value("OutOfMemory"), Value("Memory")) == true);
    CHECK(holds(Comparison::OneOf, Value("x"), Value(List{Value("a")})) == false);
    CHECK(holds(Comparison::NotOneOf, Value("x"), Value(List{Value("a")})) == true);
    CHECK(holds(Comparison::Is, Value(ResourceRef{"workload", "webapi"}), Value("webapi")) == true);
    CHECK(compare(Comparison::Below, Value(Duration{1}), Value(std::int64_t{4})).permanent);
    CHECK(compare(Comparison::Below, Value(Absent{}), Value(std::int64_t{4})).value.is_unknown());
    CHECK(compare(Comparison::Matches, Value("x"), Value("(")).permanent);
}

TEST_CASE("calculations that do not fit are mistakes") {
    Evaluation evaluate;
    using ir::Operation;
    const auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(
        same(evaluate(calculate(Operation::Multiply, number(3), number(4))).value, Value(std::int64_t{12})));
    CHECK(evaluate(calculate(Operation::Add, number(most), number(1))).permanent);
    CHECK(evaluate(calculate(Operation::Divide, number(1), number(0))).permanent);
    CHECK(evaluate(calculate(Operation::Divide, number(std::numeric_limits<std::int64_t>::min()), number(-1)))
              .permanent);
    CHECK(same(evaluate(calculate(Operation::Multiply, duration(1000), number(3))).value,
               Value(Duration{3000})));
}

TEST_CASE("paths stay below the project's folder") {
    Evaluation evaluate;
    CHECK_FALSE(evaluate(literal(Value("k8s/a.yaml"), ir::TypeKind::Path)).value.is_unknown());
    CHECK(evaluate(literal(Value("../etc/passwd"), ir::TypeKind::Path)).permanent);
    CHECK(evaluate(literal(Value("/etc/passwd"), ir::TypeKind::Path)).permanent);
}

TEST_CASE("arguments: absent ones go with their flag, lists are spliced, options are refused") {
    Evaluation evaluate;
    const ir::Expr absent = literal(Value(Absent{}));
    CHECK(*evaluate.argv({text("a"), text("--values"), absent, text("b")}) == Lines{"a", "b"});
    CHECK(*evaluate.argv({text("a"), absent, text("b")}) == Lines{"a", "b"});
    CHECK(*evaluate.argv({text("a"), joined({text("--current="), absent})}) == Lines{"a"});
    CHECK(*evaluate.argv({list({text("x"), text("y")}), number(3)}) == Lines{"x", "y", "3"});
    evaluate.scope.bind("name", Value("--all"));
    CHECK_FALSE(evaluate.argv({text("delete"), local("name")}));
    CHECK(*evaluate.argv({text("delete"), text("--"), local("name")}) == Lines{"delete", "--", "--all"});
    CHECK_FALSE(evaluate.argv({joined({local("name"), text("x")})}));
    CHECK(*evaluate.argv({joined({text("--x="), local("name")})}) == Lines{"--x=--all"});
    CHECK_FALSE(evaluate.argv({unknown()}));
}

TEST_CASE("resources are written as the tool wants them, and as themselves in messages") {
    Evaluation evaluate;
    CHECK(*evaluate.argv({workload("webapi"), joined({workload("webapi"), text("-x")})}) ==
          Lines{"deployment/webapi", "deployment/webapi-x"});
    evaluate.project.workloads["webapi"] = "statefulset/the-api";
    CHECK(*evaluate.argv({workload("webapi")}) == Lines{"statefulset/the-api"});
    CHECK(show(evaluate(joined({workload("webapi"), text("!")})).value) == "webapi!");
}

TEST_CASE("reading a probe: value, absent, unknown") {
    Evaluation evaluate;
    CHECK(same(evaluate(replicas()).value, Value(std::int64_t{2})));
    CHECK(evaluate(replicas("nothing")).value.is_absent());
    evaluate.tools.faults.push_back({"get", failed(1, "connection refused")});
    CHECK(evaluate(replicas()).value.is_unknown());
    evaluate.tools.faults.push_back({"get", answered("<html>")});
    CHECK(evaluate(replicas()).value.is_unknown());
    evaluate.tools.faults.push_back({"get", answered(R"({"spec":{"replicas":"many"}})")});
    CHECK(evaluate(replicas()).value.is_unknown());
    evaluate.program.probes[Replicas].read->absent_on = "NotFound|not found";
    evaluate.tools.faults.push_back({"get", failed(1, "Error: deployments \"webapi\" not found")});
    CHECK(evaluate(replicas()).value.is_absent());
    CHECK(evaluate(is(replicas(), number(4))).why == "replicas of webapi is 2");
}

TEST_CASE("a glance asks for nothing twice, until it sleeps, and believes no failure") {
    Evaluation evaluate;
    auto& commands = evaluate.tools.commands;
    evaluate(replicas());
    evaluate(replicas());
    CHECK(commands.size() == 2);
    commands.clear();
    Evaluator snapshot = evaluate.evaluator.snapshot();
    evaluate.tools.faults.push_back({"get", failed(1, "connection refused")});
    CHECK(snapshot.evaluate(replicas(), evaluate.scope).value.is_unknown());
    CHECK(same(snapshot.evaluate(replicas(), evaluate.scope).value, Value(std::int64_t{2})));
    CHECK(same(snapshot.evaluate(replicas(), evaluate.scope).value, Value(std::int64_t{2})));
    CHECK(commands.size() == 2);
    evaluate.tools.field("staging", "webapi", "replicas") = 3;
    snapshot.sleep_until(snapshot.now() + 1);
    CHECK(same(snapshot.evaluate(replicas(), evaluate.scope).value, Value(std::int64_t{3})));
    CHECK(same(evaluate.evaluator.snapshot().evaluate(replicas(), evaluate.scope).value,
               Value(std::int64_t{3})));
    CHECK(commands.size() == 4);
}

TEST_CASE("answers are converted to the declared type") {
    ir::Type type;
    type.kind = ir::TypeKind::Int;
    CHECK(same(*convert(Value(" 200\n"), type), Value(std::int64_t{200})));
    CHECK_FALSE(convert(Value("abc"), type));
    CHECK(read_format("a\n\nb\n", "lines", "")->get_if<List>()->size() == 2);
    CHECK(read_format("", "json", "/x")->is_absent());
    CHECK(same(*read_format("a: {b: 3}", "yaml", "/a/b"), Value(std::int64_t{3})));
    CHECK_FALSE(read_format("\xff\xfe", "text", ""));
    CHECK_FALSE(read_format(std::string(100000, '['), "json", ""));
    CHECK_FALSE(read_format("{}", "json", "no-pointer"));
    type.kind = ir::TypeKind::List;
    type.element = std::make_shared<ir::Type>(ir::Type{ir::TypeKind::Int, {}, {}, false});
    CHECK(parse_parameter(type, "[1, 2]")->get_if<List>()->size() == 2);
}

TEST_CASE("what is no number of the type is none") {
    const auto as = [](ir::TypeKind kind) {
        ir::Type type;
        type.kind = kind;
        return type;
    };
    const auto json = [](const std::string& text) { return *read_format(text, "json", ""); };
    using ir::TypeKind;
    for (const TypeKind kind :
         {TypeKind::Int, TypeKind::Percent, TypeKind::Quantity, TypeKind::Duration, TypeKind::Bool}) {
        for (const char* text : {"", " ", "NaN", "nan", "-nan", "inf", "Infinity", "-inf", "1e999", "many",
                                 "5 apples", "0x10", "NaN%", "inf%", "%", "--5", "5%%"})
            CHECK_FALSE(convert(Value(text), as(kind), BareNumber::Percent));
        for (const char* text : {"[]", "[5]", "{}", "{\"a\": 5}", "\"\"", "\"NaN\""})
            CHECK_FALSE(convert(json(text), as(kind), BareNumber::Percent));
        if (kind != TypeKind::Bool) CHECK_FALSE(convert(Value(true), as(kind)));
    }
    CHECK_FALSE(convert(Value(Percent{std::numeric_limits<double>::quiet_NaN()}), as(TypeKind::Percent)));
    CHECK_FALSE(convert(Value(Percent{std::numeric_limits<double>::infinity()}), as(TypeKind::Percent)));
    CHECK_FALSE(convert(Value(std::int64_t{5}), as(TypeKind::Duration)));
    CHECK_FALSE(convert(json("0.5"), as(TypeKind::Int)));
    CHECK_FALSE(convert(json("18446744073709551615"), as(TypeKind::Int)));
    for (const TypeKind kind : {TypeKind::Resource, TypeKind::Url, TypeKind::Path, TypeKind::Image})
        CHECK_FALSE(convert(Value(""), as(kind)));
    CHECK(convert(Value(""), as(TypeKind::String)));
    CHECK(same(*convert(json("true"), as(TypeKind::Bool)), Value(true)));
    CHECK(convert(Value(), as(TypeKind::Int))->is_absent());
}

TEST_CASE("a bare number is a percentage only where the declaration says which") {
    ir::Type percent;
    percent.kind = ir::TypeKind::Percent;
    const auto reads = [&](const Value& value, BareNumber bare, double expected) {
        const auto read = convert(value, percent, bare);
        REQUIRE(read);
        REQUIRE(read->get_if<Percent>() != nullptr);
        CHECK(read->get_if<Percent>()->value == expected);
    };
    const auto json = [](const std::string& text) { return *read_format(text, "json", ""); };
    for (const Value& bare : {Value("0.05"), Value("5"), Value(std::int64_t{5}), json("0.05"), Value("0")})
        CHECK_FALSE(convert(bare, percent));
    for (const BareNumber bare : {BareNumber::Refused, BareNumber::Percent, BareNumber::Ratio})
        reads(Value("12.5%"), bare, 12.5);  // the sign says what it means
    reads(Value("0.05"), BareNumber::Ratio, 5);
    reads(Value("0.07"), BareNumber::Ratio, 7);  // not 7.000000000000001
    reads(json("0.07"), BareNumber::Ratio, 7);
    reads(json("1e-05"), BareNumber::Ratio, 0.001);
    reads(Value(std::int64_t{1}), BareNumber::Ratio, 100);
    reads(Value("0.05"), BareNumber::Percent, 0.05);
    reads(Value(std::int64_t{5}), BareNumber::Percent, 5);
    CHECK(bare_number("yaml ratio") == BareNumber::Ratio);
    CHECK(bare_number("json percent") == BareNumber::Percent);
    CHECK(bare_number("yaml") == BareNumber::Refused);
    CHECK_FALSE(parse_parameter(percent, "5"));
    CHECK(parse_parameter(percent, "5%"));
}

TEST_CASE("a number and what is none are not even different") {
    using ir::Comparison;
    const Value five(std::int64_t{5}), tenth(Percent{10});
    const auto known = [](const Reading& reading) { return truth(reading.value); };
    for (const Value& other : {Value("NaN"), Value(""), Value("many"), Value(true), Value(List{}), tenth,
                               Value(Percent{std::numeric_limits<double>::quiet_NaN()})})
        for (const Comparison comparison : {Comparison::Is, Comparison::IsNot, Comparison::Below,
                                            Comparison::Above, Comparison::AtLeast, Comparison::AtMost}) {
            CHECK_FALSE(known(compare(comparison, five, other)).has_value());
            CHECK_FALSE(known(compare(comparison, other, five)).has_value());
        }
    CHECK_FALSE(known(compare(Comparison::NotOneOf, Value("NaN"), Value(List{five}))).has_value());
    CHECK(known(compare(Comparison::OneOf, Value("5"), Value(List{tenth, five}))) == true);
    CHECK(known(compare(Comparison::IsNot, Value("6"), five)) == true);
    CHECK(known(compare(Comparison::IsNot, Value("12%"), tenth)) == true);
    CHECK(known(compare(Comparison::Above, Value("12%"), tenth)) == true);
    CHECK(known(compare(Comparison::Is, Value(), five)) == false);
    CHECK(known(compare(Comparison::Is, Value("a"), Value("b"))) == false);
}

TEST_CASE("phrases are filled in") {
    const std::vector<ir::Parameter> parameters = {parameter("r", ir::TypeKind::Resource),
                                                   parameter("values", ir::TypeKind::Path),
                                                   parameter("from-inside", ir::TypeKind::Bool)};
    const std::string signature =
        "helm upgrade (r: release = (x)) [with values (values: path)] [from inside] now";
    CHECK(phrase(signature, parameters, {Value("web"), Value("v.yaml"), Value(true)}) ==
          "helm upgrade web with values v.yaml from inside now");
    CHECK(phrase(signature, parameters, {Value("web"), Value(Absent{}), Value(Absent{})}) ==
          "helm upgrade web now");
}

// ------------------------------------------------------------------ a run

TEST_CASE("a run that goes well") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), verify(is(replicas(), number(4)), 5000)});
    const RunResult result = bench.run();
    CHECK(result.result == Outcome::Done);
    CHECK(result.exit_code == 0);
    CHECK(bench.replicas() == 4);
    CHECK(bench.journal.told(EventKind::Outcome) == Lines{"staging/1 done"});
    const auto intent = std::find_if(bench.journal.stored.begin(), bench.journal.stored.end(),
                                     [](const Event& e) { return e.kind() == EventKind::Intent; });
    CHECK(json_of(*intent)["text"] == "scale webapi to 4");
    CHECK(json_of(*intent)["before"].contains("replicas of webapi"));
    CHECK(result.standing == Lines{"staging: scale webapi to 4"});
}

TEST_CASE("what holds already is not done again and not undone") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(2), failing_verify()});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(bench.tools.changes.empty());
    CHECK(bench.journal.told(EventKind::Outcome) == Lines{"staging/1 already"});
}

TEST_CASE("a failed verify undoes last first and converges") {
    Bench bench;
    add_stage(bench.program, "staging",
              {scale_to(4), scale_to(3, "pipeline"), scale_to(6), failing_verify()});
    const RunResult result = bench.run();
    CHECK(result.result == Outcome::Undone);
    CHECK(result.exit_code == 1);
    CHECK(bench.replicas() == 2);
    CHECK(bench.replicas("staging", "pipeline") == 1);
    CHECK(bench.journal.told(EventKind::UndoOutcome) ==
          Lines{"staging/3 undone", "staging/2 undone", "staging/1 undone"});
    CHECK(result.standing.empty());
    CHECK(result.message.find("replicas of webapi is 6") != std::string::npos);
}

TEST_CASE("a command that fails before it acts") {
    Bench bench;
    bench.tools.faults.push_back({"put", failed(1, "forbidden")});
    add_stage(bench.program, "staging", {scale_to(4)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(bench.replicas() == 2);
    CHECK(bench.journal.told(EventKind::UndoOutcome) == Lines{"staging/1 nothing-to-undo"});
}

TEST_CASE("a command whose answer was lost after it acted is in doubt") {
    Bench bench;
    Answer timed_out;
    timed_out.ending = Ending::TimedOut;
    bench.tools.faults.push_back({"put", timed_out, true});
    add_stage(bench.program, "staging", {scale_to(4)});
    // Nobody has heard how it ended: the same may be somebody else's work.
    CHECK(bench.run().exit_code == 4);
    CHECK(bench.replicas() == 4);
    CHECK(bench.undo_deciding().exit_code == 0);
    CHECK(bench.replicas() == 2);
}

TEST_CASE("a command that says it went well but did nothing") {
    Bench bench;
    bench.tools.faults.push_back({"put", answered("scaled")});
    add_stage(bench.program, "staging", {scale_to(4)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(result.message.find("did not take effect") != std::string::npos);
}

// From the first change on, nothing can be read any more.
static void go_blind(FakeTools& tools) {
    tools.faults.push_back({" get ", failed(1, "no route to host"), false, -1});
}

TEST_CASE("an effect that cannot be read is in doubt, and nothing is undone") {
    Bench bench;
    bench.tools.on_change = go_blind;
    add_stage(bench.program, "staging", {scale_to(4), scale_to(6)});
    const RunResult result = bench.run();
    CHECK(result.result == Outcome::InDoubt);
    CHECK(result.exit_code == 4);
    CHECK(bench.journal.told(EventKind::UndoOutcome).empty());
    CHECK(bench.tools.changes.size() == 1);
}

TEST_CASE("a step whose prior state cannot be read does not begin") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4)});
    go_blind(bench.tools);
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(bench.journal.told(EventKind::Intent).empty());
    CHECK(bench.tools.changes.empty());
}

TEST_CASE("a need that does not hold stops the step before it acts") {
    Bench bench;
    bench.program.verbs[Scale].needs = {is(probe(Configuration, {local("target")}), number(5))};
    add_stage(bench.program, "staging", {scale_to(4)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(result.message.find("configuration of webapi is 1") != std::string::npos);
    CHECK(bench.tools.changes.empty());
}

TEST_CASE("retry is for what had no effect") {
    Bench bench;
    Answer not_started;
    not_started.reason = "not found";
    bench.tools.faults.push_back({"put", not_started});
    bench.tools.faults.push_back({"put", failed(1, "conflict")});
    ir::Step step = scale_to(4);
    step.retry = number(2);
    add_stage(bench.program, "staging", {step});
    CHECK(bench.run().exit_code == 0);
    CHECK(bench.tools.changes.size() == 1);
}

TEST_CASE("a step without an effect is judged by its exit") {
    Bench bench;
    ir::Step poke = call(Poke, {workload("webapi")});
    poke.undo = inverse({call(Say, {text("poked back")})});
    SECTION("a failure is half-done, and its inverse runs") {
        bench.tools.faults.push_back({"bump", failed(3, "half")});
        add_stage(bench.program, "staging", {poke});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.journal.told(EventKind::UndoOutcome) == Lines{"staging/1 undone"});
        CHECK(bench.tools.commands.back() == "say poked back");
    }
    SECTION("a timeout is in doubt") {
        Answer late;
        late.ending = Ending::TimedOut;
        bench.tools.faults.push_back({"bump", late});
        add_stage(bench.program, "staging", {poke});
        CHECK(bench.run().exit_code == 4);
    }
    SECTION("what was not started is not undone") {
        bench.tools.faults.push_back({"bump", Answer{}});
        add_stage(bench.program, "staging", {poke});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.journal.told(EventKind::UndoOutcome).empty());
    }
}

TEST_CASE("what somebody else changed is held, the others are undone") {
    Bench bench;
    bench.tools.tick = [](FakeTools& tools) { tools.field("staging", "pipeline", "replicas") = 5; };
    add_stage(bench.program, "staging", {scale_to(4), scale_to(3, "pipeline"), failing_verify()});
    RunResult result = bench.run();
    CHECK(result.result == Outcome::Held);
    CHECK(result.exit_code == 3);
    CHECK(bench.replicas() == 2);
    CHECK(bench.replicas("staging", "pipeline") == 5);
    CHECK(result.standing == Lines{"staging: scale pipeline to 3"});
    bench.options.overwrite = true;
    CHECK(bench.undo().exit_code == 0);
    CHECK(bench.replicas("staging", "pipeline") == 1);
}

TEST_CASE("undo stops at what is irreversible") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), call(Erase, {workload("pipeline")}), failing_verify()});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(bench.replicas() == 4);
    CHECK(result.standing.size() == 2);
}

TEST_CASE("an inverse that fails is told, and the others go on") {
    Bench bench;
    bench.tools.faults.push_back({"pipeline replicas 1", failed(1, "forbidden")});
    add_stage(bench.program, "staging", {scale_to(4), scale_to(3, "pipeline"), failing_verify()});
    const RunResult result = bench.run();
    CHECK(result.result == Outcome::UndoFailed);
    CHECK(result.exit_code == 4);
    CHECK(bench.replicas() == 2);
}

TEST_CASE("an inverse that runs after what it follows") {
    Bench bench;
    const auto order = [&] {
        Lines lines;
        for (const auto& change : bench.tools.changes)
            lines.push_back(change.substr(change.find("webapi ") + 7));
        return lines;
    };
    SECTION("directly after the configuration is back") {
        add_stage(bench.program, "staging", {configure_as(7), restart(), scale_to(4), failing_verify()});
        CHECK(bench.run().exit_code == 1);
        CHECK(order() ==
              Lines{"configuration=7", "seen", "replicas=4", "replicas=2", "configuration=1", "seen"});
    }
    SECTION("also if it was restarted before") {
        add_stage(bench.program, "staging", {restart(), configure_as(7), failing_verify()});
        CHECK(bench.run().exit_code == 1);
        CHECK(order() == Lines{"seen", "configuration=7", "configuration=1", "seen"});
    }
    SECTION("not at all if it was not changed back") {
        add_stage(bench.program, "staging", {restart(), failing_verify()});
        CHECK(bench.run().exit_code == 1);
        CHECK(order() == Lines{"seen"});
        CHECK(bench.journal.told(EventKind::UndoOutcome) == Lines{"staging/1 nothing-to-undo"});
    }
    SECTION("twice in a row is no stranger's doing") {
        add_stage(bench.program, "staging", {configure_as(7), restart(), restart(), failing_verify()});
        CHECK(bench.run().exit_code == 1);
    }
}

TEST_CASE("composites are undone step by step, or by their caller's own inverse") {
    Bench bench;
    ir::Step both = call(Both, {workload("webapi")});
    SECTION("step by step") {
        add_stage(bench.program, "staging", {both, failing_verify()});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.journal.told(EventKind::UndoOutcome) ==
              Lines{"staging/1.2 undone", "staging/1.1 undone"});
        CHECK(bench.replicas() == 2);
    }
    SECTION("by the caller") {
        both.undo = inverse({scale_to(2), configure_as(1)});
        add_stage(bench.program, "staging", {both, failing_verify()});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.journal.told(EventKind::UndoOutcome) ==
              Lines{"staging/1 undone", "staging/1 undone", "staging/1 undone"});
        CHECK(bench.replicas() == 2);
        CHECK(bench.tools.field("staging", "webapi", "configuration") == 1);
    }
}

TEST_CASE("blocks: let, if, for") {
    Bench bench;
    ir::Step let = step(ir::StepKind::Let, "let n = 3");
    let.name = "n";
    let.value = number(3);
    ir::Step loop = step(ir::StepKind::For);
    loop.name = "w";
    loop.value = list({workload("webapi"), workload("pipeline")});
    loop.body = {call(Scale, {local("w"), local("n")})};
    ir::Step choose = step(ir::StepKind::If);
    choose.condition = is(local("n"), number(4));
    choose.body = {scale_to(8)};
    choose.otherwise = {scale_to(9)};
    add_stage(bench.program, "staging", {let, loop, choose, failing_verify()});
    CHECK(bench.run().exit_code == 1);
    CHECK(bench.journal.told(EventKind::Outcome) ==
          Lines{"staging/2[1].1 done", "staging/2[2].1 done", "staging/3.2 done"});
    CHECK(bench.replicas() == 2);
    choose.condition = is(unknown(), number(4));
    bench.program.stages[0].steps = {choose};
    bench.journal.stored.clear();
    CHECK(bench.run().exit_code == 1);
    CHECK(bench.journal.told(EventKind::Intent).empty());
}

TEST_CASE("verify waits, gives up, and fails at once where there is no hope") {
    Bench bench;
    SECTION("eventually") {
        int ticks = 0;
        bench.tools.tick = [&](FakeTools& tools) {
            if (++ticks == 5) tools.field("staging", "webapi", "replicas") = 3;
        };
        add_stage(bench.program, "staging", {verify(is(replicas(), number(3)), 60'000)});
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("could not be found out") {
        add_stage(bench.program, "staging", {verify(is(replicas(), number(2)), 5'000)});
        go_blind(bench.tools);
        CHECK(bench.run().message.find("could not be found out") != std::string::npos);
    }
    SECTION("hopeless") {
        const Time begun = bench.tools.now();
        add_stage(bench.program, "staging",
                  {verify(is(calculate(ir::Operation::Divide, number(1), number(0)), number(1)), 60'000)});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.tools.now() - begun < 1'000);
    }
}

TEST_CASE("soak means always, and holds when it cannot see") {
    Bench bench;
    ir::Step soak = step(ir::StepKind::Soak, "soak 24h while ..");
    soak.value = duration(86'400'000);
    soak.condition = is(replicas(), number(4));
    add_stage(bench.program, "staging", {scale_to(4), soak});
    SECTION("quiet") {
        const Time begun = bench.tools.now();
        CHECK(bench.run().exit_code == 0);
        CHECK(bench.tools.now() - begun >= 86'400'000);
    }
    SECTION("broken") {
        int ticks = 0;
        bench.tools.tick = [&](FakeTools& tools) {
            if (++ticks == 100) tools.field("staging", "webapi", "replicas") = 2;
        };
        CHECK(bench.run().exit_code == 1);
    }
    SECTION("blind") {
        bench.tools.tick = go_blind;
        CHECK(bench.run().result == Outcome::Held);
    }
}

// Knows of one thing that happens, and when.
class NewsToCome final : public Watch {
  public:
    NewsToCome(FakeTools& tools, Time when, std::function<void()> what)
        : tools_(tools), when_(when), what_(std::move(what)) {}
    WakeReason wait(Time deadline) override {
        const bool happens = tools_.now() < when_ && when_ <= deadline;
        tools_.pass((happens ? when_ : deadline) - tools_.now());
        if (happens) what_();
        return happens ? WakeReason::Changed : WakeReason::Deadline;
    }

  private:
    FakeTools& tools_;
    Time when_;
    std::function<void()> what_;
};

constexpr std::int64_t day = 86'400'000;

void add_day_of_soak(ir::Program& program) {
    ir::Step soak = step(ir::StepKind::Soak, "soak 24h while ..");
    soak.value = duration(day);
    soak.condition = is(replicas(), number(4));
    add_stage(program, "staging", {scale_to(4), soak});
}

TEST_CASE("a soak in a simulation looks when something happened, and now and then") {
    Bench bench;
    add_day_of_soak(bench.program);
    const Time begun = bench.tools.now();
    const Time later = begun + day / 2 + 1'234'567;
    const auto foresee = [&](std::function<void()> what) {
        bench.tools.all = [&, what] { return std::make_unique<NewsToCome>(bench.tools, later, what); };
    };
    SECTION("nothing changes") {
        foresee([] {});
        CHECK(bench.run().exit_code == 0);
        CHECK(bench.tools.now() - begun >= day);
        CHECK(bench.tools.commands.size() < 40);
    }
    SECTION("it breaks") {
        foresee([&] { bench.tools.field("staging", "webapi", "replicas") = 2; });
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.tools.now() >= later);
        CHECK(bench.tools.now() < later + 10'000);
    }
    SECTION("it cannot be seen any more") {
        foresee([&] { go_blind(bench.tools); });
        CHECK(bench.run().result == Outcome::Held);
        CHECK(bench.tools.now() >= later);
        CHECK(bench.tools.now() < later + day / 10 + 120'000);
    }
}

TEST_CASE("a run that goes on asks its gates again, and an undo asks none") {
    Bench bench;
    ir::Step gate = step(ir::StepKind::Gate, "gate ..");
    gate.condition = is(replicas("pipeline"), number(1));
    add_stage(bench.program, "staging", {scale_to(4), scale_to(6)}).gates = {gate};
    bench.options.stop_requested = [&] { return !bench.tools.changes.empty(); };
    CHECK(bench.run().result == Outcome::Held);
    CHECK(bench.replicas() == 4);
    bench.options.stop_requested = {};
    bench.tools.field("staging", "pipeline", "replicas") = 0;
    CHECK(bench.resume().exit_code == 5);
    CHECK(bench.replicas() == 4);
    SECTION("it opens again") {
        bench.tools.field("staging", "pipeline", "replicas") = 1;
        CHECK(bench.resume().exit_code == 0);
        CHECK(bench.replicas() == 6);
    }
    SECTION("it stays closed") {
        CHECK(bench.undo().exit_code == 0);
        CHECK(bench.replicas() == 2);
    }
}

TEST_CASE("a tool that was ended by a signal has said nothing, and is not waited for long") {
    Bench bench;
    Answer killed;
    killed.ending = Ending::Signalled;
    killed.status = 9;
    const bool acts = GENERATE(false, true);
    bench.tools.faults.push_back({"put deployment/webapi replicas 4", killed, acts, 1});
    bench.program.verbs[Scale].within = duration(15 * 60'000);
    add_stage(bench.program, "staging", {scale_to(4)});
    const Time begun = bench.tools.now();
    CHECK(bench.run().exit_code == (acts ? 4 : 1));
    CHECK(bench.replicas() == (acts ? 4 : 2));
    CHECK(bench.tools.now() - begun < 60'000);
}

TEST_CASE("a soak counts the time in which somebody looked, and tells of the other") {
    constexpr std::int64_t night = 28'800'000;
    Bench bench;
    add_day_of_soak(bench.program);
    const Time begun = bench.tools.now();
    int ticks = 0;
    const auto told = [&] {
        return std::any_of(bench.events.begin(), bench.events.end(), [](const Event& event) {
            return event.kind() == EventKind::Checked &&
                   json_of(event).value("message", "").starts_with("but for 8h");
        });
    };
    SECTION("the machine was asleep") {
        bench.tools.tick = [&](FakeTools& tools) {
            if (++ticks == 50) tools.pass(night);
        };
        CHECK(bench.run().exit_code == 0);
        CHECK(told());
        CHECK(bench.tools.now() - begun >= day + night);
        CHECK(bench.tools.now() - begun < day + night + 120'000);
    }
    SECTION("and what it soaks for is gone when it wakes") {
        bench.tools.tick = [&](FakeTools& tools) {
            if (++ticks != 50) return;
            tools.pass(night);
            tools.field("staging", "webapi", "replicas") = 2;
        };
        CHECK(bench.run().exit_code == 1);
    }
    SECTION("and the network needs a moment when it wakes") {
        bench.tools.tick = [&](FakeTools& tools) {
            if (++ticks != 50) return;
            tools.pass(night);
            tools.faults.push_back({"get", failed(1, "no route to host"), false, 1});
        };
        CHECK(bench.run().exit_code == 0);
        CHECK(told());
    }
    SECTION("the run was cut off, and went on in the morning") {
        bench.options.stop_requested = [&] { return ticks == 50; };
        bench.tools.tick = [&](FakeTools&) { ++ticks; };
        CHECK(bench.run().result == Outcome::Held);
        const Time soaked = bench.tools.now() - begun;
        bench.tools.pass(night);
        bench.options.stop_requested = {};
        CHECK(bench.resume().exit_code == 0);
        CHECK(told());
        CHECK(bench.tools.now() - begun >= day + night);
        CHECK(bench.tools.now() - begun < day + night + soaked);
    }
}

TEST_CASE("what must hold throughout fails the stage, in a wait too") {
    Bench bench;
    int ticks = 0;
    bench.tools.tick = [&](FakeTools& tools) {
        if (++ticks == 3) tools.field("staging", "pipeline", "replicas") = 0;
    };
    auto& stage =
        add_stage(bench.program, "staging", {scale_to(4), verify(is(replicas(), number(77)), 600'000)});
    stage.throughout = is(replicas("pipeline"), number(1));
    const RunResult result = bench.run();
    CHECK(result.exit_code == 1);
    CHECK(result.message.find("throughout") != std::string::npos);
    CHECK(bench.replicas() == 2);
}

TEST_CASE("a stage that does not converge is undone") {
    Bench bench;
    bench.program.probes[Replicas].converges = is(probe(Caught, {local("target")}), yes());
    bench.program.probes[Replicas].within = duration(3'000);
    add_stage(bench.program, "staging", {scale_to(4)});
    SECTION("it does") {
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("it does not, and neither does the undo") {
        bench.tools.field("staging", "webapi", "caught") = false;
        CHECK(bench.run().exit_code == 4);
        CHECK(bench.replicas() == 2);
    }
    SECTION("it does not, but the undo does") {
        bench.tools.on_change = [](FakeTools& tools) {
            tools.field("staging", "webapi", "caught") = tools.field("staging", "webapi", "replicas") == 2;
        };
        CHECK(bench.run().exit_code == 1);
    }
}

TEST_CASE("what an undo has nothing to take back of must have been caught up with all the same") {
    Bench bench;
    bench.program.probes[Seen].converges = is(probe(Caught, {local("target")}), yes());
    bench.program.probes[Seen].within = duration(3'000);
    add_stage(bench.program, "staging", {restart(), failing_verify()});
    SECTION("it has") {
        CHECK(bench.run().exit_code == 1);
    }
    SECTION("it goes on") {
        bench.tools.field("staging", "webapi", "caught") = false;
        const RunResult result = bench.run();
        CHECK(result.exit_code == 4);
        CHECK(result.message.find("has not been caught up with") != std::string::npos);
    }
}

TEST_CASE("gates fail closed, and nothing is undone for them") {
    Bench bench;
    bench.program.probes.push_back({});
    ir::Probe& passed = bench.program.probes.back();
    passed.signature = "(name: environment) passed";
    passed.parameters = {parameter("name", ir::TypeKind::Environment)};
    passed.read = ir::Command{};
    passed.read->tool = "native";
    passed.read->native = "stage-passed";
    passed.read->arguments = list({local("name")});
    passed.role = {ir::Role::Passing, {local("name")}, {}};
    ir::Step gate = step(ir::StepKind::Gate, "gate staging passed");
    gate.condition = probe(static_cast<std::uint32_t>(bench.program.probes.size() - 1), {text("staging")});
    SECTION("passed") {
        add_stage(bench.program, "staging", {scale_to(4)});
        auto& production = add_stage(bench.program, "production", {});
        production.repeats = "staging";
        production.gates = {gate};
        CHECK(bench.run().exit_code == 0);
        CHECK(bench.replicas("production") == 4);
    }
    SECTION("not in this run") {
        add_stage(bench.program, "production", {scale_to(4)}).gates = {gate};
        const RunResult result = bench.run();
        CHECK(result.exit_code == 5);
        CHECK(result.result == Outcome::Refused);
        CHECK(bench.tools.changes.empty());
    }
    SECTION("waived") {
        bench.program.migration = ir::Migration{"fire", {{"emergency", "it burns"}}, {}};
        add_stage(bench.program, "production", {scale_to(4)}).gates = {gate};
        CHECK(bench.run().exit_code == 0);
    }
}

TEST_CASE("failure blocks") {
    Bench bench;
    const ir::Step undo = step(ir::StepKind::Undo, "undo");
    auto& stage = add_stage(bench.program, "staging", {scale_to(4), failing_verify()});
    SECTION("none: held") {
        stage.on_failure.reset();
        CHECK(bench.run().exit_code == 3);
        CHECK(bench.replicas() == 4);
    }
    SECTION("hold") {
        stage.on_failure = std::vector<ir::Step>{step(ir::StepKind::Hold)};
        const RunResult result = bench.run();
        CHECK(result.exit_code == 3);
        CHECK(result.standing == Lines{"staging: scale webapi to 4"});
    }
    SECTION("words after the undo") {
        stage.on_failure =
            std::vector<ir::Step>{undo, verify(is(replicas(), number(2)), 1000), call(Say, {text("undone")})};
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.tools.commands.back() == "say undone");
    }
    SECTION("words that cannot be said change nothing") {
        bench.tools.faults.push_back({"say", failed(1, "offline")});
        stage.on_failure = std::vector<ir::Step>{call(Say, {text("undoing")}), undo};
        CHECK(bench.run().exit_code == 1);
    }
    SECTION("a verify that fails afterwards holds") {
        stage.on_failure = std::vector<ir::Step>{undo, failing_verify()};
        CHECK(bench.run().exit_code == 3);
    }
    SECTION("undo all") {
        auto& production = add_stage(bench.program, "production", {scale_to(5), failing_verify()});
        bench.program.stages[0].steps.pop_back();
        production.on_failure = std::vector<ir::Step>{step(ir::StepKind::UndoAll)};
        const RunResult result = bench.run();
        CHECK(result.exit_code == 1);
        CHECK(bench.replicas("staging") == 2);
        CHECK(bench.replicas("production") == 2);
    }
}

TEST_CASE("parallel branches, on threads and in order") {
    Bench bench;
    bench.tools.parallel = GENERATE(false, true);
    ir::Step parallel = step(ir::StepKind::Parallel);
    parallel.body = {scale_to(4), scale_to(3, "pipeline")};
    add_stage(bench.program, "staging", {parallel, failing_verify()});
    CHECK(bench.run().exit_code == 1);
    CHECK(bench.journal.told(EventKind::UndoOutcome) == Lines{"staging/1.2 undone", "staging/1.1 undone"});
}

TEST_CASE("a branch that fails lets the others finish their step") {
    Bench bench;
    bench.tools.parallel = GENERATE(false, true);
    bench.tools.faults.push_back({"pipeline replicas 3", failed(1, "forbidden")});
    ir::Step parallel = step(ir::StepKind::Parallel);
    parallel.body = {scale_to(3, "pipeline"), scale_to(4)};
    add_stage(bench.program, "staging", {parallel, scale_to(8)});
    CHECK(bench.run().exit_code == 1);
    CHECK(bench.replicas() == 2);
    CHECK(std::count(bench.tools.changes.begin(), bench.tools.changes.end(),
                     "staging put deployment/webapi replicas=8") == 0);
}

TEST_CASE("bytes that are no text do not break the journal") {
    Bench bench;
    bench.tools.faults.push_back({"put", failed(1, "\xff\xfe broken")});
    add_stage(bench.program, "staging", {scale_to(4)});
    CHECK(bench.run().exit_code == 1);
    for (const Event& event : bench.journal.stored) CHECK_NOTHROW(json_of(event).dump());
}

TEST_CASE("words are nothing that stands, and nothing to be in doubt about") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), call(Say, {text("hello")})});
    bench.journal.appends_left = 5;  // up to the intent of the words
    CHECK(bench.run().exit_code == 4);
    bench.journal.appends_left = -1;
    const RunResult undone = bench.undo();
    CHECK(undone.exit_code == 0);
    CHECK(undone.standing.empty());
    CHECK(bench.replicas() == 2);
}

TEST_CASE("an interrupt stops the run between steps, and undo takes it back") {
    Bench bench;
    bench.tools.interrupt = true;
    add_stage(bench.program, "staging",
              {scale_to(4), verify(is(replicas(), number(77)), 60'000), scale_to(6)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(result.message.find("migc undo run-1") != std::string::npos);
    CHECK(bench.replicas() == 4);
    CHECK(bench.undo().exit_code == 0);
    CHECK(bench.replicas() == 2);
}

// ------------------------------------------------------------------ environments

TEST_CASE("environments: who says which cluster") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4)});
    const auto resolve = [&] {
        return resolve_environment(bench.program, bench.program.stages[0], bench.project, bench.options,
                                   bench.tools);
    };
    const auto asked_for_contexts = [&] {
        return std::any_of(
            bench.tools.commands.begin(), bench.tools.commands.end(),
            [](const std::string& command) { return command.find("config") != std::string::npos; });
    };
    SECTION("migc.yaml") {
        bench.project.environments[0].context = "ionos";
        bench.project.environments[0].name_space = "web";
        CHECK(resolve()->setting("context") == "ionos");
        CHECK(resolve()->setting("namespace") == "web");
        CHECK(resolve()->setting("cluster") == "the first one");
        CHECK_FALSE(asked_for_contexts());
    }
    SECTION("a context of that name") {
        CHECK(resolve()->setting("context") == "staging");
        CHECK(resolve()->setting("namespace") == "staging");
    }
    SECTION("the current one") {
        bench.tools.contexts = "other\n";
        CHECK(resolve()->setting("context") == "current");
        CHECK(resolve()->setting("namespace") == "staging");
    }
    SECTION("--context") {
        bench.options.context = "given";
        CHECK(resolve()->setting("context") == "given");
        CHECK_FALSE(asked_for_contexts());
    }
    SECTION("nobody asks kubectl for a stage that does not use it") {
        bench.program.stages[0].steps = {call(Say, {text("hello")})};
        CHECK(resolve().has_value());
        CHECK(bench.tools.commands.empty());
    }
    SECTION("a protected one needs its name") {
        bench.tools.contexts = "other\n";
        bench.program.stages[0].environment = "production";
        CHECK_FALSE(resolve());
        const RunResult result = bench.run();
        CHECK(result.exit_code == 2);
        CHECK(bench.journal.stored.empty());
    }
    SECTION("parameters") {
        bench.program.parameters = {parameter("n", ir::TypeKind::Int)};
        CHECK(bench.run().exit_code == 2);
        bench.project.environments[0].set["n"] = {"6", {}};
        CHECK(same(resolve()->parameters["n"], Value(std::int64_t{6})));
        bench.options.parameters["n"] = Value(std::int64_t{7});
        CHECK(same(resolve()->parameters["n"], Value(std::int64_t{7})));
    }
}

// ------------------------------------------------------------------ the journal

static long restarts(const Bench& bench) {
    return std::count(bench.tools.changes.begin(), bench.tools.changes.end(),
                      "staging bump deployment/webapi seen");
}
static long restarts_forward(const Bench& bench) {
    return std::count_if(bench.journal.stored.begin(), bench.journal.stored.end(), [](const Event& e) {
        return e.kind() == EventKind::Intent && json_of(e)["text"] == "restart webapi";
    });
}

TEST_CASE("no effect begins without a durable intent") {
    // Wherever the journal fails, the run stops there, and an undo from another process brings everything
    // back.
    {
        const int appends = GENERATE(range(0, 30));
        Bench bench;
        const bool in_parts = GENERATE(false, true);
        if (in_parts)
            bench.program.verbs[Restart].undo.steps.push_back(
                verify(is(probe(Caught, {local("target")}), yes()), 1'000));
        add_stage(bench.program, "staging", {configure_as(7), restart(), scale_to(4), failing_verify()});
        bench.journal.appends_left = appends;
        const RunResult result = bench.run();
        INFO("after " << appends << " appends: " << word(result.result) << " " << result.message);
        const auto changed = bench.tools.changes.size();
        const auto intents =
            bench.journal.told(EventKind::Intent).size() + bench.journal.told(EventKind::UndoIntent).size();
        CHECK(changed <= intents);
        const bool complete = bench.journal.ended && result.exit_code == 1;
        if (!complete) CHECK((result.exit_code == 3 || result.exit_code == 4));
        bench.journal.appends_left = -1;
        const RunResult undone = bench.undo_deciding();
        INFO("then: " << word(undone.result) << " " << undone.message);
        CHECK(undone.exit_code == 0);
        CHECK(bench.replicas() == 2);
        CHECK(bench.tools.field("staging", "webapi", "configuration") == 1);
        CHECK(undone.standing.empty());
        // Restarted once on the way, if it came so far, and once on the way back if that was after the
        // change.
        CHECK(restarts(bench) == (restarts_forward(bench) == 0 ? 0 : 2));
    }
}

TEST_CASE("the outside is not touched, and nothing is told, while something is not durable") {
    Bench bench;
    ir::Step parallel = step(ir::StepKind::Parallel);
    parallel.body = {scale_to(3, "pipeline"), configure_as(7)};
    add_stage(bench.program, "staging", {scale_to(4), parallel, restart(), failing_verify()});
    std::size_t unsynced = 0;
    const auto all_durable = [&] {
        unsynced += bench.journal.stored.size() - bench.journal.durable;
        return unsynced == 0;
    };
    bench.tools.before = all_durable;
    Engine engine(
        bench.program, bench.project, bench.tools, bench.journal, [&](const Event&) { CHECK(all_durable()); },
        bench.options);
    CHECK(engine.run().exit_code == 1);
    CHECK(unsynced == 0);
    CHECK(bench.journal.durable == bench.journal.stored.size());
}

TEST_CASE("an outcome that could not be written is in doubt") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4)});
    bench.journal.appends_left = 3;  // the run, the stage, the intent
    const RunResult result = bench.run();
    CHECK(result.exit_code == 4);
    CHECK(result.message.find("not to be trusted") != std::string::npos);
    CHECK(bench.replicas() == 4);
    bench.journal.appends_left = -1;
    CHECK(bench.undo().exit_code == 4);
    CHECK(bench.undo_deciding().exit_code == 0);
    CHECK(bench.replicas() == 2);
}

TEST_CASE("undo of a run that was cut off") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), call(Poke, {workload("webapi")})});
    bench.program.stages[0].steps[1].undo = inverse({call(Say, {text("poked back")})});
    SECTION("before the effect: nothing to undo") {
        bench.journal.appends_left = 3;
        bench.tools.faults.push_back({"put", failed(1, "killed")});
        bench.run();
        bench.journal.appends_left = -1;
        CHECK(bench.undo().exit_code == 0);
        CHECK(bench.tools.changes.empty());
    }
    SECTION("a step without an effect to look at: in doubt, and nothing is touched") {
        bench.journal.appends_left = 5;
        CHECK(bench.run().exit_code == 4);
        bench.journal.appends_left = -1;
        CHECK(bench.undo().exit_code == 4);
        CHECK(bench.replicas() == 4);
    }
    SECTION("a finished run, once") {
        CHECK(bench.run().exit_code == 0);
        CHECK(bench.undo().exit_code == 0);
        const auto changes = bench.tools.changes.size();
        CHECK(bench.undo().exit_code == 0);
        CHECK(bench.tools.changes.size() == changes);
        CHECK(bench.replicas() == 2);
    }
    SECTION("no such run") {
        Engine engine(bench.program, bench.project, bench.tools, bench.journal);
        CHECK(engine.undo("nothing").exit_code == 2);
    }
}

TEST_CASE("a program that is not the one that was run is not used to undo") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4)});
    CHECK(bench.run().exit_code == 0);
    bench.program.stages[0].name = "other";
    CHECK(bench.undo().exit_code == 2);
    CHECK(bench.replicas() == 4);
}

TEST_CASE("a context that leads to another cluster by now is not used to undo") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4)});
    CHECK(bench.run().exit_code == 0);
    bench.tools.cluster = "another one";
    const RunResult undone = bench.undo();
    CHECK(undone.exit_code == 2);
    CHECK(undone.message.find("leads to another cluster") != std::string::npos);
    CHECK(bench.replicas() == 4);
    bench.tools.cluster = "the first one";
    CHECK(bench.undo().exit_code == 0);
    CHECK(bench.replicas() == 2);
}

// ------------------------------------------------------------------ somebody else acts, too

namespace {

const Answer conflict = failed(1, "Error from server (Conflict): the object has been modified");

std::function<void(FakeTools&)> somebody_scales(int replicas) {
    return [replicas](FakeTools& tools) { tools.field("staging", "webapi", "replicas") = replicas; };
}

bool says(const RunResult& result, const std::string& words) {
    return result.message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a refused command owns nothing, whatever is there afterwards") {
    Bench bench;
    const int theirs = GENERATE(6, 4, 1);  // 4 is what we wanted, too
    const bool by_server = GENERATE(false, true);
    const Answer refusal = by_server ? conflict : failed(1, "error: Expected replicas to be 2, was 4");
    bench.tools.faults.push_back(
        {"put deployment/webapi replicas", refusal, false, 1, somebody_scales(theirs)});
    add_stage(bench.program, "staging", {scale_to(4)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(says(result, "not ours"));
    CHECK(says(result, "replicas of webapi is " + std::to_string(theirs)));
    CHECK(bench.replicas() == theirs);
    // Not in another process, either.
    CHECK(bench.undo().exit_code == 3);
    CHECK(bench.replicas() == theirs);
    CHECK(bench.tools.changes.empty());
}

TEST_CASE("what was refused because of another field is tried again") {
    Bench bench;
    bench.tools.faults.push_back({"put deployment/webapi replicas", conflict, false, GENERATE(1, 3)});
    add_stage(bench.program, "staging", {scale_to(4)});
    CHECK(bench.run().exit_code == 0);
    CHECK(bench.replicas() == 4);
    SECTION("and so is its inverse") {
        bench.tools.faults.push_back({"put deployment/webapi replicas", conflict, false, 2});
        CHECK(bench.undo().exit_code == 0);
        CHECK(bench.replicas() == 2);
    }
    SECTION("unless somebody else has changed it by then") {
        bench.tools.faults.push_back(
            {"put deployment/webapi replicas", conflict, false, 1, somebody_scales(7)});
        const RunResult result = bench.undo();
        CHECK(result.exit_code == 3);
        CHECK(bench.replicas() == 7);
    }
}

TEST_CASE("what is refused again and again, and what is refused for good, is undone") {
    Bench bench;
    const bool for_good = GENERATE(false, true);
    const Answer no = for_good ? failed(1, "Error from server (Forbidden): no") : conflict;
    bench.tools.faults.push_back({"put deployment/webapi replicas", no, false, 100});
    add_stage(bench.program, "staging", {configure_as(7), scale_to(4)});
    CHECK(bench.run().exit_code == 1);
    CHECK(bench.replicas() == 2);
    CHECK(bench.tools.field("staging", "webapi", "configuration") == 1);
    CHECK(100 - bench.tools.faults.front().times == (for_good ? 1 : 6));
}

TEST_CASE("what somebody else makes of an accepted change is theirs") {
    Bench bench;
    bench.tools.faults.push_back(
        {"put deployment/webapi replicas 4", answered(""), true, 1, somebody_scales(6)});
    add_stage(bench.program, "staging", {scale_to(4)});
    const Time begun = bench.tools.now();
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(bench.replicas() == 6);
    CHECK(bench.tools.now() - begun < 60'000);
}

TEST_CASE("what failed without having been refused owns nothing that is seen later") {
    Bench bench;
    bench.tools.faults.push_back({"put deployment/webapi replicas", failed(1, "connection reset by peer")});
    add_stage(bench.program, "staging", {scale_to(4)});
    bench.program.stages.back().on_failure.reset();
    CHECK(bench.run().exit_code == 3);
    bench.tools.field("staging", "webapi", "replicas") = 4;
    const RunResult result = bench.undo();
    CHECK(result.exit_code == 3);
    CHECK(says(result, "is not known"));
    CHECK(bench.replicas() == 4);
    CHECK(bench.tools.changes.empty());
}

TEST_CASE("a refused command of which nothing can be seen afterwards is not called undone") {
    Bench bench;
    bench.tools.faults.push_back(
        {"put deployment/webapi replicas", failed(1, "Error from server (Forbidden): no"), false, 1,
         [](FakeTools& tools) {
             tools.faults.push_back({"get deployment/webapi", failed(1, "no connection"), false, 1000});
         }});
    add_stage(bench.program, "staging", {scale_to(4)});
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(says(result, "could not be found out"));
}

TEST_CASE("what somebody else has put back keeps what earlier steps did to the same") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), scale_to(6)});
    CHECK(bench.run().exit_code == 0);
    bench.tools.field("staging", "webapi", "replicas") = 4;
    CHECK(bench.undo().exit_code == 3);
    CHECK(bench.undo().exit_code == 3);
    CHECK(bench.replicas() == 4);
}

TEST_CASE("a step that failed is not tried again over what somebody else has made of it meanwhile") {
    Bench bench;
    bench.tools.faults.push_back({"put deployment/webapi replicas", failed(1, "connection reset by peer"),
                                  false, 1, somebody_scales(5)});
    ir::Step step = scale_to(4);
    step.retry = ir::Expr{};
    step.retry->kind = ir::ExprKind::Literal;
    step.retry->value = Value(std::int64_t{3});
    add_stage(bench.program, "staging", {step});
    CHECK(bench.run().exit_code == 3);
    CHECK(bench.replicas() == 5);
    CHECK(bench.tools.changes.empty());
}

TEST_CASE("a failure block leaves what somebody else has changed since") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), configure_as(7)});
    bench.program.stages.back().on_failure = {scale_to(3)};
    bench.tools.faults.push_back({"put deployment/webapi configuration",
                                  failed(1, "Error from server (Forbidden): no"), false, 1,
                                  somebody_scales(9)});
    CHECK(bench.run().exit_code == 3);
    CHECK(bench.replicas() == 9);
}

TEST_CASE("evidence of an earlier run counts as long as what that one did stands") {
    Bench bench;
    bench.tools.how = "replayed";
    add_stage(bench.program, "staging", {scale_to(4)});
    add_stage(bench.program, "production", {scale_to(4)});
    bench.program.stages.back().repeats = "staging";
    bench.options.only = {"staging"};
    CHECK(bench.run().exit_code == 0);
    bench.options.only = {"production"};
    bench.options.evidence = [](const std::string&, const std::vector<std::string>&,
                                const RunOptions::IsThere&) {
        return Reading{Value(true), "staging passed in run run-1", false, {}, "run-1"};
    };
    SECTION("it does") {
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("somebody else has changed it since") {
        bench.tools.field("staging", "webapi", "replicas") = 6;
        const RunResult result = bench.run();
        CHECK(result.exit_code == 5);
        CHECK(says(result, "does not stand"));
        CHECK(bench.tools.field("production", "webapi", "replicas") == 2);
    }
    SECTION("so does what that one only found as it was to be") {
        bench.options.only = {"staging"};
        CHECK(bench.run().exit_code == 0);
        bench.options.only = {"production"};
        bench.options.evidence = [](const std::string&, const std::vector<std::string>&,
                                    const RunOptions::IsThere&) {
            return Reading{Value(true), "staging passed in run run-2", false, {}, "run-2"};
        };
        bench.tools.field("staging", "webapi", "replicas") = 6;
        CHECK(bench.run().exit_code == 5);
    }
    SECTION("it cannot be seen from here") {
        bench.tools.faults.push_back({"--context staging", failed(1, "no route to host"), false, 1000});
        CHECK(bench.run().exit_code == 0);
    }
}

namespace {

struct TemporaryRoot {
    TemporaryRoot() {
        std::string name = (std::filesystem::temp_directory_path() / "migc-engine-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~TemporaryRoot() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("a stage that passed says where, and evidence is asked where its environment lies now") {
    const TemporaryRoot root;
    Bench bench;
    bench.project.root = root.path;
    bench.tools.how = "live";
    add_stage(bench.program, "staging", {scale_to(4)});
    add_stage(bench.program, "production", {scale_to(4)});
    bench.program.stages.back().repeats = "staging";
    bench.tools.contexts = "staging\nproduction\nother\n";
    bench.options.only = {"staging"};
    const auto evidence_of_staging = [&] {
        const auto ended =
            std::find_if(bench.journal.stored.begin(), bench.journal.stored.end(), [](const Event& e) {
                return e.kind() == EventKind::StageEnded && json_of(e).value("stage", "") == "staging";
            });
        REQUIRE(ended != bench.journal.stored.end());
        const auto place = trust::read_place(json_of(*ended).value("place", nlohmann::json()));
        REQUIRE(place);
        bench.options = {};
        bench.options.natives = [](std::string_view) { return nullptr; };
        bench.options.only = {"production"};
        bench.options.evidence = [place](const std::string& stage, const std::vector<std::string>&,
                                         const RunOptions::IsThere& is_there) {
            const auto there = is_there(stage, *place);
            return there ? Reading{Value(true), *there} : Reading{Value(false), there.error()};
        };
        return *place;
    };
    SECTION("where it is") {
        const RunResult first = bench.run();
        INFO(first.message);
        CHECK(first.exit_code == 0);
        const trust::Place place = evidence_of_staging();
        CHECK(place.environment == "staging");
        CHECK(place.cluster == "the first one");
        CHECK_FALSE(place.context_given);
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("in another namespace") {
        bench.options.name_space = "scratch";
        CHECK(bench.run().exit_code == 0);
        evidence_of_staging();
        const RunResult result = bench.run();
        CHECK(result.exit_code == 5);
        CHECK(says(result, "in the namespace scratch, and staging is the namespace staging"));
    }
    SECTION("its context leads elsewhere by now") {
        CHECK(bench.run().exit_code == 0);
        evidence_of_staging();
        bench.tools.cluster = "the second one";
        CHECK(says(bench.run(), "in another cluster"));
        bench.project.environments[0].cluster_uid = "the first one";
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("another context") {
        bench.tools.field("other", "webapi", "replicas") = 2;
        bench.options.context = "other";
        CHECK(bench.run().exit_code == 0);
        CHECK(evidence_of_staging().context_given);
        CHECK(bench.run().exit_code == 0);  // the same cluster by another name
        bench.tools.faults.push_back({"kube-system", failed(1, "no route to host"), false, 1000});
        CHECK(says(bench.run(), "in context other of --context"));
    }
}

TEST_CASE("a live run does not begin in another cluster than migc.yaml names") {
    const TemporaryRoot root;
    Bench bench;
    bench.project.root = root.path;
    add_stage(bench.program, "staging", {scale_to(4)});
    bench.project.environments[0].cluster_uid = "the second one";
    SECTION("a simulated world has clusters of its own") {
        CHECK(bench.run().exit_code == 0);
    }
    SECTION("another one") {
        bench.tools.how = "live";
        const RunResult result = bench.run();
        CHECK(result.exit_code == 2);
        CHECK(says(result, "has the UID the second one, and it has the first one in context staging"));
    }
    SECTION("one that cannot be read") {
        bench.tools.how = "live";
        bench.tools.faults.push_back({"kube-system", failed(1, "forbidden"), false, 1000});
        CHECK(says(bench.run(), "and it could not be read in context staging"));
    }
    SECTION("that one") {
        bench.tools.how = "live";
        bench.tools.cluster = "the second one";
        CHECK(bench.run().exit_code == 0);
    }
}

TEST_CASE("a stage is done only if what it changed still stands at its end") {
    Bench bench;
    int ticks = 0;
    const int theirs = GENERATE(6, 2);  // 2 is what was there before
    bench.tools.tick = [&](FakeTools& tools) {
        if (++ticks == 3) {
            tools.field("staging", "webapi", "replicas") = theirs;
            tools.field("staging", "webapi", "seen") = 11;
        }
    };
    ir::Step wait = verify(is(probe(Seen, {workload("webapi")}), number(11)), 60'000);
    add_stage(bench.program, "staging", {scale_to(4), wait});
    ir::Step gate = step(ir::StepKind::Gate, "gate ..");
    const RunResult result = bench.run();
    CHECK(result.exit_code == 3);
    CHECK(says(result, "somebody else changed it since"));
    CHECK(bench.replicas() == theirs);
    CHECK(bench.resume().exit_code == 3);
    bench.tools.field("staging", "webapi", "replicas") = 4;
    CHECK(bench.resume().exit_code == 0);
}

TEST_CASE("a later step may change the same again, and somebody else may not before it does") {
    Bench bench;
    const bool foreign = GENERATE(false, true);
    if (foreign)
        bench.tools.on_change = [](FakeTools& tools) {
            if (tools.changes.size() == 2) tools.field("staging", "webapi", "configuration") = 99;
        };
    add_stage(bench.program, "staging", {configure_as(7), scale_to(4), configure_as(8), scale_to(5)});
    CHECK(bench.run().exit_code == (foreign ? 3 : 0));
    CHECK(bench.tools.field("staging", "webapi", "configuration") == (foreign ? 99 : 8));
}

TEST_CASE("a tool that reports failure has failed") {
    Bench bench;
    SECTION("a stated value that is there may be somebody else's") {
        bench.tools.faults.push_back({"put deployment/webapi replicas", failed(1, "something broke"), true});
        add_stage(bench.program, "staging", {configure_as(7), scale_to(4)});
        const RunResult result = bench.run();
        CHECK(result.exit_code == 3);
        CHECK(says(result, "is not known"));
        CHECK(bench.replicas() == 4);
        CHECK(bench.tools.field("staging", "webapi", "configuration") == 1);
    }
    SECTION("what merely changed is undone") {
        bench.tools.faults.push_back({"bump", failed(1, "pending upgrade"), true});
        add_stage(bench.program, "staging", {configure_as(7), restart()});
        CHECK(bench.run().exit_code == 1);
        CHECK(bench.tools.field("staging", "webapi", "seen") == 12);
    }
}

TEST_CASE("of two changes of one thing neither is taken back over somebody else's") {
    Bench bench;
    add_stage(bench.program, "staging", {scale_to(4), scale_to(6), failing_verify()});
    bench.tools.on_change = [](FakeTools& tools) {
        if (tools.changes.size() == 2)
            tools.faults.push_back(
                {"put deployment/webapi replicas 4", conflict, false, 1, somebody_scales(9)});
    };
    CHECK(bench.run().exit_code == 3);
    CHECK(bench.replicas() == 9);
    CHECK(bench.undo().exit_code == 3);
    CHECK(bench.replicas() == 9);
}

TEST_CASE("the inverse of a composite looks at what its steps changed") {
    Bench bench;
    bench.program.verbs[Both].undo =
        inverse({call(Scale, {local("target"), number(2)}), call(Configure, {local("target"), number(1)})});
    const bool foreign = GENERATE(false, true);
    bench.tools.on_change = [foreign](FakeTools& tools) {
        if (foreign && tools.changes.size() == 2) tools.tick = somebody_scales(7);
    };
    add_stage(bench.program, "staging", {call(Both, {workload("webapi")}), failing_verify()});
    CHECK(bench.run().exit_code == (foreign ? 3 : 1));
    CHECK(bench.replicas() == (foreign ? 7 : 2));
}

TEST_CASE("what the failure block itself leaves otherwise than it was is told") {
    Bench bench;
    const int left = GENERATE(3, 1);
    auto& stage = add_stage(bench.program, "staging", {scale_to(4), failing_verify()});
    stage.on_failure = std::vector<ir::Step>{step(ir::StepKind::Undo), scale_to(left, "pipeline")};
    const RunResult result = bench.run();
    CHECK(bench.replicas() == 2);
    CHECK(result.exit_code == (left == 1 ? 1 : 3));
    if (left != 1) CHECK(says(result, "something stands: replicas of pipeline is 3, was 1"));
}

TEST_CASE("an inverse that failed is not tried again by itself") {
    Bench bench;
    add_stage(bench.program, "staging", {configure_as(7), restart(), failing_verify()});
    bench.tools.on_change = [&](FakeTools& tools) {
        if (tools.changes.size() == 2)
            tools.faults.push_back({"bump", failed(1, "it is broken"), false, 100});
    };
    CHECK(bench.run().exit_code == 4);
    REQUIRE(bench.tools.faults.size() == 1);
    CHECK(bench.tools.faults.front().times == 99);
}

TEST_CASE("of an object only the fields count in which it was to change") {
    const auto object = [](const char* text) {
        return Value(std::make_shared<const nlohmann::json>(nlohmann::json::parse(text)));
    };
    const Value before = object(R"({"spec": {"replicas": 2, "image": "a"}, "labels": {"x": "1"}})");
    const Value declared =
        object(R"({"spec": {"replicas": 4, "image": "a"}, "labels": {"x": "1", "y": "2"}})");
    const Value annotated =
        object(R"({"spec": {"replicas": 4, "image": "b"}, "labels": {"x": "9", "y": "2"}})");
    const Value half = object(R"({"spec": {"replicas": 4, "image": "a"}, "labels": {"x": "1"}})");
    const Value other = object(R"({"spec": {"replicas": 2, "image": "b"}, "labels": {"z": "1"}})");
    CHECK(has_become(before, declared, annotated));
    CHECK_FALSE(has_become(before, declared, half));
    CHECK_FALSE(is_as_before(before, declared, half));
    CHECK(is_as_before(before, declared, other));
    CHECK_FALSE(has_become(before, declared, Value(Absent{})));
    CHECK(has_become(Value(Absent{}), declared, declared));
    CHECK_FALSE(has_become(Value(Absent{}), declared, before));
    CHECK_FALSE(has_become(before, declared, Value(Unknown{"no"})));
    CHECK_FALSE(is_as_before(before, declared, Value(Unknown{"no"})));
}
