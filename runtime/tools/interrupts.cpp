#include "runtime/tools/interrupts.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr unsigned terminate_grace_seconds = 15;

std::atomic<int> arrived_count = 0;
std::atomic<int> told_count = 0;
std::atomic<int> bell = -1;  // an eventfd that is written to and never read
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler needs it");

void ring() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(bell, &one, sizeof one);
}

void on_signal(int signal) {
    const int saved_errno = errno;
    const bool first = arrived_count == 0;
    if (first || signal != SIGHUP) {
        ++arrived_count;
        ring();
    }
    if (first && (signal == SIGTERM || signal == SIGHUP)) ::alarm(terminate_grace_seconds);
    errno = saved_errno;
}

void handle(int signal) {
    struct sigaction current = {};
    ::sigaction(signal, nullptr, &current);
    // `nohup` asks for it. A shell that is no terminal's ignores SIGINT for what it starts in the background,
    // and that is no wish of anybody: such a run has to be told to stop, too.
    if (signal == SIGHUP && current.sa_handler == SIG_IGN) return;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    for (const int other : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) ::sigaddset(&action.sa_mask, other);
    ::sigaction(signal, &action, nullptr);
}

// Edge-triggered, so that each ring wakes each subscriber although nobody reads the bell.
Descriptor subscribe() {
    Descriptor subscription = above_standard(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    ::epoll_ctl(subscription.get(), EPOLL_CTL_ADD, bell, &event);
    return subscription;
}

}  // namespace

void install_interrupt_handlers() {
    static Descriptor owner = above_standard(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    bell = owner.get();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) handle(signal);
    ::signal(SIGPIPE, SIG_IGN);
}

int interrupts() {
    return arrived_count;
}

int interrupt_descriptor() {
    thread_local Descriptor subscription;
    if (!subscription && bell >= 0) subscription = subscribe();
    return subscription.get();
}

void clear_interrupt_descriptor() {
    epoll_event event = {};
    if (interrupt_descriptor() >= 0) ::epoll_wait(interrupt_descriptor(), &event, 1, 0);
}

InterruptNotice::InterruptNotice() : told_before_(told_count) {}

bool InterruptNotice::arrived() const {
    const int count = arrived_count;
    if (count <= told_before_) return false;
    told_count = count;
    return true;
}

}  // namespace migc::runtime::inline tools
