// One child process: started without a shell in a session of its own, signalled and reaped without races.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

struct ChildPlan {
    std::string program;                   // its file
    std::vector<std::string> argv;         // argv[0] as the caller named it
    std::vector<std::string> environment;  // all of it
    std::string directory;                 // empty: that of migc
    int input = -1;                        // these three become 0, 1 and 2; all must be above 2
    int output = -1;
    int errors = -1;
    std::vector<int> inherited;  // further descriptors that stay open in it
    bool may_be_killed = false;  // by end_children_with_this_process
};

class Child {
  public:
    // The error is a sentence without a full stop; then nothing has happened.
    static tl::expected<Child, std::string> start(const ChildPlan& plan);

    [[nodiscard]] pid_t pid() const { return pid_; }
    // For poll(): readable once the child has ended.
    [[nodiscard]] int exit_descriptor() const { return exit_.get(); }
    [[nodiscard]] bool ended_within(int milliseconds) const;

    void signal(int number) const;
    // The child and what it started, except what has moved to a group of its own.
    void signal_group(int number) const;

    // The ending of a child that has ended: Exited or Signalled, with its status.
    struct Exit {
        Ending ending = Ending::Exited;
        int status = 0;
    };
    Exit reap();

  private:
    Child(pid_t pid, Descriptor exit) : pid_(pid), exit_(std::move(exit)) {}

    pid_t pid_;
    Descriptor exit_;
};

// From then on SIGINT, SIGTERM and SIGHUP end this process as they always do, and with it those children that
// may be killed: what only looks is of no use to anybody afterwards, and may wait for ever. Not for a run,
// which goes on until its step is at an end; see interrupts.hpp.
void end_children_with_this_process();

// Makes this process the one that orphaned descendants are handed to, so that they can be seen and ended.
void adopt_orphans();

// Whether this process has children that it did not start: a descendant outlived its parent. Reaps those that
// have ended. Costs one small read.
bool orphans_alive();

// A file in memory that holds `text`, to be read from its beginning. Unlike a pipe it needs no feeding.
Descriptor input_file(const std::string& text);

}  // namespace migc::runtime::inline tools
