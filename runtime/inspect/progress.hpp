// What a run is at just now, for whoever asks from another terminal: a small file in the run's folder, beside
// the journal, which has only what is over. Losing it loses nothing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "compiler/support/descriptor.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline inspect {

struct Progress {
    std::string step;   // "staging/2"
    std::string text;   // "verify pods ready"
    std::string state;  // what it waits for: "1 of 4 pods ready"; may be empty
    Time since_ms = 0;
};
void to_json(nlohmann::json& json, const Progress& progress);

// Written by the run.
class ProgressFile {
  public:
    // Not written at all where there is no such folder.
    explicit ProgressFile(const std::filesystem::path& run_folder);

    // Events of one run, in order; called by one thread at a time.
    void on(const Event& event);

  private:
    void write();
    Descriptor descriptor_;
    Progress progress_;
};

// Nothing if there is none, if it is being written, or if no step is running.
std::optional<Progress> read_progress(const std::filesystem::path& run_folder);

}  // namespace migc::runtime::inline inspect
