#include "runtime/journal/state_folder.hpp"

#include <mutex>
#include <set>

#include <fmt/format.h>

#include "compiler/project/git_index.hpp"

namespace migc::runtime::inline journal {
namespace {

namespace fs = std::filesystem;
using trust::PrivateFolder;
using Refused = tl::unexpected<std::string>;

constexpr const char* state_name = ".migc";
// The folders of `.migc`, and what lies in each.
constexpr int folders_deep = 1;
// Of a run: copies of its inputs, with their own folders.
constexpr int run_deep = 64;

// Asked once by each process: of a large repository the answer costs more than all the rest.
std::optional<fs::path> tree_that_tracks_it(const fs::path& root) {
    static std::mutex mutex;
    static std::set<fs::path> untracked;
    const std::lock_guard lock(mutex);
    if (untracked.contains(root)) return std::nullopt;
    auto tree = project::tracked_by_git(root, state_name);
    if (!tree) untracked.insert(root);
    return tree;
}

tl::expected<void, std::string> examine(const fs::path& root, const PrivateFolder& folder) {
    if (const auto tree = tree_that_tracks_it(root))
        return Refused(fmt::format(
            "{0} is in the git repository {1}, so whoever commits there decides what `undo` and `resume` would do. "
            "Take it out with `git -C {1} rm -r --cached {2}`, put `.migc/` into .gitignore, and if you have not "
            "made it yourself, delete it",
            folder.path().string(), tree->string(),
            (fs::weakly_canonical(root) / state_name).lexically_relative(*tree).string()));
    return folder.has_no_links(folders_deep);
}

}  // namespace

PrivateFolder::Found find_state_folder(const fs::path& root) {
    auto folder = PrivateFolder::at(fs::absolute(root) / state_name);
    if (!folder || !*folder) return folder;
    if (auto fine = examine(root, **folder); !fine) return Refused(fine.error());
    return folder;
}

PrivateFolder::Made make_state_folder(const fs::path& root) {
    auto folder = PrivateFolder::make(fs::absolute(root) / state_name);
    if (!folder) return folder;
    if (auto fine = examine(root, *folder); !fine) return Refused(fine.error());
    return folder;
}

PrivateFolder::Made make_state_folder(const fs::path& root, const std::string& name) {
    return make_state_folder(root).and_then(
        [&](const PrivateFolder& state) { return state.make_folder(name); });
}

PrivateFolder::Found find_state_folder(const fs::path& root, const std::string& name) {
    auto state = find_state_folder(root);
    if (!state || !*state) return state;
    return (*state)->folder(name);
}

PrivateFolder::Made make_run_folder(const fs::path& root, const std::string& run) {
    auto folder = make_state_folder(root, "runs").and_then([&](const PrivateFolder& runs) {
        return runs.make_folder(run);
    });
    if (!folder) return folder;
    if (auto fine = folder->has_no_links(run_deep); !fine) return Refused(fine.error());
    return folder;
}

PrivateFolder::Found find_run_folder(const fs::path& root, const std::string& run) {
    const auto runs = find_state_folder(root, "runs");
    if (!runs) return Refused(runs.error());
    if (!*runs) return std::nullopt;
    auto folder = (*runs)->folder(run);
    if (!folder || !*folder) return folder;
    if (auto fine = (*folder)->has_no_links(run_deep); !fine) return Refused(fine.error());
    return folder;
}

}  // namespace migc::runtime::inline journal
