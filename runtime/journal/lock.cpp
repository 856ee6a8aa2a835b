#include "runtime/journal/lock.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace migc::runtime {
namespace {

std::string holder(int descriptor) {
    char text[512];
    const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "somebody";
}

// A tool that a dead run had started holds the lock a little longer.
constexpr int tries_behind_the_dead = 100;
constexpr auto pause_between_tries = std::chrono::milliseconds(100);

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "this machine";
}

std::string process_in_words(pid_t pid) {
    return fmt::format("(process {} on {})", pid, host_name());
}

// Whether the one who is named was a process of this machine, and is no more.
bool is_dead(const std::string& who) {
    constexpr std::string_view before = "(process ";
    const auto at = who.rfind(before);
    if (at == std::string::npos) return false;
    const pid_t pid = std::atoi(who.c_str() + at + before.size());
    return pid > 0 && who.ends_with(process_in_words(pid)) && ::kill(pid, 0) != 0 && errno == ESRCH;
}

bool lock_file(int descriptor) {
    for (int tries = 0; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (tries == tries_behind_the_dead || !is_dead(holder(descriptor))) return false;
        std::this_thread::sleep_for(pause_between_tries);
    }
    return true;
}

std::string refusal(const std::string& who) {
    if (is_dead(who))
        return fmt::format(
            "{} has ended, but a tool that it had started is still at work; what it does would be undone, or "
            "would undo. Wait for its end",
            who);
    return fmt::format(
        "{} is under way in this project; two at a time would undo each other's work. Wait for its end, or "
        "stop it with Ctrl-C",
        who);
}

}  // namespace

tl::expected<Lock, std::string> Lock::take(const std::filesystem::path& root, const std::string& purpose) {
    const std::filesystem::path file = root / ".migc" / "lock";
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return tl::unexpected(fmt::format("{} cannot be opened: {}", file.string(), std::strerror(errno)));
    if (!lock_file(descriptor)) {
        std::string why = refusal(holder(descriptor));
        ::close(descriptor);
        return tl::unexpected(std::move(why));
    }
    const std::string who = fmt::format("{} {}", purpose, process_in_words(::getpid()));
    // Only for messages: a lock whose holder cannot be named is a lock all the same.
    if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, who.data(), who.size(), 0) < 0) errno = 0;
    return Lock(descriptor);
}

Lock::~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

}  // namespace migc::runtime
