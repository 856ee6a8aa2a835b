// One layer of an encoding taken off a text; each byte keeps its place in the original.
#pragma once

#include <array>
#include <optional>

#include "runtime/tools/normal_forms.hpp"

namespace migc::runtime::inline tools {

struct Decoder {
    char lead;  // a text without this character needs it not
    // Nothing if there was nothing to decode.
    std::optional<NormalForms::View> (*decode)(const NormalForms::View& view);
};

// URL (%41, +), backslashes (\u0041, \x41, \101, \n, \/), entities (&amp; &#65; &#x41;), quoted-printable
// (=41), bytes written as 0x41, and the lines of a hexadecimal dump, also
// behind words or put on one line.
const std::array<Decoder, 6>& decoders();

// Where a terminal's control sequence, or an invisible character, that begins at `at` ends; `at` if there is
// none.
std::size_t after_control(std::string_view text, std::size_t at);

}  // namespace migc::runtime::inline tools
