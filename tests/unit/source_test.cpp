#include "compiler/source/source.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <stdlib.h>
#include <sys/stat.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/outside_text.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"

using namespace migc;

TEST_CASE("bytes are written as text") {
    CHECK(hexadecimal(std::string("\x00\xff\x0a", 3)) == "00ff0a");
    CHECK(hexadecimal("").empty());
    for (const Base64 kind : {Base64::Standard, Base64::Url})
        for (const std::string bytes : {"", "a", "ab", "abc", "\xfb\xff\xfe"})
            CHECK(from_base64(base64(bytes, kind), kind) == bytes);
    CHECK(base64("\xfb\xff\xfe\xfe") == "+//+/g==");
    CHECK(base64("\xfb\xff\xfe\xfe", Base64::Url) == "-__-_g");
    CHECK_FALSE(from_base64("+//+/g"));
    CHECK_FALSE(from_base64("-__-_g=="));
    CHECK_FALSE(from_base64("-__-_g==", Base64::Url));
    CHECK_FALSE(from_base64("YW\nI="));
    CHECK(from_base64("YW\nI=", Base64::Standard, "\n") == "ab");
}

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

// ------------------------------------------------------------------ files of a project

namespace {

namespace fs = std::filesystem;

struct Place {
    Place() {
        std::string name = (fs::temp_directory_path() / "migc-source-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        top = fs::canonical(name);
        const fs::path root = top / "project", outside = top / "outside";
        fs::create_directories(root / ".git");
        fs::create_directories(root / "k8s");
        fs::create_directories(outside);
        write(outside / "secret", "secret");
        write(root / "own", "own");
        write(root / ".git/config", "secret");
    }
    ~Place() { fs::remove_all(top); }
    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
    static std::string read(const fs::path& file) {
        return migc::read_file(file, 1 << 20).value_or("(none)");
    }

    fs::path top;
};

}  // namespace

TEST_CASE("a file of the project is below its root, and neither git's nor migc's") {
    Place place;
    const fs::path root = place.top / "project";
    CHECK(migc::is_within("/a/b", "/a"));
    CHECK(migc::is_within("/a", "/a"));
    CHECK_FALSE(migc::is_within("/ab", "/a"));
    CHECK(migc::is_within("/a/..b", "/a"));
    fs::create_symlink(place.top / "outside", root / "out");
    fs::create_symlink(place.top / "outside/secret", root / "link");
    fs::create_symlink(root / ".git", root / "hidden");
    fs::create_symlink("own", root / "other");
    fs::create_symlink("nothing", root / "dangling");
    for (const char* path : {"link", "out/secret", "../outside/secret", "hidden/config", ".git/config",
                             ".migc/x", "k8s/../../outside/secret", "/etc/passwd", "", "dangling"}) {
        CAPTURE(path);
        CHECK_FALSE(migc::project_path(root, path));
        CHECK_FALSE(migc::project_file_content(root, path, 1 << 20));
    }
    CHECK(migc::project_file_content(root, "other", 1 << 20).value() == "own");
    CHECK(migc::project_path(root, "not/there/yet").has_value());
    CHECK_FALSE(migc::project_file(root, "k8s"));
    CHECK_FALSE(migc::open_folder(root / "out"));
    CHECK(migc::open_folder(root / "k8s"));
}

TEST_CASE("a file is written whole, in its own place, and nowhere else") {
    Place place;
    const fs::path root = place.top / "project", secret = place.top / "outside/secret";
    const auto mode = [](const fs::path& file) { return static_cast<int>(fs::status(file).permissions()); };
    REQUIRE(migc::write_file(root / "new", "1"));
    CHECK(mode(root / "new") == 0600);
    fs::permissions(root / "new", fs::perms(0640));
    const auto again = migc::write_file(root / "new", "22");
    REQUIRE(again);
    CHECK(again->replaced == 1);
    CHECK(mode(root / "new") == 0640);
    CHECK(migc::write_file(root / "new", "3", {.only_new = true}).error() == "there is one already");
    CHECK(Place::read(root / "new") == "22");
    CHECK(mode((void(migc::write_file(root / "x", "", {.mode = 0700})), root / "x")) == 0700);

    fs::create_symlink(secret, root / "link");
    fs::create_symlink(place.top / "outside", root / "out");
    fs::create_symlink("own", root / "other");
    fs::create_symlink(place.top / "outside/made", root / "dangling");
    for (const fs::path& path : {root / "link", root / "out/secret", root / "dangling", root / "out/../x",
                                 root / "k8s", root, fs::path("/dev/null")}) {
        CAPTURE(path);
        CHECK_FALSE(migc::write_file(path, "overwritten", {.project = root}));
    }
    CHECK_FALSE(migc::write_file(root / "other", "x"));  // without a project no link is followed
    REQUIRE(migc::write_file(root / "other", "changed", {.project = root}));
    CHECK(fs::is_symlink(root / "other"));
    CHECK(Place::read(root / "own") == "changed");
    CHECK(Place::read(secret) == "secret");
    CHECK_FALSE(fs::exists(place.top / "outside/made"));
    CHECK(migc::write_file(place.top / "outside/asked", "x", {.project = root}));  // named as such
    {
        auto unfinished = migc::AtomicFile::beside(root / "own");
        REQUIRE(unfinished);
    }
    for (const auto& entry : fs::recursive_directory_iterator(place.top))
        CHECK(entry.path().filename().string().find(".migc-") == std::string::npos);
    const std::string longest(255, 'n');
    CHECK(migc::write_file(root / longest, "x"));
}

TEST_CASE("text from elsewhere is dead in each place that shows it") {
    using migc::outside_text;
    using migc::Sink;
    CHECK(outside_text("a\nb\x1b\xe2\x80\xae", Sink::Line) == "a\\nb\\x1b\\u202e");
    CHECK(outside_text("50%\nx:y", Sink::GitHub) == "50%25%0Ax:y");
    CHECK(outside_text("a,b:c\n", Sink::GitHubProperty) == "a%2Cb%3Ac\\n");
    CHECK(outside_text("@kim #1 !2 10% a|b", Sink::Markdown) ==
          "@<!-- -->kim \\#<!-- -->1 !<!-- -->2 10% a\\|b");
    CHECK(outside_text("http://x www.y <b>", Sink::Markdown) == "http:<!-- -->//x www.<!-- -->y \\<b\\>");
    CHECK(outside_text("a`b|c\nd", Sink::MarkdownCode) == "`` a`b\\|c d ``");
    CHECK(outside_text("\"\\&", Sink::Dot) == "\\\"\\\\&amp;");
    CHECK(outside_text("a\"b", Sink::Mermaid) == "a#34;b");
    CHECK(migc::log_text("::x\n  ::y\n\xc2\xa0::z\na::b\n##[c]d\n") ==
          "\\x3a:x\n  \\x3a:y\n\xc2\xa0\\x3a:z\na::b\n\\x23#[c]d\n");
    CHECK(migc::json_for_terminal("{\"a\": \"\xc2\x9b\xc3\xa4\xf3\xa0\x80\x81\"}\n") ==
          "{\"a\": \"\\u009b\xc3\xa4\\udb40\\udc01\"}\n");
}
