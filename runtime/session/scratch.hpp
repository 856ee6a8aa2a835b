#pragma once

#include "runtime/session/session.hpp"

namespace migc::session {

// A copy of the project in a temporary folder, for a simulated or replayed run that would edit its files;
// gone with the object.
class ScratchCopy {
  public:
    // Nothing if the run is live or the script edits no file. Sets the inventory's root to the copy.
    static tl::expected<std::unique_ptr<ScratchCopy>, std::string> make(const SessionOptions& options,
                                                                        Script& script);
    ~ScratchCopy();
    ScratchCopy(const ScratchCopy&) = delete;
    ScratchCopy& operator=(const ScratchCopy&) = delete;

    // The files that are not as they were copied: their path, and the digest of what they hold now, or null
    // for one that is gone.
    [[nodiscard]] nlohmann::json changed_files() const;
    // Makes it as it was copied; the error names a file for which that failed, or which is another by now.
    [[nodiscard]] tl::expected<void, std::string> restore() const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  private:
    ScratchCopy(std::filesystem::path of, std::filesystem::path folder)
        : of_(std::move(of)), folder_(std::move(folder)) {}
    std::filesystem::path of_;
    std::filesystem::path folder_;
    std::map<std::string, std::string> copied_;  // path -> digest
};

}  // namespace migc::session
