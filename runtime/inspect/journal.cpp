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

void examine_access(const std::filesystem::path& folder, bool is_new, Diagnoses& found) {
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
        found.push_back({Health::Trouble, "the journal",
                         fmt::format("you may not write into {}", folder.string()),
                         "run as the user that owns it"});
        return;
    }
    struct stat status {};
    if (!is_new && ::stat(folder.c_str(), &status) == 0 && (status.st_mode & 0055) != 0)
        found.push_back(
            {Health::Note,
             "the journal",
             fmt::format("others may look into {}; the next run makes it private", folder.string()),
             {}});
}

}  // namespace

void examine_room(const std::filesystem::path& folder, Diagnoses& found) {
    struct statvfs status {};
    if (::statvfs(folder.c_str(), &status) != 0) {
        found.push_back({Health::Trouble, "the journal",
                         fmt::format("{} cannot be looked at: {}", folder.string(), std::strerror(errno)),
                         "correct the folder's permissions"});
        return;
    }
    const std::uintmax_t room = std::uintmax_t{status.f_bavail} * status.f_frsize;
    const bool enough = room >= room_wanted && status.f_favail > 1000;
    found.push_back({enough ? Health::Well : Health::Trouble, "the journal",
                     fmt::format("{} MiB are free on the disk of {}", room >> 20, folder.string()),
                     enough ? "" : "a run stops where it stands when the disk is full: make room first"});
}

void examine_journal(const std::filesystem::path& root, Diagnoses& found) {
    const auto folder = root / ".migc";
    const auto opened = find_state_folder(root);
    if (!opened) found.push_back({Health::Trouble, "the journal", opened.error(), {}});
    const bool is_new = opened && !*opened;
    examine_access(is_new ? root : folder, is_new, found);
    examine_room(is_new ? root : folder, found);
    for (const LockState& state : lock_states(root)) {
        if (state.condition == LockCondition::Free) continue;
        found.push_back(
            {Health::Trouble, "the lock of " + state.name, describe(state),
             state.condition == LockCondition::Held ? "wait for its end" : "see `migc unlock --help`"});
    }
}

}  // namespace migc::runtime::inline inspect
