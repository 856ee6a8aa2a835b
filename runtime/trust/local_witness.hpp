// The witness of a journal on one machine: this user's key, with which each run is marked (HMAC-SHA-256), and
// a note of the newest row of each run. Both lie in this user's configuration folder, where whoever brings a
// journal along has not written.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "runtime/trust/private_folder.hpp"
#include "runtime/trust/secret_digest.hpp"
#include "runtime/trust/witness.hpp"

namespace migc::trust {

// 32 hexadecimal digits, of which no two journals have the same.
std::string new_journal_identity();

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

  private:
    // A line of the note, of a size that never changes, so that it is written over in place.
    struct Line {
        off_t at = 0;
        std::string run, head;
    };
    LocalWitness() = default;
    tl::expected<void, std::string> open_key(const std::filesystem::path& root, bool make);
    tl::expected<void, std::string> open_note(const std::filesystem::path& root, bool make);
    [[nodiscard]] std::vector<Line> lines() const;
    [[nodiscard]] std::optional<Line> line_of(const std::string& run) const;

    std::string identity_;
    std::optional<std::string> silent_ = "there is no key of its user here";
    std::optional<DigestKey> key_;
    std::optional<PrivateFolder> folder_;
    runtime::Descriptor note_;
    std::filesystem::path place_;
    std::optional<Line> last_;  // of `remember`
};

}  // namespace migc::trust
