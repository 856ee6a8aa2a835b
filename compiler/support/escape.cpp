#include "compiler/support/escape.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace migc {

namespace {

struct Range {
    char32_t first;
    char32_t last;
};

// What is not seen, or changes how its neighbours are seen.
constexpr std::array<Range, 23> invisible = {
    {{0x80, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},     {0x115F, 0x1160},
     {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
     {0x2800, 0x2800},   {0x3164, 0x3164},   {0xE000, 0xF8FF},  // for private use: nobody knows how they look
     {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},   {0x13430, 0x1343F},
     {0x1BCA0, 0x1BCA3}, {0x1D159, 0x1D159}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0xF0000, 0x10FFFF}}};

bool is_invisible(char32_t code) {
    for (const Range& range : invisible)
        if (code >= range.first && code <= range.last) return true;
    return false;
}

std::size_t sequence_size(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

bool is_scalar_value(char32_t code, std::size_t size) {
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    return code >= smallest[size] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

void append_escape(std::string& out, const Character& character) {
    constexpr std::u32string_view breaks = U"\n\r\t";
    if (const std::size_t at = breaks.find(character.code); at != std::u32string_view::npos) {
        out += '\\';
        out += "nrt"[at];
        return;
    }
    const auto code = static_cast<std::uint32_t>(character.code);
    if (code < 0x80 || !character.valid)
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", code);
    else
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
}

}  // namespace

Character first_character(std::string_view text) {
    if (text.empty()) return {};
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t size = sequence_size(lead);
    const Character malformed{lead, 1, false};
    if (size == 0 || size > text.size()) return malformed;
    if (size == 1) return {lead, 1, true};
    char32_t code = lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return malformed;
        code = code << 6 | (byte & 0x3F);
    }
    return is_scalar_value(code, size) ? Character{code, size, true} : malformed;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const Character character = first_character(text);
        if (!character.valid) return false;
        text.remove_prefix(character.size);
    }
    return true;
}

std::size_t character_count(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) text.remove_prefix(first_character(text).size);
    return count;
}

std::string escaped(std::string_view text, Newlines newlines) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const bool kept = character.code == '\n' && newlines == Newlines::Kept;
        const bool control = !kept && (character.code < 0x20 || character.code == 0x7F);
        if (control || !character.valid || is_invisible(character.code))
            append_escape(out, character);
        else
            out += text.substr(0, character.size);
        text.remove_prefix(character.size);
    }
    return out;
}

std::string one_line(const std::string& text) {
    using nlohmann::json;
    // The library's own repair of broken UTF-8: there and back.
    const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    std::string line;
    for (const char c : json::parse(quoted).get<std::string>()) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '\n' || byte == '\t') line += ' ';
        if (byte >= 0x20 && byte != 0x7F) line += c;
    }
    return line;
}

}  // namespace migc
