// Threads beside the one that waits for tools: signals are for that one.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace migc::runtime {

// A thread that does the work, and that no signal interrupts.
template <typename Work>
std::thread thread_without_signals(Work work) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(work));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace migc::runtime
