// Which files of a project git knows, from its index: no program is started, and nothing is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migc::project {

enum class Tracking { Same, Changed, Untracked };

class GitIndex {
  public:
    // Of the repository that holds a folder; nothing where there is none, or where its index cannot be read.
    static std::optional<GitIndex> of(const std::filesystem::path& folder);
    // The same of the index's own bytes; nothing if they are of a form that this does not know.
    static std::optional<GitIndex> parse(std::string bytes, std::filesystem::path root);

    // Whether git knows a file, and whether it was changed since: its size tells, and another one of the same
    // size passes for the same. Nothing for a file that is not there or lies outside.
    [[nodiscard]] std::optional<Tracking> tracking(const std::filesystem::path& file) const;

  private:
    struct Entry {
        std::size_t name = 0;  // where it begins
        std::size_t length = 0;
        std::uint32_t size = 0;  // of the file that was added last
    };
    [[nodiscard]] std::string_view name(const Entry& entry) const {
        return std::string_view(bytes_).substr(entry.name, entry.length);
    }

    std::filesystem::path root_;
    std::string bytes_;
    std::vector<Entry> entries_;  // by name, as git keeps them
};

}  // namespace migc::project
