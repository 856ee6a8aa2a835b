#include <limits>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/ir/value.hpp"

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
