// Tar archives, plain or compressed with gzip: what backups of folders in pods are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::runtime::inline archives {

struct ArchiveEntry {
    std::string path;  // without "./" before it and "/" behind it; "" is the folder that was archived
    bool is_folder = false;
    unsigned mode = 0644;
    std::string content;  // of a plain file
};

// Whether a file's name says that its content is compressed: ".tar.gz", ".tgz".
bool names_compressed_archive(const std::string& name);

// Reads an archive to its end. The error says what is wrong with it, also where its end is missing; it is a
// sentence without the file's name. Contents are read and checked, but not kept.
tl::expected<std::vector<ArchiveEntry>, std::string> list_archive(const std::filesystem::path& file);
// The same of an archive in memory, with the contents.
tl::expected<std::vector<ArchiveEntry>, std::string> read_archive(const std::string& bytes);

tl::expected<std::string, std::string> write_archive(const std::vector<ArchiveEntry>& entries,
                                                     bool compressed);

}  // namespace migc::runtime::inline archives
