#include "runtime/session/detach.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/support/read_file.hpp"
#include "runtime/journal/state_folder.hpp"

namespace migc::session {
namespace {

namespace fs = std::filesystem;
using Error = tl::unexpected<std::string>;

constexpr int cut_off = 4;

std::string read_to_the_end(int descriptor) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t size = ::read(descriptor, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

// Waits until the run has begun, or the other half has ended without one.
Detached::Foreground wait_for(pid_t background, int told, const fs::path& log) {
    Detached::Foreground foreground{0, read_to_the_end(told), {}};
    ::close(told);
    if (!foreground.run.empty()) return foreground;
    int status = 0;
    while (::waitpid(background, &status, 0) < 0 && errno == EINTR) continue;
    foreground.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : cut_off;
    foreground.output = read_file(log, any_size).value_or("");
    std::error_code ignored;
    fs::remove(log, ignored);
    return foreground;
}

void leave_terminal(int log) {
    ::setsid();
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
}

}  // namespace

tl::expected<Detached::Halves, std::string> Detached::split(const fs::path& root) {
    const auto folder = runtime::make_state_folder(root);
    if (!folder) return Error(folder.error());
    std::string log = (folder->path() / "output-XXXXXX").string();
    const int output = ::mkostemp(log.data(), O_CLOEXEC | O_APPEND);
    std::array<int, 2> pipe{};
    if (output < 0 || ::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return Error(fmt::format("{} cannot be created: {}", log, std::strerror(errno)));
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0) return Error(fmt::format("no process can be started: {}", std::strerror(errno)));
    Halves halves;
    if (child == 0) {
        ::close(pipe[0]);
        leave_terminal(output);
        halves.background.reset(new Detached(pipe[1], log));
    } else {
        ::close(pipe[1]);
        halves.foreground = wait_for(child, pipe[0], log);
    }
    ::close(output);
    return halves;
}

Detached::~Detached() {
    if (told_ >= 0) ::close(told_);
}

void Detached::begun(const std::string& run, const fs::path& folder) {
    if (told_ < 0) return;
    std::error_code ignored;  // then it stays where it is
    fs::rename(log_, folder / fmt::format("output-{}.txt", ::getpid()), ignored);
    [[maybe_unused]] const ssize_t written = ::write(told_, run.data(), run.size());
    ::close(told_);
    told_ = -1;
}

}  // namespace migc::session
