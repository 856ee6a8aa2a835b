#include "runtime/journal/storage.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/journal/state_folder.hpp"
#include "runtime/tools/descriptor.hpp"
#include "runtime/trust/local_witness.hpp"

namespace migc::runtime {

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
        if (const auto fine = folder.has_file(name); !fine) return tl::make_unexpected(fine.error());
    return folder.has_file(file_name);
}

// The operator alone may read what was run, on which cluster, and what it answered.
tl::expected<void, std::string> make_file(const trust::PrivateFolder& folder) {
    const auto failed = [&](const char* what) {
        return tl::make_unexpected(fmt::format("the journal {} cannot be {}: {}",
                                               (folder.path() / file_name).string(), what,
                                               std::strerror(errno)));
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
    if (const auto is_there = has_journal(folder); !is_there) return tl::make_unexpected(is_there.error());
    if (::fchmodat(folder.descriptor(), file_name, 0600, 0) != 0) return failed("made private");
    return {};
}

enum class Content { Empty, Journal };

struct Identity {
    std::int64_t application = 0;
    std::int64_t version = 0;
    std::int64_t objects = 0;
    std::int64_t programs = 0;  // what would run whenever a row is written or read
};

// Read in one transaction: another process may be making the tables.
Sqlite<Identity> identity(Database& database) {
    Identity found;
    const auto read = [&](std::int64_t& into, const char* sql) {
        return database.number(sql).map([&](std::int64_t number) { into = number; });
    };
    auto done = database.execute("BEGIN")
                    .and_then([&] { return read(found.application, "PRAGMA application_id"); })
                    .and_then([&] { return read(found.version, "PRAGMA user_version"); })
                    .and_then([&] { return read(found.objects, "SELECT count(*) FROM sqlite_schema"); })
                    .and_then([&] {
                        return read(found.programs,
                                    "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')");
                    })
                    .and_then([&] { return database.execute("COMMIT"); });
    if (!done) return tl::make_unexpected(done.error());
    return found;
}

tl::expected<Content, std::string> content(Database& database, const fs::path& file) {
    const auto found = identity(database);
    if (!found) return tl::make_unexpected(fmt::format("{}: {}", file.string(), sentence(found.error())));
    if (found->application == 0 && found->version == 0 && found->objects == 0) return Content::Empty;
    if (found->application != application_id)
        return tl::make_unexpected(
            fmt::format("{} is another program's database, not a journal; move it away", file.string()));
    if (found->version > format_version)
        return tl::make_unexpected(
            fmt::format("{} was written by a newer migc (format {}, this one knows {}); use that migc",
                        file.string(), found->version, format_version));
    if (found->programs != 0)
        return tl::make_unexpected(
            fmt::format("{} has triggers or views, which no migc has made; move it away", file.string()));
    return Content::Journal;
}

// While another process looks at the file, SQLite refuses to change its mode without waiting by itself.
Sqlite<void> use_write_ahead_log(Database& database) {
    constexpr int tries = 100;
    for (int i = 0;; ++i) {
        auto done = database.execute("PRAGMA journal_mode = WAL");
        if (done || (done.error().code & 0xFF) != SQLITE_BUSY || i == tries) return done;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

// Of several processes that found the file empty only the first makes the tables.
Sqlite<void> create(Database& database) {
    if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
    const auto id = database.number("PRAGMA application_id");
    if (!id) return tl::make_unexpected(id.error());
    if (*id != application_id)
        if (auto created = database.execute(create_tables); !created) return created;
    return database.execute("COMMIT");
}

// What a witness knows the journal and its runs by. An older migc at work does without: what it writes has no
// seal, and is not known again.
Sqlite<void> add_what_witnesses_need(Database& database) {
    const auto has = [&](const char* what) {
        return database.number(what).map([](auto n) { return n != 0; });
    };
    const auto sealed = has("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'seal'");
    const auto named = has("SELECT count(*) FROM sqlite_schema WHERE name = 'identity'");
    if (!sealed) return tl::make_unexpected(sealed.error());
    if (!named) return tl::make_unexpected(named.error());
    if (*sealed && *named) return {};
    return database.execute("BEGIN IMMEDIATE")
        .and_then([&] { return has("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'seal'"); })
        .and_then([&](bool is_there) {
            return is_there ? Sqlite<void>()
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
    if (!version) return tl::make_unexpected(version.error());
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

std::string sentence(const SqliteError& error) {
    switch (error.code & 0xFF) {
        case SQLITE_FULL:
            return "the disk is full";
        case SQLITE_BUSY:
            return "another migc has kept the journal locked for more than 5 seconds";
        case SQLITE_NOTADB:
            return "this file is not a journal; move it away";
        case SQLITE_CORRUPT:
            return "the journal is damaged: " + error.message;
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "you may not write the journal";
        case SQLITE_CANTOPEN:
            return "the journal cannot be opened; may you read and write its folder?";
        case SQLITE_IOERR:
            return fmt::format("the disk failed (SQLite error {}: {})", error.code, error.message);
        default:
            return fmt::format("SQLite error {}: {}", error.code, error.message);
    }
}

tl::expected<Database, std::string> open_for_writing(const fs::path& root) {
    const fs::path file = file_of(root);
    const auto fail = [&](const SqliteError& error) {
        return tl::make_unexpected(fmt::format("{}: {}", file.string(), sentence(error)));
    };
    const auto folder = make_state_folder(root);
    if (!folder) return tl::make_unexpected(folder.error());
    if (auto made = make_file(*folder); !made) return tl::make_unexpected(made.error());
    auto database = Database::open(*folder, file_name, SQLITE_OPEN_READWRITE, false);
    if (!database) return fail(database.error());
    const auto found = content(*database, file);
    if (!found) return tl::make_unexpected(found.error());
    if (auto ready = prepare_for_writing(*database, *found); !ready) return fail(ready.error());
    return std::move(*database);
}

tl::expected<std::optional<Database>, std::string> open_for_reading(const fs::path& root) {
    const fs::path file = file_of(root);
    const auto folder = find_state_folder(root);
    if (!folder) return tl::make_unexpected(folder.error());
    if (!*folder) return std::nullopt;
    const auto is_there = has_journal(**folder);
    if (!is_there) return tl::make_unexpected(is_there.error());
    if (!*is_there) return std::nullopt;
    // Without a log nobody has the journal open; SQLite would make an empty one just to look.
    const bool in_use = (*folder)->has_file("journal.db-wal").value_or(false);
    auto database = Database::open(**folder, file_name, SQLITE_OPEN_READONLY, !in_use);
    if (!database)
        return tl::make_unexpected(fmt::format("{}: {}", file.string(), sentence(database.error())));
    const auto found = content(*database, file);
    if (!found) return tl::make_unexpected(found.error());
    if (*found == Content::Empty) return std::nullopt;
    return std::optional(std::move(*database));
}

}  // namespace migc::runtime
