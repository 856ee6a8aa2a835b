// A run that outlives its terminal.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

namespace migc::cli {

// The half of a process that goes on in the background, in a session of its own, with its output in a file.
class Detached {
  public:
    // What became of the call: the exit code for the process that stays in the foreground, once the run has
    // begun or could not; or, in the one that goes on, the object to tell so.
    struct Halves {
        std::optional<int> foreground;
        std::unique_ptr<Detached> background;
    };
    // To be called before any thread is started. The error is a sentence for people.
    static tl::expected<Halves, std::string> split(const std::filesystem::path& root);

    ~Detached();
    Detached(const Detached&) = delete;
    Detached& operator=(const Detached&) = delete;

    // The run has an id and a folder from now on: the output goes there, and whoever waits in the foreground
    // is told.
    void begun(const std::string& run, const std::filesystem::path& folder);

  private:
    Detached(int told, std::filesystem::path log) : told_(told), log_(std::move(log)) {}
    int told_;  // the writing end of a pipe to the foreground
    std::filesystem::path log_;
};

}  // namespace migc::cli
