#include "runtime/archive/archive.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include <archive.h>
#include <archive_entry.h>

namespace migc::runtime::inline archives {
namespace {

constexpr std::size_t block_size = 64 << 10;
constexpr std::size_t end_size = 1024;  // an archive ends with two blocks of zeros

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Entries = tl::expected<std::vector<ArchiveEntry>, std::string>;

Reader reader() {
    Reader result(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(result.get());
    archive_read_support_format_tar(result.get());
    return result;
}

tl::unexpected<std::string> problem_of(archive* of) {
    const char* said = archive_error_string(of);
    return tl::unexpected<std::string>(said != nullptr ? said : "it is no tar archive");
}

std::string plain_path(const char* path) {
    std::string text = path == nullptr ? "" : path;
    while (text.starts_with("./")) text.erase(0, 2);
    while (text.ends_with('/')) text.pop_back();
    return text == "." ? "" : text;
}

// Also where it is not kept the content is read: a damaged one is noticed.
int read_content(archive* from, bool keep, std::string& content) {
    std::array<char, block_size> portion;
    for (;;) {
        const la_ssize_t size = archive_read_data(from, portion.data(), portion.size());
        if (size < 0) return static_cast<int>(size);
        if (size == 0) return ARCHIVE_OK;
        if (keep) content.append(portion.data(), static_cast<std::size_t>(size));
    }
}

Entries read_all(archive* from, bool keep) {
    std::vector<ArchiveEntry> entries;
    archive_entry* entry = nullptr;
    for (;;) {
        const int read = archive_read_next_header(from, &entry);
        if (read == ARCHIVE_EOF) return entries;
        if (read != ARCHIVE_OK && read != ARCHIVE_WARN) return problem_of(from);
        ArchiveEntry one;
        one.path = plain_path(archive_entry_pathname(entry));
        one.is_folder = archive_entry_filetype(entry) == AE_IFDIR;
        one.mode = archive_entry_perm(entry);
        if (read_content(from, keep, one.content) != ARCHIVE_OK) return problem_of(from);
        entries.push_back(std::move(one));
    }
}

bool ends_with_zeros(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary | std::ios::ate);
    std::array<char, end_size> end;
    end.fill(1);
    stream.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
    stream.read(end.data(), end.size());
    return stream && std::all_of(end.begin(), end.end(), [](char c) { return c == 0; });
}

// Of a compressed one, gzip itself knows the end.
bool is_compressed(archive* read) {
    return archive_filter_code(read, 0) == ARCHIVE_FILTER_GZIP;
}

bool write_entry(archive* to, const ArchiveEntry& one) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> owner(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry* entry = owner.get();
    archive_entry_set_pathname(entry, ("./" + one.path).c_str());
    archive_entry_set_filetype(entry, one.is_folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, one.mode);
    archive_entry_set_size(entry, static_cast<la_int64_t>(one.content.size()));
    if (archive_write_header(to, entry) != ARCHIVE_OK) return false;
    return archive_write_data(to, one.content.data(), one.content.size()) ==
           static_cast<la_ssize_t>(one.content.size());
}

la_ssize_t append(archive*, void* bytes, const void* portion, std::size_t size) {
    static_cast<std::string*>(bytes)->append(static_cast<const char*>(portion), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

bool names_compressed_archive(const std::string& name) {
    return name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

Entries list_archive(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error))
        return tl::unexpected<std::string>(error ? error.message() : "it is no regular file");
    const Reader from = reader();
    if (archive_read_open_filename(from.get(), file.c_str(), block_size) != ARCHIVE_OK)
        return problem_of(from.get());
    auto entries = read_all(from.get(), false);
    if (entries && !is_compressed(from.get()) && !ends_with_zeros(file))
        return tl::unexpected<std::string>("its end is missing");
    return entries;
}

Entries read_archive(const std::string& bytes) {
    const Reader from = reader();
    if (archive_read_open_memory(from.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
        return problem_of(from.get());
    return read_all(from.get(), true);
}

tl::expected<std::string, std::string> write_archive(const std::vector<ArchiveEntry>& entries,
                                                     bool compressed) {
    const std::unique_ptr<archive, decltype(&archive_write_free)> to(archive_write_new(), archive_write_free);
    std::string bytes;
    archive_write_set_format_ustar(to.get());
    if (compressed) archive_write_add_filter_gzip(to.get());
    archive_write_set_filter_option(to.get(), "gzip", "timestamp",
                                    nullptr);  // the same content, the same bytes
    archive_write_set_bytes_in_last_block(to.get(), 1);
    if (archive_write_open(to.get(), &bytes, nullptr, append, nullptr) != ARCHIVE_OK)
        return problem_of(to.get());
    for (const ArchiveEntry& one : entries)
        if (!write_entry(to.get(), one)) return problem_of(to.get());
    if (archive_write_close(to.get()) != ARCHIVE_OK) return problem_of(to.get());
    return bytes;
}

}  // namespace migc::runtime::inline archives
