#include "compiler/support/outside_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"

namespace migc {
namespace {

// Commands of Azure, TeamCity and GitHub's older runners count wherever they stand in a line.
std::string without_commands(std::string text, std::string_view first_sign) {
    for (const std::string_view command : {"##[", "##vso[", "##teamcity["})
        for (std::size_t at = text.find(command); at != std::string::npos; at = text.find(command, at))
            text.replace(at, 1, first_sign);
    return text;
}

std::string for_github(std::string_view text, bool is_property) {
    std::string result;
    const std::string dead = escaped(text, is_property ? Newlines::Escaped : Newlines::Kept);
    for (const char c : without_commands(dead, "\\x23")) {
        if (c == '%' || c == '\n' || (is_property && (c == ':' || c == ',')))
            result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else
            result += c;
    }
    return result;
}

// A line break ends a cell; what is left of it is a space.
std::string on_one_line(std::string_view text) {
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return escaped(line);
}

// An empty comment, which nobody sees, ends a word: neither a name nor an address goes on behind it.
// Platforms look for these in the text as it is shown, where a backslash or an entity is gone.
constexpr std::string_view cut = "<!-- -->";

// Whether a name, a number of something or an address would begin at a character.
bool refers(std::string_view line, std::size_t at) {
    constexpr std::string_view marks = "@#!~$%&";  // of people, issues, requests, labels, snippets, ..
    const std::string_view rest = line.substr(at);
    if (rest.starts_with("://")) return true;
    if (rest.size() < 2) return false;
    const bool is_www = rest[0] == '.' && at >= 3 &&
                        std::tolower(static_cast<unsigned char>(line[at - 1])) == 'w' &&
                        std::tolower(static_cast<unsigned char>(line[at - 2])) == 'w';
    return is_www || (marks.find(rest[0]) != std::string_view::npos &&
                      (std::isalnum(static_cast<unsigned char>(rest[1])) != 0 || rest[1] == '"'));
}

std::string in_markdown(std::string_view text) {
    constexpr std::string_view markup = "\\`*_[]<>|#~";
    std::string out;
    const std::string line = on_one_line(text);
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (markup.find(line[i]) != std::string_view::npos) out += '\\';
        out += line[i] == '&' ? "&amp;" : std::string(1, line[i]);
        if (refers(line, i)) out += cut;
    }
    return out;
}

// A `|` would end the cell even there.
std::string as_markdown_code(std::string_view given) {
    std::string text = on_one_line(given);
    std::size_t longest = 0, run = 0;
    for (const char c : text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    for (auto at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
        text.insert(at, "\\");
    const std::string fence(longest + 1, '`');
    const std::string pad = longest > 0 ? " " : "";
    return text.empty() ? "" : fence + pad + text + pad + fence;
}

std::string in_dot(std::string_view text) {
    std::string result;
    for (const char c : escaped(text)) {
        if (c == '"' || c == '\\') result += '\\';
        // Graphviz reads `&lt;` as a sign.
        result += c == '&' ? "&amp;" : std::string(1, c);
    }
    return result;
}

// Whatever Mermaid, Markdown or HTML could take for a sign of theirs is written as its number.
std::string in_mermaid(std::string_view text) {
    std::string result;
    for (const char c : escaped(text)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || std::string_view(" .,-/").find(c) != std::string::npos;
        result += plain ? std::string(1, c) : fmt::format("#{};", byte);
    }
    return result;
}

std::string in_uri_path(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) ||
                           std::string_view("/-._~").find(c) != std::string_view::npos;
        result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return result;
}

// What .NET, in which GitHub's runner is written, trims from a line before it looks for a command.
bool is_space(char32_t code) {
    constexpr std::array<char32_t, 7> others = {0x85, 0xA0, 0x1680, 0x202F, 0x205F, 0x3000, 0xFEFF};
    return (code >= 9 && code <= 13) || code == ' ' || (code >= 0x2000 && code <= 0x200B) ||
           std::find(others.begin(), others.end(), code) != others.end();
}

std::string log_line(std::string_view line) {
    std::string out(line);
    std::string_view rest = line;
    while (!rest.empty() && is_space(first_character(rest).code))
        rest.remove_prefix(first_character(rest).size);
    // `::: k8s/web.yaml:1:1` is how a finding names a second file; it is no command.
    if (rest.starts_with("::") && !rest.starts_with("::: "))
        out.replace(line.size() - rest.size(), 1, "\\x3a");
    return without_commands(std::move(out), "\\x23");
}

}  // namespace

std::string outside_text(std::string_view text, Sink sink) {
    switch (sink) {
        case Sink::Line:
            return escaped(text);
        case Sink::GitHub:
            return for_github(text, false);
        case Sink::GitHubProperty:
            return for_github(text, true);
        case Sink::Markdown:
            return in_markdown(text);
        case Sink::MarkdownCode:
            return as_markdown_code(text);
        case Sink::Dot:
            return in_dot(text);
        case Sink::Mermaid:
            return in_mermaid(text);
        case Sink::UriPath:
            return in_uri_path(text);
    }
    return {};
}

std::string log_text(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        out += log_line(text.substr(0, end));
        if (end < text.size()) out += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string json_for_terminal(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        const Character character = first_character(json);
        const std::string_view bytes = json.substr(0, character.size);
        json.remove_prefix(character.size);
        // What stands between strings is ASCII, and line breaks stand only there.
        if (character.code == '\n' || (character.valid && escaped(bytes) == bytes)) {
            out += bytes;
        } else if (character.code > 0xFFFF) {
            const char32_t offset = character.code - 0x10000;
            out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + static_cast<unsigned>(offset >> 10),
                               0xDC00 + static_cast<unsigned>(offset & 0x3FF));
        } else {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(character.code));
        }
    }
    return without_commands(std::move(out), "\\u0023");
}

}  // namespace migc
