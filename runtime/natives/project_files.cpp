#include "runtime/natives/project_files.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;
using Failure = tl::unexpected<std::string>;
using Done = tl::expected<void, std::string>;

std::string system_error() {
    return std::strerror(errno);
}

Failure cannot(const fs::path& path, const std::string& why) {
    return failure("{}: {}", path.string(), why);
}

// Which file this run wrote last under a path: the file itself, and what it held. Kept in the run's own
// folder; not worth waiting for the disk, since without it there is only a little less to go by.
fs::path own_file_note(Host& host, const fs::path& whole) {
    return fs::path(host.setting("run-folder")) /
           fmt::format("wrote-{}.json", sha256(whole.string()).substr(0, 16));
}

void note_own_file(Host& host, const fs::path& whole, int descriptor, const std::string& content) {
    struct stat now = {};
    if (host.setting("run-folder").empty() || ::fstat(descriptor, &now) != 0) return;
    std::error_code ignored;
    fs::create_directories(host.setting("run-folder"), ignored);
    const nlohmann::json note{{"device", now.st_dev}, {"file", now.st_ino}, {"digest", sha256(content)}};
    (void)write_file(own_file_note(host, whole), note.dump(), {.mode = 0600, .synced = false});
}

}  // namespace

tl::expected<fs::path, std::string> project_path(Host& host, const std::string& path) {
    return migc::project_path(host.setting("root"), path).map_error([&](const std::string& why) {
        return fmt::format("{}: {}", path, why);
    });
}

std::string shown_path(Host& host, const std::string& path) {
    const fs::path root = fs::path(host.setting("root")).lexically_normal();
    const fs::path relative = (root / path).lexically_normal().lexically_relative(root);
    return relative.empty() || *relative.begin() == ".." ? path : relative.string();
}

tl::expected<std::optional<ProjectFile>, std::string> read_project_file(Host& host, const std::string& path) {
    const auto whole = project_path(host, path);
    if (!whole) return failure(whole.error());
    const std::string shown = shown_path(host, path);
    std::error_code error;
    const fs::file_status status = fs::status(*whole, error);
    if (status.type() == fs::file_type::not_found) return std::nullopt;
    if (error) return cannot(shown, error.message());
    if (!fs::is_regular_file(status)) return cannot(shown, "it is no regular file");
    auto text = file_content(*whole, project_file_limit);
    if (!text) return cannot(shown, text.error());
    return ProjectFile{std::move(*text), static_cast<mode_t>(status.permissions() & fs::perms::mask)};
}

Done write_project_file(Host& host, const std::string& path, const std::string& content,
                        const std::string& expected, std::optional<mode_t> mode) {
    const auto whole = project_path(host, path);
    if (!whole) return failure(whole.error());
    std::error_code error;
    fs::create_directories(whole->parent_path(), error);
    if (error) return cannot(whole->parent_path(), error.message());
    auto file = AtomicFile::beside(*whole, {.project = host.setting("root"), .mode = mode, .usual = 0644});
    if (!file) return cannot(shown_path(host, path), file.error());
    if (!write_all(file->descriptor(), content)) return cannot(*whole, system_error());
    if (auto changed = changed_since(host, path, expected)) return failure(std::move(*changed));
    note_own_file(host, *whole, file->descriptor(), content);
    if (auto changed = changed_since(host, path, expected)) return failure(std::move(*changed));
    if (Done placed = file->take_place(); !placed) return cannot(*whole, placed.error());
    host.wrote_file(whole->string());
    return {};
}

bool is_own_file(Host& host, const std::string& path) {
    const auto whole = project_path(host, path);
    if (!whole || host.setting("run-folder").empty()) return false;
    const auto note = nlohmann::json::parse(
        read_file(own_file_note(host, *whole), project_file_limit).value_or(""), nullptr, false);
    struct stat now = {};
    if (!note.is_object() || ::stat(whole->c_str(), &now) != 0) return false;
    const auto content = read_file(*whole, project_file_limit);
    return content &&
           note == nlohmann::json{{"device", now.st_dev}, {"file", now.st_ino}, {"digest", sha256(*content)}};
}

Answer not_written(Host& host, const std::string& path, const std::string& why) {
    return is_own_file(host, path) ? went_wrong(why) : refused(why);
}

std::size_t missing_folders(Host& host, const std::string& path) {
    const auto whole = project_path(host, path);
    std::size_t count = 0;
    std::error_code error;
    for (fs::path folder = whole.value_or("").parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        if (fs::exists(folder, error)) break;
        ++count;
    }
    return count;
}

Done remove_project_file(Host& host, const std::string& path, std::size_t folders) {
    const auto whole = project_path(host, path);
    if (!whole) return failure(whole.error());
    if (::unlink(whole->c_str()) != 0 && errno != ENOENT)
        return cannot(shown_path(host, path), system_error());
    host.wrote_file(whole->string());
    fs::path folder = whole->parent_path();
    while (folders-- > 0 && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
    return {};
}

mode_t with_execution(mode_t mode, bool executable) {
    const mode_t plain = mode & ~static_cast<mode_t>(0111);
    return executable ? plain | (plain & 0444) >> 2 : plain;
}

std::string digest_of(const ProjectFile& file) {
    return sha256(file.content) + ((file.mode & 0100) != 0 ? " executable" : "");
}

std::optional<std::string> changed_since(Host& host, const std::string& path, const std::string& digest) {
    const auto file = read_project_file(host, path);
    if (!file) return file.error();
    if ((*file ? digest_of(**file) : "") == digest || host.setting("overwrite") == "yes") return std::nullopt;
    return fmt::format("{} was changed by somebody else meanwhile; nothing is written",
                       shown_path(host, path));
}

}  // namespace migc::runtime::inline natives
