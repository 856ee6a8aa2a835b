#include "runtime/archive/archive.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

using namespace migc::runtime;
namespace fs = std::filesystem;

namespace {

const std::vector<ArchiveEntry> some = {{"data", true, 0755, {}},
                                        {"data/a b", false, 0640, "one"},
                                        {"data/big", false, 0644, std::string(100'000, 'x')}};

class File {
  public:
    explicit File(const std::string& bytes)
        : path_(fs::temp_directory_path() / ("migc-archive-" + std::to_string(::getpid()))) {
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { fs::remove(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

std::string cut(const std::string& bytes, std::size_t missing) {
    return bytes.substr(0, bytes.size() - missing);
}

}  // namespace

TEST_CASE("an archive holds what was put into it") {
    for (const bool compressed : {false, true}) {
        const auto bytes = write_archive(some, compressed);
        REQUIRE(bytes);
        CHECK((*bytes == *write_archive(some, compressed)));
        const auto back = read_archive(*bytes);
        REQUIRE(back);
        REQUIRE(back->size() == some.size());
        for (std::size_t i = 0; i < some.size(); ++i) {
            CHECK((*back)[i].path == some[i].path);
            CHECK((*back)[i].is_folder == some[i].is_folder);
            CHECK((*back)[i].mode == some[i].mode);
            CHECK(((*back)[i].content == some[i].content));
        }
        const auto listed = list_archive(File(*bytes).path());
        REQUIRE(listed);
        CHECK(listed->size() == some.size());
        CHECK(listed->back().content.empty());
    }
}

TEST_CASE("an archive of which a part is missing is none, wherever it was cut") {
    const auto plain = write_archive(some, false);
    const auto compressed = write_archive(some, true);
    REQUIRE((plain && compressed));
    const std::size_t at_an_entry = plain->size() - 1024;  // all entries, but no end
    for (const std::size_t left :
         {std::size_t{1}, std::size_t{512}, std::size_t{700}, plain->size() / 2, at_an_entry})
        CHECK_FALSE(list_archive(File(plain->substr(0, left)).path()));
    for (const std::size_t missing : {std::size_t{1}, std::size_t{8}, std::size_t{100}})
        CHECK_FALSE(list_archive(File(cut(*compressed, missing)).path()));
}

TEST_CASE("what is no archive says so") {
    CHECK_FALSE(list_archive(File("Error from server: no such pod\n").path()));
    CHECK_FALSE(list_archive(File("").path()));
    CHECK_FALSE(list_archive("/no/such/file"));
    CHECK_FALSE(read_archive("}{"));
}

TEST_CASE("the name of an archive says whether it is compressed") {
    CHECK(names_compressed_archive("a/b.tar.gz"));
    CHECK(names_compressed_archive("b.tgz"));
    CHECK_FALSE(names_compressed_archive("b.tar"));
    CHECK_FALSE(names_compressed_archive("gz"));
}
