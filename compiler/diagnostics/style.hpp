// How text for people looks: colours where they are wanted, characters that the terminal can show.
#pragma once

#include <string>
#include <string_view>

namespace migc {

enum class Ink { Plain, Bold, Faint, Red, Yellow, Cyan, Blue, Green };

struct Style {
    bool colour = false;
    bool unicode = true;

    // The text in this colour, or just the text.
    [[nodiscard]] std::string paint(Ink ink, std::string_view text) const;
    [[nodiscard]] std::string_view ellipsis() const { return unicode ? "…" : "..."; }
};

// Whether the locale (LC_ALL, LC_CTYPE, LANG, in this order) says UTF-8.
bool locale_is_utf8();

}  // namespace migc
