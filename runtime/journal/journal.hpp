// The durable record of runs: one row per event, each row carrying the digest of the one before it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/semantics/outcome.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/trust/local_witness.hpp"

namespace migc::runtime::inline journal {

struct RunSummary {
    std::string id;      // "2026-11-23-1", short enough to type
    std::string script;  // path as given
    std::string title;   // of the migration, or empty
    std::string mode;    // live | simulated | replayed
    std::string digest;  // change digest
    std::int64_t begun_ms = 0;
    std::int64_t ended_ms = 0;  // 0 while it runs, or if it was cut off
    std::string result;         // as the journal has it: the word of an outcome
    int exit_code = 0;
    [[nodiscard]] Outcome outcome() const { return outcome_of(result); }
};

// A run that a person was to take over. Not adopted is one that the journal does not have any more, or whose
// rows do not fit together.
struct AdoptedRun {
    std::string run;  // its id
    std::string why;  // it was not trusted, or is not adopted
    bool adopted = false;
};

class Journal {
  public:
    // Opens or creates `.migc/journal.db` below the project's root; the folder is 0700, the files 0600.
    // The error is a sentence for people (no space, no permission, not a journal, made by a newer migc; not
    // this user's: see state_folder.hpp).
    static tl::expected<std::unique_ptr<Journal>, std::string> open(const std::filesystem::path& root);
    // The same, but never creates or changes anything; nullptr if there is no journal yet.
    static tl::expected<std::unique_ptr<Journal>, std::string> open_existing(
        const std::filesystem::path& root);

    virtual ~Journal() = default;

    // Makes a new run and returns its id. `script_copy` is kept so that undo does not depend on the file.
    virtual tl::expected<std::string, std::string> begin_run(const RunSummary& about,
                                                             const std::string& script_copy) = 0;
    // Durable when it returns. An error means: the journal is not to be trusted, start no further effect.
    virtual tl::expected<void, std::string> append(const std::string& run, const Event& event) = 0;
    // Written when it returns: no end of this process loses it. A loss of power may, until the next `append`,
    // `end_run` or `sync`, each of which makes durable all that was appended before.
    virtual tl::expected<void, std::string> append_unsynced(const std::string& run, const Event& event) {
        return append(run, event);
    }
    virtual tl::expected<void, std::string> sync() { return {}; }
    virtual tl::expected<void, std::string> end_run(const std::string& run, const Event& event) = 0;

    // Newest first.
    virtual tl::expected<std::vector<RunSummary>, std::string> runs() = 0;
    // An id, or an unambiguous end of one, or "last": the run that was started last. If that one has not
    // begun, it is no run, and the one before it is not meant.
    virtual tl::expected<RunSummary, std::string> find(const std::string& id) = 0;
    // In order. An error if the chain of digests is broken, naming the row.
    virtual tl::expected<std::vector<Event>, std::string> events(const std::string& run) = 0;
    virtual tl::expected<std::string, std::string> script_copy(const std::string& run) = 0;

    // Whether what it says of a run may be acted upon: taken back, gone on with, counted as evidence. That is
    // for the journal's witness to say (see trust/witness.hpp); whatever it says, a run can be looked at. The
    // error is a sentence for people: why not, and what to do.
    virtual tl::expected<void, std::string> vouched(const std::string& run) = 0;
    // What whoever acts by it is told once: that nobody will vouch for what is written now; that the project
    // was moved. Sentences.
    [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
    // The same for whoever looks at its runs; nothing where all of them are vouched for, as far as can be
    // told without reading them.
    virtual std::optional<std::string> doubt() { return std::nullopt; }
    // What was written here and is not there any more, as a sentence: runs that were taken out, rows that
    // were cut off. Nothing where all is there, as far as the witness remembers.
    virtual std::optional<std::string> lost() { return std::nullopt; }
    // A person answers for all that is not vouched for: it is added to each such run.
    virtual tl::expected<std::vector<AdoptedRun>, std::string> adopt(const events::Adopted& decision,
                                                                     std::int64_t now_ms) = 0;
};

// The journals with runs that were written at this root by whoever is here, and are not the one that lies
// there now: taken away, deleted, or replaced. What they had is not known, so that nothing may be concluded
// from what the one that is there has not. Those that a person has given up (`migc journal adopt`) are among
// them.
tl::expected<std::vector<trust::NotedJournal>, std::string> gone_journals(const std::filesystem::path& root);

// The sentence about those that nobody has given up: what happened, and what to do; nothing if there are
// none.
std::optional<std::string> what_is_gone(const std::vector<trust::NotedJournal>& journals,
                                        const std::filesystem::path& root);

}  // namespace migc::runtime::inline journal
