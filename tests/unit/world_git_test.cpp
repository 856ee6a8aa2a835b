// The simulated git, in the words of the real one.
#include <catch2/catch.hpp>

#include "runtime/world/world.hpp"

using namespace migc;
using namespace migc::runtime;

namespace {

const char* repository = R"(
git:
  revisions:
    HEAD: { files: { a.yaml: "a: 2\n" } }
    HEAD~1: { commit: 0123456789012345678901234567890123456789, files: { a.yaml: "a: 1\n", k8s/b.yaml: "b: 1\n" } }
  uncommitted: [c.yaml]
)";

struct Simulated {
    explicit Simulated(const std::string& text) : file(sources.add("world.yaml", text)) {
        auto loaded = load_world(file, sources, diagnostics);
        if (loaded) world = std::move(*loaded);
    }
    Answer git(std::vector<std::string> arguments) {
        CommandLine command;
        command.tool = "git";
        command.argv = {"git", "-C", "/nowhere", "--no-pager", "-c", "core.fsmonitor=false"};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        return world->run(command);
    }
    SourceMap sources;
    Diagnostics diagnostics;
    FileId file;
    std::unique_ptr<World> world;
};

}  // namespace

TEST_CASE("revisions have commits, commits have files, files have content") {
    Simulated simulated(repository);
    REQUIRE(simulated.world);
    const std::string commit = "0123456789012345678901234567890123456789";
    const auto parsed = [&](const std::string& name) {
        return simulated.git({"rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"});
    };
    CHECK(parsed("HEAD~1").output == commit + "\n");
    CHECK(parsed("012345").output == commit + "\n");
    CHECK(parsed("HEAD~2").status == 1);
    CHECK(parsed("HEAD~2").errors.empty());
    const std::string listing = simulated.git({"ls-tree", "-r", "-z", commit, "--", "k8s"}).output;
    REQUIRE(listing.starts_with("100644 blob "));
    CHECK(listing.substr(52) == std::string("\tk8s/b.yaml\0", 12));
    CHECK(simulated.git({"cat-file", "blob", listing.substr(12, 40)}).output == "b: 1\n");
    CHECK(simulated.git({"cat-file", "blob", commit}).status == 128);
    CHECK(simulated.git({"ls-tree", "-r", "-z", "HEAD~9", "--", "."}).errors ==
          "fatal: Not a valid object name HEAD~9\n");
    CHECK(simulated.git({"push"}).status == not_modelled);
}

TEST_CASE("what is not committed is said, or seen against HEAD") {
    Simulated simulated(repository);
    REQUIRE(simulated.world);
    const auto status = [&](const std::string& path) {
        return simulated
            .git({"status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--", path})
            .output;
    };
    CHECK(status("c.yaml") == std::string(" M c.yaml\0", 10));
    CHECK(status("d.yaml").empty());
    CHECK(status("a.yaml") == std::string(" M a.yaml\0", 10));  // the file is not there
}

TEST_CASE("without a repository git says so") {
    Simulated simulated("clusters: {}\n");
    REQUIRE(simulated.world);
    const Answer answer = simulated.git({"status", "-z", "--", "a"});
    CHECK(answer.status == 128);
    CHECK(answer.errors == "fatal: not a git repository (or any of the parent directories): .git\n");
}

TEST_CASE("a commit that is none is a mistake in the world's file") {
    const Simulated simulated("git: { revisions: { HEAD: { commit: abc } } }\n");
    CHECK_FALSE(simulated.world);
    REQUIRE(simulated.diagnostics.all().size() == 1);
    CHECK(simulated.diagnostics.all().front().message ==
          "the world file: `commit` must be 40 hexadecimal digits");
}
