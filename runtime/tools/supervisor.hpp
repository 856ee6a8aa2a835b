// Follows one running command to its end: reads what it writes, keeps it to its limits, passes interrupts on.
#pragma once

#include <chrono>
#include <string>

#include "runtime/tools/child.hpp"
#include "runtime/tools/descendants.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/tools/stream.hpp"

namespace migc::runtime::inline tools {

class Supervisor {
  public:
    using Clock = std::chrono::steady_clock;

    struct Streams {
        Stream output{Keep::First, output_limit};
        Stream errors{Keep::Last, std::size_t{64} << 10};
    };

    Supervisor(const CommandLine& command, const LiveOptions& options, Child child, std::string token,
               Streams streams);

    // Returns when the command has ended, or when it must be left alone.
    Answer follow();

  private:
    enum class Phase { Running, AskedToEnd, Killed, LeftAlone };

    void await_event(Clock::time_point limit);
    void pass_interrupts_on();
    void interrupt_once();
    void limit_reached();
    void ask_to_end();
    void drain();
    [[nodiscard]] bool outputs_open() const;
    [[nodiscard]] bool may_have_left_descendants() const;
    [[nodiscard]] Answer answer();
    [[nodiscard]] std::string reason(int ended_descendants) const;

    const CommandLine& command_;
    const LiveOptions& options_;
    Child child_;
    Descendants descendants_;
    Streams streams_;
    Clock::time_point begun_ = Clock::now();
    Clock::time_point limit_;
    Phase phase_ = Phase::Running;
    bool ended_ = false;
    bool interrupted_ = false;
    int interrupts_to_pass_on_;
};

}  // namespace migc::runtime::inline tools
