// What git would hand to others. Read from git's own index, since to ask git would be to run what a
// repository's settings name.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace migc::runtime {

// The working tree, if git tracks a file or folder of that name in this folder, or anything below it.
std::optional<std::filesystem::path> tracked_by_git(const std::filesystem::path& folder,
                                                    std::string_view name);

// Whether an index file's bytes name this path, or one below it. For the tests.
bool index_names(std::string_view index, std::string_view path);

}  // namespace migc::runtime
