#include "runtime/journal/lock.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/descriptor.hpp"
#include "runtime/journal/lock_file.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/tools/thread.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime::inline journal {
namespace {

namespace fs = std::filesystem;
using Error = tl::unexpected<std::string>;

// A tool that a dead run had started holds the lock a little longer.
constexpr int tries_behind_the_dead = 100;
constexpr auto pause_between_tries = std::chrono::milliseconds(100);
// Whoever tells a run to stop sees within this that it has heard it.
constexpr auto time_to_answer = std::chrono::milliseconds(200);
// Whoever has taken a lock needs a moment to write its name over the last holder's.
constexpr auto time_to_sign = std::chrono::milliseconds(200);

tl::expected<Descriptor, std::string> open_lock(const trust::PrivateFolder& folder, const std::string& file) {
    auto opened = folder.file(file, O_RDWR | O_CREAT);
    if (!opened) return Error(opened.error());
    return std::move(**opened);
}

// Whether the path still leads to the file that is open: a broken lock is another file.
bool is_still_at(int descriptor, const fs::path& path) {
    struct stat open {
    }, there{};
    return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &there) == 0 &&
           open.st_ino == there.st_ino && open.st_dev == there.st_dev;
}

std::string refusal(const LockState& state) {
    const std::string what = state.name == project_files_lock ? "the project's files are"
                                                              : fmt::format("environment {} is", state.name);
    const std::string who = fmt::format("{} {}", what, describe(state));
    if (state.condition == LockCondition::Orphaned)
        return who + ". What it does would be undone, or would undo. Wait for its end";
    if (state.condition == LockCondition::Silent)
        return fmt::format(
            "{}. If it cannot be brought to its end, `migc unlock \"{}\" --because \"..\"` takes the lock away",
            who, state.name);
    return who +
           ". Two at a time would undo each other's work. Wait for its end, or stop it with Ctrl-C there";
}

tl::expected<Descriptor, std::string> take_one(const fs::path& root, const std::string& name,
                                               const std::string& purpose) {
    const auto folder = make_state_folder(root, locks_name);
    if (!folder) return Error(folder.error());
    const std::string lock = lock_file(name);
    const fs::path path = folder->path() / lock;
    for (int tries = 0;; ++tries) {
        auto descriptor = open_lock(*folder, lock);
        if (!descriptor) return descriptor;
        const int file = descriptor->get();
        if (try_system_lock(file)) {
            if (!is_still_at(file, path)) continue;  // broken while it was opened
            LockRecord record = read_lock_record(file);
            const std::uint64_t epoch = record.holder.epoch + 1;
            record.holder = this_holder(purpose);
            record.holder.epoch = epoch;
            record.stops_heard = 0;
            write_lock_record(file, record);  // only told to people
            return descriptor;
        }
        const LockState state = lock_state(file, name);
        const bool passing =  // given back meanwhile, or soon
            state.condition == LockCondition::Free || state.condition == LockCondition::Orphaned;
        if (!passing || tries == tries_behind_the_dead) return Error(refusal(state));
        std::this_thread::sleep_for(pause_between_tries);
    }
}

// A new file in place of the one that the holder has locked, so that the next one can take it.
tl::expected<void, std::string> replace_lock(const trust::PrivateFolder& folder, const std::string& lock,
                                             const LockRecord& record) {
    const std::string beside = lock + ".new";
    const auto failed = [&](const char* what) {
        return Error(
            fmt::format("{} cannot be {}: {}", (folder.path() / lock).string(), what, std::strerror(errno)));
    };
    ::unlinkat(folder.descriptor(), beside.c_str(), 0);
    const auto descriptor = open_lock(folder, beside);
    if (!descriptor) return Error(descriptor.error());
    if (!write_lock_record(descriptor->get(), record)) return failed("written");
    if (::renameat(folder.descriptor(), beside.c_str(), folder.descriptor(), lock.c_str()) != 0)
        return failed("replaced");
    return {};
}

}  // namespace

std::string describe(const LockState& state) {
    if (state.condition == LockCondition::Free) return "free";
    const LockHolder& holder = state.holder;
    const std::string run = holder.run.empty() ? "" : fmt::format(" ({})", holder.run);
    const std::string who = holder.pid == 0 ? "somebody"
                                            : fmt::format("{}{} of {}, process {} on {}", holder.purpose, run,
                                                          holder.user, holder.pid, holder.host);
    const std::string heartbeat = shown_duration(state.heartbeat_age_ms);
    switch (state.condition) {
        case LockCondition::Orphaned:
            return fmt::format("held by a tool that is still at work though {} has ended", who);
        case LockCondition::Silent:
            return fmt::format("held by {}, which is silent: its last heartbeat was {} ago", who, heartbeat);
        default:
            return fmt::format("held by {}; last heartbeat {} ago", who, heartbeat);
    }
}

std::vector<LockState> lock_states(const fs::path& root) {
    std::vector<LockState> states;
    std::error_code error;
    const auto folder = find_state_folder(root, locks_name);
    if (!folder || !*folder) return states;  // whoever wants to take one is told why
    for (fs::directory_iterator i((*folder)->path(), error), end; !error && i != end; i.increment(error)) {
        const std::string file = i->path().filename().string();
        if (file.find('.') != std::string::npos) continue;  // no lock's name: see lock_file
        const auto descriptor = (*folder)->file(file, O_RDWR);
        if (descriptor && *descriptor) states.push_back(lock_state((*descriptor)->get(), file));
    }
    std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return states;
}

tl::expected<LockState, std::string> break_lock(const fs::path& root, const std::string& name,
                                                const std::string& because) {
    auto found = find_state_folder(root, locks_name);
    if (!found) return Error(found.error());
    const std::string lock = lock_file(name);
    const auto is_there = *found ? (*found)->has_file(lock) : false;
    if (!is_there) return Error(is_there.error());
    if (!*is_there) return Error(fmt::format("there is no lock of {}", name));
    const trust::PrivateFolder& folder = **found;
    // One at a time: what a second one looked at may be the lock of whoever came after the first.
    const auto breaking = open_lock(folder, ".breaking");
    if (!breaking) return Error(breaking.error());
    if (!try_system_lock(breaking->get()))
        return Error(std::string("somebody else is breaking a lock just now"));
    const auto descriptor = open_lock(folder, lock);
    if (!descriptor) return Error(descriptor.error());
    const std::uint64_t epoch = read_lock_record(descriptor->get()).holder.epoch;
    std::this_thread::sleep_for(time_to_sign);
    const LockState state = lock_state(descriptor->get(), name);
    if (state.holder.epoch != epoch)
        return Error(fmt::format("{} has just been taken by somebody else", name));
    if (state.condition == LockCondition::Free) return Error(fmt::format("{} is not locked", name));
    if (state.condition == LockCondition::Held)
        return Error(fmt::format("{} is {}: it is at work. Stop it with Ctrl-C, or with `kill -INT {}` on {}",
                                 name, describe(state), state.holder.pid, state.holder.host));
    LockRecord record{state.holder, fmt::format("broken by {} because {}", operator_here(), because)};
    ++record.holder.epoch;
    if (auto replaced = replace_lock(folder, lock, record); !replaced) return Error(replaced.error());
    return state;
}

struct Locks::Held {
    std::string name;
    fs::path path;
    Descriptor descriptor;
};

// Beats until it is gone.
class Locks::Heart {
  public:
    explicit Heart(std::vector<int> descriptors) : descriptors_(std::move(descriptors)) {
        thread_ = without_signals(
            [this] { return std::jthread([this](const std::stop_token& end) { beat(end); }); });
    }

    // Changes what the files say; they are written by nobody else meanwhile.
    template <typename Change>
    void write(const Change& change) {
        const std::lock_guard lock(mutex_);
        rewrite(change);
    }

    void tell_stops(std::function<int()> count) {
        const std::lock_guard lock(mutex_);
        stops_ = std::move(count);
    }

  private:
    void beat(const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        const auto ended = [&] { return end.stop_requested(); };
        for (std::int64_t waited = 0; !news_.wait_for(lock, end, time_to_answer, ended);) {
            waited += time_to_answer.count();
            if (const int heard = stops_ ? stops_() : 0; heard != told_) {
                told_ = heard;
                rewrite([&](LockRecord& record) { record.stops_heard = heard; });
            }
            if (waited < heartbeat_ms) continue;
            waited = 0;
            for (const int descriptor : descriptors_) ::futimens(descriptor, nullptr);
        }
    }

    template <typename Change>
    void rewrite(const Change& change) {
        for (const int descriptor : descriptors_) {
            LockRecord record = read_lock_record(descriptor);
            change(record);
            write_lock_record(descriptor, record);
        }
    }

    std::vector<int> descriptors_;
    std::function<int()> stops_;
    int told_ = 0;
    std::mutex mutex_;
    std::condition_variable_any news_;
    std::jthread thread_;  // goes first
};

Locks::Locks() = default;
Locks::~Locks() = default;
Locks::Locks(Locks&& other) noexcept = default;

Locks& Locks::operator=(Locks&& other) noexcept {
    std::swap(held_, other.held_);
    std::swap(heart_, other.heart_);
    return *this;
}

tl::expected<Locks, std::string> Locks::take(const fs::path& root, std::vector<std::string> names,
                                             const std::string& purpose) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    Locks locks;
    for (const std::string& name : names) {
        auto descriptor = take_one(root, name, purpose);
        if (!descriptor) return Error(descriptor.error());
        locks.held_.push_back(
            {name, fs::absolute(root) / ".migc" / locks_name / lock_file(name), std::move(*descriptor)});
    }
    locks.heart_ = std::make_unique<Heart>(locks.descriptors());
    return locks;
}

std::vector<int> Locks::descriptors() const {
    std::vector<int> numbers;
    for (const Held& held : held_) numbers.push_back(held.descriptor.get());
    return numbers;
}

void Locks::names_run(const std::string& run) {
    if (heart_) heart_->write([&](LockRecord& record) { record.holder.run = run; });
}

void Locks::tell_stops(std::function<int()> count) {
    if (heart_) heart_->tell_stops(std::move(count));
}

std::optional<std::string> Locks::lost() const {
    for (const Held& held : held_) {
        if (is_still_at(held.descriptor.get(), held.path)) continue;
        const Descriptor now(::open(held.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        const std::string broken = now.get() >= 0 ? read_lock_record(now.get()).broken : "";
        return fmt::format("the lock of {} is lost: {}", held.name,
                           broken.empty() ? "its file is gone" : broken);
    }
    return std::nullopt;
}

}  // namespace migc::runtime::inline journal
