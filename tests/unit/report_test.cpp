#include "runtime/report/report.hpp"

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/unit/events.hpp"

using namespace migc::runtime;

namespace {

struct Locale {
    explicit Locale(const char* name) { ::setenv("LC_ALL", name, 1); }
    ~Locale() { ::unsetenv("LC_ALL"); }
};

std::vector<Event> failed_run() {
    const auto at = [](const char* step, nlohmann::json body) {
        body["stage"] = "staging";
        body["step"] = step;
        return body;
    };
    return {
        event_of(EventKind::RunBegun, 0,
                 {{"run", "2026-11-23-1"},
                  {"title", "WebAPI to four replicas"},
                  {"mode", "simulated"},
                  {"world", "learning world"}}),
        event_of(EventKind::StageBegun, 0,
                 {{"stage", "staging"},
                  {"environment", "staging"},
                  {"context", "staging"},
                  {"namespace", "staging"}}),
        event_of(EventKind::StepBegun, 0, at("1", {{"text", "scale webapi to 4"}})),
        event_of(EventKind::Intent, 0,
                 at("1", {{"text", "scale webapi to 4"},
                          {"command", "kubectl scale deployment/webapi --replicas=4 --current-replicas=2"}})),
        event_of(EventKind::Outcome, 0, at("1", {{"result", "done"}, {"took_ms", 100}})),
        event_of(EventKind::Waiting, 0, at("2", {{"state", "1 of 4"}})),
        event_of(EventKind::Checked, 0,
                 at("2", {{"text", "verify pods ready"}, {"result", "held"}, {"took_ms", 8200}})),
        event_of(EventKind::Checked, 0,
                 at("3", {{"text", "verify http get health is 200"},
                          {"result", "failed"},
                          {"message", "503, expected 200"}})),
        event_of(EventKind::UndoBegun, 0,
                 {{"stage", "staging"}, {"reason", "verify http get health is 200 failed"}}),
        event_of(EventKind::UndoIntent, 0,
                 at("1", {{"text", "scale webapi to 2"}, {"command", "kubectl scale"}})),
        event_of(EventKind::UndoOutcome, 0,
                 at("1", {{"result", "undone"}, {"message", "replicas of webapi is 2 again"}})),
        event_of(EventKind::StageEnded, 0, {{"stage", "staging"}, {"result", "undone"}}),
        event_of(EventKind::RunEnded, 0, {{"result", "undone"}, {"exit_code", 1}}),
    };
}

std::string plain(const std::vector<Event>& events, bool colour = false) {
    std::ostringstream out;
    const auto reporter = make_plain_reporter(out, colour);
    for (const Event& event : events) reporter->on(event);
    return out.str();
}

}  // namespace

TEST_CASE("a run that fails and is undone, line by line") {
    const Locale locale("C.UTF-8");
    CHECK(plain(failed_run()) ==
          "run 2026-11-23-1  WebAPI to four replicas   (simulated: learning world)\n"
          "stage staging  (context staging, namespace staging)\n"
          "  ✓ scale webapi to 4                       kubectl scale deployment/webapi --replicas=4 "
          "--current-replicas=2   0.1s\n"
          "  ✓ verify pods ready                       8.2s\n"
          "  ✗ verify http get health is 200           failed: 503, expected 200\n"
          "undo stage staging: verify http get health is 200 failed\n"
          "  ↩ scale webapi to 4                       replicas of webapi is 2 again\n"
          "stage staging undone\n"
          "run 2026-11-23-1 failed and fully undone (exit code 1)\n");
}

TEST_CASE("signs are ASCII where the locale is") {
    const Locale locale("C");
    const std::string text = plain(failed_run());
    CHECK(text.find("  + scale webapi to 4") != std::string::npos);
    CHECK(text.find("  x verify http") != std::string::npos);
    CHECK(text.find("  < scale webapi to 4") != std::string::npos);
    CHECK(std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 127; }));
}

TEST_CASE("text from tools cannot act on the terminal") {
    const std::string text = plain(
        {event_of(EventKind::Checked, 0,
                  {{"text", "verify x"}, {"result", "failed"}, {"message", "\x1b[2J\r\xE2\x80\xAEtxt"}}),
         event_of(EventKind::StageEnded, 0, {{"stage", "a\nb"}, {"result", "held"}, {"message", "x\x07"}}),
         event_of(EventKind::Noted, 0, {{"name", "n"}, {"value", "\x1b[31m"}})});
    CHECK(text.find("\\x1b[2J\\r\\u202etxt") != std::string::npos);
    CHECK(text.find("stage a\\nb held\n") != std::string::npos);
    CHECK(text.find("n = \\x1b[31m") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("other outcomes have lines of their own") {
    const Locale locale("C");
    const auto one = [](EventKind kind, nlohmann::json body) { return plain({event_of(kind, 0, body)}); };
    CHECK(one(EventKind::Outcome, {{"text", "a"}, {"result", "already"}}).find("already so") !=
          std::string::npos);
    CHECK(one(EventKind::Outcome, {{"text", "a"}, {"result", "in-doubt"}, {"message", "m"}})
              .find("in doubt: m") != std::string::npos);
    CHECK(one(EventKind::Checked, {{"text", "a"}, {"result", "unknown"}, {"message", "m"}}).find("? a") !=
          std::string::npos);
    CHECK(
        one(EventKind::UndoOutcome, {{"text", "a"}, {"result", "nothing-to-undo"}}).find("nothing to undo") !=
        std::string::npos);
    CHECK(one(EventKind::UndoOutcome, {{"text", "a"}, {"part", "1"}, {"result", "held"}}).find("      ! a") ==
          0);
    CHECK(one(EventKind::UndoOutcome, {{"text", "a"}, {"result", "failed"}, {"message", "m"}})
              .find("the undo failed: m") != std::string::npos);
    CHECK(one(EventKind::Noted, {{"name", "n"}, {"value", {{"duration_ms", 300000}}}}) == "  . n = 5m\n");
    CHECK(one(EventKind::Noted, {{"name", "n"}, {"value", 3}, {"baseline", true}}).empty());
    CHECK(one(EventKind::Noted, {{"name", "n"}, {"value", std::string(500, 'x')}}).size() < 150);
    CHECK(one(EventKind::RunEnded, {{"result", "done"}, {"exit_code", 0}, {"standing", {"s: a"}}}) ==
          "run done (exit code 0)\n");
    CHECK(one(EventKind::RunEnded, {{"result", "undone"}, {"exit_code", 0}}) ==
          "run fully undone (exit code 0)\n");
    CHECK(one(EventKind::RunEnded,
              {{"result", "held"}, {"exit_code", 3}, {"message", "why"}, {"standing", {"staging: a"}}}) ==
          "run held: it stopped, and something stands (exit code 3)\n  why\n  still changed: staging: a\n");
}

TEST_CASE("events without keys, and bodies of the wrong kind, are borne") {
    for (int i = 0; i <= static_cast<int>(EventKind::RunEnded); ++i)
        for (const nlohmann::json& body :
             {nlohmann::json(), nlohmann::json::object(), nlohmann::json(7), nlohmann::json::array({1}),
              nlohmann::json{{"result", 1},
                             {"text", nullptr},
                             {"took_ms", "x"},
                             {"standing", {{"a", 1}}},
                             {"value", nullptr}}})
            if (const auto event = decode(name(static_cast<EventKind>(i)), body))
                CHECK_NOTHROW(plain({{0, *event}}, true));
}

TEST_CASE("JSON, one object per line, in ASCII") {
    std::ostringstream out;
    const auto reporter = make_json_reporter(out);
    for (const Event& event : failed_run()) reporter->on(event);
    reporter->on(event_of(EventKind::Checked, 5, {{"message", "\xE2\x80\xAE\x1b\n\xFF"}}));
    std::istringstream lines(out.str());
    std::string line;
    int count = 0;
    for (; std::getline(lines, line); ++count) {
        const auto object = nlohmann::json::parse(line);
        CHECK(object["version"] == 1);
        CHECK(decode(object["event"], object["body"]));
        CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 127; }));
    }
    CHECK(count == 14);
}

TEST_CASE("the live reporter redraws one line and removes it") {
    const Locale locale("C.UTF-8");
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        const auto reporter = make_live_reporter(file);
        const auto events = failed_run();
        reporter->on(events[0]);
        reporter->on(event_of(EventKind::StepBegun, 0,
                              {{"stage", "s"}, {"step", "1"}, {"text", std::string(300, 'y')}}));
        reporter->on(
            event_of(EventKind::StepBegun, 0, {{"stage", "s"}, {"step", "1.1"}, {"text", "verify pods"}}));
        reporter->on(
            event_of(EventKind::Waiting, 0, {{"stage", "s"}, {"step", "1.1"}, {"state", "1 of 4 \x1b[2J"}}));
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
        reporter->on(
            event_of(EventKind::Checked, 0,
                     {{"stage", "s"}, {"step", "1.1"}, {"text", "verify pods"}, {"result", "held"}}));
        reporter->on(
            event_of(EventKind::StepBegun, 0, {{"stage", "s"}, {"step", "2"}, {"text", "last one"}}));
    }
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    REQUIRE(std::fread(text.data(), 1, text.size(), file) == text.size());
    std::fclose(file);
    CHECK(text.find("verify pods   0.") != std::string::npos);
    CHECK(text.find("1 of 4 \\x1b[2J") != std::string::npos);
    CHECK(text.find("and 1 more") == std::string::npos);
    CHECK(text.find(std::string(80, 'y')) == std::string::npos);
    INFO(nlohmann::json(text).dump());
    CHECK(text.ends_with("\r\x1b[K"));
    CHECK(text.find("\r\x1b[K  \x1b[1;32m✓\x1b[0m verify pods") != std::string::npos);
}

TEST_CASE("a run from the journal") {
    const Locale locale("C.UTF-8");
    RunSummary run;
    run.id = "2026-11-23-1";
    run.script = "a.mig";
    run.title = "four";
    run.mode = "live";
    run.digest = "abc";
    run.begun_ms = 1795399200000;
    auto events = failed_run();
    events.resize(4);
    CHECK(show_run(run, events) ==
          "run 2026-11-23-1  four   (live)\n"
          "script a.mig   begun 2026-11-23 02:00:00 UTC\n"
          "change digest abc\n"
          "stage staging  (context staging, namespace staging)\n"
          "  ? scale webapi to 4                       1   begun; its outcome is not known\n"
          "run 2026-11-23-1 has no end: it still runs, or was interrupted; then `migc resume 2026-11-23-1` "
          "continues it, and `migc undo 2026-11-23-1` undoes it\n");
    run.ended_ms = run.begun_ms + 72000;
    CHECK(show_run(run, failed_run()).find("took 1m 12s") != std::string::npos);
    CHECK(show_run(run, failed_run()).find("run 2026-11-23-1 failed and fully undone (exit code 1)") !=
          std::string::npos);
}

TEST_CASE("a table of runs") {
    RunSummary run;
    run.id = "2026-11-23-1";
    run.script = "a\x1b.mig";
    run.mode = "live";
    run.begun_ms = 1795399200000;
    run.ended_ms = run.begun_ms + 8200;
    run.result = migc::word(migc::Outcome::Done);
    CHECK(runs_table({run}) ==
          "RUN            BEGUN                     TOOK   MODE   RESULT   MIGRATION\n"
          "2026-11-23-1   2026-11-23 02:00:00 UTC   8.2s   live   done     a\\x1b.mig\n");
    CHECK(runs_table({}) == "no runs yet\n");
}
