#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/tools/environment.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/tools/recording.hpp"

using namespace migc::runtime;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = fs::temp_directory_path() / "migc-tools.XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

    std::string write(const std::string& name, const std::string& text, bool executable = false) const {
        std::ofstream(path_ / name) << text;
        if (executable) fs::permissions(path_ / name, fs::perms::owner_all);
        return path_ / name;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream stream(path_ / name);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

  private:
    fs::path path_;
};

CommandLine command(std::vector<std::string> argv, std::int64_t within_ms = 10'000) {
    CommandLine result;
    result.tool = "program";
    result.argv = std::move(argv);
    result.within_ms = within_ms;
    return result;
}

// The tests' programs are scripts; migc itself never uses a shell.
CommandLine script(const std::string& text, std::int64_t within_ms = 10'000) {
    return command({"/bin/sh", "-c", text}, within_ms);
}

std::unique_ptr<Tools> quick_tools() {
    LiveOptions options;
    options.grace_ms = 150;
    options.gentle_patience_ms = 300;
    return make_live_tools(options);
}

bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

bool gone(pid_t pid) {
    return ::kill(pid, 0) != 0;
}

// The process whose number a script has written; the script's writing of it may still be under way.
pid_t pid_in(const Folder& folder, const std::string& name) {
    eventually([&] { return folder.read(name).ends_with('\n'); });
    return static_cast<pid_t>(std::stol(folder.read(name)));
}

long resident_kib() {
    rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

std::string without_newline(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_); }

  private:
    const char* name_;
};

}  // namespace

TEST_CASE("a command line is shown as one could type it") {
    CHECK(shown({"kubectl", "scale", "deployment/webapi", "--replicas=4"}) ==
          "kubectl scale deployment/webapi --replicas=4");
    CHECK(shown({"echo", "", "two words", "it's", "$(x);y"}) == "echo '' 'two words' 'it'\\''s' '$(x);y'");
    CHECK(shown({"echo", "a\nb", "it's\x1b\\"}) == "echo $'a\\nb' $'it\\'s\\x1b\\\\'");
    CHECK(shown({}).empty());
}

TEST_CASE("what is shown means the same to a shell") {
    const std::vector<std::string> words = {"",     "a b",    "it's", "$(x);y", "a\nb\tc", "\x1b[0m'\\n",
                                            "\xFF", "größer", "~"};
    std::vector<std::string> argv = {"printf", "%s|"};
    argv.insert(argv.end(), words.begin(), words.end());
    std::string expected;
    for (const std::string& word : words) expected += word + "|";
    CHECK(quick_tools()->run(command({"/bin/bash", "-c", shown(argv)})).output == expected);
}

TEST_CASE("a command answers with its exit, its output and its errors") {
    const auto tools = quick_tools();
    CHECK(tools->kind() == "live");
    const Answer answer = tools->run(script("echo out; echo err >&2; exit 3"));
    CHECK(answer.ending == Ending::Exited);
    CHECK(answer.status == 3);
    CHECK(answer.output == "out\n");
    CHECK(answer.errors == "err\n");
    CHECK(answer.reason.empty());
    CHECK_FALSE(answer.succeeded());
    const Answer killed = tools->run(script("kill -9 $$"));
    CHECK(killed.ending == Ending::Signalled);
    CHECK(killed.status == SIGKILL);
    CHECK(tools->run(command({"true"})).succeeded());
}

TEST_CASE("arguments arrive untouched") {
    const std::vector<std::string> words = {"two words",   "a;b", "$(touch x)", "`id`", "\"'",
                                            "line\nbreak", "",    "*",          "-n"};
    std::vector<std::string> argv = {"/bin/sh", "-c", "printf '%s|' \"$@\"", "name"};
    argv.insert(argv.end(), words.begin(), words.end());
    std::string expected;
    for (const std::string& word : words) expected += word + "|";
    CHECK(quick_tools()->run(command(argv)).output == expected);
}

TEST_CASE("a command runs in its directory") {
    const Folder folder;
    CommandLine where = command({"/bin/pwd"});
    where.directory = folder / "";
    CHECK(fs::equivalent(without_newline(quick_tools()->run(where).output), folder / ""));
    where.directory = folder / "missing";
    const Answer answer = quick_tools()->run(where);
    CHECK(answer.ending == Ending::NotStarted);
    CHECK(answer.reason.ends_with("there is no such directory"));
}

TEST_CASE("a program that cannot be started says why") {
    const Folder folder;
    const auto tools = quick_tools();
    const auto reason = [&](CommandLine line) {
        const Answer answer = tools->run(line);
        CHECK(answer.ending == Ending::NotStarted);
        return answer.reason;
    };
    CHECK(reason(command({"terraform-of-nobody"})) == "terraform-of-nobody is not installed, or not on PATH");
    CHECK(reason(command({folder / "missing"})).ends_with("does not exist"));
    CHECK(reason(command({folder.write("plain", "#!/bin/sh\n")})).find("is not executable") !=
          std::string::npos);
    CHECK(reason(command({folder.write("data", "echo x\n", true)})).find("is not a program") !=
          std::string::npos);
    CHECK(reason(command({folder.write("lost", "#!/no/such/sh\n", true)})).find("interpreter") !=
          std::string::npos);
    CHECK(reason(command({})) == "there is no program to run");
    CHECK(reason(command({"true"}, 0)) == "no time was left to run true");
    CHECK(reason(command({"echo", std::string("a\0b", 3)})).find("NUL") != std::string::npos);
    CHECK(reason(command({"echo", std::string(1 << 20, 'x')})).find("too long") != std::string::npos);
    CHECK(tools->watch(command({"terraform-of-nobody"})) == nullptr);
}

TEST_CASE("a program is found once, in absolute directories only") {
    const Folder folder;
    fs::create_directory(folder / "bin");
    const std::string file = folder.write("bin/tool", "#!/bin/sh\n", true);
    Programs programs(".:relative:" + (folder / "bin").string());
    CHECK(programs.find("tool") == file);
    fs::remove(file);
    CHECK(programs.find("tool") == file);
    CHECK(programs.find("./tool") == "./tool");
    folder.write("bin/text", "x");
    CHECK(programs.find("text").error().find("is not executable") != std::string::npos);
}

TEST_CASE("standard input is given whole, then closed") {
    const auto tools = quick_tools();
    CommandLine copy = command({"cat"});
    CHECK(tools->run(copy).output.empty());
    copy.input = std::string(8 << 20, 'x') + "end";
    CHECK(tools->run(copy).output == copy.input);
    CommandLine unread = script("exec <&-; echo done");
    unread.input = copy.input;
    CHECK(tools->run(unread).output == "done\n");
}

TEST_CASE("a flood is read on, and bounded in memory") {
    const long before = resident_kib();
    const Answer answer = quick_tools()->run(command({"head", "-c", "512M", "/dev/zero"}, 300'000));
    CHECK(answer.succeeded());
    CHECK(answer.truncated);
    CHECK_FALSE(answer.output.empty());
    CHECK(answer.output.size() <= output_limit);
#ifdef __SANITIZE_ADDRESS__
    constexpr long most_kib = 256 * 1024;  // it keeps what was freed for a while
#else
    constexpr long most_kib = 96 * 1024;
#endif
    CHECK(resident_kib() - before < most_kib);
    const Answer errors = quick_tools()->run(script("head -c 1M /dev/zero >&2; printf end >&2"));
    CHECK(errors.errors.size() == std::size_t{64} << 10);
    CHECK(errors.errors.ends_with("end"));
    CHECK_FALSE(errors.truncated);
}

TEST_CASE("a command that hangs is ended, with what it started") {
    const Folder folder;
    const auto tools = quick_tools();
    CommandLine hang = script("sleep 60 & echo $! > child; echo begun; wait", 300);
    hang.directory = folder / "";
    const Answer answer = tools->run(hang);
    CHECK(answer.ending == Ending::TimedOut);
    CHECK(answer.output == "begun\n");
    CHECK(answer.reason == "/bin/sh did not finish within 0.3s and was ended; whether it acted is not known");
    CHECK(answer.took_ms < 2'000);
    CHECK(gone(pid_in(folder, "child")));
}

TEST_CASE("a command that ignores SIGTERM is killed after the grace, its descendants too") {
    const Folder folder;
    CommandLine stubborn = script(
        "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; echo $$ > far; while :; do sleep 0.1; done' &) "
        ";"
        "while :; do sleep 0.1; done",
        1500);
    stubborn.directory = folder / "";
    const Answer answer = quick_tools()->run(stubborn);
    CHECK(answer.ending == Ending::TimedOut);
    CHECK(answer.took_ms >= 1650);
    CHECK(answer.took_ms < 10'000);
    CHECK(gone(pid_in(folder, "far")));
}

TEST_CASE("a daemon that a command leaves behind neither holds it up nor outlives it") {
    const Folder folder;
    const auto leave = [&](const std::string& redirection) {
        CommandLine daemon =
            script("(setsid sh -c 'trap \"\" TERM HUP; echo $$ > pid; while :; do sleep 0.1; done' " +
                   redirection + " &); while ! [ -s pid ]; do sleep 0.01; done; echo out; exit 4");
        daemon.directory = folder / "";
        return quick_tools()->run(daemon);
    };
    for (const std::string redirection : {"", "</dev/null >/dev/null 2>&1"}) {
        const Answer answer = leave(redirection);
        CHECK(answer.ending == Ending::Exited);
        CHECK(answer.status == 4);
        CHECK(answer.output == "out\n");
        CHECK(answer.took_ms < 3'000);
        CHECK(answer.reason.find("running, which") != std::string::npos);
        CHECK(gone(pid_in(folder, "pid")));
        fs::remove(folder / "pid");
    }
}

TEST_CASE("a gentle command gets one SIGINT at its limit, and time") {
    const Folder folder;
    CommandLine graceful = script(
        "trap 'echo int >> log; sleep 0.1; exit 5' INT; trap 'echo term >> log' TERM;"
        "i=0; while [ $i -lt 500 ]; do sleep 0.02; i=$((i+1)); done",
        1500);
    graceful.directory = folder / "";
    graceful.graceful = true;
    const Answer answer = quick_tools()->run(graceful);
    CHECK(answer.ending == Ending::TimedOut);
    CHECK(answer.status == 5);
    CHECK(answer.reason.find("asked to stop, which it did") != std::string::npos);
    CHECK(folder.read("log") == "int\n");
}

TEST_CASE("a gentle command that does not stop is left alone, and goes on") {
    const Folder folder;
    CommandLine graceful = script(
        "trap 'echo int >> log' INT; trap 'echo term >> log' TERM; echo begun;"
        "i=0; while [ $i -lt 60 ]; do sleep 0.02; echo $i; i=$((i+1)); done; echo end >> log",
        100);
    graceful.directory = folder / "";
    graceful.graceful = true;
    LiveOptions options;
    options.gentle_patience_ms = 200;
    options.spool = folder / "";
    const Answer answer = make_live_tools(options)->run(graceful);
    CHECK(answer.ending == Ending::TimedOut);
    CHECK(answer.output.starts_with("begun\n"));
    CHECK(answer.reason.find("is still running as process") != std::string::npos);
    CHECK(eventually([&] { return folder.read("log") == "int\nend\n"; }));
    SECTION("its whole output is in the spool, for nobody else to read") {
        for (const auto& entry : fs::directory_iterator(folder / "")) {
            const std::string name = entry.path().filename();
            if (name.starts_with("program.out.")) CHECK(folder.read(name).ends_with("59\n"));
            if (name.starts_with("program."))
                CHECK((entry.status().permissions() & fs::perms(077)) == fs::perms::none);
        }
    }
}

TEST_CASE("a gentle command's output is read like any other") {
    CommandLine graceful = script("echo out; head -c 100K /dev/zero >&2; echo err >&2; exit 2");
    graceful.graceful = true;
    const Answer answer = quick_tools()->run(graceful);
    CHECK(answer.status == 2);
    CHECK(answer.output == "out\n");
    CHECK(answer.errors.size() == std::size_t{64} << 10);
    CHECK(answer.errors.ends_with("err\n"));
}

TEST_CASE("only listed variables reach a command") {
    const Variable approve("TF_CLI_ARGS_apply", "-auto-approve");
    const Variable variable("TF_VAR_region", "de");
    const Variable secret("DATABASE_PASSWORD", "hunter2");
    const Variable terminal("TERM", "xterm");
    CommandLine environment = command({"env"});
    environment.environment = {"ADDED=1", "TF_CLI_ARGS=-destroy", "HOME=/elsewhere"};
    const std::string output = "\n" + quick_tools()->run(environment).output;
    CHECK(output.find("\nPATH=") != std::string::npos);
    CHECK(output.find("\nTF_VAR_region=de\n") != std::string::npos);
    CHECK(output.find("\nADDED=1\n") != std::string::npos);
    CHECK(output.find("\nHOME=/elsewhere\n") != std::string::npos);
    CHECK(output.find("\nHOME=") == output.rfind("\nHOME="));
    CHECK(output.find("TF_CLI_ARGS") == std::string::npos);
    CHECK(output.find("hunter2") == std::string::npos);
    CHECK(output.find("\nTERM=") == std::string::npos);
}

TEST_CASE("a migc below another adds its step to the outer one's") {
    const Variable outer("MIGC_STEP", "1-2-3;");
    const std::string output = quick_tools()->run(script("echo $MIGC_STEP")).output;
    CHECK(output.starts_with("1-2-3;" + std::to_string(::getpid()) + "-"));
    CHECK(output.ends_with(";\n"));
}

TEST_CASE("how a command ended is known even where the caller ignored SIGCHLD") {
    ::signal(SIGCHLD, SIG_IGN);
    CHECK(quick_tools()->run(script("exit 3")).status == 3);
}

TEST_CASE("standard descriptors that are closed are no trap") {
    const int saved = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    ::close(STDIN_FILENO);
    CommandLine copy = script("cat; echo err >&2");
    copy.input = "in\n";
    const Answer answer = quick_tools()->run(copy);
    CHECK(answer.output == "in\n");
    CHECK(answer.errors == "err\n");
    if (saved >= 0) ::dup2(saved, STDIN_FILENO);
    ::close(saved);
}

TEST_CASE("a child inherits the lock and nothing else") {
    const Folder folder;
    CommandLine listing = script("for n in /proc/$$/fd/*; do readlink $n; done");
    listing.tool = "terraform";
    const Answer before = quick_tools()->run(listing);
    const int opened = ::open(folder.write("lock", "").c_str(), O_RDWR | O_CLOEXEC);
    const int lock = ::fcntl(opened, F_DUPFD_CLOEXEC, 10);
    ::close(opened);
    LiveOptions options;
    options.inherited = {lock};
    const auto tools = make_live_tools(options);
    const int other = ::open(folder.write("other", "").c_str(), O_RDWR | O_CLOEXEC);
    const Answer answer = tools->run(listing);
    CHECK(answer.output.find("/lock\n") != std::string::npos);
    CHECK(answer.output.find("/other\n") == std::string::npos);
    CHECK(std::ranges::count(answer.output, '\n') == std::ranges::count(before.output, '\n') + 1);
    listing.tool = "program";  // what it starts may be meant to go on running
    CHECK(tools->run(listing).output.find("/lock\n") == std::string::npos);
    ::close(other);
    ::close(lock);
}

TEST_CASE("commands run at the same time do not disturb each other") {
    const auto tools = quick_tools();
    std::atomic<int> right = 0;
    std::vector<std::jthread> branches;
    for (int branch = 0; branch < 8; ++branch) {
        branches.emplace_back([&, branch] {
            for (int i = 0; i < 10; ++i) {
                const std::string text = std::to_string(branch * 100 + i);
                const Answer answer = tools->run(command({"echo", text}));
                right += answer.succeeded() && answer.output == text + "\n" && answer.reason.empty() ? 1 : 0;
            }
        });
    }
    branches.clear();
    CHECK(right == 80);
}

TEST_CASE("the digests of programs are remembered, and those of programs that are gone are not") {
    const Folder folder;
    const Variable cache("XDG_CACHE_HOME", (folder / "cache").c_str());
    const std::string gone = folder.write("gone", "#!/bin/sh\n", true);
    const std::string stays = folder.write("stays", "#!/bin/sh\n", true);
    const auto digest = [](const std::string& file) {
        const auto pinned = Programs("").pinned(file);
        return pinned ? pinned->digest : "";
    };
    CHECK(digest(gone).size() == 64);
    CHECK(digest(stays) == digest(gone));
    fs::remove(gone);
    const std::string another = folder.write("another", "#!/bin/bash\n", true);
    CHECK(digest(another) != digest(stays));
    std::ifstream stream(folder / "cache/migc/programs.json");
    const std::string known{std::istreambuf_iterator<char>(stream), {}};
    CHECK(known.find(another) != std::string::npos);
    CHECK(known.find(stays) != std::string::npos);
    CHECK(known.find(gone) == std::string::npos);
    folder.write("stays", "#!/bin/bash\n", true);
    CHECK(digest(stays) == digest(another));
}

TEST_CASE("a program that was replaced since it was pinned is never started") {
    const Folder folder;
    const Variable cache("XDG_CACHE_HOME", (folder / "cache").c_str());
    const std::string file = folder.write("tool", "#!/bin/sh\necho first\n", true);
    const auto tools = quick_tools();
    const auto run = [&](const std::string& name) {
        CommandLine line = command({name});
        line.directory = fs::path(file).parent_path();
        return tools->run(line);
    };
    REQUIRE(tools->program_file(file));
    CHECK(run(file).output == "first\n");
    folder.write("other", "#!/bin/sh\ntouch ran\n", true);
    fs::rename(folder / "other", file);
    for (const std::string& name : {file, std::string("./tool")}) {
        const Answer answer = run(name);
        CHECK(answer.ending == Ending::NotStarted);
        CHECK(answer.reason == file + " is not the program that it was when the run began");
    }
    CHECK_FALSE(fs::exists(folder / "ran"));
    folder.write("same", "#!/bin/sh\necho first\n", true);
    fs::rename(folder / "same", file);
    CHECK(run(file).output == "first\n");
}

TEST_CASE("a watch tells news once for what arrives together, then its end") {
    const auto tools = quick_tools();
    const auto watch = tools->watch(script("echo a; echo b; sleep 0.2; echo c; sleep 0.2"));
    REQUIRE(watch);
    const Time far = tools->now() + 5'000;
    CHECK(watch->wait(far) == WakeReason::Changed);
    CHECK(watch->wait(tools->now() + 50) == WakeReason::Deadline);
    CHECK(watch->wait(far) == WakeReason::Changed);
    CHECK(watch->wait(far) == WakeReason::Ended);
    CHECK(watch->wait(far) == WakeReason::Ended);
}

TEST_CASE("a watch is ended with all that it started") {
    const Folder folder;
    const auto tools = quick_tools();
    CommandLine line =
        script("trap '' TERM; (setsid sh -c 'echo $$ > far; sleep 60' &); echo x; while :; do echo y; done");
    line.directory = folder / "";
    auto watch = tools->watch(line);
    REQUIRE(watch);
    CHECK(watch->wait(tools->now() + 5'000) == WakeReason::Changed);
    const pid_t far = pid_in(folder, "far");
    watch.reset();
    CHECK(eventually([&] { return gone(far); }));
}

TEST_CASE("the clock and sleeping") {
    const auto tools = quick_tools();
    const Time begun = tools->now();
    CHECK(begun > 1'600'000'000'000);
    CHECK(tools->sleep_until(begun + 60) == WakeReason::Deadline);
    CHECK(tools->now() >= begun + 60);
    CHECK(tools->sleep_until(begun) == WakeReason::Deadline);
}

TEST_CASE("the first interrupt lets the command finish and wakes sleepers, the second is passed on once") {
    install_interrupt_handlers();
    const Folder folder;
    const auto tools = quick_tools();
    CommandLine counting = script(
        "trap 'echo int >> log' INT; trap 'echo term >> log' TERM; touch ready;"
        "i=0; while [ $i -lt 25 ]; do sleep 0.02; i=$((i+1)); done; echo finished");
    counting.directory = folder / "";
    const auto interrupt_while_running = [&](std::vector<int> signals) {
        fs::remove(folder / "ready");
        std::jthread operator_(([&] {
            eventually([&] { return fs::exists(folder / "ready"); });
            for (const int signal : signals) {
                ::kill(::getpid(), signal);
                std::this_thread::sleep_for(std::chrono::milliseconds(40));
            }
        }));
        return tools->run(counting);
    };
    const Answer first = interrupt_while_running({SIGHUP, SIGHUP});
    CHECK(first.output == "finished\n");
    CHECK(interrupts() == 1);
    CHECK_FALSE(fs::exists(folder / "log"));

    CHECK(tools->sleep_until(tools->now() + 5'000) == WakeReason::Interrupted);
    CHECK(tools->sleep_until(tools->now() + 20) == WakeReason::Deadline);

    const Answer second = interrupt_while_running({SIGINT, SIGTERM, SIGINT});
    CHECK(second.output == "finished\n");
    CHECK(interrupts() == 4);
    CHECK(folder.read("log") == "int\n");
    CHECK(tools->sleep_until(tools->now() + 5'000) == WakeReason::Interrupted);

    SECTION("whoever waits when an interrupt arrives is told") {
        const auto watch = tools->watch(command({"sleep", "60"}));
        std::atomic<int> told = 0;
        std::vector<std::jthread> waiting;
        for (int i = 0; i < 3; ++i) {
            waiting.emplace_back([&, i] {
                const Time far = tools->now() + 5'000;
                told +=
                    (i == 0 ? watch->wait(far) : tools->sleep_until(far)) == WakeReason::Interrupted ? 1 : 0;
            });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        ::kill(::getpid(), SIGINT);
        waiting.clear();
        CHECK(told == 3);
    }
}

TEST_CASE("a recording is replayed as it was") {
    const Folder folder;
    const fs::path file = folder / "run.transcript";
    CommandLine count = script("echo x >> n; wc -l < n");
    count.directory = folder / "";
    CommandLine apply = command({"cat"});
    apply.input = "secret input";
    CommandLine binary = command({"printf", "\\377\\000x"});
    const auto slow = script("sleep 60", 50);
    const CommandLine news = script("echo a; sleep 0.1; echo b");
    const std::vector<Normalisation> here = {{folder / "", "${root}"}};
    const CommandLine local = command({"ls", folder / "n"});
    Time begun = 0;
    {
        auto recorder = make_recording_tools(quick_tools(), file, here);
        REQUIRE(recorder);
        Tools& tools = **recorder;
        begun = tools.now();
        CHECK(tools.kind() == "live");
        CHECK(tools.run(count).output == "1\n");
        CHECK(tools.run(apply).output == "secret input");
        CHECK(tools.run(count).output == "2\n");
        CHECK(tools.run(binary).output == std::string("\xFF\0x", 3));
        CHECK(tools.run(slow).ending == Ending::TimedOut);
        CHECK(tools.run(local).succeeded());
        const auto watch = tools.watch(news);
        REQUIRE(watch);
        while (watch->wait(tools.now() + 5'000) != WakeReason::Ended) continue;
        CHECK((*recorder)->problem().empty());
    }
    CHECK(folder.read("run.transcript").find("${root}n") != std::string::npos);
    CHECK((fs::status(file).permissions() & fs::perms(077)) == fs::perms::none);

    const auto replayed = make_replayed_tools(file, {{"/other/place/", "${root}"}});
    REQUIRE(replayed);
    Tools& tools = **replayed;
    CHECK(tools.kind() == "replayed");
    CHECK(std::abs(tools.now() - begun) < 1'000);
    CHECK(tools.run(count).output == "1\n");
    CHECK(tools.run(count).output == "2\n");
    CHECK(tools.run(count).output == "2\n");
    CHECK(tools.run(apply).output == "secret input");
    CHECK(tools.run(binary).output == std::string("\xFF\0x", 3));
    CHECK(tools.run(slow).ending == Ending::TimedOut);
    CHECK(tools.run(command({"ls", "/other/place/n"})).succeeded());
    SECTION("what was not recorded was not started") {
        apply.input = "other input";
        const Answer answer = tools.run(apply);
        CHECK(answer.ending == Ending::NotStarted);
        CHECK(answer.reason.find("has no answer to `cat` with this input") != std::string::npos);
        CHECK(tools.watch(command({"cat"})) == nullptr);
    }
    SECTION("time leaps") {
        const Time later = tools.now() + 3'600'000;
        CHECK(tools.sleep_until(later) == WakeReason::Deadline);
        CHECK(tools.now() == later);
    }
    SECTION("a watch has its news and its end, once") {
        const auto watch = tools.watch(news);
        REQUIRE(watch);
        const Time far = tools.now() + 3'600'000;
        CHECK(watch->wait(far) == WakeReason::Changed);
        CHECK(watch->wait(far) == WakeReason::Changed);
        CHECK(watch->wait(far) == WakeReason::Ended);
        CHECK(tools.now() < far);
    }
}

TEST_CASE("a transcript that is not one is refused with its place") {
    const Folder folder;
    const auto problem = [&](const std::string& text) {
        return make_replayed_tools(folder.write("t", text)).error().substr((folder / "t").string().size());
    };
    const std::string header = "{\"migc-transcript\":1,\"begun\":5}\n";
    CHECK(make_replayed_tools(folder / "missing").error().ends_with("cannot be read"));
    CHECK(problem("").find("it has no line") != std::string::npos);
    CHECK(problem("hello\n") == ":1: it is not a JSON object");
    CHECK(problem("{}\n") == ":1: it is not a transcript of migc");
    CHECK(problem("{\"migc-transcript\":2,\"begun\":5}\n").find("another version") != std::string::npos);
    CHECK(problem(header + "{\"run\":[1]}\n") == ":2: a key is missing or of the wrong type");
    CHECK(problem(header + "[\n").starts_with(":2: "));
    CHECK(problem(header + std::string(100'000, '[') + "\n").starts_with(":2: "));
    SECTION("a line cut off at the end is not missed") {
        CHECK(make_replayed_tools(folder.write("t", header + "{\"run\":[\"ca")).has_value());
    }
}

TEST_CASE("a transcript that cannot be written is told and stops nothing") {
    const Folder folder;
    CHECK_FALSE(make_recording_tools(quick_tools(), folder / "no/such/folder").has_value());
    auto recorder = make_recording_tools(quick_tools(), "/dev/full");
    REQUIRE(recorder);
    CHECK((*recorder)->run(command({"true"})).succeeded());
    CHECK((*recorder)->problem().find("is incomplete") != std::string::npos);
}
