#include "runtime/natives/written_by_hand.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"

namespace migc::runtime::inline natives {

// `bash -e` stops where a subshell fails, and goes on where only a part of `a && b` does.
std::string together(const std::string& commands) {
    return "(" + commands + ")";
}

std::string path_in_project(Host& host, const std::string& path) {
    return (std::filesystem::path(host.setting("root")) / path).string();  // a whole path stays as it is
}

std::string shell_word(std::string_view word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
    const bool odd = std::any_of(word.begin(), word.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    std::string quoted = odd ? "$'" : "'";
    for (const char c : word) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '\'')
            quoted += odd ? "\\'" : "'\\''";
        else if (odd && c == '\\')
            quoted += "\\\\";
        else if (code < 0x20 || code == 0x7f)
            quoted += fmt::format("\\x{:02x}", code);
        else
            quoted += c;
    }
    return quoted + "'";
}

// `$((` would begin a calculation.
std::string printed_by(const std::string& command) {
    return fmt::format("\"$({}{})\"", command.starts_with('(') ? " " : "", command);
}

}  // namespace migc::runtime::inline natives
