// Who answers for a journal: that what it says of a run was written by those who may write it, and that it is
// all that was written.
//
// A journal asks, and does not know how the answer is found. On one machine it is a key and a note of the
// newest rows in the user's own folder (local_witness.hpp); a store that a team shares answers by its roles,
// its tokens and its own chain.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migc::trust {

// A run as its newest row leaves it. `head` is the digest to which the chain of all its rows leads; what
// stands outside of the rows is in `about`.
struct RunState {
    std::string run;
    std::string head;
    std::string about;
};

class Witness {
  public:
    virtual ~Witness() = default;

    // Why it can answer for nothing that is written now, as a sentence for people; nothing if it can.
    [[nodiscard]] virtual std::optional<std::string> silent() const = 0;

    // What is to stand beside a run's newest row, written together with it, so that the witness knows the
    // run again. Empty if it cannot answer for it.
    [[nodiscard]] virtual std::string mark(const RunState& state) const = 0;
    [[nodiscard]] virtual bool knows(const RunState& state, std::string_view mark) const = 0;

    // The run stands as told, and no loss of power takes that back any more. To be told after the rows are
    // durable and never before: what the witness remembers must be in the journal.
    virtual void remember(const RunState& state) = 0;
    // The newest head of a run that it was told; to be asked before the rows are read.
    [[nodiscard]] virtual std::optional<std::string> remembered(const std::string& run) const = 0;
    // Every run that the journal must have.
    [[nodiscard]] virtual std::vector<std::string> runs() const = 0;
    // A person has decided that the journal need not have it any more.
    virtual void forget(const std::string& run) = 0;
};

}  // namespace migc::trust
