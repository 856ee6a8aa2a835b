// Which files git knows, from its index: no program is started, since to ask git would be to run what a
// repository's settings name, and nothing is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace migc::project {

enum class Tracking { Same, Changed, Untracked };

class GitIndex {
  public:
    // Of the repository that holds a folder; nothing where there is none, or where its index cannot be read.
    static std::optional<GitIndex> of(const std::filesystem::path& folder);
    // The bytes of the shared part of an index that was split, by its digest; nothing if they cannot be read.
    using Shared = std::function<std::optional<std::string>(const std::string& digest)>;
    // The same of the index's own bytes; nothing if they are of a form that this does not know.
    static std::optional<GitIndex> parse(std::string_view bytes, std::filesystem::path root,
                                         const Shared& shared = {});

    // Whether git knows a file, and whether it was changed since: its size tells, and another one of the same
    // size passes for the same. Nothing for a file that is not there or lies outside.
    [[nodiscard]] std::optional<Tracking> tracking(const std::filesystem::path& file) const;

  private:
    std::filesystem::path root_;
    std::map<std::string, std::uint32_t> sizes_;  // of the files that were added last, by their names
};

// The working tree, if git tracks a file or folder of that name in this folder, or anything below it.
std::optional<std::filesystem::path> tracked_by_git(const std::filesystem::path& folder,
                                                    std::string_view name);

// Whether an index file's bytes name this path, or one below it. For the tests.
bool index_names(std::string_view index, std::string_view path);

}  // namespace migc::project
