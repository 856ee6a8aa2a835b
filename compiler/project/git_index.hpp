// Which files of a project git knows, from its index: no program is started, and nothing is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace migc::project {

enum class Tracking { Same, Changed, Untracked };

class GitIndex {
  public:
    // Of the repository that holds a folder; nothing where there is none, or where its index cannot be read.
    static std::optional<GitIndex> of(const std::filesystem::path& folder);
    // The same of the index's own bytes; nothing if they are of a form that this does not know.
    static std::optional<GitIndex> parse(std::string_view bytes, std::filesystem::path root);

    // Whether git knows a file, and whether it was changed since: its size tells, and another one of the same
    // size passes for the same. Nothing for a file that is not there or lies outside.
    [[nodiscard]] std::optional<Tracking> tracking(const std::filesystem::path& file) const;

  private:
    std::filesystem::path root_;
    std::map<std::string, std::uint32_t, std::less<>>
        sizes_;  // by path from the root, of what was added last
};

}  // namespace migc::project
