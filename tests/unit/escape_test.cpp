// What of a text is shown as what it is: each character that is not seen, and nothing else.
#include "compiler/support/escape.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using migc::escaped;

namespace {

std::string utf8(char32_t code) {
    const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
    if (code < 0x10000)
        return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
            byte(0x80 | (code & 0x3F))};
}

struct Range {
    char32_t first, last;
    const char* what;
};

// By their names in the Unicode standard: what has no ink, or changes its neighbours.
constexpr Range unseen[] = {
    {0x00, 0x1F, "C0 controls"},
    {0x7F, 0x9F, "DEL and C1 controls"},
    {0xAD, 0xAD, "soft hyphen"},
    {0x34F, 0x34F, "combining grapheme joiner"},
    {0x61C, 0x61C, "Arabic letter mark"},
    {0x115F, 0x1160, "Hangul fillers"},
    {0x17B4, 0x17B5, "Khmer inherent vowels"},
    {0x180B, 0x180F, "Mongolian variation selectors and vowel separator"},
    {0x200B, 0x200F, "zero width space and joiners, direction marks"},
    {0x2028, 0x202E, "line and paragraph separator, embeddings and overrides"},
    {0x2060, 0x206F, "word joiner, invisible operators, isolates, deprecated controls"},
    {0x2800, 0x2800, "blank Braille pattern"},
    {0x3164, 0x3164, "Hangul filler"},
    {0xE000, 0xF8FF, "private use"},
    {0xFE00, 0xFE0F, "variation selectors"},
    {0xFEFF, 0xFEFF, "zero width no-break space"},
    {0xFFA0, 0xFFA0, "halfwidth Hangul filler"},
    {0xFFF0, 0xFFFB, "unassigned, interlinear annotations"},
    {0x13430, 0x1343F, "Egyptian hieroglyph format controls"},
    {0x1BCA0, 0x1BCA3, "shorthand format controls"},
    {0x1D159, 0x1D159, "musical null notehead"},
    {0x1D173, 0x1D17A, "musical beams, ties, slurs and phrases"},
    {0xE0000, 0xE0FFF, "tags and variation selectors supplement"},
    {0xF0000, 0xF0003, "private use"},
    {0x10FFFE, 0x10FFFF, "the last ones"},
};

}  // namespace

TEST_CASE("what is not seen is shown as what it is") {
    for (const Range& range : unseen)
        for (char32_t code = range.first; code <= range.last; ++code) {
            const std::string shown = escaped("a" + utf8(code) + "b");
            INFO(fmt::format("{}: U+{:04X}: {}", range.what, static_cast<unsigned>(code), shown));
            REQUIRE(shown.starts_with("a\\"));
            REQUIRE(shown.ends_with("b"));
            for (const char c : shown) REQUIRE((c >= 0x20 && c < 0x7F));
        }
}

TEST_CASE("what is seen stays, in whatever script") {
    for (const char* text : {"webapi", "größer", "Ω≈ç√", "пример", "例え", "مثال", "דוגמה", "नमूना",
                             "✓ … — “”", "😀", "a b", "e\u0301"})
        REQUIRE(escaped(text) == text);
}

TEST_CASE("the space that does not break stays, since names have it") {
    REQUIRE(escaped("a\u00a0b") == "a\u00a0b");
}
