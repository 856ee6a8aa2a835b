#include "runtime/journal/lock.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace migc::runtime;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

struct Folder {
    fs::path path;
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "migc-lock-XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path); }

    [[nodiscard]] tl::expected<Locks, std::string> take(const std::string& name = "staging") const {
        return Locks::take(path, {name}, "the run of a.mig");
    }
    [[nodiscard]] LockState state(const std::string& name = "staging") const {
        for (LockState& state : lock_states(path))
            if (state.name == name) return state;
        FAIL("there is no lock " + name);
        return {};
    }
    // As if the holder had been silent for so long.
    void age(std::int64_t ms, const std::string& name = "staging") const {
        const timespec then{std::time(nullptr) - ms / 1000, 0};
        const timespec times[] = {then, then};
        REQUIRE(::utimensat(AT_FDCWD, (path / ".migc/locks" / name).c_str(), times, 0) == 0);
    }
};

bool says(const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

// Runs in a child, which then goes on until it is killed.
template <typename Work>
pid_t in_child(Work work) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    work();
    ::_exit(0);
}

void kill_and_reap(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

void wait_for(const std::atomic<int>& flag) {
    while (flag == 0) std::this_thread::sleep_for(1ms);
}

// Memory that children share.
template <typename T>
T* shared() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return new (memory) T();
}

}  // namespace

TEST_CASE("one live run at a time in an environment") {
    const Folder folder;
    const auto first = folder.take();
    REQUIRE(first);
    const auto second = folder.take();
    REQUIRE(!second);
    CHECK(says(second.error(), "environment staging is held by the run of a.mig of "));
    CHECK(says(second.error(), "undo each other's work"));
    CHECK(folder.take("production"));
    CHECK(folder.state().condition == LockCondition::Held);
}

TEST_CASE("all of them or none") {
    const Folder folder;
    const auto production = folder.take("production");
    REQUIRE_FALSE(Locks::take(folder.path, {"development", "production"}, "the run of b.mig"));
    CHECK(folder.state("development").condition == LockCondition::Free);
    CHECK(folder.take("staging"));
}

TEST_CASE("the holder, its run and its heartbeat are told") {
    const Folder folder;
    auto locks = folder.take();
    locks->names_run("2026-11-25-1");
    const LockState state = folder.state();
    CHECK(state.holder.run == "2026-11-25-1");
    CHECK(state.holder.pid == ::getpid());
    CHECK(state.holder.epoch == 1);
    CHECK(state.heartbeat_age_ms < 1000);
    folder.age(60'000);
    CHECK(folder.state().condition == LockCondition::Silent);
    std::this_thread::sleep_for(std::chrono::milliseconds(heartbeat_ms + 500));
    CHECK(folder.state().condition == LockCondition::Held);
    *locks = Locks();
    CHECK(folder.take());
    CHECK(folder.state().holder.epoch == 2);
}

TEST_CASE("a tool outlives the run that started it: it is waited for") {
    const Folder folder;
    const pid_t run = in_child([&] {
        const auto lock = folder.take();
        if (::fork() == 0) std::this_thread::sleep_for(500ms);
        ::_exit(0);
    });
    ::waitpid(run, nullptr, 0);
    CHECK(folder.state().condition == LockCondition::Orphaned);
    CHECK(folder.take().has_value());
}

TEST_CASE("a run that is at work keeps its lock") {
    const Folder folder;
    const auto locks = folder.take();
    const auto broken = break_lock(folder.path, "staging", "impatience");
    REQUIRE(!broken);
    CHECK(says(broken.error(), "it is at work"));
    CHECK_FALSE(locks->lost());
    CHECK(says(break_lock(folder.path, "production", "x").error(), "there is no lock of production"));
}

TEST_CASE("a lock that is broken is lost to its holder and free for the next") {
    const Folder folder;
    auto* const ready = shared<std::atomic<int>>();
    const pid_t run = in_child([&] {
        const auto locks = folder.take();
        *ready = 1;
        ::pause();
    });
    wait_for(*ready);
    ::kill(run, SIGSTOP);  // no heartbeat any more
    folder.age(60'000);
    CHECK(says(folder.take().error(), "migc unlock \"staging\""));
    const auto broken = break_lock(folder.path, "staging", "it hangs");
    REQUIRE(broken);
    CHECK(broken->condition == LockCondition::Silent);
    const auto next = folder.take();
    REQUIRE(next);
    CHECK(folder.state().holder.epoch == 3);
    CHECK(says(folder.state().broken, "because it hangs"));
    kill_and_reap(run);
}

TEST_CASE("a holder notices that its lock was broken") {
    const Folder folder;
    const auto locks = folder.take();
    folder.age(60'000);
    REQUIRE(break_lock(folder.path, "staging", "it hangs"));
    const auto lost = locks->lost();
    REQUIRE(lost);
    CHECK(says(*lost, "broken by "));
    CHECK(says(*lost, "because it hangs"));
}

TEST_CASE("a file that says nothing is a lock all the same") {
    const Folder folder;
    fs::create_directories(folder.path / ".migc/locks");
    ::close(::open((folder.path / ".migc/locks/staging").c_str(), O_CREAT | O_WRONLY, 0600));
    CHECK(folder.take());
    fs::create_symlink("/etc/passwd", folder.path / ".migc/locks/production");
    CHECK(says(folder.take("production").error(), "is a link"));
}

namespace {

// What the racers share: who is inside, and how often somebody was.
struct Arena {
    std::atomic<int> inside = 0;
    std::atomic<int> entered = 0;
    std::atomic<int> clashes = 0;
};

// Also one that nobody has reaped yet: its lock went with it.
bool is_gone(int pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(in, text);
    const auto state = text.rfind(") ");
    return state == std::string::npos || text[state + 2] == 'Z' || text[state + 2] == 'X';
}

// Takes and gives back until it is killed. A dead racer was inside, perhaps, and is no more.
void race(const Folder& folder, Arena& arena) {
    while (true) {
        const auto locks = folder.take();
        if (!locks) continue;
        const int before = arena.inside.exchange(::getpid());
        if (before != 0 && !is_gone(before)) ++arena.clashes;
        ++arena.entered;
        std::this_thread::sleep_for(200us);
        int me = ::getpid();
        if (!arena.inside.compare_exchange_strong(me, 0)) ++arena.clashes;
    }
}

// Four racers, one of which is killed or stopped for a while each time.
void races(int count) {
    const Folder folder;
    auto* const arena = shared<Arena>();
    std::mt19937 random(42);
    std::vector<pid_t> racers;
    for (int i = 0; i < 4; ++i) racers.push_back(in_child([&] { race(folder, *arena); }));
    int last = 0, stuck = 0;
    for (int i = 0; i < count; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
        pid_t& victim = racers[random() % racers.size()];
        if (random() % 2 == 0) {
            kill_and_reap(victim);
            victim = in_child([&] { race(folder, *arena); });
        } else {
            ::kill(victim, SIGSTOP);
            std::this_thread::sleep_for(1ms);
            ::kill(victim, SIGCONT);
        }
        for (int wait = 0; arena->entered == last && wait < 20'000; ++wait) std::this_thread::sleep_for(1ms);
        if (arena->entered == last) ++stuck;
        last = arena->entered;
    }
    for (const pid_t racer : racers) kill_and_reap(racer);
    WARN(count << " races with kill -9 or SIGSTOP: the lock was taken " << arena->entered << " times, "
               << arena->clashes << " times by two at once, " << stuck << " times it was stuck");
    CHECK(arena->clashes == 0);
    CHECK(stuck == 0);
}

}  // namespace

TEST_CASE("operators race for a lock, and some of them die") {
    races(200);
}

TEST_CASE("ten thousand races", "[.long]") {
    races(10'000);
}

TEST_CASE("a run says that it has heard that it is to stop") {
    const Folder folder;
    std::atomic<int> asked = 0;
    auto locks = Locks::take(folder.path, {"staging", "project files"}, "the run of a.mig");
    REQUIRE(locks);
    locks->names_run("2026-11-23-1");
    locks->tell_stops([&] { return asked.load(); });
    CHECK(folder.state().stops_heard == 0);
    const auto heard = [&](int times) {
        for (int tries = 0; tries < 100 && folder.state().stops_heard != times; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return folder.state().stops_heard == times && folder.state("project files").stops_heard == times;
    };
    asked = 1;
    CHECK(heard(1));
    asked = 2;
    CHECK(heard(2));
    CHECK(folder.state().holder.run == "2026-11-23-1");
    locks = Locks::take(folder.path, {"production"}, "another one");
    REQUIRE(locks);
    CHECK(folder.state("production").stops_heard == 0);
}
