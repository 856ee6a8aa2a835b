#include "runtime/journal/storage.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/trust/local_witness.hpp"

namespace migc::runtime::inline journal {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t application_id = 0x6D696763;  // "migc"
// 2: runs go on (run-resumed, stage-failed, resolved). The tables are those of 1, so that a journal of format
// 1 is read as it is, and becomes one of format 2 when it is first written to.
// 3: a run's events have numbers of their own, and need no index, which was one more page to write with each
// event. A journal of format 2 stays one: to convert it would need room for all of it, and take it away from
// an older migc that is at work.
constexpr std::int64_t format_version = 3;

// The runs' texts are apart from the runs, whose rows are written again with every event. The numbers of a
// run's events begin with that of the run: (run << 32) + 1, ...
constexpr const char* create_tables = R"(
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        script TEXT NOT NULL,
        title TEXT NOT NULL,
        mode TEXT NOT NULL,
        digest TEXT NOT NULL,
        begun_ms INTEGER NOT NULL,
        ended_ms INTEGER NOT NULL,
        result TEXT NOT NULL,
        exit_code INTEGER NOT NULL,
        head BLOB NOT NULL,
        seal BLOB NOT NULL DEFAULT X''
    ) STRICT;
    CREATE TABLE scripts (run TEXT PRIMARY KEY, text BLOB NOT NULL) STRICT;
    CREATE TABLE history (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        body TEXT NOT NULL,
        digest BLOB NOT NULL
    ) STRICT;
    PRAGMA application_id = 1835624291;
    PRAGMA user_version = 3;
)";
static_assert(application_id == 1835624291 && format_version == 3);

constexpr const char* file_name = "journal.db";

fs::path file_of(const fs::path& root) {
    return root / ".migc" / file_name;
}

// Refuses a file that is not this user's alone, also those that SQLite keeps beside it.
tl::expected<bool, std::string> has_journal(const trust::PrivateFolder& folder) {
    for (const char* name : {"journal.db-wal", "journal.db-shm", "journal.db-journal"})
        if (const auto fine = folder.has_file(name); !fine) return tl::unexpected(fine.error());
    return folder.has_file(file_name);
}

// The operator alone may read what was run, on which cluster, and what it answered.
tl::expected<void, std::string> make_file(const trust::PrivateFolder& folder) {
    const auto failed = [&](const char* what) {
        return tl::unexpected(fmt::format("the journal {} cannot be {}: {}",
                                          (folder.path() / file_name).string(), what, std::strerror(errno)));
    };
    const Descriptor made(
        ::openat(folder.descriptor(), file_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!made && errno != EEXIST) return failed("created");
    // One that git tracks is refused: none is to get there by an oversight.
    if (made)
        if (const auto ignored = folder.file(".gitignore", O_WRONLY | O_CREAT | O_EXCL); ignored && *ignored)
            write_all((*ignored)->get(), "*\n");
    // What was created in a folder survives a power cut only once the folder itself is on the disk.
    if (made && ::fsync(folder.descriptor()) != 0) return failed("stored");
    if (made) return {};
    // An existing file is not opened here: closing it would drop the locks that this process may have on it.
    if (const auto is_there = has_journal(folder); !is_there) return tl::unexpected(is_there.error());
    if (::fchmodat(folder.descriptor(), file_name, 0600, 0) != 0) return failed("made private");
    return {};
}

enum class Content { Empty, Journal };

// Read in one transaction: another process may be making the tables.
tl::expected<Content, std::string> content(Database& database, const fs::path& file) {
    auto found = database.prepare(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema),"
        " (SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view'))"
        " FROM pragma_application_id, pragma_user_version");
    const auto read = found ? found->step() : tl::unexpected(found.error());
    if (!read) return tl::unexpected(fmt::format("{}: {}", file.string(), read.error()));
    const std::int64_t application = found->number(0), version = found->number(1);
    if (application == 0 && version == 0 && found->number(2) == 0) return Content::Empty;
    if (application != application_id)
        return tl::unexpected(
            fmt::format("{} is another program's database, not a journal; move it away", file.string()));
    if (version > format_version)
        return tl::unexpected(
            fmt::format("{} was written by a newer migc (format {}, this one knows {}); use that migc",
                        file.string(), version, format_version));
    // They would run whenever a row is written or read.
    if (found->number(3) != 0)
        return tl::unexpected(
            fmt::format("{} has triggers or views, which no migc has made; move it away", file.string()));
    return Content::Journal;
}

// While another process looks at the file, SQLite refuses to change its mode without waiting by itself.
Sqlite<void> use_write_ahead_log(Database& database) {
    constexpr int tries = 100;
    for (int i = 0;; ++i) {
        auto done = database.execute("PRAGMA journal_mode = WAL");
        if (done || !database.is_busy() || i == tries) return done;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

// Of several processes that found the file empty only the first makes the tables.
Sqlite<void> create(Database& database) {
    if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
    const auto id = database.number("PRAGMA application_id");
    if (!id) return tl::unexpected(id.error());
    if (*id != application_id)
        if (auto created = database.execute(create_tables); !created) return created;
    return database.execute("COMMIT");
}

// What a witness knows the journal and its runs by. An older migc at work does without: what it writes has no
// seal, and is not known again.
Sqlite<void> add_what_witnesses_need(Database& database) {
    constexpr const char* seals = "SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'seal'";
    const auto sealed = database.number(seals);
    const auto named = database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'identity'");
    if (!sealed || !named) return tl::unexpected(sealed ? named.error() : sealed.error());
    if (*sealed != 0 && *named != 0) return {};
    return database.execute("BEGIN IMMEDIATE")
        .and_then([&] { return database.number(seals); })
        .and_then([&](std::int64_t there) {
            return there != 0
                       ? Sqlite<void>()
                       : database.execute("ALTER TABLE runs ADD COLUMN seal BLOB NOT NULL DEFAULT X''");
        })
        .and_then([&] {
            return database.execute(
                fmt::format("CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL) STRICT;"
                            "INSERT INTO identity SELECT '{}' WHERE NOT EXISTS (SELECT * FROM identity)",
                            trust::new_journal_identity())
                    .c_str());
        })
        .and_then([&] { return database.execute("COMMIT"); });
}

// It would take the new kinds of events for a journal that does not fit together.
Sqlite<void> keep_older_migc_off(Database& database) {
    const auto version = database.number("PRAGMA user_version");
    if (!version) return tl::unexpected(version.error());
    return *version == 1 ? database.execute("PRAGMA user_version = 2") : Sqlite<void>();
}

Sqlite<void> prepare_for_writing(Database& database, Content found) {
    database.keep_log_files();
    database.checkpoint_when_synced();
    // Each event writes two pages, and most events are short.
    const Sqlite<void> sized =
        found == Content::Empty ? database.execute("PRAGMA page_size = 1024") : Sqlite<void>();
    if (!sized) return sized;
    return use_write_ahead_log(database)
        .and_then([&] {
            // The journal itself syncs what is to be durable.
            return database.execute("PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF");
        })
        .and_then([&] { return found == Content::Empty ? create(database) : keep_older_migc_off(database); })
        .and_then([&] { return add_what_witnesses_need(database); });
}

}  // namespace

tl::expected<Database, std::string> open_for_writing(const fs::path& root) {
    const fs::path file = file_of(root);
    const auto fail = [&](const std::string& why) {
        return tl::unexpected(fmt::format("{}: {}", file.string(), why));
    };
    const auto folder = make_state_folder(root);
    if (!folder) return tl::unexpected(folder.error());
    if (auto made = make_file(*folder); !made) return tl::unexpected(made.error());
    auto database = Database::open(*folder, file_name, SQLITE_OPEN_READWRITE, false);
    if (!database) return fail(database.error());
    const auto found = content(*database, file);
    if (!found) return tl::unexpected(found.error());
    if (auto ready = prepare_for_writing(*database, *found); !ready) return fail(ready.error());
    return std::move(*database);
}

tl::expected<std::optional<Database>, std::string> open_for_reading(const fs::path& root) {
    const fs::path file = file_of(root);
    const auto folder = find_state_folder(root);
    if (!folder) return tl::unexpected(folder.error());
    if (!*folder) return std::nullopt;
    const auto is_there = has_journal(**folder);
    if (!is_there) return tl::unexpected(is_there.error());
    if (!*is_there) return std::nullopt;
    // Without a log nobody has the journal open; SQLite would make an empty one just to look.
    const bool in_use = (*folder)->has_file("journal.db-wal").value_or(false);
    auto database = Database::open(**folder, file_name, SQLITE_OPEN_READONLY, !in_use);
    if (!database) return tl::unexpected(fmt::format("{}: {}", file.string(), database.error()));
    const auto found = content(*database, file);
    if (!found) return tl::unexpected(found.error());
    if (*found == Content::Empty) return std::nullopt;
    return std::optional(std::move(*database));
}

}  // namespace migc::runtime::inline journal
