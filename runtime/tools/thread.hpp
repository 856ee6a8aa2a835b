// Threads beside the one that waits for tools: signals are for that one.
#pragma once

#include <csignal>

namespace migc::runtime::inline tools {

// What `start` gives: a thread, or a future. No signal interrupts what it has started.
template <typename Start>
auto without_signals(Start start) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    auto started = start();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
}

}  // namespace migc::runtime::inline tools
