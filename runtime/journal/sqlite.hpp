// A thin layer over SQLite: owned handles, and errors as values. Private to the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>
#include <tl/expected.hpp>

#include "runtime/trust/private_folder.hpp"

namespace migc::runtime::inline journal {

// The error is a sentence for people.
template <typename T>
using Sqlite = tl::expected<T, std::string>;

class Database;

// A prepared statement. Used in rounds: bind, step until done, reset.
class Statement {
  public:
    Statement() = default;

    // Binds the values from parameter 1 on. Texts are copied; a view of bytes is bound as a blob.
    Statement& bind(int index, std::string_view text);
    Statement& bind(int index, std::int64_t number);
    Statement& bind_bytes(int index, std::string_view bytes);

    // True while there is a row to read. A statement that was never prepared, of a database that is only
    // read, fails like one that may not write.
    Sqlite<bool> step();
    // Runs a statement that yields no rows, and makes it ready for the next round.
    Sqlite<void> run();
    void reset();

    [[nodiscard]] std::string text(int column) const;  // of a text or a blob
    [[nodiscard]] std::int64_t number(int column) const;

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
  public:
    // A file of a folder; `flags` are those of sqlite3_open_v2. `immutable` promises that nobody is writing.
    static Sqlite<Database> open(const trust::PrivateFolder& folder, const std::string& name, int flags,
                                 bool immutable);

    Sqlite<void> execute(const char* sql);
    Sqlite<Statement> prepare(const char* sql);
    // Whether the last call failed because somebody else is at work.
    [[nodiscard]] bool is_busy() const;
    // The one number that a query such as a PRAGMA answers with.
    Sqlite<std::int64_t> number(const char* sql);
    // All that was committed, and all that was read, is on the disk when it returns.
    Sqlite<void> sync();
    // From now on the log is taken into the database now and then, after a `sync` that went well and never
    // else: SQLite itself would sync the log there, and say nothing if that fails.
    void checkpoint_when_synced();
    // Keeps the write-ahead log's files when the last connection closes.
    void keep_log_files();

  private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    void checkpoint();

    Descriptor folder_;               // SQLite finds its files by it, for as long as they are open
    std::unique_ptr<int> log_pages_;  // as of the last commit; null where the log is left alone
    std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace migc::runtime::inline journal
