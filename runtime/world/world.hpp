// The simulated world: clusters, terraform, a registry, web endpoints and scripts, described by a YAML file.
// It answers the argument lists that live tools get, in the tools' own output formats, on a virtual clock.
// What it does not model it refuses with exit status 64 and a sentence that says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "runtime/tools/tools.hpp"
#include "runtime/world/interference.hpp"

namespace migc::runtime::inline world {

// The exit status of a command that the simulated world does not model.
constexpr int not_modelled = 64;

enum class FaultKind : std::uint8_t {
    FailBefore,    // exit 1, nothing was done
    FailAfter,     // it was done, exit 1 all the same
    TimeoutAfter,  // it was done, and the answer never came
    Hang,          // nothing was done, and no answer came
    Garbage,       // it was done, exit 0, and the output is no answer
    Down,          // from this command on, every read of its tool fails for a time
};

// "fail-before", "hang", ...
std::string_view name(FaultKind kind);

// One thing that goes wrong, once.
struct Fault {
    FaultKind kind = FaultKind::FailBefore;
    // A part of the command line as shown to people, with or without the tool's leading connection options
    // ("kubectl scale" finds "kubectl --context staging --namespace web scale ..."). Empty: every command.
    std::string text;
    std::size_t nth = 1;              // which of the commands with this text, counted from 1
    std::int64_t lasts_ms = 120'000;  // Down: for how long
};

// "fail-before: kubectl scale", "hang: curl #2" (the second such command), "down 10m: kubectl get".
// The kinds: fail-before, fail-after, timeout-after, hang, garbage, down. The error says what is wrong.
tl::expected<Fault, std::string> parse_fault(std::string_view text);

struct Simulation;
class Others;

class World : public Tools {
  public:
    explicit World(std::unique_ptr<Simulation> simulation);
    ~World() override;

    Answer run(const CommandLine& command) override;
    // For `kubectl get --watch-only`; null for everything else. The world must outlive it.
    std::unique_ptr<Watch> watch(const CommandLine& command) override;
    std::unique_ptr<Watch> watch_all() override;
    tl::expected<bool, std::string> running(const std::string& log) override;
    Answer stop(const std::string& log, std::int64_t grace_ms) override;
    Time now() override;
    // Lets the world go on until the deadline, at once.
    WakeReason sleep_until(Time deadline) override;
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "simulated"; }

    // Counts commands from now on.
    void inject(Fault fault);

    // Another one acts as well. Counts commands from now on; files are those below `root`.
    void interfere(Interference interference);
    void stand_in(std::filesystem::path root);
    // For what goes by steps and not by commands: a step of that text begins to act, or has ended.
    void step(const std::string& text, bool ended);
    // At once. The error: nothing of the kind can be done there.
    tl::expected<void, std::string> act_as_other(Deed deed, const Changed& where);
    // What a command would change if it were run now; it is not run. Files that it writes it may write.
    [[nodiscard]] std::vector<Changed> would_change(const CommandLine& command) const;
    // From now on an earlier world can be shown to a look that is stale.
    void keep_memory();
    // What others wrote, in order; looked at when it is asked for.
    [[nodiscard]] const std::vector<OthersWrite>& ledger();
    // Each interference that came to nothing, in a sentence.
    [[nodiscard]] std::vector<std::string> idle_interference() const;

    // Each fault that has met no command, in a sentence that says what may have been meant.
    [[nodiscard]] std::vector<std::string> idle_faults() const;

    // The whole state as canonical JSON: two worlds with the same state are in the same state for an
    // operator. Left out is what an exact undo does not bring back: clock, counters, uids, pod names, restart
    // annotations, what was posted. Kept is what runs: how many pods are ready, with which image and
    // configuration.
    [[nodiscard]] std::string state() const;

    // Every command line that was run, as shown to people.
    [[nodiscard]] const std::vector<std::string>& commands() const { return commands_; }
    // Those of them that changed something, in order.
    [[nodiscard]] const std::vector<std::string>& acted() const { return acted_; }
    // The bodies of what was posted to web endpoints, in order.
    [[nodiscard]] const std::vector<std::string>& posted() const;

  private:
    struct Armed {
        Fault fault;
        std::size_t seen = 0;
        bool fired = false;
    };
    const Fault* due(const CommandLine& command);
    bool is_down(const CommandLine& command) const;
    Answer with_files(const CommandLine& command);
    Answer perform(const CommandLine& command);
    Answer perform(const CommandLine& command, const Fault& fault);
    Answer timed_out(const CommandLine& command);

    std::unique_ptr<Simulation> simulation_;
    std::unique_ptr<Others> others_;
    std::vector<Armed> faults_;
    std::map<std::string, Time> outages_;  // by tool: until when it is down
    std::vector<std::string> commands_;
    std::vector<std::string> acted_;
};

// Reads a world from a file of the source map. What is wrong in the file is reported into `diagnostics` with
// its place; the error is then a summary in one sentence.
tl::expected<std::unique_ptr<World>, std::string> load_world(FileId file, const SourceMap& sources,
                                                             Diagnostics& diagnostics);

}  // namespace migc::runtime::inline world
