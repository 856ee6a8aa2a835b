// Recordings of what tools answered, and tools that answer from one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// Transcript: a text file, one JSON object a line. Times are milliseconds since 1970.
//
//   {"migc-transcript":1,"begun":T}                                   first
//   {"run":[ARGV],"input":D,"at":T,"took":N,"ending":E,"status":N,"output":S,"errors":S,
//    "truncated":B,"reason":S}                                        a command, when it has ended
//   {"run":["running",LOG],..}  {"run":["stop",LOG],..}               of a program that was left running
//   {"watch":[ARGV],"input":D,"id":N,"at":T}                          a watch begins
//   {"news":N,"at":T}  {"ended":N,"at":T}                             watch N had news, ended
//
// The output of a command that wrote into an output file is what it wrote; a file larger than 1 MiB cannot be
// replayed, and says so.
// In an ARGV, names that migc made up for a pod or a job end in * in place of their digits ("migc-inside-*").
// D is the SHA-256 (hex) of the standard input, "" if there was none: the input itself may be secret. E is
// exited, signalled, timed-out or not-started. S is a string, or {"base64":".."} where it is not UTF-8.
// A last line that was cut off is passed over.

// A text that differs from run to run or from machine to machine (the project's folder, the run's folder) is
// written as its name wherever it occurs in an argv, so that the commands of another run match.
struct Normalisation {
    std::string text;  // "/home/kim/shop"; empty: nothing to replace
    std::string name;  // "${root}"
};

class RecordingTools : public ForwardingTools {
  public:
    using ForwardingTools::ForwardingTools;
    // Why the transcript is incomplete, as a sentence without a full stop; empty while it is complete.
    // A transcript that cannot be written never stops a run.
    [[nodiscard]] virtual std::string problem() const = 0;
};

// Passes everything on to `tools` and writes a transcript, replacing an older one, whose mode it keeps; that
// of a new one is 0600. `project`: see WriteOptions.
tl::expected<std::unique_ptr<RecordingTools>, std::string> make_recording_tools(
    std::unique_ptr<Tools> tools, const std::filesystem::path& file,
    std::vector<Normalisation> normalised = {}, const std::filesystem::path& project = {});

// Answers from a transcript. Commands with the same argv and input get their answers in the order recorded,
// and the last one again when there are no more; a command that is not there was NotStarted. Time is virtual:
// it begins with the recording, and moves by what commands took and to the deadlines slept for. A watch has
// the recorded news, each at its time, and then none; it ends where it ended. The error names file and line.
tl::expected<std::unique_ptr<Tools>, std::string> make_replayed_tools(
    const std::filesystem::path& file, std::vector<Normalisation> normalised = {});

}  // namespace migc::runtime::inline tools
