// A run that outlives its terminal.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"

namespace migc::session {

// The half of a process that goes on in the background, in a session of its own, with its output in a file.
class Detached {
  public:
    // How it went on, for the process that stays in the foreground.
    struct Foreground {
        int exit_code = 0;
        std::string run;     // that has begun; empty: it could not
        std::string output;  // of one that could not
    };
    // What became of the call: one of the two.
    struct Halves {
        std::optional<Foreground> foreground;
        std::unique_ptr<Detached> background;
    };
    // To be called before any thread is started. The error is a sentence for people.
    static tl::expected<Halves, std::string> split(const std::filesystem::path& root);

    // The run has an id and a folder from now on: the output goes there, and whoever waits in the foreground
    // is told.
    void begun(const std::string& run, const std::filesystem::path& folder);

  private:
    Detached(Descriptor foreground, std::filesystem::path log)
        : foreground_(std::move(foreground)), log_(std::move(log)) {}
    Descriptor foreground_;  // the writing end of a pipe to it; closed: it knows
    std::filesystem::path log_;
};

}  // namespace migc::session
