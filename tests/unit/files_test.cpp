// The natives that read and write files of the project, in a folder of their own.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/natives/natives.hpp"
#include "runtime/natives/project_files.hpp"
#include "runtime/natives/reading.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-files-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = fs::canonical(name);
    }
    ~Folder() {
        std::error_code ignored;
        fs::permissions(path, fs::perms::owner_all, ignored);
        fs::remove_all(path, ignored);
    }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in(path / name, std::ios::binary);
        std::stringstream text;
        text << in.rdbuf();
        return std::move(text).str();
    }
    [[nodiscard]] std::size_t count() const {
        return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(path), {}));
    }
    fs::path path;
};

// A project, and a git that answers from a table.
class Project final : public fakes::FakeHost {
  public:
    Answer run(const std::string& tool, const std::vector<std::string>& arguments,
               const std::string& input) override {
        const std::string line = fmt::format("{} {}", tool, fmt::join(arguments, " "));
        otherwise = answers.contains(line) ? fakes::printed(answers[line])
                                           : fakes::failed("fatal: no answer to " + line, 128);
        return FakeHost::run(tool, arguments, input);
    }
    std::string setting(std::string_view name) override {
        return name == "root" ? folder.path.string() : variables[std::string(name)];
    }

    Reading read(const char* name, const List& arguments) {
        return find_native(name)->probe(*this, arguments);
    }
    std::string why(const char* name, const List& arguments) {
        const Reading reading = read(name, arguments);
        CHECK(reading.value.is_unknown());
        CHECK(reading.permanent);
        return reading.why;
    }
    Answer act(const char* name, const List& arguments) {
        return find_native(name)->action(*this, arguments);
    }

    // As the engine does it: captures, then the action.
    Answer set(const std::string& file, const std::string& pointer, const Value& value) {
        const Reading wanted = read("file-digest-with", {Value(file), Value(pointer), value});
        if (wanted.value.is_unknown()) return refused(wanted.why);
        const Value prior = read("file-copy", {Value(file)}).value;
        return act("set-value", {Value(file), Value(pointer), value, wanted.value, prior});
    }

    Folder folder;
    std::map<std::string, std::string> answers, variables;
};

Value text(const std::string& value) {
    return Value(value);
}

mode_t mode_of(const fs::path& path) {
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a value is read, set and put back to the byte") {
    Project project;
    const std::string before = "a: 1 # one\nb: [x]\n";
    project.folder.write("k8s/a b.yaml", before);
    fs::permissions(project.folder.path / "k8s/a b.yaml", fs::perms(0640));
    CHECK(same(project.read("file-value", {text("k8s/a b.yaml"), text("/a")}).value, Value(std::int64_t{1})));
    CHECK(project.read("file-value", {text("k8s/a b.yaml"), text("/c")}).value.is_absent());
    const Value copy = project.read("file-copy", {text("k8s/a b.yaml")}).value;
    const Value digest = project.read("file-digest", {text("k8s/a b.yaml")}).value;

    REQUIRE(project.set("k8s/a b.yaml", "/a", Value(std::int64_t{2})).succeeded());
    CHECK(project.folder.read("k8s/a b.yaml") == "a: 2 # one\nb: [x]\n");
    CHECK(mode_of(project.folder.path / "k8s/a b.yaml") == 0640);
    CHECK(project.folder.count() == 2);  // the folder and the file: no temporary one is left

    fs::permissions(project.folder.path / "k8s/a b.yaml", fs::perms(0600));
    const Value now = project.read("file-digest", {text("k8s/a b.yaml")}).value;
    REQUIRE(project.act("put-back", {text("k8s/a b.yaml"), copy, now}).succeeded());
    CHECK(project.folder.read("k8s/a b.yaml") == before);
    // Somebody else has closed it to others meanwhile.
    CHECK(mode_of(project.folder.path / "k8s/a b.yaml") == 0600);
    CHECK(same(project.read("file-digest", {text("k8s/a b.yaml")}).value, digest));
    CHECK(same(project.read("file-copy-digest", {copy}).value, digest));
}

TEST_CASE("a copy holds every byte, also those that are no text, and survives the journal") {
    Project project;
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    project.folder.write("x.bin", bytes);
    const Value copy = from_json(to_json(project.read("file-copy", {text("x.bin")}).value));
    project.folder.write("x.bin", "other");
    const Value now = project.read("file-digest", {text("x.bin")}).value;
    REQUIRE(project.act("put-back", {text("x.bin"), copy, now}).succeeded());
    CHECK(project.folder.read("x.bin") == bytes);
}

TEST_CASE("the copy of no file takes the file away") {
    Project project;
    const Value copy = project.read("file-copy", {text("new.json")}).value;
    CHECK(copy.is_absent());
    project.folder.write("new.json", "{}");
    const Value now = project.read("file-digest", {text("new.json")}).value;
    REQUIRE(project.act("put-back", {text("new.json"), copy, now}).succeeded());
    CHECK_FALSE(fs::exists(project.folder.path / "new.json"));
    REQUIRE(project.act("put-back", {text("new.json"), copy, Value(Absent{})}).succeeded());
}

TEST_CASE("folders that were made for a file go with it, if nothing else is in them") {
    Project project;
    fs::create_directory(project.folder.path / "k8s");
    const Value copy = project.read("file-copy", {text("k8s/base/web/a.yaml")}).value;
    CHECK(project.read("file-copy-digest", {copy}).value.is_absent());
    project.folder.write("k8s/base/web/a.yaml", "a: 1\n");
    project.folder.write("k8s/base/other.yaml", "a: 1\n");
    const Value now = project.read("file-digest", {text("k8s/base/web/a.yaml")}).value;
    REQUIRE(project.act("put-back", {text("k8s/base/web/a.yaml"), copy, now}).succeeded());
    CHECK_FALSE(fs::exists(project.folder.path / "k8s/base/web"));
    CHECK(fs::exists(project.folder.path / "k8s/base/other.yaml"));
}

TEST_CASE("what somebody else writes meanwhile is not overwritten") {
    Project project;
    project.folder.write("a.json", "{\"a\": 1}");
    const Value wanted =
        project.read("file-digest-with", {text("a.json"), text("/a"), Value(std::int64_t{2})}).value;
    const Value copy = project.read("file-copy", {text("a.json")}).value;
    const Value before = project.read("file-digest", {text("a.json")}).value;
    project.folder.write("a.json", "{\"a\": 1, \"b\": 2}");
    const Answer answer =
        project.act("set-value", {text("a.json"), text("/a"), Value(std::int64_t{2}), wanted, copy});
    CHECK(answer.errors.find("changed by somebody else") != std::string::npos);
    CHECK(project.act("put-back", {text("a.json"), copy, before}).errors.find("changed by somebody else") !=
          std::string::npos);
    CHECK(project.folder.read("a.json") == "{\"a\": 1, \"b\": 2}");
}

TEST_CASE("what is put back later is the file that was there when the value was set, or nothing is written") {
    Project project;
    project.folder.write("a.json", "{\"a\": 1}");
    const Value old = project.read("file-copy", {text("a.json")}).value;
    project.folder.write("a.json", "{\"a\": 1, \"b\": 2}");  // between one capture and the next
    const List place = {text("a.json"), text("/a"), Value(std::int64_t{2})};
    const Value wanted = project.read("file-digest-with", place).value;
    const Answer answer = project.act("set-value", {place[0], place[1], place[2], wanted, old});
    CHECK(answer.errors.find("changed by somebody else") != std::string::npos);
    const Answer removed = project.act(
        "remove-value",
        {place[0], place[1], project.read("file-digest-without", {place[0], place[1]}).value, old});
    CHECK(removed.errors.find("changed by somebody else") != std::string::npos);
    CHECK(project.folder.read("a.json") == "{\"a\": 1, \"b\": 2}");
}

TEST_CASE("a file is put back only where it is as it was left, unless a person says that it is overwritten") {
    Project project;
    project.folder.write("a.json", "{\"a\": 1}");
    const Value copy = project.read("file-copy", {text("a.json")}).value;
    REQUIRE(project.set("a.json", "/a", Value(std::int64_t{2})).succeeded());
    const Value left = project.read("file-digest", {text("a.json")}).value;
    project.folder.write("a.json", "{\"a\": 3}");
    const Answer held = project.act("put-back", {text("a.json"), copy, left});
    CHECK(held.held.starts_with("a.json was changed by somebody else"));
    CHECK(project.folder.read("a.json") == "{\"a\": 3}");
    project.variables["overwrite"] = "yes";
    CHECK(project.act("put-back", {text("a.json"), copy, left}).succeeded());
    CHECK(project.folder.read("a.json") == "{\"a\": 1}");
}

TEST_CASE("a file that this run wrote is known by the file itself, and another one like it is not") {
    Project project;
    project.variables.insert({{"writers", "yes"}, {"manager", "migc:1"}});
    project.variables["run-folder"] = project.folder.path / ".migc";
    fs::create_directory(project.folder.path / ".migc");
    project.folder.write("a.json", "{\"a\": 1}");
    const auto writer = [&] { return project.read("file-digest", {text("a.json")}).writer; };
    CHECK(writer().empty());
    REQUIRE(project.set("a.json", "/a", Value(std::int64_t{2})).succeeded());
    CHECK(writer() == "migc:1");
    CHECK(project.read("file-value", {text("a.json"), text("/a")}).writer == "migc:1");
    const std::string same = project.folder.read("a.json");
    project.folder.write("b.json", same);  // somebody else's, put in its place
    fs::rename(project.folder.path / "b.json", project.folder.path / "a.json");
    CHECK(writer().empty());
}

TEST_CASE("links lead to what they point to, and not out of the project") {
    Project project;
    Folder other;
    other.write("secret.yaml", "a: 1\n");
    project.folder.write("real/a.yaml", "a: 1\n");
    fs::create_symlink("real/a.yaml", project.folder.path / "link.yaml");
    fs::create_symlink(other.path / "secret.yaml", project.folder.path / "out.yaml");
    fs::create_directory_symlink(other.path, project.folder.path / "folder");
    REQUIRE(project.set("link.yaml", "/a", Value(std::int64_t{2})).succeeded());
    CHECK(fs::is_symlink(project.folder.path / "link.yaml"));
    CHECK(project.folder.read("real/a.yaml") == "a: 2\n");
    for (const char* path : {"out.yaml", "folder/secret.yaml", "../x.yaml", "/etc/hostname.yaml"}) {
        CHECK(project.why("file-value", {text(path), text("/a")}).find("leads out") != std::string::npos);
        CHECK(project.set(path, "/a", Value(std::int64_t{2})).status == 1);
        CHECK(project.act("put-back", {text(path), Value(Absent{}), Value(Absent{})}).status == 1);
    }
    CHECK(other.read("secret.yaml") == "a: 1\n");
}

TEST_CASE("git's and migc's own folders are no files of the project") {
    Project project;
    project.folder.write(".git/config.yaml", "a: 1\n");
    project.folder.write("sub/.migc/a.yaml", "a: 1\n");
    for (const char* path : {".git/config.yaml", "sub/.migc/a.yaml", "sub/../.git/config.yaml"})
        CHECK(project.why("file-value", {text(path), text("/a")}).find("no files of the project") !=
              std::string::npos);
}

TEST_CASE("what cannot be written is refused, and nothing is half written") {
    Project project;
    project.folder.write("a.yaml", "a: 1\n");
    fs::create_directory(project.folder.path / "folder.yaml");
    CHECK(project.why("file-value", {text("folder.yaml"), text("/a")}).find("no regular file") !=
          std::string::npos);
    CHECK(project.why("file-value", {text("nobody.yaml"), text("/a")}) == "there is no file nobody.yaml");
    CHECK(project.why("file-value", {text("a.txt"), text("/a")}).find("only values of .json") !=
          std::string::npos);
    REQUIRE(::mkfifo((project.folder.path / "pipe.yaml").c_str(), 0600) == 0);
    CHECK(project.why("file-value", {text("pipe.yaml"), text("/a")}).find("no regular file") !=
          std::string::npos);
    CHECK(project.set("a.yaml", "/a", Value(Absent{})).errors.find("no value to be set") !=
          std::string::npos);
    CHECK(project.set("a.yaml", "/a", text("\xFF")).errors.find("not UTF-8") != std::string::npos);
    if (::geteuid() == 0) return;  // root writes everywhere
    fs::permissions(project.folder.path, fs::perms(0500));
    CHECK(project.set("a.yaml", "/a", Value(std::int64_t{2})).errors.find("Permission denied") !=
          std::string::npos);
    CHECK(project.folder.read("a.yaml") == "a: 1\n");
}

TEST_CASE("values are written as their type says") {
    Project project;
    project.folder.write("a.json", "{}");
    const auto written = [&](const Value& value) {
        const Reading reading = project.read("file-value-with", {text("a.json"), text("/a"), value});
        return to_json(reading.value).dump();
    };
    CHECK(written(Value(Quantity{"20Gi", 20. * (1 << 30)})) == "\"20Gi\"");
    CHECK(written(Value(Quantity{"0.5", 0.5})) == R"({"json":0.5})");
    CHECK(written(Value(Duration{300'000})) == "\"5m\"");
    CHECK(written(Value(Percent{25})) == "\"25%\"");
    CHECK(written(Value(List{Value("x"), Value(true)})) == R"({"json":["x",true]})");
    CHECK(written(text("'; rm -rf $(HOME) `x` ${y} %{z} \n\"")) ==
          json(std::string("'; rm -rf $(HOME) `x` ${y} %{z} \n\"")).dump());
}

TEST_CASE("a pointer leads through any names") {
    Project project;
    const Value pointer =
        project.read("pointer-through", {Value(List{text("a/b"), text("~"), text("k=v")})}).value;
    CHECK(show(pointer) == "/a~1b/~0/k=v");
}

TEST_CASE("the var-file is the environment's, and must be there") {
    Project project;
    project.folder.write("terraform/a.tfvars", "");
    const std::string folder = (project.folder.path / "terraform").string();
    CHECK(show(project.read("variables-file", {text(folder), text("a.tfvars")}).value) ==
          "terraform/a.tfvars");
    CHECK(project.why("variables-file", {text(folder), text("b.tfvars")}) ==
          "terraform/b.tfvars: there is no such file");
    CHECK(project.why("variables-file", {Value(Absent{}), Value(Absent{})}).find("has no var-file") !=
          std::string::npos);
}

TEST_CASE("a revision is resolved to a commit") {
    Project project;
    const std::string id(40, 'a');
    project.answers["git rev-parse --verify --quiet --end-of-options HEAD~1^{commit}"] = id + "\n";
    CHECK(show(project.read("git-commit", {text("HEAD~1")}).value) == id);
    for (const char* revision : {"-x", "--output=/tmp/x", "", "a\nb"})
        CHECK(project.why("git-commit", {text(revision)}).find("cannot be a revision") != std::string::npos);
    CHECK(project.commands.size() == 1);
    CHECK(project.why("git-commit", {text("HEAD~9")}).find("git: fatal") != std::string::npos);
}

TEST_CASE("files of a commit are listed and written as they were committed") {
    Project project;
    const std::string list = "git ls-tree -r -z c0 -- ";
    project.answers[list + "k8s"] = std::string(
        "100644 blob 11\tk8s/a b.yaml\0"
        "100755 blob 22\tk8s/run.sh\0",
        53);
    project.answers[list + "k8s/a b.yaml"] = std::string("100644 blob 11\tk8s/a b.yaml\0", 28);
    project.answers[list + "k8s/run.sh"] = std::string("100755 blob 22\tk8s/run.sh\0", 26);
    project.answers[list + "link"] = std::string("120000 blob 33\tlink\0", 20);
    project.answers[list + "none"] = "";
    project.answers["git cat-file blob 11"] = "a: old\r\n";
    project.answers["git cat-file blob 22"] = "#!/bin/sh\n";
    CHECK(show(project.read("git-files", {text("k8s"), text("c0")}).value) == "[k8s/a b.yaml, k8s/run.sh]");
    project.folder.write("k8s/a b.yaml", "a: new\n");
    fs::permissions(project.folder.path / "k8s/a b.yaml", fs::perms(0660));
    for (const char* path : {"k8s/a b.yaml", "k8s/run.sh"}) {
        const Value wanted = project.read("git-digest", {text(path), text("c0")}).value;
        const Value now = project.read("file-digest", {text(path)}).value;
        REQUIRE(project.act("restore-file", {text(path), text("c0"), now}).succeeded());
        CHECK(same(project.read("file-digest", {text(path)}).value, wanted));
    }
    CHECK(project.folder.read("k8s/a b.yaml") == "a: old\r\n");
    CHECK(mode_of(project.folder.path / "k8s/a b.yaml") == 0660);
    CHECK(mode_of(project.folder.path / "k8s/run.sh") == 0755);
    CHECK(project.why("git-files", {text("link"), text("c0")}).find("symbolic link") != std::string::npos);
    CHECK(project.why("git-files", {text("none"), text("c0")}) == "commit c0 has no none");
    CHECK(project.why("git-digest", {text("k8s"), text("c0")}).find("folder") != std::string::npos);
    CHECK(project.why("git-files", {text("../x"), text("c0")}).find("leads out") != std::string::npos);
}

TEST_CASE("a file that a link has taken the place of is another one") {
    Project project;
    project.folder.write("c.yaml", "a: 1\n");
    project.folder.write("shared.yaml", "a: 1\n");
    const Reading before = project.read("file-digest", {text("c.yaml")});
    fs::remove(project.folder.path / "c.yaml");
    fs::create_symlink("shared.yaml", project.folder.path / "c.yaml");
    const Reading after = project.read("file-digest", {text("c.yaml")});
    CHECK(same(before.value, after.value));
    CHECK(before.identity == "c.yaml");
    CHECK(after.identity == "shared.yaml");
}

TEST_CASE("a reference of Git LFS is no file") {
    Project project;
    project.answers["git ls-tree -r -z c0 -- a.bin"] = std::string("100644 blob 11\ta.bin\0", 21);
    project.answers["git cat-file blob 11"] = "version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
    CHECK(project.why("git-digest", {text("a.bin"), text("c0")}).find("Git LFS") != std::string::npos);
}

TEST_CASE("a file is committed if git has nothing to say about it") {
    Project project;
    project.folder.write("a.yaml", "a: 1\n");
    const std::string status =
        "git -c filter.lfs.clean= -c filter.lfs.required=false status --porcelain=v1 -z --untracked-files=all "
        "--ignored --ignore-submodules=all -- a.yaml";
    const std::string config = "git config -z --name-only --list";
    const auto committed = [&](const std::string& answer) {
        project.answers[config] = std::string("core.bare\0filter.lfs.clean\0filter.lfs.required\0", 47);
        project.answers[status] = answer;
        return project.read("git-committed", {text("a.yaml")});
    };
    CHECK(same(committed("").value, Value(true)));
    CHECK(committed(" M a.yaml").why == "a.yaml differs from the last commit");
    CHECK(committed("A  a.yaml").why == "a.yaml differs from the last commit");
    CHECK(committed("?? a.yaml").why == "a.yaml is not in any commit");
    CHECK(committed("!! a.yaml").why == "a.yaml is not in any commit");
    project.answers.clear();
    CHECK(project.read("git-committed", {text("a.yaml")}).value.is_unknown());
    CHECK(project.why("git-committed", {text("b.yaml")}) == "there is no file b.yaml");
}

TEST_CASE("the natives that edit files say so") {
    for (const char* name : {"set-value", "remove-value", "put-back", "restore-file"})
        CHECK(find_native(name)->edits_files);
    CHECK_FALSE(find_native("send-message")->edits_files);
}
