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

#include "compiler/project/git_index.hpp"
#include "runtime/journal/starting.hpp"
#include "runtime/journal/state_folder.hpp"
#include "tests/unit/events.hpp"

using namespace migc::runtime;
using migc::project::index_names;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t november_23 = 1795399200000;  // 2026-11-23 02:00 UTC

struct Folder {
    fs::path path, home;
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "migc-journal-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
        home = path.string() + "-home";
        ::setenv("XDG_CONFIG_HOME", home.c_str(), 1);
    }
    ~Folder() {
        fs::remove_all(path);
        fs::remove_all(home);
    }
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
    return event_of(EventKind::Intent, november_23 + step,
                    {{"stage", "staging"}, {"step", "staging/" + std::to_string(step)}, {"text", "scale"}});
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
        const nlohmann::json body =
            kind == EventKind::Noted ? nlohmann::json{{"value", 1}} : nlohmann::json::object();
        CHECK(event_of(kind, 0, body).kind() == kind);
    }
    CHECK(name(EventKind::UndoOutcome) == "undo-outcome");
    CHECK_FALSE(decode("nonsense", nlohmann::json::object()));
}

TEST_CASE("an event is well-formed if a reader can rely on its keys") {
    const auto well_formed = [](EventKind kind, const nlohmann::json& body) {
        return decode(name(kind), body).has_value();
    };
    const auto noted = [&](const nlohmann::json& body) { return well_formed(EventKind::Noted, body); };
    CHECK_NOTHROW(intent(1));
    CHECK_FALSE(well_formed(EventKind::Intent, {{"step", 1}}));
    CHECK(well_formed(EventKind::Intent, {{"step", "staging/1"}, {"of a later migc", {1, 2}}}));
    CHECK(well_formed(EventKind::Intent, nlohmann::json::object()));
    CHECK_FALSE(well_formed(EventKind::Intent, nlohmann::json::array()));
    CHECK_FALSE(well_formed(EventKind::Intent, {{"own_undo", "yes"}}));
    CHECK_FALSE(well_formed(EventKind::StageEnded, {{"changes", {"a", 1}}}));
    CHECK_FALSE(well_formed(EventKind::StageBegun, {{"settings", {{"context", 7}}}}));
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
    REQUIRE(journal->append(*id, event_of(EventKind::StepBegun, 1, {{"step", "2"}})));
    REQUIRE(journal->append(*id, event_of(EventKind::Waiting, 1, {{"step", "2"}})));
    REQUIRE(journal->append(*id, event_of(EventKind::Outcome, 7, {{"message", "bad \xFF byte"}})));
    CHECK(journal->find("last")->result == "unfinished");
    REQUIRE(journal->end_run(
        *id, event_of(EventKind::RunEnded, november_23 + 9, {{"result", "undone"}, {"exit_code", 1}})));
    journal.reset();

    journal = opened(folder);
    const auto events = journal->events(*id);
    REQUIRE(events);
    REQUIRE(events->size() == 3);
    CHECK(json_of((*events)[0])["step"] == "staging/1");
    CHECK((*events)[0].time_ms == november_23 + 1);
    CHECK((*events)[1].kind() == EventKind::Outcome);
    CHECK((*events)[2].kind() == EventKind::RunEnded);
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

// What is told of a run that is not vouched for; empty for one that is.
std::string why_not(const Folder& folder, const std::string& run) {
    const auto journal = Journal::open_existing(folder.path);
    if (!journal || !*journal) return journal ? "there is no journal" : journal.error();
    const auto vouched = (*journal)->vouched(run);
    return vouched ? "" : vouched.error();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The journal as another one of the same project, at another time or place.
void copy_state(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
}

events::Adopted adopting() {
    return {"ann", "it is mine", {}, {}};
}

}  // namespace

TEST_CASE("a run is vouched for where it was written, by whom, and as a whole") {
    const Folder folder;
    const fs::path state = folder.path / ".migc", kept = folder.home / "kept", notes = folder.home / "migc";
    std::string id;
    {
        const auto journal = opened(folder);
        CHECK(journal->notes().empty());
        id = *journal->begin_run(about(), "script");
        CHECK(journal->vouched(id));
        REQUIRE(journal->append(id, intent(1)));
        REQUIRE(journal->append_unsynced(id, intent(2)));
        CHECK(journal->vouched(id));
        copy_state(state, kept);
        REQUIRE(journal->append(id, intent(3)));
        REQUIRE(
            journal->end_run(id, event_of(EventKind::RunEnded, 9, {{"result", "done"}, {"exit_code", 0}})));
    }
    CHECK(why_not(folder, id) == "");
    SECTION("an older copy that was put back is noticed, also by whoever goes on writing") {
        copy_state(kept, state);
        CHECK(has(why_not(folder, id), "are missing"));
        REQUIRE(opened(folder)->append(id, intent(4)));
        CHECK(has(why_not(folder, id), "only shown"));
        REQUIRE(opened(folder)->adopt(adopting(), november_23));
        CHECK(why_not(folder, id) == "");
    }
    SECTION("a run that is gone is missed, and its number is not given again") {
        copy_state(kept, state);
        tamper(folder, "DELETE FROM runs; DELETE FROM scripts; DELETE FROM history");
        const std::string next = *opened(folder)->begin_run(about(), "script");
        CHECK(next == "2026-11-23-2");
        CHECK(has(why_not(folder, next), "has no run " + id));
        const auto adopted = opened(folder)->adopt(adopting(), november_23);
        REQUIRE(adopted);
        CHECK(adopted->back().run == id);
        CHECK_FALSE(adopted->back().adopted);
        CHECK(why_not(folder, next) == "");
    }
    SECTION("what is ahead of the notes was cut off before they were made, and is believed") {
        copy_state(notes, folder.home / "old");
        REQUIRE(opened(folder)->append(id, intent(5)));
        copy_state(folder.home / "old", notes);
        CHECK(why_not(folder, id) == "");
        fs::remove_all(notes / "journals");  // the key, too
        CHECK(has(why_not(folder, id), "nothing shows that"));
    }
    SECTION("what stands beside the rows is part of it") {
        tamper(folder, "UPDATE runs SET result = 'undone'");
        CHECK(has(why_not(folder, id), "nothing shows that"));
    }
    SECTION("another user's is shown and no more, and does not become one's own by being written to") {
        ::setenv("XDG_CONFIG_HOME", (folder.home / "other").c_str(), 1);
        CHECK(has(why_not(folder, id), "nothing shows that"));
        CHECK(Journal::open_existing(folder.path).value()->doubt());
        REQUIRE(opened(folder)->append(id, intent(6)));
        CHECK(has(why_not(folder, id), "nothing shows that"));
        const auto own = opened(folder)->begin_run(about(), "script");
        CHECK(why_not(folder, *own) == "");
        const auto adopted = opened(folder)->adopt(adopting(), november_23);
        REQUIRE(adopted);
        CHECK(adopted->size() == 1);
        CHECK(why_not(folder, id) == "");
        CHECK((*Journal::open_existing(folder.path))->events(id)->back().kind() == EventKind::Adopted);
        CHECK((*Journal::open_existing(folder.path))->find(id)->result == "unfinished");
        CHECK(opened(folder)->adopt(adopting(), november_23)->empty());
    }
    SECTION("what does not fit together is adopted by nobody") {
        tamper(folder, "UPDATE history SET body = '{}' WHERE number = (1 << 32) + 2");
        const auto adopted = opened(folder)->adopt(adopting(), november_23);
        REQUIRE(adopted);
        CHECK_FALSE(adopted->front().adopted);
        CHECK(has(why_not(folder, id), "not as migc wrote it"));
    }
    SECTION("without a folder for a key it can be written, and nobody answers for it") {
        ::setenv("XDG_CONFIG_HOME", "", 1);
        const char* was = std::getenv("HOME");
        const std::string home = was == nullptr ? "" : was;
        ::setenv("HOME", "", 1);
        const auto journal = opened(folder);
        CHECK(journal->notes().size() == 1);
        const auto own = journal->begin_run(about(), "script");
        REQUIRE(own);
        CHECK(has(journal->vouched(*own).error(), "is not authenticated"));
        CHECK_FALSE(journal->adopt(adopting(), november_23));
        ::setenv("HOME", home.c_str(), 1);
    }
    SECTION("a copy is another journal, and one that was moved is the same") {
        const fs::path copy = folder.path.string() + "-copy";
        fs::create_directory(copy);
        copy_state(state, copy / ".migc");
        fs::permissions(copy / ".migc", fs::perms::owner_all);
        CHECK(has((*Journal::open_existing(copy))->vouched(id).error(), "is a copy"));
        {
            const auto journal = *Journal::open(copy);
            CHECK(journal->notes().empty());
            CHECK_FALSE(journal->vouched(id));
            CHECK(journal->vouched(*journal->begin_run(about(), "script")));
        }
        CHECK(why_not(folder, id) == "");
        fs::remove_all(copy);
        fs::rename(folder.path, copy);
        CHECK((*Journal::open_existing(copy))->vouched(id));
        CHECK(has((*Journal::open(copy))->notes().front(), "has moved to " + copy.string()));
        CHECK((*Journal::open(copy))->notes().empty());
        fs::rename(copy, folder.path);
        CHECK(why_not(folder, id) == "");
    }
}

namespace {

std::string big_endian(std::uint32_t number, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i));
    return bytes;
}

// An index of git with these names, of version 2 or 4.
std::string index_with(const std::vector<std::string>& names, std::uint32_t version, std::size_t digest) {
    std::string index =
        "DIRC" + big_endian(version, 4) + big_endian(static_cast<std::uint32_t>(names.size()), 4);
    std::string before;
    for (const std::string& name : names) {
        const std::size_t begin = index.size();
        index += std::string(40 + digest + 2, '\x01');
        if (version == 4) {
            std::size_t same = 0;
            while (same < std::min(before.size(), name.size()) && before[same] == name[same]) ++same;
            index += static_cast<char>(before.size() - same) + name.substr(same) + '\0';
        } else {
            index += name;
            index += std::string(8 - (index.size() - begin) % 8, '\0');
        }
        before = name;
    }
    return index + std::string(digest, '\xAA');
}

}  // namespace

TEST_CASE("git's index says what is tracked") {
    const std::uint32_t version = GENERATE(2U, 4U);
    const std::size_t digest = GENERATE(std::size_t{20}, std::size_t{32});
    const std::vector<std::string> names = {".gitignore",       ".m",      ".migc-other",
                                            ".migc/journal.db", "a/.migc", "ab/c.mig"};
    const std::string index = index_with(names, version, digest);
    CHECK(index_names(index, ".migc"));
    CHECK(index_names(index, "a/.migc"));
    CHECK(index_names(index, "ab"));
    CHECK_FALSE(index_names(index, "ab/.migc"));
    CHECK_FALSE(index_names(index, ".mig"));
    CHECK_FALSE(index_names("", ".migc"));
    for (std::size_t size = 0; size < index.size(); ++size) index_names(index.substr(0, size), "zzz");
}

TEST_CASE("the folder of the journal is the user's alone") {
    const Folder folder;
    const fs::path state = folder.path / ".migc";
    CHECK_FALSE(find_state_folder(folder.path)->has_value());
    REQUIRE(make_run_folder(folder.path, "run-1"));
    CHECK(mode(state / "runs/run-1") == fs::perms(0700));
    fs::create_directories(state / "runs/run-1/inputs/a");
    fs::create_symlink("/etc", state / "runs/run-1/inputs/a/etc");
    CHECK(find_state_folder(folder.path)->has_value());
    CHECK(has(make_run_folder(folder.path, "run-1").error(), "is a link"));
    fs::permissions(state / "runs", fs::perms(0770));
    CHECK(has(make_run_folder(folder.path, "run-2").error(), "may be written by others"));
    fs::permissions(state / "runs", fs::perms(0700));
    for (const char* name : {"../x", "..", ".", "", "a/b"}) CHECK_FALSE(make_run_folder(folder.path, name));
    fs::remove_all(state / "runs");
    fs::create_symlink("/tmp", state / "runs");
    CHECK(has(find_state_folder(folder.path).error(), "is a link"));
    CHECK(has(Journal::open(folder.path).error(), "is a link"));
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
        for (const Event& event : *events) out += json_of(event).at("step").get<std::string>() + " ";
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
    REQUIRE(
        journal->end_run(id, event_of(EventKind::RunEnded, 9, {{"result", "in-doubt"}, {"exit_code", 4}})));
    REQUIRE(
        journal->append(id, event_of(EventKind::Resolved, 10, {{"step", "staging/1"}, {"verdict", "done"}})));
    CHECK(journal->find(id)->result == "in-doubt");
    CHECK(journal->find(id)->ended_ms == 9);
    REQUIRE(journal->append(id, event_of(EventKind::RunResumed, 11, {{"action", "resume"}})));
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
    // The journal, and what keeps git off.
    CHECK(std::distance(fs::directory_iterator(folder.path / ".migc"), fs::directory_iterator()) == 2);
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
    CHECK_FALSE(journal->append(id, event_of(EventKind::Waiting, 0, {})));
    CHECK_FALSE(journal->end_run(id, event_of(EventKind::RunEnded, 0, {})));
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
