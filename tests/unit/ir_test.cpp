#include <limits>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/ir/bounds.hpp"
#include "compiler/ir/value.hpp"
#include "compiler/ir/window.hpp"

using namespace migc;

namespace {

Value json(const char* text) {
    return std::make_shared<const nlohmann::json>(nlohmann::json::parse(text));
}

Value quantity(const char* text) {
    return *parse_quantity(text);
}

}  // namespace

TEST_CASE("the same state") {
    CHECK(same(Absent{}, Absent{}));
    CHECK_FALSE(same(Unknown{"x"}, Unknown{"x"}));
    CHECK_FALSE(same(Unknown{"x"}, Absent{}));
    CHECK(same(std::int64_t{4}, std::int64_t{4}));
    CHECK_FALSE(same(std::int64_t{4}, std::string("4")));
    CHECK_FALSE(same(std::int64_t{1}, true));
    CHECK(same(quantity("500m"), quantity("0.5")));
    CHECK(same(quantity("1Ki"), quantity("1024")));
    CHECK_FALSE(same(ResourceRef{"workload", "a"}, ResourceRef{"service", "a"}));
    CHECK(same(List{std::int64_t{1}, Absent{}}, List{std::int64_t{1}, Absent{}}));
    CHECK_FALSE(same(List{std::int64_t{1}}, List{}));
    CHECK_FALSE(same(List{Unknown{"x"}}, List{Unknown{"x"}}));
}

TEST_CASE("JSON and what says the same") {
    CHECK(same(json("4"), std::int64_t{4}));
    CHECK(same(std::int64_t{4}, json("4.0")));
    CHECK(same(json("\"a\""), std::string("a")));
    CHECK(same(json("null"), Absent{}));
    CHECK(same(json("true"), true));
    CHECK_FALSE(same(json("\"4\""), std::int64_t{4}));
    CHECK(same(json("[1, \"a\", [true]]"), List{std::int64_t{1}, std::string("a"), List{true}}));
    CHECK(same(json("{\"a\": [1, null]}"), json("{\"a\": [1, null]}")));
    CHECK(same(json("\"20Gi\""), quantity("20Gi")));
    CHECK(same(json("2"), quantity("2")));
    CHECK(same(json("0.5"), quantity("500m")));
    CHECK(same(json("\"5m\""), Duration{300000}));
    CHECK(same(json("\"25%\""), Percent{25}));
    CHECK_FALSE(same(json("\"x\""), quantity("2")));
    CHECK_FALSE(same(Value(Json{}), std::int64_t{2}));
}

TEST_CASE("values are shown as people write them") {
    CHECK(show(std::int64_t{4}) == "4");
    CHECK(show(Absent{}) == "absent");
    CHECK(show(true) == "true");
    CHECK(show(Duration{300000}) == "5m");
    CHECK(show(Duration{5400000}) == "1h30m");
    CHECK(show(Duration{86400000}) == "24h");
    CHECK(show(Duration{0}) == "0s");
    CHECK(show(Duration{1250}) == "1s250ms");
    CHECK(show(Duration{INT64_MIN}).starts_with("-2562047788015h"));
    CHECK(show(quantity("20Gi")) == "20Gi");
    CHECK(show(Percent{12.5}) == "12.5%");
    CHECK(show(Percent{10}) == "10%");
    CHECK(show(ResourceRef{"workload", "webapi"}) == "webapi");
    CHECK(show(List{std::int64_t{1}, std::string("a")}) == "[1, a]");
    CHECK(show(json("\"text\"")) == "text");
    CHECK(show(json("{\"a\":1}")) == "{\"a\":1}");
    CHECK(show(Unknown{"no route"}) == "unknown (no route)");
}

TEST_CASE("nothing is lost on the way through JSON") {
    const std::vector<Value> values = {Absent{},
                                       true,
                                       std::int64_t{INT64_MIN},
                                       std::string("ä\x01"),
                                       Percent{12.5},
                                       Duration{-7},
                                       quantity("1.5G"),
                                       ResourceRef{"workload", "webapi"},
                                       List{std::int64_t{1}, List{}, Absent{}, Duration{5}},
                                       json("{\"percent\": 4}"),
                                       json("[4.0, null]"),
                                       json("18446744073709551615"),
                                       std::string("\xFFz"),
                                       List{}};
    for (const Value& value : values) {
        const auto text = to_json(value).dump();
        const Value back = from_json(nlohmann::json::parse(text));
        INFO(text);
        CHECK(back.data.index() == value.data.index());
        CHECK(same(back, value));
    }
    CHECK(from_json(to_json(Unknown{"why"})).get_if<Unknown>()->reason == "why");
}

TEST_CASE("strange JSON is read as JSON, or unknown") {
    CHECK(from_json(nlohmann::json::parse("{\"percent\": \"x\"}")).get_if<Json>() != nullptr);
    CHECK(from_json(nlohmann::json::parse("{\"bytes\": \"zz\"}")).get_if<Json>() != nullptr);
    CHECK(from_json(nlohmann::json::parse("{}")).get_if<Json>() != nullptr);
    CHECK(from_json(nlohmann::json::parse("{\"a\":1,\"b\":2}")).get_if<Json>() != nullptr);
    const std::string deep = std::string(5000, '[') + std::string(5000, ']');
    CHECK_FALSE(same(from_json(nlohmann::json::parse(deep)), from_json(nlohmann::json::parse(deep))));
}

TEST_CASE("plain values of JSON scalars") {
    CHECK(plain(nlohmann::json(4)).get_if<std::int64_t>() != nullptr);
    CHECK(plain(nlohmann::json(4.0)).get_if<std::int64_t>() != nullptr);
    CHECK(plain(nlohmann::json(4.5)).get_if<Json>() != nullptr);
    CHECK(plain(nlohmann::json(1e300)).get_if<Json>() != nullptr);
    CHECK(plain(nlohmann::json(UINT64_MAX)).get_if<Json>() != nullptr);
    CHECK(plain(nlohmann::json(nullptr)).is_absent());
    CHECK(plain(nlohmann::json::array()).get_if<Json>() != nullptr);
}

TEST_CASE("durations") {
    CHECK(parse_duration("90s")->milliseconds == 90000);
    CHECK(parse_duration("1h30m")->milliseconds == 5400000);
    CHECK(parse_duration("250ms")->milliseconds == 250);
    CHECK(parse_duration("2d")->milliseconds == 172800000);
    for (const char* bad : {"", "5", "m", "5x", "1m1h", "5m5m", "1.5h", "-5m", " 5m", "99999999999999999999s",
                            "9223372036854775807h", "5m "})
        CHECK_FALSE(parse_duration(bad));
    CHECK(parse_duration("5x").error() == "`5x` is no duration: the units are d, h, m, s and ms");
}

TEST_CASE("quantities") {
    CHECK(parse_quantity("500m")->amount == 0.5);
    CHECK(parse_quantity("300m")->amount == 0.3);
    CHECK(parse_quantity("20Gi")->amount == 20.0 * 1024 * 1024 * 1024);
    CHECK(parse_quantity("2")->amount == 2);
    CHECK(parse_quantity("1.5G")->amount == 1.5e9);
    CHECK(parse_quantity("1e3")->amount == 1000);
    CHECK(parse_quantity("1E3")->amount == 1000);
    CHECK(parse_quantity("1E")->amount == 1e18);
    CHECK(parse_quantity("12E-2")->amount == 0.12);
    CHECK(parse_quantity("+1")->amount == 1);
    CHECK(parse_quantity("-1")->amount == -1);
    for (const char* bad :
         {"", "Gi", "1.", ".5.", "1X", "1e", "1e999", "1e+-3", "20 Gi", "0x10", "1GiB", "nan", "--1"})
        CHECK_FALSE(parse_quantity(bad));
    CHECK_FALSE(parse_quantity(std::string(5000, '9')));
}

TEST_CASE("freezes") {
    using namespace migc::ir;
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
    using namespace migc::ir;
    Step undo, hold, change;
    undo.kind = StepKind::Undo;
    hold.kind = StepKind::Hold;
    change.kind = StepKind::Call;
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
    using namespace migc::ir;
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
    using namespace migc::ir;
    Times times;
    times.soak(7);
    times.call({100, 20, true}, UndoKind::Steps, true, "scale");
    times.verify({0, 5, true});
    times.soak(1000);
    times.call({3, 0, false}, UndoKind::None, false, "notify");
    CHECK(times.steps_ms == 128);
    CHECK(times.soaks_ms == 1007);
    CHECK(times.soaks_between_ms == 7);  // the last one may go on when the window is over
    CHECK(times.undo_ms == 120);
    CHECK(times.window_ms() == 128 + 7 + 120);
    CHECK(times.no_return.empty());

    Times both = times, branch = times;
    branch.call({50, 0, true}, UndoKind::Irreversible, true, "grow");
    both.beside(times, branch);
    branch = times;
    branch.call({10, 0, true}, UndoKind::Steps, true, "restart");
    both.beside(times, branch);
    CHECK(both.steps_ms == 178);  // the longest branch
    CHECK(both.undo_ms == 130);   // each is undone by itself
    CHECK(both.no_return == "grow");
}

TEST_CASE("tries again take time, too") {
    using namespace migc::ir;
    const auto literal = [](std::int64_t number) {
        Expr expression;
        expression.value = Value(number);
        return expression;
    };
    const NumberOf value = [](const Expr& expression) -> std::optional<std::int64_t> {
        const auto* number = expression.value.get_if<std::int64_t>();
        return number != nullptr ? std::optional(*number) : std::nullopt;
    };
    Step step;
    const Verb verb;
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
