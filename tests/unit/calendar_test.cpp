// Windows and freezes: zones, midnight, and the two nights of the year on which clocks are set.
#include "runtime/natives/calendar.hpp"

#include <catch2/catch.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/trust/approval.hpp"
#include "runtime/trust/times.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;

namespace {

Time at(const std::string& text) {
    const auto time = trust::read_time(text);
    REQUIRE(time);
    return *time;
}

Reading window(Host& host, const std::vector<Value>& arguments) {
    return find_native("in-window")->probe(host, arguments);
}

Reading freeze(Host& host, const std::vector<Value>& arguments) {
    return find_native("outside-freeze")->probe(host, arguments);
}

Hour window(const std::string& text, const std::string& now) {
    const auto hour = window_at(text, at(now));
    REQUIRE(hour);
    return *hour;
}

Hour freeze(const std::string& text, const std::string& now) {
    const auto hour = freeze_at(text, at(now));
    REQUIRE(hour);
    return *hour;
}

// A clock that somebody sets.
class Clock final : public fakes::FakeHost {
  public:
    Time wall = 0, even = 0, newest = 0;
    Approvals given;
    std::vector<std::string> counted;
    Time now() override { return wall; }
    Time newest_known() override { return newest; }
    Approvals approvals() override { return given; }
    void approved_by(const std::vector<std::string>& approvals) override { counted = approvals; }
    Time steady() override { return even; }
};

bool is_true(const Reading& reading) {
    const bool* value = reading.value.get_if<bool>();
    REQUIRE(value != nullptr);
    return *value;
}

}  // namespace

TEST_CASE("a window is one of local time") {
    const std::string text = "sat 02:00-04:00 Europe/Berlin";
    CHECK_FALSE(window(text, "2026-01-10T00:59:59Z").within);
    CHECK(window(text, "2026-01-10T01:00:00Z").within);
    CHECK(window(text, "2026-01-10T02:59:59Z").within);
    CHECK_FALSE(window(text, "2026-01-10T03:00:00Z").within);
    CHECK(window(text, "2026-01-10T01:00:00Z").until == at("2026-01-10T03:00:00Z"));
    CHECK(window(text, "2026-01-10T03:00:00Z").until == at("2026-01-17T01:00:00Z"));
    CHECK(window(text, "2026-07-11T00:00:00Z").within);  // summer time
    CHECK_FALSE(window(text, "2026-07-11T02:00:00Z").within);
    CHECK(window(text, "2026-01-10T03:00:00Z").now == "sat 04:00 in Europe/Berlin");
}

TEST_CASE("a window over midnight belongs to the day on which it begins") {
    const std::string text = "fri 23:00-02:00 UTC";
    CHECK(window(text, "2026-01-09T23:30:00Z").within);
    CHECK(window(text, "2026-01-10T01:59:00Z").within);
    CHECK_FALSE(window(text, "2026-01-09T01:00:00Z").within);
    CHECK_FALSE(window(text, "2026-01-10T23:30:00Z").within);
    CHECK(window("sat-mon 22:00-05:00 UTC", "2026-01-13T04:00:00Z").within);  // of Monday
    CHECK_FALSE(window("sat-mon 22:00-05:00 UTC", "2026-01-13T23:00:00Z").within);
}

TEST_CASE("where clocks are set forward, a window in the hour that is skipped does not take place") {
    const std::string skipped = "sun 02:00-03:00 Europe/Berlin";
    for (const char* now : {"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"})
        CHECK_FALSE(window(skipped, now).within);
    CHECK(window(skipped, "2026-03-29T01:00:00Z").until == at("2026-04-05T00:00:00Z"));
    const std::string around = "sun 01:30-03:30 Europe/Berlin";
    CHECK(window(around, "2026-03-29T00:30:00Z").within);
    CHECK(window(around, "2026-03-29T00:30:00Z").until == at("2026-03-29T01:30:00Z"));
    CHECK_FALSE(window(around, "2026-03-29T01:30:00Z").within);
}

TEST_CASE("where clocks are set back, a window has the first of the two hours") {
    const std::string text = "sun 02:00-02:30 Europe/Berlin";
    CHECK(window(text, "2026-10-25T00:00:00Z").within);
    CHECK(window(text, "2026-10-25T00:00:00Z").until == at("2026-10-25T00:30:00Z"));
    CHECK_FALSE(window(text, "2026-10-25T00:30:00Z").within);
    CHECK_FALSE(window(text, "2026-10-25T01:15:00Z").within);  // 02:15 again
    CHECK(window("sat 23:00-02:30 Europe/Berlin", "2026-10-25T00:29:00Z").within);
    CHECK_FALSE(window("sat 23:00-02:30 Europe/Berlin", "2026-10-25T01:15:00Z").within);
}

TEST_CASE("a freeze takes in both of the two hours") {
    const std::string text = "2026-10-25 02:00 to 2026-10-25 02:30 Europe/Berlin";
    CHECK_FALSE(freeze(text, "2026-10-24T23:59:59Z").within);
    CHECK(freeze(text, "2026-10-25T00:00:00Z").within);
    CHECK(freeze(text, "2026-10-25T00:45:00Z").within);
    CHECK(freeze(text, "2026-10-25T01:29:00Z").within);
    CHECK_FALSE(freeze(text, "2026-10-25T01:30:00Z").within);
}

TEST_CASE("a freeze by dates lasts to the end of its last day") {
    const std::string text = "2026-12-20 to 2027-01-02 UTC";
    CHECK_FALSE(freeze(text, "2026-12-19T23:59:59Z").within);
    CHECK(freeze(text, "2026-12-20T00:00:00Z").within);
    CHECK(freeze(text, "2026-12-31T00:00:00Z").until == at("2027-01-03T00:00:00Z"));
    CHECK(freeze(text, "2027-01-02T23:59:59Z").within);
    CHECK_FALSE(freeze(text, "2027-01-03T00:00:00Z").within);
    CHECK(freeze("2026-12-24 to 2026-12-24 UTC", "2026-12-24T12:00:00Z").within);
    CHECK(freeze("2026-12-24 18:00 to 2026-12-24 UTC", "2026-12-24T20:00:00Z").within);
    CHECK_FALSE(freeze("2026-12-24 to 2026-12-26 00:00 UTC", "2026-12-26T12:00:00Z").within);
    // Over the end of a month, a leap day and the last year that can be written.
    CHECK(freeze("2028-02-20 to 2028-02-28 UTC", "2028-02-28T12:00:00Z").until == at("2028-02-29T00:00:00Z"));
    CHECK(freeze("2026-01-01 to 9999-12-31 UTC", "2500-01-01T00:00:00Z").within);
}

TEST_CASE("a freeze by dates ends with the local day, also where clocks are set") {
    // The last day has 23 hours in Berlin, and 25; in Beirut clocks are set forward at its very end.
    CHECK(freeze("2026-03-27 to 2026-03-29 Europe/Berlin", "2026-03-29T21:59:59Z").within);
    CHECK_FALSE(freeze("2026-03-27 to 2026-03-29 Europe/Berlin", "2026-03-29T22:00:00Z").within);
    CHECK(freeze("2026-10-23 to 2026-10-25 Europe/Berlin", "2026-10-25T22:59:59Z").within);
    CHECK_FALSE(freeze("2026-10-23 to 2026-10-25 Europe/Berlin", "2026-10-25T23:00:00Z").within);
    CHECK(freeze("2026-03-20 to 2026-03-28 Asia/Beirut", "2026-03-28T21:59:59Z").within);
    CHECK_FALSE(freeze("2026-03-20 to 2026-03-28 Asia/Beirut", "2026-03-28T22:00:00Z").within);
}

TEST_CASE("a window that ends when it begins is none") {
    for (const char* text : {"sat 02:00-02:00 UTC", "daily 00:00-00:00 UTC", "mon-fri 23:59-23:59 UTC"}) {
        const auto hour = window_at(text, at("2026-01-10T02:30:00Z"));
        REQUIRE_FALSE(hour);
        CHECK(hour.error().find("ends when it begins") != std::string::npos);
    }
    CHECK(window("sat 00:00-24:00 UTC", "2026-01-10T23:59:59Z").within);
    CHECK_FALSE(window("sat 00:00-24:00 UTC", "2026-01-11T00:00:00Z").within);
    CHECK(window("sat 22:00-24:00 UTC", "2026-01-10T22:00:00Z").until == at("2026-01-11T00:00:00Z"));
    CHECK_FALSE(window_at("sat 24:00-02:00 UTC", 0));
}

TEST_CASE("what is no window and no freeze is said") {
    for (const char* text : {"", "saturday 02:00-04:00 UTC", "sat 24:00-25:00 UTC", "sat 02:00-04:00",
                             "sat 02:00-04:00 Mars/Base"})
        CHECK_FALSE(window_at(text, 0));
    for (const char* text : {"", "2026-12-20", "2026-13-20 to 2027-01-02 UTC", "2026-02-30 to 2026-03-02 UTC",
                             "2026-12-20 to 2027-01-02 Mars/Base", "2027-01-02 to 2026-12-20 UTC",
                             "2026-12-20 18:00 to 2026-12-20 18:00 UTC", "2026-12-20 to 2026-12-32 UTC"})
        CHECK_FALSE(freeze_at(text, 0));
}

TEST_CASE("the freezes of migc.yaml") {
    project::Inventory inventory;
    CHECK_FALSE(frozen(inventory, at("2026-12-31T00:00:00Z")));
    inventory.freezes.push_back({"2026-12-20 18:00", "2027-01-02 06:00", "Europe/Berlin", "holidays", {}});
    CHECK(frozen(inventory, at("2026-12-31T00:00:00Z")).value_or("").find("holidays") != std::string::npos);
    CHECK_FALSE(frozen(inventory, at("2027-01-02T05:00:00Z")));
    inventory.freezes.push_back({"2028-12-20 18:00", "2029-01-02 06:00", "Mars/Base", "unreadable", {}});
    CHECK(frozen(inventory, at("2027-01-02T05:00:00Z")));  // closed, since nobody can tell
}

TEST_CASE("a clock that is set opens no window, and a freeze is not over by it") {
    Clock clock;
    const List arguments = {Value("sat 02:00-04:00 Europe/Berlin")};
    clock.wall = clock.even = at("2026-01-10T02:00:00Z");
    CHECK(is_true(window(clock, arguments)));
    CHECK(window(clock, arguments).why.empty());
    clock.even -= 45'000;  // less than a minute is no matter
    CHECK(window(clock, arguments).why.empty());

    clock.even = at("2026-01-09T20:00:00Z");  // set forward, into the window
    CHECK_FALSE(is_true(window(clock, arguments)));
    CHECK(window(clock, arguments).why.find("clock was set 6h forward") != std::string::npos);

    clock.even = at("2026-01-10T05:00:00Z");  // set back, into the window
    CHECK_FALSE(is_true(window(clock, arguments)));

    clock.even = at("2026-01-10T01:30:00Z");  // set forward inside of it: open, and told
    CHECK(is_true(window(clock, arguments)));
    CHECK(window(clock, arguments).why.find("30m forward") != std::string::npos);

    const List frozen_period = {Value("2026-01-01 to 2026-01-09 UTC")};
    clock.even = at("2026-01-09T20:00:00Z");
    CHECK_FALSE(is_true(freeze(clock, frozen_period)));
    clock.even = clock.wall;
    CHECK(is_true(freeze(clock, frozen_period)));
}

TEST_CASE("a clock before what the journal has opens nothing that asks the time") {
    Clock clock;
    clock.wall = clock.even = at("2026-01-10T01:30:00Z");
    const std::vector<Value> open = {Value(std::string("sat 02:00-04:00 Europe/Berlin"))};
    const std::vector<Value> over = {Value(std::string("2026-01-08 to 2026-01-09 UTC"))};
    CHECK(is_true(window(clock, open)));
    CHECK(is_true(freeze(clock, over)));
    clock.newest = at("2026-01-10T01:30:59Z");
    CHECK(is_true(window(clock, open)));
    clock.newest = at("2026-01-10T01:31:01Z");
    for (const Reading& reading : {window(clock, open), freeze(clock, over)}) {
        CHECK_FALSE(is_true(reading));
        CHECK(
            reading.why.find("the clock says 2026-01-10 01:30:00 UTC, and the journal has what a run did at "
                             "2026-01-10 01:31:01") != std::string::npos);
    }
    CHECK_FALSE(clock_is_behind("simulated", clock.wall, clock.newest));
}

TEST_CASE("an approval that had expired is not valid again by a clock that is set back") {
    const trust::PrivateKey key = trust::PrivateKey::make();
    Clock clock;
    clock.wall = at("2026-01-10T01:30:00Z");
    clock.inventory_value.approvers = {{"ops", trust::show(key.public_key())}};
    clock.given.digest = std::string(64, 'a');
    clock.given.files = {
        {"ops.json", trust::approval_file({"ops", clock.given.digest, "", "", at("2026-01-10T01:00:00Z"),
                                           at("2026-01-10T02:00:00Z")},
                                          key)}};
    const std::vector<Value> asked = {Value(std::int64_t{1}), Value(List{Value(std::string("ops"))})};
    CHECK(is_true(find_native("approval")->probe(clock, asked)));
    CHECK(clock.counted.size() == 1);
    clock.counted.clear();
    clock.newest = at("2026-01-10T02:00:00Z");
    const Reading late = find_native("approval")->probe(clock, asked);
    CHECK_FALSE(is_true(late));
    CHECK(late.why.find("it expired 2026-01-10T02:00:00Z") != std::string::npos);
    CHECK(clock.counted.empty());
}
