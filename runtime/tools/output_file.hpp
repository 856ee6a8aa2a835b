// A file that is there whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/support/write_file.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// Written under another name beside its own; only `finish` gives it that. Until then, and if it is never
// finished, there is nothing new under the name.
class OutputFile {
  public:
    // Mode 0600. The error is a sentence without a full stop.
    static tl::expected<OutputFile, std::string> create(const std::filesystem::path& file);

    [[nodiscard]] int descriptor() const { return file_.descriptor(); }

    struct Written {
        std::string digest;  // SHA-256 in hexadecimal
        std::int64_t size = 0;
    };
    // When everything is written: waits until the disk has it, reads it back for the digest, and names it.
    tl::expected<Written, std::string> finish();
    // A command that goes on writing without being waited for keeps its file, under the other name.
    void leave() { file_.leave(); }
    // The beginning of what is written, at most 1 MiB.
    [[nodiscard]] std::string content() const;

  private:
    OutputFile(std::filesystem::path path, AtomicFile file);

    std::filesystem::path path_;
    AtomicFile file_;
};

// Writes the output that an answer holds into a file, and puts digest and size in its place. Where that
// fails, the answer is a failure; that of a command that failed keeps its output.
void move_output_to_file(Answer& answer, const std::string& file);
// The files under another name of a command that was to write this one, and was cut off together with migc.
std::vector<std::filesystem::path> unfinished_outputs(const std::filesystem::path& file);

// Names a file that a command has written; the answer gets digest and size, or becomes a failure. Of a
// command that failed the answer gets what it had written, as without a file, and the file goes.
void finish_output(Answer& answer, OutputFile& file);

// The SHA-256 of a file's content, in hexadecimal. The error is a sentence without a full stop.
tl::expected<std::string, std::string> digest_of_file(const std::filesystem::path& file);

}  // namespace migc::runtime::inline tools
