// Which files are a project's: whatever path a repository names, nothing outside of it is read or written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"

namespace migc {

// Whether a path is a folder or lies below it. By their texts: links are followed before.
bool is_within(const std::filesystem::path& path, const std::filesystem::path& folder);

// The path of a project's file or folder, which need not be there, with its links followed. `path` is
// relative to the root, or a whole one. The error says what it is not, without its name: "it leads out of the
// project's folder /srv/app".
tl::expected<std::filesystem::path, std::string> project_path(const std::filesystem::path& root,
                                                              const std::filesystem::path& path);

// The same of a file that is there: a regular one.
tl::expected<std::filesystem::path, std::string> project_file(const std::filesystem::path& root,
                                                              const std::filesystem::path& path);

// Its content. What becomes a link between the look and the reading is not followed.
tl::expected<std::string, std::string> project_file_content(const std::filesystem::path& root,
                                                            const std::filesystem::path& path,
                                                            std::uintmax_t limit);

// As one would type it where migc was started.
std::string shown_path(const std::filesystem::path& path);

// Opens a folder by a whole path that has no links: what has become one meanwhile is not followed.
Descriptor open_folder(const std::filesystem::path& folder);

}  // namespace migc
