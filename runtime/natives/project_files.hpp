// Files of the project: read and written whole, below its root only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

constexpr std::uintmax_t project_file_limit = 8 << 20;  // bytes: configuration that people write

struct ProjectFile {
    std::string content;
    mode_t mode = 0644;  // permission bits
};

// The path with its links followed. The error: it leads out of the project's root, or into git's or migc's
// own folder.
tl::expected<std::filesystem::path, std::string> project_path(Host& host, const std::string& path);

// The path as people know it: relative to the root.
std::string shown_path(Host& host, const std::string& path);

// Nothing if there is no such file; what is there and is no regular file is an error.
tl::expected<std::optional<ProjectFile>, std::string> read_project_file(Host& host, const std::string& path);

// Replaces a file, or makes it and the folders that it lies in: a reader, or a crash, sees the old file or
// the new one. Owner and permissions of a file that is there stay, unless `mode` says which. `expected` is
// the digest that the file must still have in the moment before its place is taken; "": there must be none.
tl::expected<void, std::string> write_project_file(Host& host, const std::string& path,
                                                   const std::string& content, const std::string& expected,
                                                   std::optional<mode_t> mode = std::nullopt);
// Whether the file that is there is the one that this run wrote last under that path.
bool is_own_file(Host& host, const std::string& path);

// The answer of an action that could not write a file, for that reason: refused, unless the new file took its
// place all the same and only the disk is not known to have it.
Answer not_written(Host& host, const std::string& path, const std::string& why);

// How many of the folders that a file would lie in are not there.
std::size_t missing_folders(Host& host, const std::string& path);

// Removes a file, and so many of the folders that it lies in as are then empty; it is well if there is none.
tl::expected<void, std::string> remove_project_file(Host& host, const std::string& path,
                                                    std::size_t folders = 0);

// The same permissions, but for whether the file may be executed: then by all who may read it.
mode_t with_execution(mode_t mode, bool executable);

// A digest of the content, and of whether it may be executed.
std::string digest_of(const ProjectFile& file);

// Why a file may not be written: it is not what it was when its digest was taken ("": there was none).
// Nothing if it is, or if a person said that it is overwritten.
std::optional<std::string> changed_since(Host& host, const std::string& path, const std::string& digest);

// A digest of the configuration files of a folder, which is the only argument: files.cpp.
Reading folder_digest(Host& host, const Arguments& arguments);

}  // namespace migc::runtime::inline natives
