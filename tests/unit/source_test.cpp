#include "compiler/source/source.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <sys/stat.h>

#include "compiler/source/escape.hpp"
#include "compiler/source/read_file.hpp"
#include "compiler/source/sha256.hpp"

using namespace migc;

TEST_CASE("positions count lines and characters from one") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "eins\nzw\xc3\xb6lf\r\n\n");
    CHECK(sources.location({file, 0, 1}) == "a.mig:1:1");
    CHECK(sources.location({file, 5, 6}) == "a.mig:2:1");
    CHECK(sources.begin({file, 9, 9}).column == 4);  // behind the two bytes of one character
    CHECK(sources.file(file).line(2) == "zw\xc3\xb6lf");
    CHECK(sources.file(file).line(99).empty());
    CHECK(sources.file(file).line_count() == 4);
    CHECK(sources.file(file).position(9'999).line == 4);
}

TEST_CASE("an empty file has one empty line") {
    SourceMap sources;
    const FileId file = sources.add("empty", "");
    CHECK(sources.location({file, 0, 0}) == "empty:1:1");
    CHECK(sources.file(file).line(1).empty());
}

TEST_CASE("cover spans both") {
    CHECK(cover({0, 3, 5}, {0, 1, 4}) == Span{0, 1, 5});
}

TEST_CASE("text of others is escaped for the terminal") {
    CHECK(escaped("plain text, größer → 3 ✓") == "plain text, größer → 3 ✓");
    CHECK(escaped("a\x1b[31mred\r\n\tb\x7f") == "a\\x1b[31mred\\r\\n\\tb\\x7f");
    CHECK(escaped("a\nb\rc", Newlines::Kept) == "a\nb\\rc");
    CHECK(escaped("\xC2\x9B"
                  "31m") == "\\u009b31m");
    CHECK(escaped("a\u202Eb\u2066c\u200F") == "a\\u202eb\\u2066c\\u200f");
    CHECK(escaped("a\u2028b") == "a\\u2028b");
    CHECK(escaped(std::string("a\0b", 3)) == "a\\x00b");
    SECTION("what is not UTF-8 is shown byte by byte") {
        CHECK(escaped("\xFF") == "\\xff");
        CHECK(escaped("\xE2\x82") == "\\xe2\\x82");
        CHECK(escaped("\xC0\x8A") == "\\xc0\\x8a");
        CHECK(escaped("\xED\xA0\x80") == "\\xed\\xa0\\x80");
        CHECK(escaped("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
    }
}

TEST_CASE("a file is read whole, or it is said why not") {
    namespace fs = std::filesystem;
    std::string pattern = (fs::temp_directory_path() / "migc-source-XXXXXX").string();
    const fs::path folder = ::mkdtemp(pattern.data());
    std::ofstream(folder / "small") << "a\nb";
    std::ofstream(folder / "empty");
    std::ofstream(folder / "large") << std::string(3000, 'x');
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    const auto why = [&](const char* name, std::uintmax_t limit) {
        return file_content(folder / name, limit).error();
    };
    CHECK(file_content(folder / "small", 3) == "a\nb");
    CHECK(file_content(folder / "empty", 0) == "");
    CHECK(why("large", 2048) == "it is larger than 2 KiB");
    CHECK(why("pipe", 2048) == "it is no regular file");
    CHECK(file_content("/dev/zero", 2048).error() == "it is no regular file");
    CHECK(why("missing", 2048) == "No such file or directory");
    CHECK(why(".", 2048) == "it is a folder");
    CHECK(file_content("/proc/version", 2048)->starts_with("Linux"));
    CHECK(read_file(folder / "small", 3) == "a\nb");
    CHECK_FALSE(read_file(folder / "small", 2));
    fs::remove_all(folder);
}

TEST_CASE("SHA-256") {
    CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
