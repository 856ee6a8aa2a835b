#include "runtime/journal/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace migc::runtime::inline journal {

namespace {

// What an error means to an operator.
std::string sentence(int code, const char* message) {
    switch (code & 0xFF) {
        case SQLITE_FULL:
            return "the disk is full";
        case SQLITE_BUSY:
            return "another migc has kept the journal locked for more than 5 seconds";
        case SQLITE_NOTADB:
            return "this file is not a journal; move it away";
        case SQLITE_CORRUPT:
            return std::string("the journal is damaged: ") + message;
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "you may not write the journal";
        case SQLITE_CANTOPEN:
            return "the journal cannot be opened; may you read and write its folder?";
        case SQLITE_IOERR:
            return fmt::format("the disk failed (SQLite error {}: {})", code, message);
        default:
            return fmt::format("SQLite error {}: {}", code, message);
    }
}

tl::unexpected<std::string> error_of(sqlite3* database) {
    return tl::unexpected(sentence(sqlite3_extended_errcode(database), sqlite3_errmsg(database)));
}

// SQLite's own way to files, but for this: it would follow each link in a path before it opens anything, and
// so find the folder by its name again. The path that it is given leads there by a descriptor.
const char* way_by_descriptor() {
    static const char* const name = "migc";
    static sqlite3_vfs way = [] {
        sqlite3_vfs changed = *sqlite3_vfs_find(nullptr);
        changed.zName = name;
        changed.xFullPathname = [](sqlite3_vfs*, const char* path, int size, char* whole) {
            sqlite3_snprintf(size, whole, "%s", path);
            return SQLITE_OK;
        };
        return changed;
    }();
    static const int registered = sqlite3_vfs_register(&way, 0);
    static_cast<void>(registered);
    return name;
}

}  // namespace

Statement& Statement::bind(int index, std::string_view text) {
    sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), index, number);
    return *this;
}

Statement& Statement::bind_bytes(int index, std::string_view bytes) {
    sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
}

Sqlite<bool> Statement::step() {
    if (!statement_) return tl::unexpected(sentence(SQLITE_READONLY, "not prepared"));
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    auto error = error_of(sqlite3_db_handle(statement_.get()));
    reset();
    return error;
}

Sqlite<void> Statement::run() {
    const auto row = step();
    if (!row) return tl::unexpected(row.error());
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
}

std::string Statement::text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return bytes == nullptr ? std::string()
                            : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

Sqlite<Database> Database::open(const trust::PrivateFolder& folder, const std::string& name, int flags,
                                bool immutable) {
    Database database;
    database.folder_ = Descriptor(::fcntl(folder.descriptor(), F_DUPFD_CLOEXEC, 3));
    const std::string path = fmt::format("file:/proc/self/fd/{}/{}{}", database.folder_.get(), name,
                                         immutable ? "?immutable=1" : "");
    sqlite3* handle = nullptr;
    const int result = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_URI, way_by_descriptor());
    database.database_.reset(handle);
    if (handle == nullptr) return tl::unexpected(sentence(SQLITE_NOMEM, "out of memory"));
    if (result != SQLITE_OK) return error_of(handle);
    constexpr int patience_ms = 5000;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, patience_ms);
    return database;
}

Sqlite<void> Database::execute(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return error_of(database_.get());
    return {};
}

Sqlite<Statement> Database::prepare(const char* sql) {
    sqlite3_stmt* handle = nullptr;
    if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) !=
        SQLITE_OK)
        return error_of(database_.get());
    Statement statement;
    statement.statement_.reset(handle);
    return statement;
}

Sqlite<std::int64_t> Database::number(const char* sql) {
    auto statement = prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return *row ? statement->number(0) : 0;
}

Sqlite<void> Database::sync() {
    sqlite3_file* log = nullptr;
    int result = sqlite3_file_control(database_.get(), nullptr, SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (result == SQLITE_OK && log != nullptr && log->pMethods != nullptr)
        result = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (result != SQLITE_OK) return tl::unexpected(sentence(result, sqlite3_errstr(result)));
    checkpoint();
    return {};
}

void Database::checkpoint_when_synced() {
    log_pages_ = std::make_unique<int>(0);
    const auto remember = [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(database_.get(), remember, log_pages_.get());
}

// A log that begins anew early is written over, which the disk has sooner than a file that grows. Where this
// fails the log is as good as before.
void Database::checkpoint() {
    constexpr int many_pages = 250;
    if (!log_pages_ || *log_pages_ < many_pages) return;
    *log_pages_ = 0;
    sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void Database::keep_log_files() {
    int yes = 1;
    sqlite3_file_control(database_.get(), nullptr, SQLITE_FCNTL_PERSIST_WAL, &yes);
}

bool Database::is_busy() const {
    return (sqlite3_errcode(database_.get()) & 0xFF) == SQLITE_BUSY;
}

}  // namespace migc::runtime::inline journal
