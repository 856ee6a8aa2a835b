// A run that was asked for and is not in the journal yet. Until it is, a small file below `.migc/starting`
// says so: whoever says `last` means the run that was started last, and must not get the one before it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "runtime/trust/private_folder.hpp"

namespace migc::runtime::inline journal {

class Starting {
  public:
    // Leaves the trace, durably. None where the project has no journal: there is no earlier run that could be
    // taken for this one. Traces of runs that were cut off before go: this one is the last started now.
    Starting(const std::filesystem::path& root, const std::string& purpose);
    // Takes it away, unless it is another process's: the run is in the journal, or has said why it is not.
    ~Starting();
    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;

    // The run is in the journal.
    void begun();
    // The operator has stopped it before it was: the trace stays, for `last` would be taken to mean this one.
    void stopped() { file_.clear(); }
    // In the process that goes on with it: the trace is its own from now on.
    void take_over();

  private:
    void leave();

    std::string purpose_;
    std::optional<trust::PrivateFolder> folder_;
    std::string file_;  // in it; empty: there is none
    int owner_ = 0;
};

// Why `last` is no run: one was started later and has not begun. As a sentence; nothing if none was.
std::optional<std::string> not_begun(const std::filesystem::path& root);

}  // namespace migc::runtime::inline journal
