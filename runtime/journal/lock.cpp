#include "runtime/journal/lock.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
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

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "this machine";
}

}  // namespace

tl::expected<Lock, std::string> Lock::take(const std::filesystem::path& root, const std::string& purpose) {
    const std::filesystem::path file = root / ".migc" / "lock";
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return tl::unexpected(fmt::format("{} cannot be opened: {}", file.string(), std::strerror(errno)));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        std::string who = holder(descriptor);
        ::close(descriptor);
        return tl::unexpected(fmt::format(
            "{} is under way in this project; two at a time would undo each other's work. Wait for its end, or stop it with Ctrl-C; if it was killed, a tool that it had started is still at work",
            who));
    }
    const std::string who = fmt::format("{} (process {} on {})", purpose, ::getpid(), host_name());
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
