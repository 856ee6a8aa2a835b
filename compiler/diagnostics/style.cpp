#include "compiler/diagnostics/style.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

namespace migc {

namespace {

std::string_view escape_sequence(Ink ink) {
    switch (ink) {
        case Ink::Plain:
            return "";
        case Ink::Bold:
            return "\x1b[1m";
        case Ink::Faint:
            return "\x1b[2m";
        case Ink::Red:
            return "\x1b[1;31m";
        case Ink::Yellow:
            return "\x1b[1;33m";
        case Ink::Cyan:
            return "\x1b[1;36m";
        case Ink::Blue:
            return "\x1b[1;34m";
        case Ink::Green:
            return "\x1b[1;32m";
    }
    return "";
}

}  // namespace

std::string Style::paint(Ink ink, std::string_view text) const {
    if (!colour || ink == Ink::Plain || text.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", escape_sequence(ink), text);
}

bool locale_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(variable);
        if (value == nullptr || *value == '\0') continue;
        std::string name(value);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        return name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
    }
    return false;
}

}  // namespace migc
