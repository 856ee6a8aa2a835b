// From a text to a checked program, and what several scripts have in common.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include "compiler/driver/files.hpp"
#include "compiler/driver/review.hpp"

using namespace migc;
using namespace migc::driver;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-driver-XXXXXX").string();
        path = fs::canonical(::mkdtemp(name.data()));
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return (path / name).string();
    }
    fs::path path;
};

constexpr const char* module = "probe web replicas: int < read kubectl [\"get\", \"x\"]; >\n";
constexpr const char* script =
    "use \"m.mig\";\nstage staging < scale webapi to 4; verify replicas of webapi is 4; > on failure undo;\n";

bool has(const Script& loaded, Code code) {
    for (const Diagnostic& one : loaded.diagnostics.all())
        if (one.code == code) return true;
    return false;
}

}  // namespace

TEST_CASE("a text is bound and typed, and nothing is checked") {
    const auto plain = load_text("stage staging < scale webapi to 4; >");
    CHECK(plain->diagnostics.empty());
    CHECK(plain->program.stages.size() == 1);
    CHECK(load_text("stage staging < scale webapi to \"a\"; >")->diagnostics.has_errors());
    // What is no Mig is not bound: its names would be unknown a second time.
    CHECK(load_text("stage < >")->library == nullptr);
}

TEST_CASE("what a bundle holds is what was loaded, though the files are gone") {
    std::string bundle;
    {
        const Folder folder;
        folder.write("m.mig", module);
        const auto loaded = load_script(folder.write("a.mig", script));
        CHECK(loaded->used.size() == 1);
        bundle = loaded->bundle();
    }
    const auto again = load_bundle(bundle);
    REQUIRE(again != nullptr);
    CHECK_FALSE(again->diagnostics.has_errors());
    CHECK(again->program.stages.size() == 1);
    CHECK(again->used.size() == 1);
    CHECK(load_bundle("{}") == nullptr);
    CHECK(load_bundle("no bundle") == nullptr);
}

TEST_CASE("a script that is not there is one finding, and no use leads out of its folder") {
    const Folder folder, other;
    CHECK(has(*load_script((folder.path / "a.mig").string()), Code::Unreadable));
    other.write("m.mig", module);
    fs::create_symlink(other.path / "m.mig", folder.path / "m.mig");
    CHECK(load_script(folder.write("a.mig", script))->diagnostics.has_errors());
}

TEST_CASE("a module is checked with the script that uses it") {
    const Folder folder;
    folder.write("m.mig", module);
    folder.write("a.mig", script);
    std::vector<std::string> empty;
    std::vector<Checked> all;
    for (const auto& file : script_files({folder.path.string()}, empty))
        all.push_back({file.path, load_script(file.path, file.found_in), !file.found_in.empty(), {}});
    REQUIRE(all.size() == 2);
    set_modules_aside(all);
    CHECK(all[0].with.empty());
    CHECK(all[1].with == all[0].path);
    CHECK(empty.empty());
    const Folder without;
    CHECK(script_files({without.path.string()}, empty).empty());
    CHECK(empty.size() == 1);
}

TEST_CASE("what replaces a file is told, and an empty one is no loss") {
    const Folder folder;
    const std::string path = (folder.path / "out.json").string();
    CHECK(write_output(path, "").value() == "");
    CHECK(write_output(path, "abc").value() == "");
    CHECK(note_of_replaced(path) == "note: " + path + " was there (3 bytes), and is replaced");
    CHECK(write_output(path, "d").value() == "note: " + path + " was there (3 bytes), and is replaced");
    CHECK_FALSE(write_output((folder.path / "none" / "out.json").string(), "abc"));
}
