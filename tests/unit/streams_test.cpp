// Commands whose streams are files, and programs that go on running.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/tools/live.hpp"
#include "runtime/tools/process.hpp"
#include "runtime/tools/recording.hpp"

using namespace migc::runtime;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = fs::temp_directory_path() / "migc-streams.XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    std::string operator/(const std::string& name) const { return path_ / name; }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), {}));
    }

  private:
    fs::path path_;
};

void write(const std::string& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

std::string content(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

CommandLine shell(const std::string& script) {
    CommandLine command;
    command.tool = "sh";
    command.argv = {"/bin/sh", "-c", script};
    return command;
}

CommandLine into(const std::string& file, const std::string& script) {
    CommandLine command = shell(script);
    command.output_file = file;
    return command;
}

CommandLine left_running(const std::string& log, const std::string& script) {
    CommandLine command = shell(script);
    command.log = log;
    return command;
}

}  // namespace

TEST_CASE("an output file is there whole, with its digest and its size") {
    const Folder folder;
    const auto tools = make_live_tools();
    const Answer answer = tools->run(into(folder / "a b;c", "printf abc; printf said >&2"));
    CHECK(answer.succeeded());
    CHECK(answer.output.empty());
    CHECK(answer.errors == "said");
    CHECK(answer.output_size == 3);
    CHECK(answer.output_digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(content(folder / "a b;c") == "abc");
    CHECK((fs::status(folder / "a b;c").permissions() & fs::perms::all) == fs::perms(0600));
    CHECK(folder.entries() == 1);
}

TEST_CASE("an output file is not there at all if the command did not end well") {
    const Folder folder;
    const auto tools = make_live_tools();
    const std::string file = folder / "backup.tar";
    CHECK(tools->run(into(file, "printf abc; exit 3")).status == 3);
    CHECK(tools->run(into(file, "printf abc; kill -9 $$")).ending == Ending::Signalled);
    CommandLine slow = into(file, "printf abc; sleep 60");
    slow.within_ms = 100;
    CHECK(tools->run(slow).ending == Ending::TimedOut);
    CHECK(folder.entries() == 0);
    write(file, "older");
    CHECK_FALSE(tools->run(into(file, "printf abc; exit 3")).succeeded());
    CHECK(content(file) == "older");
    CHECK(tools->run(into(file, "printf newer")).succeeded());
    CHECK(content(file) == "newer");
    CHECK(tools->run(into(folder / "no/such/folder", "printf abc")).ending == Ending::NotStarted);
}

TEST_CASE("an output file is larger than what is kept of an output") {
    const Folder folder;
    const auto tools = make_live_tools();
    const Answer answer = tools->run(into(folder / "large", "head -c 100000000 /dev/zero"));
    CHECK(answer.succeeded());
    CHECK_FALSE(answer.truncated);
    CHECK(answer.output_size == 100'000'000);
}

TEST_CASE("standard input can be a file") {
    const Folder folder;
    const auto tools = make_live_tools();
    write(folder / "in", "from the file");
    CommandLine command = shell("cat");
    command.input_file = folder / "in";
    CHECK(tools->run(command).output == "from the file");
    command.input_file = folder / "missing";
    const Answer none = tools->run(command);
    CHECK(none.ending == Ending::NotStarted);
    CHECK(none.reason.find("missing cannot be read") != std::string::npos);
}

TEST_CASE("files of a recorded command are written again by its replay") {
    const Folder folder;
    const std::string transcript = folder / "transcript", file = folder / "out", log = folder / "log";
    write(folder / "in", "abc");
    CommandLine copy = into(file, "cat");
    copy.input_file = folder / "in";
    {
        auto tools = make_recording_tools(make_live_tools(), transcript);
        REQUIRE(tools);
        CHECK((*tools)->run(copy).succeeded());
        CHECK((*tools)->run(into(folder / "large", "head -c 2000000 /dev/zero")).succeeded());
        CHECK((*tools)->run(left_running(log, "exec sleep 1000")).succeeded());
        CHECK((*tools)->running(log) == true);
        CHECK((*tools)->stop(log, 1'000).succeeded());
        CHECK((*tools)->running(log) == false);
    }
    fs::remove(file);
    const auto replayed = make_replayed_tools(transcript);
    REQUIRE(replayed);
    const Answer answer = (*replayed)->run(copy);
    CHECK(answer.succeeded());
    CHECK(answer.output_size == 3);
    CHECK(content(file) == "abc");
    CHECK((*replayed)->run(into(folder / "large", "head -c 2000000 /dev/zero")).ending == Ending::NotStarted);
    CHECK((*replayed)->run(left_running(log, "exec sleep 1000")).succeeded());
    CHECK((*replayed)->running(log) == true);
    CHECK((*replayed)->stop(log, 1'000).succeeded());
    CHECK((*replayed)->running(log) == false);
    write(folder / "in", "abd");
    CHECK((*replayed)->run(copy).ending == Ending::NotStarted);
}

TEST_CASE("a program that was left running is found and ended by another migc, with what it started") {
    const Folder folder;
    const std::string log = folder / "program.log";
    {
        const auto tools = make_live_tools();
        CHECK(tools->run(left_running(log, "echo begun; setsid sleep 1000 & sleep 1000")).succeeded());
    }
    const auto later = make_live_tools();
    CHECK(later->running(log) == true);
    for (int i = 0; i < 500 && content(log).empty(); ++i)  // it says so when it comes to it
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(content(log) == "begun\n");
    // Other commands leave it alone, and end what they have started themselves.
    CHECK(later->run(shell("sleep 1000 >/dev/null 2>&1 & true")).succeeded());
    CHECK(later->running(log) == true);
    CHECK(later->stop(log, 2'000).succeeded());
    CHECK(later->running(log) == false);
    CHECK(later->stop(log, 2'000).succeeded());
}

TEST_CASE("a program that was left running is known before it is written down") {
    const Folder folder;
    const std::string log = folder / "program.log";
    const auto tools = make_live_tools();
    CHECK(tools->run(left_running(log, "exec sleep 1000")).succeeded());
    fs::remove(log + ".pid");  // as if migc had died in between
    CHECK(tools->running(log) == true);
    CHECK(tools->stop(log, 1'000).succeeded());
    CHECK(tools->running(log) == false);
}

TEST_CASE("a program that does not want to end is ended by force") {
    const Folder folder;
    const std::string log = folder / "program.log";
    const auto tools = make_live_tools();
    CHECK(tools->run(left_running(log, "trap '' TERM; while true; do sleep 1; done")).succeeded());
    CHECK(tools->stop(log, 300).succeeded());
    CHECK(tools->running(log) == false);
}

TEST_CASE("a process that only has the pid of a program that was started is never ended") {
    const Folder folder;
    const std::string log = folder / "program.log";
    const auto tools = make_live_tools();
    const auto self = Process::read(::getpid());
    REQUIRE(self);
    write(log + ".pid",
          boot_id() + " " + std::to_string(::getpid()) + " " + std::to_string(self->started + 1));
    CHECK(tools->running(log) == false);
    CHECK(tools->stop(log, 0).succeeded());
    write(log + ".pid", "another-boot " + std::to_string(::getpid()) + " " + std::to_string(self->started));
    CHECK(tools->running(log) == false);
    CHECK(tools->stop(log, 0).succeeded());
}

TEST_CASE("a program that ends at once is a failure with its last words") {
    const Folder folder;
    const auto tools = make_live_tools();
    const Answer answer =
        tools->run(left_running(folder / "a", "echo starting; echo port 80 is taken >&2; exit 2"));
    CHECK(answer.ending == Ending::Exited);
    CHECK(answer.status == 2);
    CHECK(answer.errors == "it ended at once with exit code 2: port 80 is taken");
    CHECK(tools->running(folder / "a") == false);
    CHECK(tools->run(left_running(folder / "a", "sleep 1")).ending == Ending::NotStarted);
    CHECK(tools->run(left_running(folder / "b", "exit 0")).status == 1);
    const Answer daemon = tools->run(left_running(folder / "c", "sleep 1000 & exit 0"));
    CHECK(daemon.succeeded());
    CHECK(tools->running(folder / "c") == true);
    CHECK(tools->stop(folder / "c", 500).succeeded());
}
