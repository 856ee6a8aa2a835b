#include "runtime/journal/journal.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/journal/starting.hpp"

using namespace migc::runtime;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t november_23 = 1795399200000;  // 2026-11-23 02:00 UTC

struct Folder {
    fs::path path;
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "migc-journal-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path); }
    [[nodiscard]] fs::path file() const { return path / ".migc/journal.db"; }
};

std::unique_ptr<Journal> opened(const Folder& folder) {
    auto journal = Journal::open(folder.path);
    if (!journal) FAIL(journal.error());
    return std::move(*journal);
}

RunSummary about(std::int64_t begun_ms = november_23) {
    RunSummary summary;
    summary.script = "a.mig";
    summary.title = "four replicas";
    summary.mode = "simulated";
    summary.digest = "abc";
    summary.begun_ms = begun_ms;
    return summary;
}

Event intent(int step) {
    return {EventKind::Intent,
            november_23 + step,
            {{"stage", "staging"}, {"step", "staging/" + std::to_string(step)}, {"text", "scale"}}};
}

void tamper(const Folder& folder, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(folder.file().c_str(), &database) == SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error);
    INFO((error == nullptr ? "" : error));
    REQUIRE(error == nullptr);
    sqlite3_close(database);
}

fs::perms mode(const fs::path& path) {
    return fs::status(path).permissions();
}

}  // namespace

TEST_CASE("names of events go both ways") {
    for (int i = 0; i <= static_cast<int>(EventKind::RunEnded); ++i) {
        const auto kind = static_cast<EventKind>(i);
        EventKind back = EventKind::RunBegun;
        CHECK(parse(name(kind), back));
        CHECK(back == kind);
    }
    CHECK(name(EventKind::UndoOutcome) == "undo-outcome");
    EventKind kind = EventKind::Intent;
    CHECK_FALSE(parse("nonsense", kind));
    CHECK(kind == EventKind::RunBegun);
}

TEST_CASE("an event is well-formed if a reader can rely on its keys") {
    const auto noted = [](const nlohmann::json& body) { return well_formed({EventKind::Noted, 0, body}); };
    CHECK(well_formed(intent(1)));
    CHECK_FALSE(well_formed({EventKind::Intent, 0, {{"step", 1}}}));
    CHECK(well_formed({EventKind::Intent, 0, {{"step", "staging/1"}, {"of a later migc", {1, 2}}}}));
    CHECK(well_formed({EventKind::Intent, 0, nlohmann::json::object()}));
    CHECK_FALSE(well_formed({EventKind::Intent, 0, nlohmann::json::array()}));
    CHECK_FALSE(well_formed({EventKind::Intent, 0, {{"own_undo", "yes"}}}));
    CHECK_FALSE(well_formed({EventKind::StageEnded, 0, {{"changes", {"a", 1}}}}));
    CHECK_FALSE(well_formed({EventKind::StageBegun, 0, {{"settings", {{"context", 7}}}}}));
    CHECK(noted({{"name", "n"}, {"value", nullptr}}));
    CHECK_FALSE(noted({{"name", "n"}}));
    CHECK(noted({{"kind", "decision"}, {"value", true}}));
    CHECK_FALSE(noted({{"kind", "decision"}, {"value", "true"}}));
    CHECK_FALSE(noted({{"kind", "soaked"}, {"value", 1.5}}));
}

TEST_CASE("a run is written and read back") {
    const Folder folder;
    auto journal = opened(folder);
    const auto id = journal->begin_run(about(), std::string("stage \0 \xFF", 9));
    REQUIRE(id);
    CHECK(*id == "2026-11-23-1");
    REQUIRE(journal->append(*id, intent(1)));
    REQUIRE(journal->append(*id, {EventKind::StepBegun, 1, {{"step", 2}}}));
    REQUIRE(journal->append(*id, {EventKind::Waiting, 1, {{"step", 2}}}));
    REQUIRE(journal->append(*id, {EventKind::Outcome, 7, {{"message", "bad \xFF byte"}}}));
    CHECK(journal->find("last")->result == "unfinished");
    REQUIRE(journal->end_run(
        *id, {EventKind::RunEnded, november_23 + 9, {{"result", "undone"}, {"exit_code", 1}}}));
    journal.reset();

    journal = opened(folder);
    const auto events = journal->events(*id);
    REQUIRE(events);
    REQUIRE(events->size() == 3);
    CHECK((*events)[0].body["step"] == "staging/1");
    CHECK((*events)[0].time_ms == november_23 + 1);
    CHECK((*events)[1].kind == EventKind::Outcome);
    CHECK((*events)[2].kind == EventKind::RunEnded);
    CHECK(journal->script_copy(*id) == std::string("stage \0 \xFF", 9));
    const auto run = journal->find(*id);
    CHECK(run->result == "undone");
    CHECK(run->exit_code == 1);
    CHECK(run->ended_ms == november_23 + 9);
    CHECK(run->title == "four replicas");

    REQUIRE(journal->append(*id, intent(3)));
    CHECK(journal->find(*id)->result == "unfinished");
    CHECK(journal->events(*id)->size() == 4);
}

TEST_CASE("the folder and its files are the operator's alone") {
    const Folder folder;
    fs::create_directory(folder.path / ".migc");
    fs::permissions(folder.path / ".migc", fs::perms(0755));
    const auto journal = opened(folder);
    REQUIRE(journal->begin_run(about(), ""));
    CHECK(mode(folder.path / ".migc") == fs::perms(0700));
    CHECK(mode(folder.file()) == fs::perms(0600));
    CHECK(mode(folder.file().string() + "-wal") == fs::perms(0600));
    CHECK(mode(folder.file().string() + "-shm") == fs::perms(0600));
}

TEST_CASE("ids count within a day and are found by their end") {
    const Folder folder;
    const auto journal = opened(folder);
    CHECK(journal->find("last").error() == "there are no runs yet");
    for (int i = 1; i <= 11; ++i)
        CHECK(*journal->begin_run(about(), "") == "2026-11-23-" + std::to_string(i));
    CHECK(*journal->begin_run(about(november_23 + 86400000), "") == "2026-11-24-1");
    CHECK(journal->find("last")->id == "2026-11-24-1");
    CHECK(journal->runs()->front().id == "2026-11-24-1");
    CHECK(journal->runs()->size() == 12);
    CHECK(journal->find("11")->id == "2026-11-23-11");
    CHECK(journal->find("23-1")->id == "2026-11-23-1");
    CHECK(journal->find("3-1")->id == "2026-11-23-1");
    CHECK(journal->find("1").error() == "more than one run ends in 1: 2026-11-24-1 and 2026-11-23-1");
    CHECK(journal->find("").error() == "there is no run ");
    CHECK_FALSE(journal->find("99"));
    CHECK_FALSE(journal->events("99"));
    CHECK_FALSE(journal->script_copy("99"));
}

TEST_CASE("a chain that was broken is noticed") {
    const Folder folder;
    std::string id;
    {
        const auto journal = opened(folder);
        id = *journal->begin_run(about(), "script");
        for (int i = 1; i <= 3; ++i) REQUIRE(journal->append(id, intent(i)));
    }
    const auto error = [&] { return opened(folder)->events(id).error(); };
    SECTION("a changed body") {
        tamper(folder, "UPDATE history SET body = '{}' WHERE number = (1 << 32) + 2");
        CHECK(error().find("row 2 of run 2026-11-23-1 (intent)") != std::string::npos);
    }
    SECTION("a row taken out") {
        tamper(folder, "DELETE FROM history WHERE number = (1 << 32) + 2");
        CHECK(error().find("row 2") != std::string::npos);
    }
    SECTION("the last row taken off") {
        tamper(folder, "DELETE FROM history WHERE number = (1 << 32) + 3");
        CHECK(error().find("rows after row 2") != std::string::npos);
    }
    SECTION("another script") {
        tamper(folder, "UPDATE scripts SET text = X'00'");
        CHECK(error().find("row 1") != std::string::npos);
    }
    SECTION("rows that were swapped") {
        tamper(folder, "UPDATE history SET number = number + 8 WHERE number = (1 << 32) + 1");
        CHECK(error().find("row 1") != std::string::npos);
    }
}

namespace {

// A journal as migc wrote it before format 3, of what this one has written: its events in one row, by time.
void make_older(const Folder& folder, int format) {
    tamper(folder, R"(
        CREATE TABLE events (number INTEGER PRIMARY KEY, run TEXT NOT NULL, kind TEXT NOT NULL,
                             time_ms INTEGER NOT NULL, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT;
        CREATE INDEX events_of_run ON events (run, number);
        INSERT INTO events (run, kind, time_ms, body, digest)
            SELECT runs.id, kind, time_ms, body, history.digest FROM history
            JOIN runs ON runs.number = history.number >> 32 ORDER BY time_ms;
        DROP TABLE history;
        PRAGMA user_version = )" +
                       std::to_string(format));
}

}  // namespace

TEST_CASE("a journal of an older format stays one, for an older migc, too") {
    const Folder folder;
    std::string first;
    std::string second;
    {
        const auto journal = opened(folder);
        first = *journal->begin_run(about(), "script");
        second = *journal->begin_run(about(), "script");
        for (int i = 1; i <= 4; ++i) REQUIRE(journal->append(i % 2 == 0 ? first : second, intent(i)));
    }
    const auto steps = [&](Journal& journal, const std::string& run) {
        std::string out;
        const auto events = journal.events(run);
        if (!events) FAIL(events.error());
        for (const Event& event : *events) out += event.body.at("step").get<std::string>() + " ";
        return out;
    };
    make_older(folder, GENERATE(1, 2));
    const auto reader = *Journal::open_existing(folder.path);
    CHECK(steps(*reader, first) == "staging/2 staging/4 ");
    CHECK(steps(*reader, second) == "staging/1 staging/3 ");
    std::string third;
    {
        const auto journal = opened(folder);
        REQUIRE(journal->append(first, intent(5)));
        third = *journal->begin_run(about(), "script");
        REQUIRE(journal->append(third, intent(6)));
    }
    const auto now = *Journal::open_existing(folder.path);
    CHECK(steps(*now, first) == "staging/2 staging/4 staging/5 ");
    CHECK(steps(*now, second) == "staging/1 staging/3 ");
    CHECK(steps(*now, third) == "staging/6 ");
    // What an older migc asks for is there.
    tamper(folder, "CREATE TABLE six (n CHECK (n = 6)); INSERT INTO six SELECT count(*) FROM events");
    tamper(folder, "CREATE TABLE two (n CHECK (n = 2)); INSERT INTO two SELECT * FROM pragma_user_version");
}

TEST_CASE("rows that a run which is gone has left are not those of a new one") {
    const Folder folder;
    {
        const auto journal = opened(folder);
        REQUIRE(journal->append(*journal->begin_run(about(), "first"), intent(1)));
        REQUIRE(journal->append(*journal->begin_run(about(), "second"), intent(2)));
    }
    tamper(folder, "DELETE FROM runs WHERE number = 2");
    const auto journal = opened(folder);
    const std::string id = *journal->begin_run(about(), "third");
    CHECK(id == "2026-11-23-3");
    REQUIRE(journal->append(id, intent(3)));
    CHECK(journal->events(id)->size() == 1);
}

TEST_CASE("a person's decision leaves the run as it ended") {
    const Folder folder;
    const auto journal = opened(folder);
    const std::string id = *journal->begin_run(about(), "script");
    REQUIRE(journal->end_run(id, {EventKind::RunEnded, 9, {{"result", "in-doubt"}, {"exit_code", 4}}}));
    REQUIRE(journal->append(id, {EventKind::Resolved, 10, {{"step", "staging/1"}, {"verdict", "done"}}}));
    CHECK(journal->find(id)->result == "in-doubt");
    CHECK(journal->find(id)->ended_ms == 9);
    REQUIRE(journal->append(id, {EventKind::RunResumed, 11, {{"action", "resume"}}}));
    CHECK(journal->find(id)->result == "unfinished");
}

TEST_CASE("what is not a journal is refused and left as it is") {
    const Folder folder;
    SECTION("not a database") {
        fs::create_directory(folder.path / ".migc");
        std::ofstream(folder.file()) << std::string(5000, 'x');
        CHECK(Journal::open(folder.path).error().find("not a journal") != std::string::npos);
        CHECK(fs::file_size(folder.file()) == 5000);
        CHECK_FALSE(Journal::open_existing(folder.path));
    }
    SECTION("another program's database") {
        fs::create_directory(folder.path / ".migc");
        tamper(folder, "CREATE TABLE t (a); PRAGMA application_id = 7");
        CHECK(Journal::open(folder.path).error().find("another program's database") != std::string::npos);
        CHECK_FALSE(Journal::open_existing(folder.path));
    }
    SECTION("a newer migc") {
        opened(folder);
        tamper(folder, "PRAGMA user_version = 4");
        CHECK(Journal::open(folder.path).error().find("a newer migc (format 4, this one knows 3)") !=
              std::string::npos);
        CHECK(Journal::open_existing(folder.path).error().find("newer migc") != std::string::npos);
    }
    SECTION("a link, and a file in place of the folder") {
        fs::create_directory(folder.path / ".migc");
        fs::create_symlink("/dev/null", folder.file());
        CHECK_FALSE(Journal::open(folder.path));
        fs::remove(folder.file());
        REQUIRE(::mkfifo(folder.file().c_str(), 0600) == 0);
        CHECK_FALSE(Journal::open(folder.path));
        CHECK(Journal::open_existing(folder.path).error().find("not what migc makes") != std::string::npos);
        fs::remove_all(folder.path / ".migc");
        std::ofstream(folder.path / ".migc") << "x";
        CHECK_FALSE(Journal::open(folder.path));
    }
    SECTION("no such root") {
        CHECK_FALSE(Journal::open(folder.path / "missing"));
        CHECK(*Journal::open_existing(folder.path / "missing") == nullptr);
    }
}

TEST_CASE("looking creates and changes nothing") {
    const Folder folder;
    CHECK(*Journal::open_existing(folder.path) == nullptr);
    CHECK(fs::is_empty(folder.path));
    const std::string id = *opened(folder)->begin_run(about(), "text");
    fs::remove(folder.file().string() + "-wal");
    fs::remove(folder.file().string() + "-shm");
    {
        const auto journal = Journal::open_existing(folder.path);
        REQUIRE(journal);
        CHECK((*journal)->find("last")->id == id);
        CHECK((*journal)->script_copy(id) == "text");
        CHECK_FALSE((*journal)->append(id, intent(1)));
    }
    CHECK(std::distance(fs::directory_iterator(folder.path / ".migc"), fs::directory_iterator()) == 1);
    // While another one writes, what it has written is seen.
    const auto writer = opened(folder);
    REQUIRE(writer->append(id, intent(1)));
    const auto reader = Journal::open_existing(folder.path);
    CHECK((*reader)->events(id)->size() == 1);
    REQUIRE(writer->append(id, intent(2)));
    CHECK((*reader)->events(id)->size() == 2);
}

TEST_CASE("a write that failed is the last one") {
    const Folder folder;
    const auto journal = opened(folder);
    const std::string id = *journal->begin_run(about(), "");
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
    const auto failed = journal->append(id, intent(1));
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, old_handler);
    REQUIRE_FALSE(failed);
    CHECK(journal->append(id, intent(2)).error().find("after a write that failed") != std::string::npos);
    CHECK_FALSE(journal->append(id, {EventKind::Waiting, 0, {}}));
    CHECK_FALSE(journal->end_run(id, {EventKind::RunEnded, 0, {}}));
    CHECK_FALSE(journal->begin_run(about(), ""));
    CHECK(opened(folder)->events(id)->empty());
}

TEST_CASE("an event of a run that is not there") {
    const Folder folder;
    CHECK_FALSE(opened(folder)->append("2026-01-01-1", intent(1)));
}

TEST_CASE("several writers at once") {
    const Folder folder;
    const auto work = [&] {
        const auto journal = Journal::open(folder.path);
        if (!journal) return journal.error();
        const auto id = (*journal)->begin_run(about(), "");
        if (!id) return id.error();
        for (int i = 0; i < 20; ++i)
            if (auto appended = (*journal)->append(*id, intent(i)); !appended) return appended.error();
        return std::string();
    };
    std::vector<std::string> errors(4);
    std::vector<std::thread> threads;
    for (std::string& error : errors) threads.emplace_back([&] { error = work(); });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& error : errors) CHECK(error == "");
    const auto journal = opened(folder);
    const auto runs = journal->runs();
    CHECK(runs->size() == 4);
    for (const RunSummary& run : *runs) CHECK(journal->events(run.id)->size() == 20);
}

TEST_CASE("appending is quick", "[.benchmark]") {
    const Folder folder;
    const auto journal = opened(folder);
    const std::string id = *journal->begin_run(about(), std::string(100000, 'x'));
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 300; ++i) REQUIRE(journal->append(id, intent(i)));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    WARN("one append takes " << took.count() / 300 << " ms");
}

TEST_CASE("`last` is the run that was started last, and no other") {
    const Folder folder;
    {
        Starting first(folder.path, "the run of a.mig");
        CHECK_FALSE(fs::exists(folder.path / ".migc/starting"));  // without a journal there is no earlier run
    }
    const auto journal = opened(folder);
    const auto id = journal->begin_run(about(), "script");
    REQUIRE(id);
    CHECK(journal->find("last")->id == *id);
    {
        Starting refused(folder.path, "the run of b.mig");
        const auto last = journal->find("last");
        REQUIRE_FALSE(last);
        CHECK(last.error().find("just being started") != std::string::npos);
        CHECK(journal->find(*id));
    }
    CHECK(journal->find("last"));  // it has said why it did not begin
    {
        Starting second(folder.path, "the run of b.mig");
        second.begun();
        CHECK(journal->find("last"));
    }
    const pid_t child = ::fork();
    if (child == 0) {
        new Starting(folder.path, "the run of night.mig");
        ::_exit(0);  // as if it had been killed: nobody takes the trace away
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const auto last = journal->find("last");
    REQUIRE_FALSE(last);
    CHECK(last.error().find("the last run had not begun: the run of night.mig of ") == 0);
    CHECK(last.error().find("name it: " + *id) != std::string::npos);
    const auto read_only = Journal::open_existing(folder.path);
    REQUIRE(read_only);
    CHECK_FALSE((*read_only)->find("last"));
    Starting next(folder.path, "the run of c.mig");
    next.begun();
    CHECK(journal->find("last"));
}

TEST_CASE("a trace belongs to the process that goes on with the run") {
    const Folder folder;
    const auto journal = opened(folder);
    REQUIRE(journal->begin_run(about(), "script"));
    Starting foreground(folder.path, "the run of a.mig");
    const pid_t child = ::fork();
    if (child == 0) {
        foreground.take_over();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const auto last = journal->find("last");
    REQUIRE_FALSE(last);
    CHECK(last.error().find("had not begun") != std::string::npos);
}

TEST_CASE("a trace that cannot be read is one of a run that had not begun") {
    const Folder folder;
    const auto journal = opened(folder);
    REQUIRE(journal->begin_run(about(), "script"));
    fs::create_directory(folder.path / ".migc/starting");
    for (const char* text : {"", "{\"purpose\": ", "[]", "{\"pid\": \"x\"}"}) {
        std::ofstream(folder.path / ".migc/starting/1-1.json") << text;
        CHECK(not_begun(folder.path));
        CHECK_FALSE(journal->find("last"));
    }
}
