#include "compiler/source/source.hpp"

#include <catch2/catch.hpp>

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
