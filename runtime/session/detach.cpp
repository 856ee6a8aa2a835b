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
Detached::Foreground wait_for(pid_t background, const Descriptor& pipe, const fs::path& log) {
    Detached::Foreground foreground{0, read_to_the_end(pipe.get()), {}};
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
    const Descriptor output(::mkostemp(log.data(), O_CLOEXEC | O_APPEND));
    std::array<int, 2> pipe{};
    if (!output || ::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return Error(fmt::format("{} cannot be created: {}", log, std::strerror(errno)));
    std::fflush(nullptr);
    Descriptor reading(pipe[0]), writing(pipe[1]);
    const pid_t child = ::fork();
    if (child < 0) return Error(fmt::format("no process can be started: {}", std::strerror(errno)));
    Halves halves;
    if (child == 0) {
        leave_terminal(output.get());
        halves.background.reset(new Detached(std::move(writing), log));
    } else {
        writing.close();
        halves.foreground = wait_for(child, reading, log);
    }
    return halves;
}

void Detached::begun(const std::string& run, const fs::path& folder) {
    if (!foreground_) return;
    std::error_code ignored;  // then it stays where it is
    fs::rename(log_, folder / fmt::format("output-{}.txt", ::getpid()), ignored);
    write_all(foreground_.get(), run);
    foreground_.close();
}

}  // namespace migc::session
