#include "runtime/engine/replaced_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>
#include <stdlib.h>

namespace fs = std::filesystem;
using migc::runtime::ReplacedFile;

namespace {

struct Folder {
    fs::path path;
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-replaced-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
};

std::string rest_of(std::ifstream& in) {
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string content(const fs::path& file) {
    std::ifstream in(file);
    return rest_of(in);
}

}  // namespace

TEST_CASE("a file is replaced again and again, by longer and by shorter text, for its owner only") {
    const Folder folder;
    const fs::path file = folder.path / "sheet.txt";
    {
        ReplacedFile replaced(file);
        for (const std::string text : {"one", "two, longer", "3", "", "five"}) {
            REQUIRE(replaced.replace(text));
            CHECK(content(file) == text);
            CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
        }
    }
    CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("whoever reads a file that is being replaced has one version of it, to its end") {
    const Folder folder;
    const fs::path file = folder.path / "sheet.txt";
    ReplacedFile replaced(file);
    REQUIRE(replaced.replace("zero"));
    for (const char version : {'a', 'b', 'c', 'd'}) {
        const std::string text(100'000, version);
        REQUIRE(replaced.replace(text));
        std::ifstream reader(file);
        std::string read(1'000, ' ');
        reader.read(read.data(), static_cast<std::streamsize>(read.size()));
        for (int i = 0; i < 5; ++i) REQUIRE(replaced.replace("another"));
        CHECK(read + rest_of(reader) == text);
    }
}

TEST_CASE("a file that a process that was killed has left is replaced by the next one") {
    const Folder folder;
    const fs::path file = folder.path / "sheet.txt";
    std::ofstream(file) << "left";
    std::ofstream(folder.path / ".sheet.txt.spare") << "half writ";
    ReplacedFile replaced(file);
    for (const std::string text : {"new", "newer"}) {
        REQUIRE(replaced.replace(text));
        CHECK(content(file) == text);
    }
}

TEST_CASE("what cannot be written leaves the file as it is") {
    const Folder folder;
    ReplacedFile replaced(folder.path / "not there" / "sheet.txt");
    CHECK_FALSE(replaced.replace("text"));
}
