#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>

#include <fmt/format.h>

#include "compiler/source/json_text.hpp"
#include "runtime/journal/digest.hpp"
#include "runtime/journal/starting.hpp"
#include "runtime/journal/storage.hpp"
#include "runtime/planted.hpp"

namespace migc::runtime {

namespace {

constexpr const char* columns =
    "id, script, title, mode, digest, begun_ms, ended_ms, result, exit_code, head";

// What differs between the formats: how a run is numbered, its events (?1 is the run's number) and theirs.
struct Layout {
    const char* next_run;
    const char* insert_event;
    const char* events;
};

// Rows that a run which is gone has left are never taken for those of a new one.
constexpr Layout numbered = {
    "(SELECT max(coalesce((SELECT max(number) FROM runs), 0),"
    " coalesce((SELECT max(number) FROM history), 0) >> 32) + 1)",
    "INSERT INTO history (number, kind, time_ms, body, digest) VALUES ("
    "(SELECT coalesce(max(number), ?1 << 32) + 1 FROM history"
    " WHERE number BETWEEN (?1 << 32) AND (?1 << 32) + 0xFFFFFFFF), ?2, ?3, ?4, ?5)",
    "SELECT kind, time_ms, body, digest FROM history"
    " WHERE number BETWEEN (?1 << 32) AND (?1 << 32) + 0xFFFFFFFF ORDER BY number"};

// Formats 1 and 2.
constexpr Layout indexed = {"(SELECT coalesce(max(number), 0) + 1 FROM runs)",
                            "INSERT INTO events (run, kind, time_ms, body, digest) VALUES ("
                            "(SELECT id FROM runs WHERE number = ?1), ?2, ?3, ?4, ?5)",
                            "SELECT kind, time_ms, body, digest FROM events"
                            " WHERE run = (SELECT id FROM runs WHERE number = ?1) ORDER BY number"};

struct RunRow {
    RunSummary summary;
    std::int64_t number = 0;
    std::string head;  // the digest of the last event
};

RunRow read_run(const Statement& row) {
    RunRow run;
    run.summary = {row.text(0),   row.text(1), row.text(2),
                   row.text(3),   row.text(4), row.number(5),
                   row.number(6), row.text(7), static_cast<int>(row.number(8))};
    run.head = row.text(9);
    run.number = row.number(10);
    return run;
}

std::string date_of(std::int64_t time_ms) {
    using namespace std::chrono;
    const auto days = floor<std::chrono::days>(sys_time<milliseconds>(milliseconds(time_ms)));
    const year_month_day date(days);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

bool is_only_progress(EventKind kind) {
    return kind == EventKind::StepBegun || kind == EventKind::Waiting;
}

// Bytes that are no UTF-8 (from a tool's output) are replaced: JSON cannot hold them.
std::string serialized(const nlohmann::json& body) {
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int number_of(const nlohmann::json& body, const char* key) {
    const auto found = body.is_object() ? body.find(key) : body.end();
    return found != body.end() && found->is_number_integer() ? found->get<int>() : 0;
}

// How a run stands after an event; nothing of it for a run that is going on.
struct Ending {
    std::int64_t time_ms = 0;
    std::string result = "unfinished";
    int exit_code = 0;
};

class SqliteJournal : public Journal {
  public:
    SqliteJournal(Database database, std::filesystem::path root)
        : database_(std::move(database)), root_(std::move(root)) {}

    Sqlite<void> prepare_reading() {
        const auto format = database_.number("PRAGMA user_version");
        if (!format) return tl::make_unexpected(format.error());
        layout_ = *format < 3 ? indexed : numbered;
        const std::string select = fmt::format("SELECT {}, number FROM runs", columns);
        return prepare(rollback_, "ROLLBACK")
            .and_then([&] { return prepare(all_runs_, select + " ORDER BY number DESC"); })
            .and_then([&] { return prepare(one_run_, select + " WHERE id = ?1"); })
            .and_then([&] { return prepare(script_, "SELECT text FROM scripts WHERE run = ?1"); })
            .and_then([&] { return prepare(events_, layout_.events); });
    }

    Sqlite<void> prepare_writing() {
        const auto insert_run =
            fmt::format("INSERT INTO runs ({}, number) VALUES (?1,?2,?3,?4,?5,?6,0,'unfinished',0,?7,{})",
                        columns, layout_.next_run);
        return prepare(begin_, "BEGIN IMMEDIATE")
            .and_then([&] { return prepare(commit_, "COMMIT"); })
            .and_then([&] {
                return prepare(ids_of_day_,
                               "SELECT id FROM runs WHERE id GLOB ?1 || '-*' UNION "
                               "SELECT run FROM scripts WHERE run GLOB ?1 || '-*'");
            })
            .and_then([&] { return prepare(insert_run_, insert_run); })
            .and_then(
                [&] { return prepare(insert_script_, "INSERT INTO scripts (run, text) VALUES (?1, ?2)"); })
            .and_then([&] { return prepare(insert_event_, layout_.insert_event); })
            .and_then([&] {
                return prepare(
                    advance_,
                    "UPDATE runs SET head=?2, ended_ms=?3, result=?4, exit_code=?5 WHERE number=?1");
            });
    }

    tl::expected<std::string, std::string> begin_run(const RunSummary& about,
                                                     const std::string& script_copy) override {
        const std::lock_guard guard(mutex_);
        RunSummary run = about;
        const auto written = write([&] { return insert_run(run, script_copy); });
        if (!written) return tl::make_unexpected(written.error());
        return run.id;
    }

    tl::expected<void, std::string> append(const std::string& run, const Event& event) override {
        return append(run, event, true);
    }

    tl::expected<void, std::string> append_unsynced(const std::string& run, const Event& event) override {
        return append(run, event, false);
    }

    tl::expected<void, std::string> sync() override {
        const std::lock_guard guard(mutex_);
        if (auto usable = trusted(); !usable) return usable;
        const auto synced = database_.sync();
        if (!synced) failure_ = sentence(synced.error());
        return trusted();
    }

    tl::expected<void, std::string> end_run(const std::string& run, const Event& event) override {
        const std::lock_guard guard(mutex_);
        const Ending ending{event.time_ms, text_of(event.body, "result"), number_of(event.body, "exit_code")};
        return write([&] { return insert_event(run, event, ending); });
    }

    tl::expected<std::vector<RunSummary>, std::string> runs() override {
        const std::lock_guard guard(mutex_);
        std::vector<RunSummary> out;
        const auto read =
            each_row(all_runs_, [&](const Statement& row) { out.push_back(read_run(row).summary); });
        if (!read) return tl::make_unexpected(sentence(read.error()));
        return durably(std::move(out));
    }

    tl::expected<RunSummary, std::string> find(const std::string& id) override {
        auto all = runs();
        if (!all) return tl::make_unexpected(all.error());
        if (all->empty()) return tl::make_unexpected(std::string("there are no runs yet"));
        if (id != "last") return choose(*all, id);
        if (const auto why = not_begun(root_))
            return tl::make_unexpected(
                fmt::format("{}. If you mean the run before it, name it: {}", *why, all->front().id));
        return all->front();
    }

    tl::expected<std::vector<Event>, std::string> events(const std::string& run) override {
        const std::lock_guard guard(mutex_);
        // One transaction, so that a row which is being added is seen with the new head or not at all.
        if (auto begun = database_.execute("BEGIN"); !begun)
            return tl::make_unexpected(sentence(begun.error()));
        auto out = verified_events(run);
        const auto ended = rollback_.run();  // fails where an error has ended the transaction already
        if (!out) return out;
        if (!ended) return tl::make_unexpected(sentence(ended.error()));
        return durably(std::move(*out));
    }

    tl::expected<std::string, std::string> script_copy(const std::string& run) override {
        const std::lock_guard guard(mutex_);
        return script(run);
    }

  private:
    Sqlite<void> prepare(Statement& statement, const std::string& sql) {
        return database_.prepare(sql.c_str()).map([&](Statement&& prepared) {
            statement = std::move(prepared);
        });
    }

    // Another process may have written what was read, and not yet waited for the disk.
    template <typename Read>
    tl::expected<Read, std::string> durably(Read read) {
        if (const auto synced = database_.sync(); !synced)
            return tl::make_unexpected(sentence(synced.error()));
        return read;
    }

    tl::expected<void, std::string> append(const std::string& run, const Event& event, bool durably) {
        const std::lock_guard guard(mutex_);
        if (is_only_progress(event.kind)) return trusted();
        if (planted("lose-outcome") && event.kind == EventKind::Outcome) return trusted();
        // A person's word about a step does not make the run go on.
        const auto ending = event.kind == EventKind::Resolved ? std::nullopt : std::optional(Ending{});
        return write([&] { return insert_event(run, event, ending); }, durably);
    }

    [[nodiscard]] tl::expected<void, std::string> trusted() const {
        if (failure_.empty()) return {};
        return tl::make_unexpected("nothing is written after a write that failed: " + failure_);
    }

    // Runs the work as one transaction. The first failure is the last write: what a failed commit left on
    // the disk is not known, so no later success may cover it up.
    template <typename Work>
    tl::expected<void, std::string> write(Work work, bool durably = true) {
        if (auto usable = trusted(); !usable) return usable;
        const auto synced = [&] { return durably ? database_.sync() : Sqlite<void>(); };
        const auto done =
            begin_.run().and_then(work).and_then([&] { return commit_.run(); }).and_then(synced);
        if (done) return {};
        const bool covered_up = planted("failed-write-is-well");
        if (!covered_up) failure_ = sentence(done.error());
        // Fails where SQLite has rolled back already.
        static_cast<void>(rollback_.run());
        if (covered_up) return {};
        return tl::make_unexpected(failure_);
    }

    template <typename Use>
    Sqlite<void> each_row(Statement& statement, Use use) {
        while (true) {
            const auto row = statement.step();
            if (!row) return tl::make_unexpected(row.error());
            if (!*row) break;
            use(statement);
        }
        statement.reset();
        return {};
    }

    Sqlite<std::string> next_id(std::int64_t begun_ms) {
        const std::string date = date_of(begun_ms);
        std::uint64_t highest = 0;
        ids_of_day_.bind(1, date);
        const auto read = each_row(ids_of_day_, [&](const Statement& row) {
            const std::string id = row.text(0);
            std::uint64_t number = 0;
            std::from_chars(id.data() + date.size() + 1, id.data() + id.size(), number);
            highest = std::max(highest, number);
        });
        if (!read) return tl::make_unexpected(read.error());
        return fmt::format("{}-{}", date, highest + 1);
    }

    Sqlite<void> insert_run(RunSummary& run, const std::string& script_copy) {
        auto id = next_id(run.begun_ms);
        if (!id) return tl::make_unexpected(id.error());
        run.id = std::move(*id);
        insert_run_.bind(1, run.id)
            .bind(2, run.script)
            .bind(3, run.title)
            .bind(4, run.mode)
            .bind(5, run.digest);
        insert_run_.bind(6, run.begun_ms).bind_bytes(7, first_digest(run, script_copy));
        if (auto inserted = insert_run_.run(); !inserted) return inserted;
        return insert_script_.bind(1, run.id).bind_bytes(2, script_copy).run();
    }

    // The run's row; an empty id if there is none.
    Sqlite<RunRow> load_run(const std::string& id) {
        RunRow run;
        one_run_.bind(1, id);
        const auto read = each_row(one_run_, [&](const Statement& row) { run = read_run(row); });
        if (!read) return tl::make_unexpected(read.error());
        return run;
    }

    // Without an ending the run stands as it stood.
    Sqlite<void> insert_event(const std::string& run, const Event& event,
                              const std::optional<Ending>& new_ending) {
        const auto before = load_run(run);
        if (!before) return tl::make_unexpected(before.error());
        if (before->summary.id.empty())
            return tl::make_unexpected(SqliteError{SQLITE_NOTFOUND, fmt::format("there is no run {}", run)});
        const RunSummary& stood = before->summary;
        const Ending ending = new_ending.value_or(Ending{stood.ended_ms, stood.result, stood.exit_code});
        const EventRow row{run, name(event.kind), event.time_ms, serialized(event.body)};
        const std::string digest = next_digest(before->head, row);
        insert_event_.bind(1, before->number)
            .bind(2, row.kind)
            .bind(3, row.time_ms)
            .bind(4, row.body)
            .bind_bytes(5, digest);
        if (auto inserted = insert_event_.run(); !inserted) return inserted;
        advance_.bind(1, before->number).bind_bytes(2, digest).bind(3, ending.time_ms).bind(4, ending.result);
        return advance_.bind(5, static_cast<std::int64_t>(ending.exit_code)).run();
    }

    tl::expected<std::string, std::string> script(const std::string& run) {
        std::optional<std::string> text;
        script_.bind(1, run);
        const auto read = each_row(script_, [&](const Statement& row) { text = row.text(0); });
        if (!read) return tl::make_unexpected(sentence(read.error()));
        if (!text) return tl::make_unexpected(fmt::format("the journal has no script of a run {}", run));
        return *text;
    }

    static tl::expected<RunSummary, std::string> choose(const std::vector<RunSummary>& all,
                                                        const std::string& ending) {
        std::vector<const RunSummary*> by_part;  // the ending begins where a part of the id does
        std::vector<const RunSummary*> by_letters;
        for (const RunSummary& run : all) {
            if (run.id == ending) return run;
            if (ending.empty() || !run.id.ends_with(ending)) continue;
            by_letters.push_back(&run);
            if (run.id.ends_with("-" + ending)) by_part.push_back(&run);
        }
        const auto& found = by_part.empty() ? by_letters : by_part;
        if (found.size() == 1) return *found.front();
        if (found.empty()) return tl::make_unexpected(fmt::format("there is no run {}", ending));
        return tl::make_unexpected(
            fmt::format("more than one run ends in {}: {} and {}", ending, found[0]->id, found[1]->id));
    }

    tl::expected<std::vector<Event>, std::string> verified_events(const std::string& id) {
        const auto run = load_run(id);
        if (!run) return tl::make_unexpected(sentence(run.error()));
        if (run->summary.id.empty()) return tl::make_unexpected(fmt::format("there is no run {}", id));
        const auto text = script(id);
        if (!text) return tl::make_unexpected(text.error());
        std::string digest = first_digest(run->summary, *text);
        std::vector<Event> out;
        std::string broken;
        events_.bind(1, run->number);
        const auto read = each_row(events_, [&](const Statement& row) {
            if (broken.empty())
                broken = add_event(out, {id, row.text(0), row.number(1), row.text(2)}, row.text(3), digest);
        });
        if (!read) return tl::make_unexpected(sentence(read.error()));
        if (broken.empty() && digest != run->head)
            broken = fmt::format("rows after row {} of run {} are missing, or the run's own row was changed",
                                 out.size(), id);
        if (broken.empty()) return out;
        return tl::make_unexpected(
            broken + "; the journal is not as migc wrote it, and says nothing reliable about what stands");
    }

    // Appends the event of a row whose digest follows from the one before; else says what is wrong.
    static std::string add_event(std::vector<Event>& out, const EventRow& row, const std::string& stored,
                                 std::string& digest) {
        digest = next_digest(digest, row);
        Event event{EventKind::RunBegun, row.time_ms, nlohmann::json::parse(row.body, nullptr, false)};
        const auto broken = [&](const char* how) {
            return fmt::format("row {} of run {} ({}) {}", out.size() + 1, row.run, row.kind, how);
        };
        if (digest != stored && !planted("chain-not-checked"))
            return broken("does not follow from the one before it");
        if (!parse(row.kind, event.kind) || !well_formed(event))
            return broken("is no event that this migc can read");
        out.push_back(std::move(event));
        return {};
    }

    std::mutex mutex_;
    Database database_;
    std::filesystem::path root_;  // of the project
    Layout layout_ = numbered;
    std::string failure_;  // of the first write that failed
    Statement begin_, commit_, rollback_;
    Statement all_runs_, one_run_, ids_of_day_, insert_run_, insert_script_, script_;
    Statement insert_event_, advance_, events_;
};

tl::expected<std::unique_ptr<Journal>, std::string> journal_on(Database database,
                                                               const std::filesystem::path& root,
                                                               bool for_writing) {
    auto journal = std::make_unique<SqliteJournal>(std::move(database), root);
    auto prepared = journal->prepare_reading();
    if (prepared && for_writing) prepared = journal->prepare_writing();
    if (!prepared) return tl::make_unexpected("the journal cannot be used: " + sentence(prepared.error()));
    return journal;
}

}  // namespace

tl::expected<std::unique_ptr<Journal>, std::string> Journal::open(const std::filesystem::path& root) {
    return open_for_writing(root).and_then(
        [&](Database&& database) { return journal_on(std::move(database), root, true); });
}

tl::expected<std::unique_ptr<Journal>, std::string> Journal::open_existing(
    const std::filesystem::path& root) {
    auto database = open_for_reading(root);
    if (!database) return tl::make_unexpected(database.error());
    if (!*database) return nullptr;
    return journal_on(std::move(**database), root, false);
}

}  // namespace migc::runtime
