#include "compiler/diagnostics/style.hpp"

#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "compiler/support/text.hpp"

namespace migc {

namespace {

// In the order of Ink.
constexpr std::array<std::string_view, 8> escape_sequences = {
    "", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[1;34m", "\x1b[1;32m"};
static_assert(escape_sequences.size() == static_cast<std::size_t>(Ink::Green) + 1);

}  // namespace

std::string Style::paint(Ink ink, std::string_view text) const {
    if (!colour || ink == Ink::Plain || text.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", escape_sequences.at(static_cast<std::size_t>(ink)), text);
}

bool locale_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(variable);
        if (value == nullptr || *value == '\0') continue;
        const std::string name = lower_case(value);
        return name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
    }
    return false;
}

}  // namespace migc
