#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string_view>

#include <fmt/format.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/json_text.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/journal/starting.hpp"
#include "runtime/journal/storage.hpp"
#include "runtime/trust/bytes.hpp"
#include "runtime/trust/local_witness.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime::inline journal {

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
    std::string seal;  // by which the journal's witness knows the run
};

RunRow read_run(const Statement& row) {
    RunRow run;
    run.summary = {row.text(0),   row.text(1), row.text(2),
                   row.text(3),   row.text(4), row.number(5),
                   row.number(6), row.text(7), static_cast<int>(row.number(8))};
    run.head = row.text(9);
    run.seal = row.text(10);
    run.number = row.number(11);
    return run;
}

// A row of the table of events, its digest apart.
struct EventRow {
    std::string run;
    std::string kind;
    std::int64_t time_ms = 0;
    std::string body;  // JSON, exactly as stored
};

// SHA-256 (32 bytes). Each field goes in with its length before it, so that no two rows give the same bytes.
std::string digest_of(std::initializer_list<std::string_view> fields) {
    std::string bytes;
    for (const std::string_view field : fields) {
        for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(field.size() >> (8 * i));
        bytes += field;
    }
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), trust::raw(bytes), bytes.size());
    return std::string(as_text(digest));
}

// What the chain of a run begins with: what the run is, and the script that it runs.
std::string first_digest(const RunSummary& about, std::string_view script_copy) {
    return digest_of({"migc journal 1", about.id, about.script, about.title, about.mode, about.digest,
                      std::to_string(about.begun_ms), script_copy});
}

std::string next_digest(std::string_view previous, const EventRow& row) {
    return digest_of({previous, row.run, row.kind, std::to_string(row.time_ms), row.body});
}

bool is_only_progress(EventKind kind) {
    return kind == EventKind::StepBegun || kind == EventKind::Waiting;
}

// Bytes that are no UTF-8 (from a tool's output) are replaced: JSON cannot hold them.
std::string serialized(const nlohmann::json& body) {
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// How a run stands after an event; nothing of it for a run that is going on.
struct Ending {
    std::int64_t time_ms = 0;
    std::string result = word(Outcome::Unfinished);
    int exit_code = 0;
};

// What its witness is to know a run by. What its chain has of it is in the head.
trust::RunState state_of(const RunSummary& run, const Ending& ending, const std::string& head) {
    return {run.id, head, fmt::format("{} {} {}", ending.time_ms, ending.exit_code, ending.result)};
}

trust::RunState state_of(const RunRow& run) {
    return state_of(run.summary, {run.summary.ended_ms, run.summary.result, run.summary.exit_code}, run.head);
}

// A run's rows, whose chain is whole.
struct Chain {
    RunRow run;
    std::vector<Event> events;
    std::vector<std::string> heads;  // the digest that the run begins with, then that of each row
};

bool leads_through(const Chain& chain, const std::string& head) {
    return std::find(chain.heads.begin(), chain.heads.end(), head) != chain.heads.end();
}

// Why its witness will not answer for a journal of another place, or of nobody.
struct Standing {
    std::string original;  // this is a copy of the journal that lies there
    std::vector<std::string> notes;
};

class SqliteJournal : public Journal {
  public:
    SqliteJournal(Database database, std::filesystem::path root, std::unique_ptr<trust::Witness> witness,
                  Standing standing)
        : database_(std::move(database)),
          root_(std::move(root)),
          witness_(std::move(witness)),
          standing_(std::move(standing)) {}

    Sqlite<void> prepare_reading() {
        const auto format = database_.number("PRAGMA user_version");
        if (!format) return tl::unexpected(format.error());
        layout_ = *format < 3 ? indexed : numbered;
        const auto sealed =
            database_.number("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'seal'");
        if (!sealed) return tl::unexpected(sealed.error());
        const std::string select =
            fmt::format("SELECT {}, {}, number FROM runs", columns, *sealed != 0 ? "seal" : "''");
        return prepare({{rollback_, "ROLLBACK"},
                        {all_runs_, select + " ORDER BY number DESC"},
                        {one_run_, select + " WHERE id = ?1"},
                        {script_, "SELECT text FROM scripts WHERE run = ?1"},
                        {events_, layout_.events}});
    }

    Sqlite<void> prepare_writing() {
        const auto insert_run = fmt::format(
            "INSERT INTO runs ({}, seal, number) VALUES (?1,?2,?3,?4,?5,?6,0,'unfinished',0,?7,?8,{})",
            columns, layout_.next_run);
        return prepare(
            {{begin_, "BEGIN IMMEDIATE"},
             {commit_, "COMMIT"},
             {ids_of_day_,
              "SELECT id FROM runs WHERE id GLOB ?1 || '-*' UNION "
              "SELECT run FROM scripts WHERE run GLOB ?1 || '-*'"},
             {insert_run_, insert_run},
             {insert_script_, "INSERT INTO scripts (run, text) VALUES (?1, ?2)"},
             {insert_event_, layout_.insert_event},
             {advance_,
              "UPDATE runs SET head=?2, ended_ms=?3, result=?4, exit_code=?5, seal=?6 WHERE number=?1"}});
    }

    tl::expected<std::string, std::string> begin_run(const RunSummary& about,
                                                     const std::string& script_copy) override {
        const std::lock_guard guard(mutex_);
        RunSummary run = about;
        return write([&] { return insert_run(run, script_copy); }).map([&] { return run.id; });
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
        if (!synced) failure_ = synced.error();
        if (synced) tell_witness();
        return trusted();
    }

    tl::expected<void, std::string> end_run(const std::string& run, const Event& event) override {
        const std::lock_guard guard(mutex_);
        const auto* end = event.as<events::RunEnded>();
        const Ending ending{event.time_ms, end == nullptr ? "" : word(end->result),
                            end == nullptr ? 0 : static_cast<int>(end->exit_code)};
        return write([&] { return insert_event(run, event, ending); });
    }

    tl::expected<std::vector<RunSummary>, std::string> runs() override {
        const std::lock_guard guard(mutex_);
        std::vector<RunSummary> out;
        return each_row(all_runs_, [&](const Statement& row) { out.push_back(read_run(row).summary); })
            .and_then([&] { return durably(std::move(out)); });
    }

    tl::expected<RunSummary, std::string> find(const std::string& id) override {
        auto all = runs();
        if (!all) return tl::unexpected(all.error());
        if (all->empty()) return tl::unexpected(std::string("there are no runs yet"));
        if (id != "last") return choose(*all, id);
        if (const auto why = not_begun(root_))
            return tl::unexpected(
                fmt::format("{}. If you mean the run before it, name it: {}", *why, all->front().id));
        return all->front();
    }

    tl::expected<std::vector<Event>, std::string> events(const std::string& run) override {
        const std::lock_guard guard(mutex_);
        return at_one_time([&] { return verified_chain(run); }).map([](Chain&& chain) {
            return std::move(chain.events);
        });
    }

    tl::expected<std::string, std::string> script_copy(const std::string& run) override {
        const std::lock_guard guard(mutex_);
        return script(run);
    }

    tl::expected<void, std::string> vouched(const std::string& run) override {
        const std::lock_guard guard(mutex_);
        if (!standing_.original.empty()) return tl::unexpected(is_copy(run));
        // Asked before the rows are read: what is written meanwhile may be more, and never less.
        const Memory memory = recall(run);
        const auto why = at_one_time([&] { return why_not_vouched(run, memory); });
        if (!why) return tl::unexpected(why.error());
        if (why->empty()) return {};
        return tl::unexpected(fmt::format(
            "run {0} is only shown, and not acted upon: {1}. Look at it with `migc show {0}`; if you "
            "answer for it, `migc journal adopt --because \"..\"` writes that down",
            run, *why));
    }

    [[nodiscard]] std::vector<std::string> notes() const override { return standing_.notes; }

    std::optional<std::string> doubt() override {
        const std::lock_guard guard(mutex_);
        std::vector<std::string> unknown;
        for (const std::string& run : missing(witness_->runs()).value_or(std::vector<std::string>()))
            unknown.push_back(run + " (missing)");
        const auto read = each_row(all_runs_, [&](const Statement& row) {
            const RunRow run = read_run(row);
            if (!is_known(run)) unknown.push_back(run.summary.id);
        });
        if (!read || unknown.empty()) return std::nullopt;
        return fmt::format(
            "nothing shows that this user wrote what stands here of {}{}: it is only shown, and not acted upon",
            fmt::join(unknown.begin(), unknown.begin() + std::min<std::ptrdiff_t>(std::ssize(unknown), 5),
                      ", "),
            unknown.size() > 5 ? fmt::format(" and {} more", unknown.size() - 5) : "");
    }

    std::optional<std::string> lost() override {
        const std::lock_guard guard(mutex_);
        std::map<std::string, Memory> memories;  // before the rows are read, as in `vouched`
        for (const std::string& run : witness_->runs()) memories.emplace(run, recall(run));
        const auto why = at_one_time([&] { return first_lost(memories); });
        if (!why) return why.error();
        return why->empty() ? std::nullopt : std::optional(*why);
    }

    tl::expected<std::vector<AdoptedRun>, std::string> adopt(const events::Adopted& decision,
                                                             std::int64_t now_ms) override {
        const std::lock_guard guard(mutex_);
        if (const auto why = witness_->silent())
            return tl::unexpected(
                fmt::format("nothing can be adopted, since it could not be kept: {}", *why));
        const Memory memory = recall("");
        std::vector<AdoptedRun> looked_at;
        std::vector<std::string> gone;
        const auto written = write([&] { return adopt_all(decision, now_ms, memory, looked_at, gone); });
        if (!written) return tl::unexpected(written.error());
        for (const std::string& run : gone) witness_->forget(run);
        return looked_at;
    }

  private:
    // What the witness remembers.
    struct Memory {
        std::optional<std::string> head;  // of the run that is asked for
        std::vector<std::string> runs;
    };

    Memory recall(const std::string& run) const { return {witness_->remembered(run), witness_->runs()}; }

    [[nodiscard]] std::string is_copy(const std::string& run) const {
        return fmt::format(
            "{0} is a copy: run {1} was made in {2}, and is there, too. Act there: `cd {2}`. If the project has moved "
            "here for good, take {2}/.migc away first",
            root_.string(), run, standing_.original);
    }

    [[nodiscard]] bool is_known(const RunRow& run) const { return witness_->knows(state_of(run), run.seal); }

    // Of the runs that the witness remembers those that the journal has not.
    tl::expected<std::vector<std::string>, std::string> missing(std::vector<std::string> remembered) {
        return each_row(all_runs_, [&](const Statement& row) { std::erase(remembered, row.text(0)); })
            .map([&] { return remembered; });
    }

    tl::expected<std::string, std::string> first_lost(const std::map<std::string, Memory>& memories) {
        for (const auto& [id, memory] : memories) {
            const auto gone = missing({id});
            if (!gone) return tl::unexpected(gone.error());
            if (!gone->empty())
                return fmt::format("the journal has no run {} any more, which was written here", id);
            const auto chain = verified_chain(id);
            if (!chain) return tl::unexpected(chain.error());
            if (memory.head && !leads_through(*chain, *memory.head))
                return fmt::format("rows of run {} that were written here are missing", id);
        }
        return std::string();
    }

    // Empty if it is. An error if that cannot be told.
    tl::expected<std::string, std::string> why_not_vouched(const std::string& id, const Memory& memory) {
        const auto chain = verified_chain(id);
        if (!chain) return tl::unexpected(chain.error());
        const RunRow& run = chain->run;
        if (const auto why = witness_->silent(); why && run.seal.empty())
            return fmt::format("its journal is not authenticated ({})", *why);
        if (!is_known(run))
            return fmt::format(
                "nothing shows that {} wrote it: it was made by somebody else, on another "
                "machine, or by an older migc",
                operator_here());
        if (memory.head && !leads_through(*chain, *memory.head))
            return std::string(
                "rows of it that were written here are missing: its end was removed, or an older copy of the "
                "journal was put back");
        const auto gone = missing(memory.runs);
        if (!gone) return tl::unexpected(gone.error());
        if (!gone->empty())
            return fmt::format(
                "the journal has no run {} any more, which was written here: it was taken out, or "
                "an older copy of the journal was put back",
                fmt::join(*gone, ", "));
        return std::string();
    }

    // What is read is read in one transaction, so that a row which is being added is seen with the new head
    // or not at all.
    template <typename Read>
    auto at_one_time(Read read) -> decltype(read()) {
        if (auto begun = database_.execute("BEGIN"); !begun) return tl::unexpected(begun.error());
        auto out = read();
        const auto ended = rollback_.run();  // fails where an error has ended the transaction already
        if (!out) return out;
        if (!ended) return tl::unexpected(ended.error());
        return durably(std::move(*out));
    }

    // Whether a row that is added to it here is marked: only a run that was vouched for stays so.
    bool is_ours(const RunRow& run) {
        if (!is_known(run)) return false;
        const auto known = ours_.find(run.summary.id);
        if (known != ours_.end()) return known->second;
        const auto why = why_not_vouched(run.summary.id, recall(run.summary.id));
        return ours_[run.summary.id] = why && why->empty();
    }

    std::string mark(const trust::RunState& state) {
        std::string mark = witness_->mark(state);
        if (!mark.empty()) untold_.insert_or_assign(state.run, state);
        return mark;
    }

    // After the rows are durable, and never before.
    void tell_witness() {
        for (const auto& [run, state] : untold_) witness_->remember(state);
        untold_.clear();
    }

    Sqlite<void> adopt_all(events::Adopted decision, std::int64_t now_ms, const Memory& memory,
                           std::vector<AdoptedRun>& looked_at, std::vector<std::string>& gone) {
        std::vector<std::string> all;
        const auto read = each_row(all_runs_, [&](const Statement& row) { all.push_back(row.text(0)); });
        if (!read) return read;
        gone = missing(memory.runs).value_or(std::vector<std::string>());
        for (const std::string& id : all) {
            const auto why = why_not_vouched(id, recall(id));
            if (why && why->empty()) continue;
            looked_at.push_back({id, why ? *why : why.error(), why.has_value()});
            if (!why) continue;  // nobody knows what one would answer for
            decision.why = *why;
            decision.gone = gone;
            ours_[id] = true;
            if (auto added = insert_event(id, {now_ms, decision}, std::nullopt, true); !added) return added;
        }
        for (const std::string& id : gone) looked_at.push_back({id, "the journal has it no more", false});
        return {};
    }

    Sqlite<void> prepare(std::initializer_list<std::pair<Statement&, std::string>> wanted) {
        for (const auto& [statement, sql] : wanted) {
            auto prepared = database_.prepare(sql.c_str());
            if (!prepared) return tl::unexpected(prepared.error());
            statement = std::move(*prepared);
        }
        return {};
    }

    // Another process may have written what was read, and not yet waited for the disk.
    template <typename Read>
    tl::expected<Read, std::string> durably(Read read) {
        if (const auto synced = database_.sync(); !synced) return tl::unexpected(synced.error());
        return read;
    }

    tl::expected<void, std::string> append(const std::string& run, const Event& event, bool durably) {
        const std::lock_guard guard(mutex_);
        if (is_only_progress(event.kind())) return trusted();
        // A person's word about a step does not make the run go on.
        const auto ending = event.kind() == EventKind::Resolved ? std::nullopt : std::optional(Ending{});
        return write([&] { return insert_event(run, event, ending); }, durably);
    }

    [[nodiscard]] tl::expected<void, std::string> trusted() const {
        if (failure_.empty()) return {};
        return tl::unexpected("nothing is written after a write that failed: " + failure_);
    }

    // Runs the work as one transaction. The first failure is the last write: what a failed commit left on
    // the disk is not known, so no later success may cover it up.
    template <typename Work>
    tl::expected<void, std::string> write(Work work, bool durably = true) {
        if (auto usable = trusted(); !usable) return usable;
        const auto synced = [&] { return durably ? database_.sync() : Sqlite<void>(); };
        const auto done =
            begin_.run().and_then(work).and_then([&] { return commit_.run(); }).and_then(synced);
        if (done && durably) tell_witness();
        if (done) return {};
        untold_.clear();
        failure_ = done.error();
        // Fails where SQLite has rolled back already.
        static_cast<void>(rollback_.run());
        return tl::unexpected(failure_);
    }

    template <typename Use>
    Sqlite<void> each_row(Statement& statement, Use use) {
        while (true) {
            const auto row = statement.step();
            if (!row) return tl::unexpected(row.error());
            if (!*row) break;
            use(statement);
        }
        statement.reset();
        return {};
    }

    Sqlite<std::string> next_id(std::int64_t begun_ms) {
        const std::string date = trust::written_time(begun_ms).substr(0, 10);
        std::uint64_t highest = 0;
        const auto count = [&](const std::string& id) {
            std::uint64_t number = 0;
            if (id.starts_with(date + "-"))
                std::from_chars(id.data() + date.size() + 1, id.data() + id.size(), number);
            highest = std::max(highest, number);
        };
        ids_of_day_.bind(1, date);
        const auto read = each_row(ids_of_day_, [&](const Statement& row) { count(row.text(0)); });
        if (!read) return tl::unexpected(read.error());
        // A run that is missing from an older copy goes on missing.
        for (const std::string& id : witness_->runs()) count(id);
        return fmt::format("{}-{}", date, highest + 1);
    }

    Sqlite<void> insert_run(RunSummary& run, const std::string& script_copy) {
        auto id = next_id(run.begun_ms);
        if (!id) return tl::unexpected(id.error());
        run.id = std::move(*id);
        insert_run_.bind(1, run.id)
            .bind(2, run.script)
            .bind(3, run.title)
            .bind(4, run.mode)
            .bind(5, run.digest);
        const std::string head = first_digest(run, script_copy);
        ours_[run.id] = true;
        insert_run_.bind(6, run.begun_ms)
            .bind_bytes(7, head)
            .bind_bytes(8, mark(state_of(run, Ending{}, head)));
        if (auto inserted = insert_run_.run(); !inserted) return inserted;
        return insert_script_.bind(1, run.id).bind_bytes(2, script_copy).run();
    }

    Sqlite<RunRow> load_run(const std::string& id) {
        std::optional<RunRow> run;
        one_run_.bind(1, id);
        const auto read = each_row(one_run_, [&](const Statement& row) { run = read_run(row); });
        if (!read) return tl::unexpected(read.error());
        if (!run) return tl::unexpected(fmt::format("there is no run {}", id));
        return std::move(*run);
    }

    // Without an ending the run stands as it stood.
    Sqlite<void> insert_event(const std::string& run, const Event& event,
                              const std::optional<Ending>& new_ending, bool adopted = false) {
        const auto before = load_run(run);
        if (!before) return tl::unexpected(before.error());
        const RunSummary& stood = before->summary;
        const Ending ending = new_ending.value_or(Ending{stood.ended_ms, stood.result, stood.exit_code});
        const EventRow row{run, name(event.kind()), event.time_ms, serialized(encode(event.body))};
        const std::string digest = next_digest(before->head, row);
        const bool ours = adopted || is_ours(*before);
        insert_event_.bind(1, before->number)
            .bind(2, row.kind)
            .bind(3, row.time_ms)
            .bind(4, row.body)
            .bind_bytes(5, digest);
        if (auto inserted = insert_event_.run(); !inserted) return inserted;
        advance_.bind(1, before->number).bind_bytes(2, digest).bind(3, ending.time_ms).bind(4, ending.result);
        advance_.bind(5, static_cast<std::int64_t>(ending.exit_code));
        return advance_.bind_bytes(6, ours ? mark(state_of(stood, ending, digest)) : "").run();
    }

    tl::expected<std::string, std::string> script(const std::string& run) {
        std::optional<std::string> text;
        script_.bind(1, run);
        const auto read = each_row(script_, [&](const Statement& row) { text = row.text(0); });
        if (!read) return tl::unexpected(read.error());
        if (!text) return tl::unexpected(fmt::format("the journal has no script of a run {}", run));
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
        if (found.empty()) return tl::unexpected(fmt::format("there is no run {}", ending));
        return tl::unexpected(
            fmt::format("more than one run ends in {}: {} and {}", ending, found[0]->id, found[1]->id));
    }

    tl::expected<Chain, std::string> verified_chain(const std::string& id) {
        auto run = load_run(id);
        if (!run) return tl::unexpected(run.error());
        const auto text = script(id);
        if (!text) return tl::unexpected(text.error());
        std::string digest = first_digest(run->summary, *text);
        Chain chain{std::move(*run), {}, {digest}};
        std::string broken;
        events_.bind(1, chain.run.number);
        const auto read = each_row(events_, [&](const Statement& row) {
            if (!broken.empty()) return;
            broken =
                add_event(chain.events, {id, row.text(0), row.number(1), row.text(2)}, row.text(3), digest);
            chain.heads.push_back(digest);
        });
        if (!read) return tl::unexpected(read.error());
        if (broken.empty() && digest != chain.run.head)
            broken = fmt::format("rows after row {} of run {} are missing, or the run's own row was changed",
                                 chain.events.size(), id);
        if (broken.empty()) return chain;
        return tl::unexpected(
            broken + "; the journal is not as migc wrote it, and says nothing reliable about what stands");
    }

    // Appends the event of a row whose digest follows from the one before; else says what is wrong.
    static std::string add_event(std::vector<Event>& out, const EventRow& row, const std::string& stored,
                                 std::string& digest) {
        digest = next_digest(digest, row);
        auto body = decode(row.kind, nlohmann::json::parse(row.body, nullptr, false));
        const auto broken = [&](const char* how) {
            return fmt::format("row {} of run {} ({}) {}", out.size() + 1, row.run, row.kind, how);
        };
        if (digest != stored) return broken("does not follow from the one before it");
        if (!body) return broken("is no event that this migc can read");
        out.push_back({row.time_ms, std::move(*body)});
        return {};
    }

    std::mutex mutex_;
    Database database_;
    std::filesystem::path root_;  // of the project
    std::unique_ptr<trust::Witness> witness_;
    Standing standing_;
    std::map<std::string, bool> ours_;               // runs to which something was added
    std::map<std::string, trust::RunState> untold_;  // as they stand by what is not yet durable
    Layout layout_ = numbered;
    std::string failure_;  // of the first write that failed
    Statement begin_, commit_, rollback_;
    Statement all_runs_, one_run_, ids_of_day_, insert_run_, insert_script_, script_;
    Statement insert_event_, advance_, events_;
};

namespace fs = std::filesystem;

// The journal's own name; empty for one that no migc with witnesses has written.
std::string identity_of(Database& database) {
    auto asked = database.prepare("SELECT name FROM identity");
    const auto row = asked ? asked->step() : tl::unexpected(asked.error());
    return row && *row ? asked->text(0) : "";
}

// Whether the journal that is meant still lies in another folder.
bool lies_at(const fs::path& root, const std::string& identity, const fs::path& here) {
    std::error_code error;
    if (root.empty() || fs::equivalent(root, here, error)) return false;
    auto other = open_for_reading(root);
    return other && *other && identity_of(**other) == identity;
}

struct Witnessed {
    std::unique_ptr<trust::Witness> witness;
    Standing standing;
};

// For reading: whoever looks makes nothing.
Witnessed witness_to_read(Database& database, const fs::path& root) {
    const std::string identity = identity_of(database);
    auto witness = trust::LocalWitness::open(identity, root, false);
    Standing standing;
    if (lies_at(witness->place(), identity, root)) standing.original = witness->place().string();
    return {std::move(witness), std::move(standing)};
}

// A copy becomes a journal of its own; what it has of the original's runs is the original's.
Sqlite<Witnessed> witness_to_write(Database& database, const fs::path& root) {
    std::string identity = identity_of(database);
    auto witness = trust::LocalWitness::open(identity, root, true);
    if (lies_at(witness->place(), identity, root)) {
        identity = trust::new_journal_identity();
        const auto named = database.execute(fmt::format("UPDATE identity SET name = '{}'", identity).c_str());
        if (!named) return tl::unexpected(named.error());
        witness = trust::LocalWitness::open(identity, root, true);
    }
    Standing standing;
    std::error_code error;
    if (const auto why = witness->silent())
        standing.notes.push_back(fmt::format(
            "this journal is not authenticated ({}): once this command has ended, what it writes is "
            "only shown, and neither taken back nor counted as evidence",
            *why));
    else if (const fs::path before = witness->place(); !fs::equivalent(before, root, error)) {
        standing.notes.push_back(
            fmt::format("this project was in {}, and has moved to {}", before.string(), root.string()));
        witness->moved_to(root);
    }
    return Witnessed{std::move(witness), std::move(standing)};
}

tl::expected<std::unique_ptr<Journal>, std::string> journal_on(Database database, const fs::path& root,
                                                               bool for_writing) {
    const auto unusable = [](const std::string& why) {
        return tl::unexpected("the journal cannot be used: " + why);
    };
    auto witnessed =
        for_writing ? witness_to_write(database, root) : Sqlite<Witnessed>(witness_to_read(database, root));
    if (!witnessed) return unusable(witnessed.error());
    auto journal = std::make_unique<SqliteJournal>(std::move(database), root, std::move(witnessed->witness),
                                                   std::move(witnessed->standing));
    auto prepared = journal->prepare_reading();
    if (prepared && for_writing) prepared = journal->prepare_writing();
    if (!prepared) return unusable(prepared.error());
    return journal;
}

}  // namespace

tl::expected<std::unique_ptr<Journal>, std::string> Journal::open(const fs::path& root) {
    return open_for_writing(root).and_then(
        [&](Database&& database) { return journal_on(std::move(database), root, true); });
}

tl::expected<std::unique_ptr<Journal>, std::string> Journal::open_existing(const fs::path& root) {
    auto database = open_for_reading(root);
    if (!database) return tl::unexpected(database.error());
    if (!*database) return nullptr;
    return journal_on(std::move(**database), root, false);
}

tl::expected<std::vector<trust::NotedJournal>, std::string> gone_journals(const fs::path& root) {
    auto noted = trust::journals_noted_at(root);
    if (!noted || noted->empty()) return noted;
    auto database = open_for_reading(root);
    if (!database) return tl::unexpected(database.error());
    const std::string here = *database ? identity_of(**database) : "";
    std::erase_if(*noted, [&](const trust::NotedJournal& one) { return one.identity == here; });
    return noted;
}

std::optional<std::string> what_is_gone(const std::vector<trust::NotedJournal>& journals,
                                        const fs::path& root) {
    const trust::NotedJournal* newest = nullptr;
    std::size_t runs = 0;
    for (const trust::NotedJournal& one : journals) {
        if (!one.given_up.empty()) continue;
        runs += one.runs.size();
        if (newest == nullptr || one.written > newest->written) newest = &one;
    }
    if (newest == nullptr) return std::nullopt;
    return fmt::format(
        "a journal of this user's with {} run{} (the last one {}) lay in {}, and is not there any more. Put its "
        ".migc back; if it is gone for good, or the project moved away with it, say so: `migc journal adopt "
        "--because \"..\"`",
        runs, runs == 1 ? "" : "s", newest->runs.back(), root.string());
}

}  // namespace migc::runtime::inline journal
