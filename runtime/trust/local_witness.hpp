// The witness of a journal on one machine: this user's key, with which each run is marked (HMAC-SHA-256), and
// a note of the newest row of each run. Both lie in this user's configuration folder, where whoever brings a
// journal along has not written.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/tools/tools.hpp"
#include "runtime/trust/private_folder.hpp"
#include "runtime/trust/secret_digest.hpp"
#include "runtime/trust/witness.hpp"

namespace migc::trust {

// 32 hexadecimal digits, of which no two journals have the same.
std::string new_journal_identity();

// What a note of this user's says of a journal, wherever that is by now.
struct NotedJournal {
    std::string identity;
    std::vector<std::string> runs;
    runtime::Time written = 0;  // when the note was written last: no run of it did anything later
    std::string given_up;       // who has said, and why, that it need not be there any more; empty: nobody
    std::filesystem::path note;
};

// The journals that were written at this root and have runs: in the configuration of whoever is here, by the
// variables and by the user database. The notes can only keep something closed, so it does not matter who may
// write them. The error: there are notes that cannot be read.
tl::expected<std::vector<NotedJournal>, std::string> journals_noted_at(const std::filesystem::path& root);
// Writes into its note that it need not be there any more; `decision` is a line.
tl::expected<void, std::string> give_up(const NotedJournal& journal, const std::string& decision);

class LocalWitness : public Witness {
  public:
    // Of the journal of that identity, which lies in the project at `root`. Makes the key and the note where
    // they are missing and it is asked to; the journal's place is noted then, if no other one is.
    static std::unique_ptr<LocalWitness> open(const std::string& identity, const std::filesystem::path& root,
                                              bool make);

    // Where the journal lay when it was noted: a canonical path. Empty: nowhere is noted.
    [[nodiscard]] const std::filesystem::path& place() const { return place_; }
    // The journal lies at this root from now on.
    void moved_to(const std::filesystem::path& root);

    [[nodiscard]] std::optional<std::string> silent() const override { return silent_; }
    [[nodiscard]] std::string mark(const RunState& state) const override;
    [[nodiscard]] bool knows(const RunState& state, std::string_view mark) const override;
    void remember(const RunState& state) override;
    [[nodiscard]] std::optional<std::string> remembered(const std::string& run) const override;
    [[nodiscard]] std::vector<std::string> runs() const override;
    void forget(const std::string& run) override;

    // Those of which a note's text tells.
    static std::vector<std::string> runs_in(const std::string& note);

  private:
    // A line of the note, of a size that never changes, so that it is written over in place.
    struct Line {
        off_t at = 0;
        std::string run, head;
    };
    LocalWitness() = default;
    tl::expected<void, std::string> open_key(const std::filesystem::path& root, bool make);
    tl::expected<void, std::string> open_note(const std::filesystem::path& root, bool make);
    static std::vector<Line> lines_of(const std::string& note);
    [[nodiscard]] std::optional<Line> line_of(const std::string& run) const;

    std::string identity_;
    std::optional<std::string> silent_ = "there is no key of its user here";
    std::optional<DigestKey> key_;
    std::optional<PrivateFolder> folder_;
    Descriptor note_;
    std::filesystem::path place_;
    std::optional<Line> last_;  // of `remember`
};

}  // namespace migc::trust
