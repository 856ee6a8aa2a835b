#include "runtime/natives/written_by_hand.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"

namespace migc::runtime {

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

ByHand find_by_hand(std::string_view native) {
    constexpr std::array<std::pair<std::string_view, ByHand>, 18> table = {{
        {"object-restore", object_restore_by_hand},
        {"object-make-again", object_make_again_by_hand},
        {"object-patch", object_patch_by_hand},
        {"service-switch", service_switch_by_hand},
        {"autoscaling-set", autoscaling_by_hand},
        {"image-set", image_by_hand},
        {"roll-back", roll_back_by_hand},
        {"pods-restart", restart_by_hand},
        {"node-set-schedulable", schedulable_by_hand},
        {"execute", execute_by_hand},
        {"restore-pod-file", pod_file_by_hand},
        {"revert-backup", backup_by_hand},
        {"put-back", put_back_by_hand},
        {"write-kept-back", kept_back_by_hand},
        {"image-name", image_name_by_hand},
        {"registry-retag", retag_by_hand},
        {"http-restore", http_restore_by_hand},
        {"stop-program", stop_program_by_hand},
    }};
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.first == native; });
    return found == table.end() ? nullptr : found->second;
}

}  // namespace migc::runtime
