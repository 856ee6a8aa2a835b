// Folders of containers as archives on this machine, and back.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/archive/archive.hpp"
#include "runtime/natives/pod_command.hpp"

namespace migc::runtime::inline natives {

// Writes what is below a path of a container into a file, whole or not at all, and reads it back to its end.
Answer archive_path(Host& host, const PodPlace& place, const std::string& path, const std::string& file,
                    bool compressed);

// Puts an archive's files back into the container, over what is there.
Answer extract_archive(Host& host, const PodPlace& place, const std::string& file);

// Removes files, and those of the folders that are empty then.
Answer remove_entries(Host& host, const PodPlace& place, const std::vector<ArchiveEntry>& entries);

// Gives a finished file its name. An older file of that name is kept beside it, as NAME.1, NAME.2 and so on.
// The error is a sentence.
tl::expected<void, std::string> name_without_loss(const std::string& finished, const std::string& file);

}  // namespace migc::runtime::inline natives
