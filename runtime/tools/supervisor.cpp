#include "runtime/tools/supervisor.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>
#include <poll.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/escape.hpp"

namespace migc::runtime::inline tools {

namespace {

using std::chrono::milliseconds;

// How long output is still read after the child has ended, where something else holds the pipe open.
constexpr milliseconds drain_limit(200);
// What a command leaves running has this long to comply with SIGTERM.
constexpr int descendants_patience_ms = 200;
// What SIGKILL has not ended by then waits in the kernel, for instance for a dead file server.
constexpr milliseconds kill_limit(2'000);
constexpr std::size_t beginning = std::size_t{64} << 10;
constexpr std::int64_t longest_limit_ms = std::int64_t{365} * 24 * 3600 * 1000;

int poll_timeout(Supervisor::Clock::time_point limit) {
    const auto left = std::chrono::ceil<milliseconds>(limit - Supervisor::Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace

Supervisor::Supervisor(const CommandLine& command, const LiveOptions& options, Child child, std::string token,
                       Streams streams)
    : command_(command),
      options_(options),
      child_(std::move(child)),
      descendants_(child_.pid(), std::move(token)),
      streams_(std::move(streams)),
      limit_(begun_ + milliseconds(std::min(command.within_ms, longest_limit_ms))),
      interrupts_to_pass_on_(std::max(2, interrupts() + 1)) {}

Answer Supervisor::follow() {
    while (!ended_ && phase_ != Phase::LeftAlone) {
        await_event(limit_);
        pass_interrupts_on();
        if (!ended_ && Clock::now() >= limit_) limit_reached();
    }
    if (ended_) drain();
    return answer();
}

void Supervisor::await_event(Clock::time_point limit) {
    std::array<pollfd, 4> polled = {{{child_.exit_descriptor(), POLLIN, 0},
                                     {streams_.output.descriptor(), POLLIN, 0},
                                     {streams_.errors.descriptor(), POLLIN, 0},
                                     {interrupt_descriptor(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), poll_timeout(limit)) <= 0) return;
    ended_ = ended_ || polled[0].revents != 0;
    if (polled[1].revents != 0) streams_.output.take();
    if (polled[2].revents != 0) streams_.errors.take();
    if (polled[3].revents != 0) clear_interrupt_descriptor();
}

void Supervisor::pass_interrupts_on() {
    if (interrupts() < interrupts_to_pass_on_) return;
    interrupt_once();
}

void Supervisor::interrupt_once() {
    if (std::exchange(interrupted_, true)) return;
    if (command_.graceful) {
        child_.signal(SIGINT);
    } else {
        child_.signal_group(SIGINT);
    }
}

void Supervisor::limit_reached() {
    if (phase_ == Phase::Running) return ask_to_end();
    if (phase_ == Phase::Killed || command_.graceful) {
        phase_ = Phase::LeftAlone;
        return;
    }
    descendants_.end(0);
    phase_ = Phase::Killed;
    limit_ = Clock::now() + kill_limit;
}

void Supervisor::ask_to_end() {
    phase_ = Phase::AskedToEnd;
    if (command_.graceful) {
        interrupt_once();
    } else {
        child_.signal_group(SIGTERM);
    }
    limit_ = Clock::now() + milliseconds(command_.graceful ? options_.gentle_patience_ms : options_.grace_ms);
}

void Supervisor::drain() {
    const auto limit = Clock::now() + drain_limit;
    while (outputs_open()) {
        std::array<pollfd, 2> polled = {
            {{streams_.output.descriptor(), POLLIN, 0}, {streams_.errors.descriptor(), POLLIN, 0}}};
        ::poll(polled.data(), polled.size(), poll_timeout(limit));
        if (polled[0].revents != 0) streams_.output.take();
        if (polled[1].revents != 0) streams_.errors.take();
        if (Clock::now() >= limit) return;
    }
}

bool Supervisor::outputs_open() const {
    return streams_.output.open() || streams_.errors.open();
}

bool Supervisor::may_have_left_descendants() const {
    return phase_ != Phase::Running || outputs_open() || orphans_alive();
}

Answer Supervisor::answer() {
    Answer answer;
    const bool end_descendants = ended_ && !command_.graceful && may_have_left_descendants();
    answer.reason = reason(end_descendants ? descendants_.end(descendants_patience_ms) : 0);
    if (ended_) {
        const Child::Exit exit = child_.reap();
        answer.ending = exit.ending;
        answer.status = exit.status;
    }
    if (phase_ != Phase::Running) answer.ending = Ending::TimedOut;
    streams_.output.take_file();
    streams_.errors.take_file();
    answer.truncated = streams_.output.truncated();
    answer.output = streams_.output.text();
    // No data any more, and for a message the beginning will do.
    if (answer.truncated && answer.output.size() > beginning) {
        answer.output.resize(beginning);
        answer.output.shrink_to_fit();
    }
    answer.errors = streams_.errors.text();
    answer.took_ms = std::chrono::duration_cast<milliseconds>(Clock::now() - begun_).count();
    return answer;
}

std::string Supervisor::reason(int ended_descendants) const {
    const std::string program = escaped(command_.argv.front());
    const std::string limit = shown_duration(command_.within_ms);
    if (phase_ == Phase::LeftAlone)
        return fmt::format(
            "{} did not finish within {}, was asked to stop and is still running as process {}; "
            "whether it acted is not known",
            program, limit, child_.pid());
    if (phase_ != Phase::Running)
        return fmt::format("{} did not finish within {} and was {}; whether it acted is not known", program,
                           limit, command_.graceful ? "asked to stop, which it did" : "ended");
    if (ended_descendants == 0) return {};
    return fmt::format("{} left {} process{} running, which {} ended with it", program, ended_descendants,
                       ended_descendants == 1 ? "" : "es", ended_descendants == 1 ? "was" : "were");
}

}  // namespace migc::runtime::inline tools
