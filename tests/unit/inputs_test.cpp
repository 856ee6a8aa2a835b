// The files that a change works from: which they are, what counts as changed, and the run's own copies.
#include "runtime/review/inputs.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/driver/script.hpp"
#include "runtime/review/reviewed.hpp"
#include "tests/unit/fakes.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view library_text = R"(
tool sh < program "sh"; >
tool program < >
tool terraform < program "terraform"; >
verb look at (f: path) < do sh [f]; undo none because "reads"; >
verb make (f: new path) < do sh [f]; undo none because "makes"; >
verb run script (f: path) < do program [f]; undo none because "reads"; >
verb start (words: list of string) < do native start [words] through [program]; undo none because "reads"; >
verb ask with secret (header-file: secret path) < do sh [header-file]; undo none because "reads"; >
verb apply (folder: path) < steps < look at "${folder}/inner.yaml"; look at folder; > >
verb plan it < do terraform ["plan"]; undo none because "reads"; >
)";

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-inputs-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = fs::canonical(name);
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary | std::ios::trunc) << text;
    }
    fs::path path;
};

struct Change {
    std::unique_ptr<driver::Script> loaded;
    RunOptions options;

    Change(const std::string& script, const fs::path& root) {
        project::Inventory inventory;
        project::Environment environment;
        environment.name = "staging";
        environment.terraform = project::TerraformSettings{"tf", "", ""};
        inventory.environments.push_back(environment);
        inventory.root = root;
        static const sema::Embedded nothing{nullptr, 0, nullptr, 0};
        loaded = driver::load_text(std::string(library_text) + script, std::move(inventory), nothing);
        REQUIRE_FALSE(loaded->diagnostics.has_errors());
    }
    [[nodiscard]] auto inputs() const { return Inputs::collect(loaded->program, loaded->inventory, options); }
    [[nodiscard]] json digests() const {
        auto found = inputs();
        REQUIRE(found);
        return (*found)->digests();
    }
    [[nodiscard]] std::vector<std::string> paths() const {
        std::vector<std::string> names;
        const json all = digests();
        for (const auto& [name, digest] : all.items()) names.push_back(name);
        return names;
    }
};

std::string stage(const std::string& steps) {
    return "stage staging < " + steps + " > on failure undo;";
}
using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("the files that a script names, through parameters, lets, loops and declarations") {
    const Folder folder;
    folder.write("k8s/inner.yaml", "a");
    folder.write("k8s/more/b.yaml", "b");
    CHECK(Change(stage("look at \"a.yaml\";"), folder.path).paths() == Paths{"a.yaml"});
    CHECK(Change("param f: path = \"p.yaml\"; " + stage("look at f;"), folder.path).paths() ==
          Paths{"p.yaml"});
    CHECK(Change("let f = \"l.yaml\"; " + stage("look at f;"), folder.path).paths() == Paths{"l.yaml"});
    CHECK(Change(stage("for f in [\"x.yaml\", \"y.yaml\"] < look at f; >"), folder.path).paths() ==
          Paths{"x.yaml", "y.yaml"});
    CHECK(Change(stage("apply \"k8s\";"), folder.path).paths() == Paths{"k8s/inner.yaml", "k8s/more/b.yaml"});
    CHECK(Change(stage("run script \"s.sh\"; start [\"./gateway\", \"--port\", \"80\"];"), folder.path)
              .paths() == Paths{"gateway", "s.sh"});
    CHECK(Change(stage("make \"new.yaml\"; look at \"old.yaml\";"), folder.path).paths() ==
          Paths{"old.yaml"});
    // A secret is no input: its digest would tell something of it.
    CHECK(Change(stage("ask with secret \".secrets/token\";"), folder.path).paths().empty());
}

TEST_CASE("terraform's configuration with its local modules, without state") {
    const Folder folder;
    folder.write("tf/main.tf", "module \"net\" {\n  source = \"../modules/net\"\n}\n");
    folder.write("tf/environments/staging.tfvars", "nodes = 3");
    folder.write("tf/terraform.tfstate", "{}");
    folder.write("tf/.terraform/providers/x", "binary");
    folder.write("modules/net/net.tf", "");
    CHECK(Change(stage("plan it;"), folder.path).paths() ==
          Paths{"modules/net/net.tf", "tf/environments/staging.tfvars", "tf/main.tf"});
    // However large the file is that names them.
    const std::string remark = "#" + std::string((std::size_t{9} << 20), '.') + "\n";
    folder.write("tf/main.tf", remark + "module \"net\" {\n  source = \"../modules/net\"\n}\n");
    CHECK(Change(stage("plan it;"), folder.path).paths().front() == "modules/net/net.tf");
    const Change change(stage("plan it;"), folder.path);
    auto inputs = change.inputs();
    REQUIRE(inputs);
    folder.write("tf/.terraform.lock.hcl", "by init");
    folder.write("tf/kubeconfig", "by an apply");
    CHECK_FALSE((*inputs)->changed("tf"));
    CHECK((*inputs)->digests().contains("tf/kubeconfig"));  // so that a later run has the same change
    folder.write("tf/more.tf", "by somebody");
    CHECK((*inputs)->changed("tf") == "tf/more.tf was made");
}

TEST_CASE("a file that is not there, and whether it may be executed, are part of the digest") {
    const Folder folder;
    const Change change(stage("look at \"a.sh\";"), folder.path);
    CHECK(change.digests().at("a.sh").is_null());
    folder.write("a.sh", "x");
    const json plain = change.digests().at("a.sh");
    CHECK(plain == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    ::chmod((folder.path / "a.sh").c_str(), 0700);
    CHECK(change.digests().at("a.sh") == plain.get<std::string>() + " executable");
}

TEST_CASE("links out of the project, links to folders and what is no file are refused") {
    const Folder folder, outside;
    outside.write("secret", "x");
    fs::create_directory(folder.path / "k8s");
    const Change change(stage("look at \"k8s\";"), folder.path);
    fs::create_symlink(outside.path / "secret", folder.path / "k8s" / "link.yaml");
    CHECK(change.inputs().error().find("leads out of the project's folder") != std::string::npos);
    fs::remove(folder.path / "k8s" / "link.yaml");
    fs::create_directory_symlink(outside.path, folder.path / "k8s" / "more");
    CHECK(change.inputs().error().find("a link to a folder") != std::string::npos);
    fs::remove(folder.path / "k8s" / "more");
    REQUIRE(::mkfifo((folder.path / "k8s" / "pipe").c_str(), 0600) == 0);
    CHECK(change.inputs().error().find("no regular file") != std::string::npos);
    fs::remove(folder.path / "k8s" / "pipe");
    folder.write("real.yaml", "y");
    fs::create_symlink("../real.yaml", folder.path / "k8s" / "link.yaml");  // stays inside
    CHECK(change.paths() == Paths{"k8s/link.yaml"});
}

TEST_CASE("what is changed after the review is noticed, and what the run itself writes is not") {
    const Folder folder;
    folder.write("k8s/a.yaml", "a");
    folder.write("other.yaml", "o");
    const Change change(stage("look at \"k8s\"; look at \"other.yaml\";"), folder.path);
    auto inputs = change.inputs();
    REQUIRE(inputs);
    CHECK_FALSE((*inputs)->changed("k8s"));
    CHECK_FALSE((*inputs)->changed("unknown.yaml"));
    folder.write("k8s/a.yaml", "b");
    CHECK((*inputs)->changed("k8s") == "k8s/a.yaml was changed");
    CHECK((*inputs)->changed((folder.path / "k8s").string()) == "k8s/a.yaml was changed");
    CHECK_FALSE((*inputs)->changed("other.yaml"));
    (*inputs)->wrote((folder.path / "k8s/a.yaml").string());
    CHECK_FALSE((*inputs)->changed("k8s"));
    folder.write("k8s/new.yaml", "n");
    CHECK((*inputs)->changed("k8s") == "k8s/new.yaml was made");
    (*inputs)->accept_all();
    CHECK_FALSE((*inputs)->changed("k8s"));
    fs::remove(folder.path / "other.yaml");
    CHECK((*inputs)->changed("other.yaml") == "other.yaml is gone");
    folder.write("other.yaml", "o");  // the same again
    CHECK_FALSE((*inputs)->changed("other.yaml"));
}

TEST_CASE("the project's own folder as an input") {
    const Folder folder;
    folder.write("a.txt", "a");
    folder.write("deep/b.txt", "b");
    folder.write(".git/config", "c");
    folder.write(".migc/journal.db", "j");
    const Change change(stage("look at \".\"; look at \"a.txt\";"), folder.path);
    CHECK(change.paths() == Paths{"a.txt", "deep/b.txt"});
    auto inputs = change.inputs();
    REQUIRE(inputs);
    folder.write("a.txt", "x");
    CHECK((*inputs)->changed(".") == "a.txt was changed");
    (*inputs)->wrote((folder.path / "a.txt").string());
    CHECK_FALSE((*inputs)->changed("."));
    CHECK_FALSE((*inputs)->changed("a.txt"));
}

TEST_CASE("the run's copies are private, and follow what the run writes") {
    const Folder folder;
    folder.write("k8s/a.yaml", "a");
    folder.write("run.sh", "#!/bin/sh");
    ::chmod((folder.path / "run.sh").c_str(), 0755);
    const Change change(stage("look at \"k8s\"; run script \"run.sh\";"), folder.path);
    auto inputs = change.inputs();
    REQUIRE(inputs);
    const fs::path run = folder.path / ".migc" / "runs" / "1";
    REQUIRE((*inputs)->copy_into(run / "inputs"));
    const auto mode = [&](const fs::path& path) {
        struct stat status = {};
        REQUIRE(::stat((run / "inputs" / path).c_str(), &status) == 0);
        return status.st_mode & 0777;
    };
    CHECK(mode("k8s/a.yaml") == 0600);
    CHECK(mode("k8s") == 0700);
    CHECK(mode("run.sh") == 0700);
    CHECK(copied_input(run, folder.path, "k8s/a.yaml") == run / "inputs/k8s/a.yaml");
    CHECK(copied_input(run, folder.path, "k8s") == run / "inputs/k8s");
    CHECK(copied_input(run, folder.path, "none.yaml") == folder.path / "none.yaml");
    CHECK(copied_input(run, folder.path, "../x") == folder.path / "../x");
    CHECK(copied_input("", folder.path, "k8s/a.yaml") == folder.path / "k8s/a.yaml");
    folder.write("k8s/a.yaml", "changed by somebody");
    CHECK(fs::file_size(run / "inputs/k8s/a.yaml") == 1);
    (*inputs)->wrote((folder.path / "k8s/a.yaml").string());
    CHECK(fs::file_size(run / "inputs/k8s/a.yaml") == 19);
    fs::remove(folder.path / "k8s/a.yaml");
    (*inputs)->wrote((folder.path / "k8s/a.yaml").string());
    CHECK_FALSE(fs::exists(run / "inputs/k8s/a.yaml"));
}

TEST_CASE("what drifted since the plan is named") {
    const Folder folder;
    folder.write("a.yaml", "a");
    const Change change("param replicas: int = 4; " + stage("look at \"a.yaml\";"), folder.path);
    fakes::FakeTools tools;
    StageEnvironment environment = declared_environment(
        change.loaded->program, change.loaded->program.stages[0], change.loaded->inventory, change.options);
    const auto reviewed = [&] {
        auto inputs = change.inputs();
        REQUIRE(inputs);
        return review(change.loaded->program, {{&change.loaded->program.stages[0], &environment}},
                      change.loaded->inventory, **inputs, tools);
    };
    const json plan = reviewed().journal();
    CHECK(drift(plan, reviewed()).empty());
    folder.write("a.yaml", "b");
    CHECK(drift(plan, reviewed()) == std::vector<std::string>{"the file a.yaml was changed"});
    CHECK(reviewed().change_digest() != plan.at("change"));
    folder.write("a.yaml", "a");
    environment.parameters["replicas"] = Value(std::int64_t{6});
    environment.settings["namespace"] = "elsewhere";
    CHECK(drift(plan, reviewed()) ==
          std::vector<std::string>{"staging: the setting namespace was nothing and is elsewhere",
                                   "staging: the value of replicas was 4 and is 6"});
    CHECK(reviewed().change_digest() == plan.at("change"));
    CHECK(reviewed().run_digest() != plan.at("run"));

    RunOptions options;
    CHECK_FALSE(refusal(options, reviewed()));
    options.expect = plan.at("change").get<std::string>();
    CHECK_FALSE(refusal(options, reviewed()));
    options.expect = plan.at("run").get<std::string>();
    CHECK(refusal(options, reviewed()).value_or("").find("not what was reviewed") != std::string::npos);
    options.expect = "abc";
    CHECK(refusal(options, reviewed()).value_or("").find("wants a digest") != std::string::npos);
}
