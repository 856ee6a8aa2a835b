#include "runtime/journal/storage.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/planted.hpp"
#include "runtime/tools/descriptor.hpp"

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
        head BLOB NOT NULL
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

fs::path folder_of(const fs::path& root) {
    return root / ".migc";
}

fs::path file_of(const fs::path& root) {
    return folder_of(root) / "journal.db";
}

std::string system_error(const fs::path& path, std::string_view what) {
    return fmt::format("the journal {} cannot be {}: {}", path.string(), what, std::strerror(errno));
}

std::string not_ours(const fs::path& path) {
    return fmt::format("{} is not what migc makes there; move it away", path.string());
}

// The operator alone may read what was run, on which cluster, and what it answered.
tl::expected<void, std::string> make_private(const fs::path& path, mode_t kind, mode_t mode) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return tl::make_unexpected(system_error(path, "opened"));
    if ((status.st_mode & S_IFMT) != kind) return tl::make_unexpected(not_ours(path));
    const bool is_private = (status.st_mode & 0777) == mode;
    if (!is_private && ::chmod(path.c_str(), mode) != 0)
        return tl::make_unexpected(system_error(path, "made private"));
    return {};
}

// What was created in a folder survives a power cut only once the folder itself is on the disk.
tl::expected<void, std::string> stored(const fs::path& folder) {
    return sync_folder(folder) ? tl::expected<void, std::string>()
                               : tl::make_unexpected(system_error(folder, "stored"));
}

tl::expected<void, std::string> make_folder(const fs::path& root) {
    const fs::path folder = folder_of(root);
    if (::mkdir(folder.c_str(), 0700) == 0) return stored(root);
    if (errno != EEXIST) return tl::make_unexpected(system_error(folder, "created"));
    return make_private(folder, S_IFDIR, 0700);
}

tl::expected<void, std::string> make_file(const fs::path& root) {
    const fs::path file = file_of(root);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno != EEXIST) return tl::make_unexpected(system_error(file, "created"));
    // An existing file is not opened here: closing it would drop the locks that this process may have on it.
    if (descriptor < 0) return make_private(file, S_IFREG, 0600);
    ::close(descriptor);
    return stored(folder_of(root));
}

enum class Content { Empty, Journal };

struct Identity {
    std::int64_t application = 0;
    std::int64_t version = 0;
    std::int64_t objects = 0;
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
        .and_then([&] { return found == Content::Empty ? create(database) : keep_older_migc_off(database); });
}

// A path as an SQLite URI that promises that nobody is writing.
std::string immutable_uri(const fs::path& file) {
    std::string uri = "file:";
    for (const char c : fs::absolute(file).string())
        uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02X}", static_cast<unsigned char>(c))
                                                : std::string(1, c);
    return uri + "?immutable=1";
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
    if (auto made = make_folder(root); !made) return tl::make_unexpected(made.error());
    if (auto made = make_file(root); !made) return tl::make_unexpected(made.error());
    auto database = Database::open(file.string(), SQLITE_OPEN_READWRITE);
    if (!database) return fail(database.error());
    const auto found = content(*database, file);
    if (!found) return tl::make_unexpected(found.error());
    if (auto ready = prepare_for_writing(*database, *found); !ready) return fail(ready.error());
    return std::move(*database);
}

tl::expected<std::optional<Database>, std::string> open_for_reading(const fs::path& root) {
    const fs::path file = file_of(root);
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    if (!fs::is_regular_file(file, error)) return tl::make_unexpected(not_ours(file));
    // Without a log nobody has the journal open; SQLite would make an empty one just to look.
    const bool in_use = fs::exists(file.string() + "-wal", error);
    auto database = in_use ? Database::open(file.string(), SQLITE_OPEN_READONLY)
                           : Database::open(immutable_uri(file), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    if (!database)
        return tl::make_unexpected(fmt::format("{}: {}", file.string(), sentence(database.error())));
    const auto found = content(*database, file);
    if (!found) return tl::make_unexpected(found.error());
    if (*found == Content::Empty) return std::nullopt;
    return std::optional(std::move(*database));
}

}  // namespace migc::runtime
