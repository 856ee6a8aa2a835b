// What a run acts with.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/session/detach.hpp"
#include "runtime/session/ready.hpp"

using namespace migc;
using namespace migc::session;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-session-XXXXXX").string();
        path = fs::canonical(::mkdtemp(name.data()));
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

std::unique_ptr<Script> example(const fs::path& root = "/") {
    auto script = driver::load_text(
        "param count: int = 2;\nstage staging < scale webapi to count; > on failure undo;", root);
    script->inventory.root = root;
    return script;
}

std::string problem(std::vector<std::string> set, std::vector<std::string> stages = {}) {
    SessionOptions options;
    options.set = std::move(set);
    options.stages = std::move(stages);
    const auto found = run_options(options, *example());
    return found ? "" : found.error();
}

}  // namespace

TEST_CASE("values and stages are those of the script") {
    SessionOptions options;
    options.set = {"count=5"};
    options.stages = {"staging"};
    const auto found = run_options(options, *example());
    REQUIRE(found);
    CHECK(found->parameters.size() == 1);
    CHECK(found->only == std::vector<std::string>{"staging"});
    CHECK(problem({"count"}) == "--set count: write NAME=VALUE");
    CHECK(problem({"cuont=5"}) ==
          "--set cuont=5: the script has no parameter `cuont`; did you mean `count`?");
    CHECK(problem({"count=5", "count=6"}) == "--set count=6: `count` is set twice");
    CHECK(problem({}, {"stagin"}) == "--stage stagin: the script has no such stage; did you mean `staging`?");
}

TEST_CASE("a session is simulated or live, and tells what it replaces") {
    const Folder folder;
    SessionOptions options;
    options.world = "learning";
    options.state = (folder.path / "state.json").string();
    std::ofstream(options.state) << "old";
    std::vector<std::string> told;
    options.tell = [&](const std::string& line) { told.push_back(line); };
    const auto session = open_session(options, *example());
    REQUIRE(session);
    CHECK((*session)->simulated != nullptr);
    CHECK(told == std::vector{"note: " + options.state + " was there (3 bytes), and is replaced"});
    close_session(options, **session, nullptr);
    CHECK(fs::file_size(options.state) > 100);
    CHECK(told.size() == 1);

    // The recorder stands before the world; what is written is the world's all the same.
    SessionOptions recorded = options;
    recorded.record = (folder.path / "answers.json").string();
    const auto second = open_session(recorded, *example());
    REQUIRE(second);
    close_session(recorded, **second, nullptr);
    CHECK(fs::file_size(recorded.state) > 100);

    SessionOptions live;
    live.faults = {"hang: kubectl scale"};
    CHECK(open_session(live, *example()).error().find("--fault needs --world") == 0);
}

TEST_CASE("what is wrong with the file of a world is told, with its places") {
    const Folder folder;
    SessionOptions options;
    options.world = (folder.path / "world.yaml").string();
    std::ofstream(options.world) << "clusters: 4\n";
    std::size_t found = 0;
    options.findings = [&](const Diagnostics& all, const SourceMap&) { found += all.all().size(); };
    CHECK_FALSE(open_session(options, *example()));
    CHECK(found > 0);
}

TEST_CASE("who runs it holds the locks, and nobody else until it is over") {
    const Folder folder;
    const auto script = example(folder.path);
    SessionOptions options;
    auto first = make_ready(options, *script, script->program, "the run of a.mig", {});
    REQUIRE(first);
    const auto second = make_ready(options, *script, script->program, "the run of b.mig", {});
    REQUIRE_FALSE(second);
    CHECK(second.error().exit_code == locked);
    CHECK(second.error().message.find("the run of a.mig") != std::string::npos);
    // A simulated one changes nothing that two could fight for.
    options.world = "learning";
    CHECK(make_ready(options, *script, script->program, "a rehearsal", {}));
    first->options = {};
    first = tl::unexpected(Refusal{});
    CHECK(make_ready({}, *script, script->program, "the run of c.mig", {}));
}

TEST_CASE("whoever stays in the foreground hears that the run has begun, or what became of it") {
    const Folder folder;
    for (const bool begins : {true, false}) {
        auto halves = Detached::split(folder.path);
        REQUIRE(halves);
        if (halves->background) {
            if (begins) halves->background->begun("run-1", folder.path);
            const char words[] = "no such cluster\n";
            [[maybe_unused]] const auto written = ::write(STDERR_FILENO, words, sizeof words - 1);
            halves->background.reset();
            ::_exit(begins ? 0 : 3);
        }
        REQUIRE(halves->foreground);
        CHECK(halves->foreground->run == (begins ? "run-1" : ""));
        CHECK(halves->foreground->exit_code == (begins ? 0 : 3));
        CHECK(halves->foreground->output == (begins ? "" : "no such cluster\n"));
    }
}
