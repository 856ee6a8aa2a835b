#include "runtime/evaluate/consent.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/unit/fakes.hpp"

using namespace fakes;
namespace fs = std::filesystem;

namespace {

CommandLine line(const std::string& text, bool of_project = false) {
    CommandLine command;
    std::istringstream words(text);
    for (std::string word; words >> word;) command.argv.push_back(word);
    command.tool = command.argv.front();
    command.of_project = of_project;
    return command;
}

// What the user would be asked for; "" where nobody is asked.
std::string asked(const CommandLine& command, Work work = Work::Looks, const fs::path& root = "/nowhere") {
    const auto program = of_project(command, root, work);
    return program ? program->name : "";
}

std::string own(const std::string& text) {
    return asked(line(text, true));
}

struct Folder {
    fs::path path = fs::temp_directory_path() / ("migc-consent-" + std::to_string(::getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return (path / name).string();
    }
};

}  // namespace

TEST_CASE("what the standard library has the machine's tools do needs nobody's leave") {
    CHECK(asked(line("kubectl --context c --namespace n get deployment/web -o json")).empty());
    CHECK(asked(line("kubectl --context c get secret/x -o json")).empty());
    CHECK(asked(line("docker image inspect web:1")).empty());
    CHECK(asked(line("git -C / status")).empty());
    CHECK(asked(line("curl -q http://web/")).empty());
    CHECK(asked(line("terraform version")).empty());
    CHECK(asked(line("kubectl exec web -- true"), Work::Acts).empty());
}

TEST_CASE("everything else does") {
    CHECK(asked(line("helm status web")) == "helm");
    CHECK(asked(line("./kubectl get pods")) == "./kubectl");
    CHECK(asked(line("/usr/bin/kubectl get pods")) == "/usr/bin/kubectl");
    CHECK(asked(line("terraform -chdir=infra output")) == "terraform");
    CHECK(asked(line("terraform -chdir=infra version")) == "terraform");
    CHECK(asked(line("terraform version -json")) == "terraform");
    auto program = line("kubectl get pods");
    program.tool = "program";
    CHECK(asked(program) == "kubectl");
    CHECK(own("docker run evil") == "docker");
    CHECK(own("git status") == "git");
    CHECK(own("curl http://web/") == "curl");
    CHECK(own("terraform version") == "terraform");
}

TEST_CASE("a plan runs nothing in pods, a run does") {
    for (const char* verb : {"exec web -- true", "run x --image=y", "delete pod/x", "cp a b", "debug x"}) {
        INFO(verb);
        CHECK(asked(line(std::string("kubectl --context c ") + verb)) == "kubectl");
        CHECK(asked(line(std::string("kubectl --context c ") + verb), Work::Acts).empty());
    }
}

TEST_CASE("a kubectl get of a probe of one's own is free as far as it only shows") {
    for (const char* harmless :
         {"get pods", "get deployment web -o json", "get deploy/web --output=yaml -l a=b --ignore-not-found",
          "get nodes -o jsonpath={.items} --sort-by .x", "get pods -A --no-headers",
          "get pods -n other -o wide"}) {
        INFO(harmless);
        CHECK(own(std::string("kubectl --context c --namespace n ") + harmless).empty());
    }
    for (const char* other :
         {"get secret x -o json", "get secrets.v1. x", "get pods,Secrets", "get pods -o go-template-file=x",
          "get pods -o jsonpath-file=x", "get -f x.yaml", "get --raw /x", "get pods --server http://x",
          "get pods --token x", "get pods -o", "get pods --kubeconfig x", "get pods --profile-output=x",
          "get pods -ojson", "describe pods", "delete pod x", "config view --raw",
          "--server http://x get pods", "--cache-dir x get pods", ""}) {
        INFO(other);
        CHECK(own(std::string("kubectl --context c --namespace n ") + other) == "kubectl");
    }
    auto elsewhere = line("kubectl get pods", true);
    elsewhere.environment = {"PATH=."};
    CHECK(asked(elsewhere) == "kubectl");
    CHECK(own("kubectl --kubeconfig /elsewhere/conf get pods") == "kubectl");
}

TEST_CASE("a kubeconfig of the project that may run a program is one") {
    const Folder folder;
    const auto with = [&](const std::string& text) {
        const auto file = folder.write("conf", text);
        return asked(line("kubectl --kubeconfig " + file + " --context c get pods"), Work::Acts,
                     folder.path) == file;
    };
    CHECK(with("users:\n- name: a\n  user: { exec: { command: x } }\n"));
    CHECK(with("users:\n- name: a\n  user: { \"EXEC\": { command: x } }\n"));
    CHECK(with("users: [{user: {\"\\x65xec\": {command: x}}}]"));
    CHECK(with("{\"users\": [{\"user\": {\"\\u0065xec\": {}}}]}"));
    CHECK(with("users: [{user: {!!binary ZXhlYw==: {command: x}}}]"));
    CHECK(with("users: [{user: {auth-provider: {name: gcp}}}]"));
    CHECK(with("users: [{user: {tokenFile: /home/kim/.netrc}}]"));
    CHECK(with(std::string("\xFF\xFEu\0s\0", 6)));
    CHECK_FALSE(with("users:\n- name: a\n  user: { token: abc }\n"));
    CHECK_FALSE(with(""));
    const auto file = folder.write("conf", "exec");
    const std::string ask = "kubectl --kubeconfig " + file;
    CHECK(asked(line(ask + " config get-contexts"), Work::Looks, folder.path).empty());
    CHECK(asked(line(ask + " get pods"), Work::Acts, "/elsewhere").empty());
}

TEST_CASE("what nobody has allowed is not started, and told once") {
    auto tools = std::make_unique<FakeTools>();
    FakeTools& behind = *tools;
    std::vector<std::string> seen;
    ConsentedTools consented(std::move(tools), "/nowhere", Work::Looks, [&](const ProjectProgram& program) {
        seen.push_back(program.name);
        return program.name == "say";
    });
    const Answer answer = consented.run(line("helm status web"));
    CHECK(answer.ending == Ending::NotStarted);
    CHECK(answer.reason == "not read: helm is run as the project says");
    CHECK(is_not_allowed(answer));
    CHECK(consented.watch(line("helm watch")) == nullptr);
    CHECK(behind.commands.empty());
    CHECK_FALSE(is_not_allowed(consented.run(line("say hello"))));
    CHECK_FALSE(is_not_allowed(consented.run(line("kubectl --context a --namespace b get deployment/web"))));
    CHECK(behind.commands ==
          std::vector<std::string>{"say hello", "kubectl --context a --namespace b get deployment/web"});
    CHECK(seen == std::vector<std::string>{"helm", "helm", "say"});
    REQUIRE(consented.refused().size() == 1);
    CHECK(consented.refused().begin()->first == "helm");
}

namespace {

// Finds each program in one folder.
class ToolsIn final : public Tools {
  public:
    std::vector<std::string> commands;

    explicit ToolsIn(fs::path folder) : folder_(std::move(folder)) {}
    Answer run(const CommandLine& command) override {
        commands.push_back(command.argv.front());
        return not_started("it is a test");
    }
    std::unique_ptr<Watch> watch(const CommandLine& /*command*/) override { return nullptr; }
    Time now() override { return 0; }
    WakeReason sleep_until(Time /*deadline*/) override { return WakeReason::Deadline; }
    std::optional<ProgramFile> program_file(const std::string& name) override {
        return ProgramFile{(folder_ / name).string(), "digest"};
    }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "live"; }

  private:
    fs::path folder_;
};

}  // namespace

TEST_CASE("what PATH finds in the project is the project's, whatever it is called") {
    const Folder folder;
    const fs::path root = folder.path / "project", elsewhere = folder.path / "elsewhere";
    fs::create_directories(root / "bin");
    fs::create_directories(root / "ops");
    fs::create_directories(elsewhere);
    fs::create_directory_symlink(root / "bin", elsewhere / "in");
    fs::create_directory_symlink(elsewhere, root / "out");
    const auto lies = [](const fs::path& where, const fs::path& project) {
        ToolsIn tools(where);
        return lying_in_project("kubectl", project, tools).has_value();
    };
    CHECK(lies(root, root));
    CHECK(lies(root / "bin", root));
    CHECK(lies(elsewhere / "in", root));
    CHECK(lies(root / "out", root));
    CHECK(lies(root / "ops/../out", root));
    CHECK_FALSE(lies(elsewhere, root));
    CHECK_FALSE(lies("/usr/bin", "/"));
    CHECK_FALSE(lies(root / "bin", root / "ops"));
    fs::create_directories(root / ".git");
    CHECK(lies(root / "bin", root / "ops"));
    CHECK_FALSE(folder.write("project/ops/.git", "gitdir: ../.git/modules/ops").empty());
    CHECK(lies(root / "bin", root / "ops"));
    fs::remove(root / "ops/.git");
    fs::create_directories(root / "ops/.git");
    CHECK_FALSE(lies(root / "bin", root / "ops"));

    auto tools = std::make_unique<ToolsIn>(root / "bin");
    ToolsIn& behind = *tools;
    ConsentedTools consented(std::move(tools), root, Work::Looks,
                             [](const ProjectProgram&) { return false; });
    CHECK(consented.run(line("git status")).reason == "not read: the project would run its own git");
    CHECK(behind.commands.empty());
}
