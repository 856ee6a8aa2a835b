// One live run or undo at a time in an environment.
//
// A lock is a file below `.migc/locks`, locked by the system for as long as its holder lives or something
// does that inherited the descriptor: a tool that outlives its run goes on holding it. The file names the
// holder; the time of its last change is the heartbeat.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::runtime::inline journal {

// Where two environments meet: the working files that steps edit.
inline const std::string project_files_lock = "project files";

struct LockHolder {
    std::string purpose;  // "the run of a.mig"
    std::string run;      // its id in the journal; empty until it has one
    std::string user;
    std::string host;
    int pid = 0;
    std::int64_t since_ms = 0;  // since 1970
    std::uint64_t epoch = 0;    // higher than that of every holder before
};

enum class LockCondition : std::uint8_t {
    Free,
    Held,
    Silent,    // held, but there has been no heartbeat for `heartbeat_limit_ms`
    Orphaned,  // the holder has ended, and a tool that it had started still works
};

constexpr std::int64_t heartbeat_ms = 2'000;
constexpr std::int64_t heartbeat_limit_ms = 15'000;

struct LockState {
    std::string name;  // of the environment, or `project_files_lock`
    LockCondition condition = LockCondition::Free;
    LockHolder holder;  // of Free: the last one, if there was any
    std::int64_t heartbeat_age_ms = 0;
    std::string broken;   // who broke it last, and why, as a sentence; empty if nobody did
    int stops_heard = 0;  // how often the holder has heard that it is to stop
};

// "held by the run of a.mig (2026-11-23-1) of ann, process 77 on web1; last heartbeat 1 s ago".
std::string describe(const LockState& state);

// All locks of a project, in the order of their names. Looks only.
std::vector<LockState> lock_states(const std::filesystem::path& root);

// Takes a lock away from a holder that cannot give it back: silent, orphaned, or on another machine and
// silent. It will begin nothing more (see Locks::lost). The state before; or why not, as a sentence for
// people.
tl::expected<LockState, std::string> break_lock(const std::filesystem::path& root, const std::string& name,
                                                const std::string& because);

// The locks of one run or undo.
class Locks {
  public:
    // All of them or none. Waits up to ten seconds for what a dead run left at work. The error says who holds
    // one, as a sentence for people; or why the lock's file cannot be used.
    static tl::expected<Locks, std::string> take(const std::filesystem::path& root,
                                                 std::vector<std::string> names, const std::string& purpose);
    Locks();
    ~Locks();
    Locks(Locks&& other) noexcept;
    Locks& operator=(Locks&& other) noexcept;

    // What a process that inherits them goes on holding.
    [[nodiscard]] std::vector<int> descriptors() const;
    // From now on the files name the run.
    void names_run(const std::string& run);
    // From now on the files also say how often the run has heard that it is to stop. `count` is called by
    // another thread, for as long as the locks are held.
    void tell_stops(std::function<int()> count);
    // Why one of them is not held any more: somebody broke it. To be asked before each effect; costs a system
    // call for each lock.
    [[nodiscard]] std::optional<std::string> lost() const;

  private:
    class Heart;
    struct Held;
    std::vector<Held> held_;
    std::unique_ptr<Heart> heart_;
};

}  // namespace migc::runtime::inline journal
