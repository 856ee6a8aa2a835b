// The effect boundary: whatever touches the outside, the clock included, goes through here.
// Live (child processes), simulated (a world) and replayed (recordings) differ here and nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::runtime::inline tools {

// Milliseconds since 1970-01-01T00:00Z. A simulated clock starts at a fixed time and leaps.
using Time = std::int64_t;

struct CommandLine {
    std::string tool;               // the declared tool, for messages and rules: "kubectl"
    std::vector<std::string> argv;  // argv[0] is the program, found on PATH or a path; no shell, ever
    std::string input;              // given on standard input, which is then closed
    std::string input_file;         // in place of `input`: standard input is this file
    // Standard output goes into this file, whole or not at all: it gets its name (in place of an older file)
    // only when the command has ended well and the disk has all of it. Larger than memory is no matter.
    std::string output_file;
    // The program goes on running after the command, also when migc has ended. Its output goes into this new
    // file, whose path is its name from then on: see `running` and `stop`.
    std::string log;
    std::vector<std::string> environment;  // "NAME=value", added to the allow-listed variables
    std::string directory;                 // working directory; empty: that of migc
    std::int64_t within_ms = 60'000;       // the longest it may take
    bool graceful = false;  // at the limit send one SIGINT and wait; never SIGKILL (terraform apply)
    // A declaration of the project says what is run, or how, and not the standard library: see consent.hpp.
    bool of_project = false;
};

enum class Ending : std::uint8_t {
    Exited,      // status is the exit code
    Signalled,   // status is the signal
    TimedOut,    // ended because it took too long; whether it acted is not known
    NotStarted,  // the program could not be started; nothing happened
};

// What a tool did, so far as the caller can see it.
struct Answer {
    Ending ending = Ending::NotStarted;
    int status = 0;
    std::string output;      // standard output, at most `output_limit` bytes
    std::string errors;      // standard error, its last 64 KiB
    bool truncated = false;  // output was longer; it must then not be read as data
    std::string reason;      // NotStarted, TimedOut: one sentence for people
    std::int64_t took_ms = 0;
    // Of an `output_file` that was written: its SHA-256 in hexadecimal, and its size in bytes.
    std::string output_digest;
    std::int64_t output_size = 0;
    // The tool said no before it did anything: what is seen afterwards is not its doing. False where that is
    // not certain, a server that could not be reached in the middle included.
    bool refused = false;
    // Of a native of an inverse: what it left as it is, so as not to destroy it, and why. A sentence.
    std::string held = {};
    // Of a native that made or changed one thing: which, in its server's words. As `Reading::identity`.
    std::string identity = {};

    [[nodiscard]] bool succeeded() const { return ending == Ending::Exited && status == 0; }
};

// As if a tool could not be started, and why: nothing was begun, so nothing has to be undone.
Answer not_started(std::string reason);
// As if a tool had ended with a status.
Answer exited(int status, std::string output, std::string errors = {});
// As if a tool had been cut off: whether it acted is not known.
Answer cut_off(std::string reason);

constexpr std::size_t output_limit = std::size_t{64} << 20;

enum class WakeReason : std::uint8_t { Changed, Deadline, Ended, Interrupted };

// A tool that goes on printing when something may have changed (kubectl get --watch). Ended on destruction.
class Watch {
  public:
    virtual ~Watch() = default;
    // Returns on news (several that arrive together count once), at the deadline, or when the tool ended.
    virtual WakeReason wait(Time deadline) = 0;
};

// A program as it is on the disk.
struct ProgramFile {
    std::string path;
    std::string digest;  // SHA-256 in hexadecimal; of a script, of its text
};

class Tools {
  public:
    virtual ~Tools() = default;

    virtual Answer run(const CommandLine& command) = 0;
    // Null where the tool cannot watch: the caller then reads again after a pause.
    virtual std::unique_ptr<Watch> watch(const CommandLine& command) = 0;
    // News of whatever becomes different by itself while it is waited for: only a simulation can know. Null
    // everywhere else.
    virtual std::unique_ptr<Watch> watch_all() { return nullptr; }

    // Whether the program with this log, started by this or by an earlier migc, still runs. The error: it
    // could not be found out.
    virtual tl::expected<bool, std::string> running(const std::string& log);
    // Ends it and what it has started: SIGTERM, up to `grace_ms` to comply, then SIGKILL. Well, too, where it
    // does not run any more.
    virtual Answer stop(const std::string& log, std::int64_t grace_ms);

    virtual Time now() = 0;
    // Like `now`, but goes on evenly whatever the clock is set to, also while the machine sleeps; the two
    // agree when the tools are made.
    virtual Time steady() { return now(); }
    // Returns early with Interrupted when the operator asked to stop.
    virtual WakeReason sleep_until(Time deadline) = 0;

    // The file that a program's name stands for, and its content; nullopt where none is run (a simulation, a
    // replay), or it is not installed.
    virtual std::optional<ProgramFile> program_file(const std::string& /*program*/) { return std::nullopt; }
    // Of the programs that `program_file` was asked for: a sentence about one that is not that file any more.
    // Such a one is never started: `run` answers that it was not, with this sentence.
    virtual std::optional<std::string> changed_program() { return std::nullopt; }

    // Whether several commands may run at a time (the branches of `parallel`).
    [[nodiscard]] virtual bool concurrent() const = 0;
    // "live", "simulated", "replayed": shown wherever a result is told.
    [[nodiscard]] virtual std::string kind() const = 0;
};

// Hands everything on to other tools, which outlive it: the base of those that do something about some of it.
class ForwardingTools : public Tools {
  public:
    explicit ForwardingTools(Tools& tools) : tools_(tools) {}

    Answer run(const CommandLine& command) override { return tools_.run(command); }
    std::unique_ptr<Watch> watch(const CommandLine& command) override { return tools_.watch(command); }
    std::unique_ptr<Watch> watch_all() override { return tools_.watch_all(); }
    tl::expected<bool, std::string> running(const std::string& log) override { return tools_.running(log); }
    Answer stop(const std::string& log, std::int64_t grace_ms) override { return tools_.stop(log, grace_ms); }
    Time now() override { return tools_.now(); }
    Time steady() override { return tools_.steady(); }
    WakeReason sleep_until(Time deadline) override { return tools_.sleep_until(deadline); }
    std::optional<ProgramFile> program_file(const std::string& program) override {
        return tools_.program_file(program);
    }
    std::optional<std::string> changed_program() override { return tools_.changed_program(); }
    [[nodiscard]] bool concurrent() const override { return tools_.concurrent(); }
    [[nodiscard]] std::string kind() const override { return tools_.kind(); }

  protected:
    Tools& tools_;
};

// The argv as one could type it into a shell, for people: plain words bare, others in single quotes,
// control characters escaped. Never given to a shell by migc.
std::string shown(const std::vector<std::string>& argv);

}  // namespace migc::runtime::inline tools
