#include "runtime/tools/child.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "compiler/support/read_file.hpp"
#include "runtime/tools/pidfd.hpp"

namespace migc::runtime::inline tools {

namespace {

// The children that this process started itself. Starting, reaping and looking for orphans exclude each
// other, or a child just started by another thread would be taken for an orphan.
std::mutex own_mutex;
std::set<pid_t>& own_children() {
    static std::set<pid_t> children;
    return children;
}

// The same for a signal's handler, which can take no lock. Those for which there is no place are not in it.
constexpr std::size_t most_for_handler = 256;
std::array<std::atomic<pid_t>, most_for_handler> children_for_handler;

// A child comes in place of 0, and 0 in place of a child.
void replace_for_handler(pid_t old, pid_t pid) {
    for (auto& place : children_for_handler)
        if (pid_t found = old; place.compare_exchange_strong(found, pid)) return;
}

void end_children_and_oneself(int number) {
    for (const auto& place : children_for_handler)
        if (const pid_t pid = place.load(); pid > 0) ::kill(-pid, SIGKILL);
    ::raise(number);  // its handler was taken away when it came
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size() + 1);
    for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
    result.push_back(nullptr);
    return result;
}

class FileActions {
  public:
    explicit FileActions(const ChildPlan& plan) {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, plan.input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, plan.output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, plan.errors, STDERR_FILENO);
        // Onto itself: takes the close-on-exec flag away, in the child only.
        for (const int kept : plan.inherited) ::posix_spawn_file_actions_adddup2(&actions_, kept, kept);
        if (!plan.directory.empty())
            ::posix_spawn_file_actions_addchdir_np(&actions_, plan.directory.c_str());
    }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_ = {};
};

// A session of its own keeps the terminal's Ctrl-C away from the child: migc decides what it gets.
class Attributes {
  public:
    Attributes() {
        ::posix_spawnattr_init(&attributes_);
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        // All of them: then none is looked at before it is set, which is most of what a start costs.
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
    [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

  private:
    posix_spawnattr_t attributes_ = {};
};

bool holds_nul(const std::vector<std::string>& strings) {
    return std::ranges::any_of(strings, [](const std::string& one) { return one.find('\0') != one.npos; });
}

std::string why_not_started(const ChildPlan& plan, int error) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (!plan.directory.empty() && !fs::is_directory(plan.directory, ignored))
        return fmt::format("{} cannot be run in {}: there is no such directory", plan.program,
                           plan.directory);
    const bool exists = fs::exists(fs::path(plan.directory) / plan.program, ignored);
    if (error == ENOENT && exists)
        return plan.program + " cannot be run: the interpreter in its first line is not installed";
    if (error == ENOENT) return plan.program + " does not exist";
    if (error == EACCES) return plan.program + " is not executable: run chmod +x on it";
    if (error == ENOEXEC)
        return plan.program + " is not a program: a script needs a first line like #!/bin/sh";
    if (error == E2BIG) return plan.program + " was given arguments that are too long for the system";
    return fmt::format("{} could not be started: {}", plan.program, std::strerror(error));
}

}  // namespace

tl::expected<Child, std::string> Child::start(const ChildPlan& plan) {
    if (holds_nul(plan.argv) || holds_nul(plan.environment) || holds_nul({plan.directory}))
        return tl::unexpected(plan.program +
                              " was given an argument with a NUL character, which no program can read");
    const FileActions actions(plan);
    const Attributes attributes;
    const auto argv = pointers(plan.argv);
    const auto environment = pointers(plan.environment);
    // Holds a place for the descriptor that is needed once the child runs, when it is too late to fail.
    Descriptor place(::fcntl(plan.input, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!place) return tl::unexpected(plan.program + " could not be started: migc has too many files open");
    pid_t pid = -1;
    const std::scoped_lock lock(own_mutex);
    const int error = ::posix_spawn(&pid, plan.program.c_str(), actions.get(), attributes.get(), argv.data(),
                                    environment.data());
    if (error != 0) return tl::unexpected(why_not_started(plan, error));
    own_children().insert(pid);
    if (plan.may_be_killed) replace_for_handler(0, pid);
    place.close();
    return Child(pid, Descriptor(::pidfd_open(pid, 0)));
}

bool Child::ended_within(int milliseconds) const {
    pollfd polled = {exit_.get(), POLLIN, 0};
    return ::poll(&polled, 1, milliseconds) > 0;
}

void Child::signal(int number) const {
    ::pidfd_send_signal(exit_.get(), number, nullptr, 0);
}

// The group's number cannot have been given to others: the child is reaped last.
void Child::signal_group(int number) const {
    ::kill(-pid_, number);
}

Child::Exit Child::reap() {
    const std::scoped_lock lock(own_mutex);
    siginfo_t info = {};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) continue;
    own_children().erase(pid_);
    replace_for_handler(pid_, 0);
    return {info.si_code == CLD_EXITED ? Ending::Exited : Ending::Signalled, info.si_status};
}

void end_children_with_this_process() {
    struct sigaction action = {};
    action.sa_handler = end_children_and_oneself;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before = {};
        // What was to be ignored stays so (nohup).
        if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
            ::sigaction(number, &action, nullptr);
    }
}

void adopt_orphans() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    // Where migc was started with this signal ignored, the system would forget how children ended.
    ::signal(SIGCHLD, SIG_DFL);
}

bool orphans_alive() {
    const std::scoped_lock lock(own_mutex);
    // Orphans are handed to the main thread.
    const auto children = read_file(fmt::format("/proc/self/task/{}/children", ::getpid()), any_size);
    if (!children) return true;
    bool alive = false;
    pid_t pid = 0;
    const char* const end = children->data() + children->size();
    for (const char* at = children->data(); at < end; ++at) {
        at = std::from_chars(at, end, pid).ptr;
        if (!own_children().contains(pid)) alive |= ::waitpid(pid, nullptr, WNOHANG) == 0;
    }
    return alive;
}

Descriptor input_file(const std::string& text) {
    if (text.empty()) return above_standard(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Descriptor file = above_standard(::memfd_create("input", MFD_CLOEXEC));
    const bool whole = file && write_all(file.get(), text) && ::lseek(file.get(), 0, SEEK_SET) == 0;
    return whole ? std::move(file) : Descriptor();
}

}  // namespace migc::runtime::inline tools
