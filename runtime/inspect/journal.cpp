// The journal's folder and the locks in it.
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/inspect/doctor.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/state_folder.hpp"

namespace migc::runtime::inline inspect {
namespace {

// What a long run writes: outputs are spooled whole, plans and copies of inputs are kept.
constexpr std::uintmax_t room_wanted = std::uintmax_t{256} << 20;
constexpr const char* the_journal = "the journal";

void examine_access(const std::filesystem::path& folder, bool is_new, Diagnoses& found) {
    const Examined examined(the_journal, found);
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
        return examined.trouble("you may not write into " + folder.string(), "run as the user that owns it");
    struct stat status {};
    if (!is_new && ::stat(folder.c_str(), &status) == 0 && (status.st_mode & 0055) != 0)
        examined.note(fmt::format("others may look into {}; the next run makes it private", folder.string()));
}

}  // namespace

void examine_room(const std::filesystem::path& folder, Diagnoses& found) {
    const Examined examined(the_journal, found);
    struct statvfs status {};
    if (::statvfs(folder.c_str(), &status) != 0)
        return examined.trouble(
            fmt::format("{} cannot be looked at: {}", folder.string(), std::strerror(errno)),
            "correct the folder's permissions");
    const std::uintmax_t room = std::uintmax_t{status.f_bavail} * status.f_frsize;
    const std::string shown = fmt::format("{} MiB are free on the disk of {}", room >> 20, folder.string());
    if (room >= room_wanted && status.f_favail > 1000) return examined.well(shown);
    examined.trouble(shown, "a run stops where it stands when the disk is full: make room first");
}

void examine_journal(const std::filesystem::path& root, Diagnoses& found) {
    const auto folder = root / ".migc";
    const auto opened = find_state_folder(root);
    if (!opened) Examined(the_journal, found).trouble(opened.error(), {});
    const bool is_new = opened && !*opened;
    examine_access(is_new ? root : folder, is_new, found);
    examine_room(is_new ? root : folder, found);
    for (const LockState& state : lock_states(root))
        if (state.condition != LockCondition::Free)
            Examined("the lock of " + state.name, found)
                .trouble(describe(state), state.condition == LockCondition::Held
                                              ? "wait for its end"
                                              : "see `migc unlock --help`");
}

}  // namespace migc::runtime::inline inspect
