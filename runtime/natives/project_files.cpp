#include "runtime/natives/project_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/source/read_file.hpp"
#include "compiler/source/sha256.hpp"
#include "runtime/natives/ownership.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/tools/descriptor.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;
using Failure = tl::unexpected<std::string>;
using Done = tl::expected<void, std::string>;

std::string system_error() {
    return std::strerror(errno);
}

Failure cannot(const fs::path& path, const std::string& why) {
    return Failure(fmt::format("{}: {}", path.string(), why));
}

// A temporary file that is gone with the object, unless it took another one's place.
class Replacement {
  public:
    explicit Replacement(const fs::path& target) : target_(target), name_(target.string() + ".migc-XXXXXX") {
        descriptor_ = Descriptor(::mkostemp(name_.data(), O_CLOEXEC));
    }
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    ~Replacement() {
        if (descriptor_.get() >= 0 && !in_place_) ::unlink(name_.c_str());
    }

    Done write(const std::string& content) {
        if (descriptor_.get() < 0) return cannot(target_, system_error());
        for (std::size_t done = 0; done < content.size();) {
            const ssize_t count = ::write(descriptor_.get(), content.data() + done, content.size() - done);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return cannot(target_, system_error());
            done += static_cast<std::size_t>(count);
        }
        return {};
    }

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }

    Done take_place(mode_t mode, const struct stat* old) {
        // Only root may give a file away; for all others it is theirs already.
        if (old != nullptr && ::fchown(descriptor_.get(), old->st_uid, old->st_gid) != 0 && errno != EPERM)
            return cannot(target_, system_error());
        if (::fchmod(descriptor_.get(), mode) != 0 || ::fsync(descriptor_.get()) != 0 ||
            ::rename(name_.c_str(), target_.c_str()) != 0)
            return cannot(target_, system_error());
        in_place_ = true;
        if (!sync_folder(target_.parent_path())) return cannot(target_, system_error());
        return {};
    }

  private:
    fs::path target_;
    std::string name_;
    Descriptor descriptor_{-1};
    bool in_place_ = false;
};

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
    std::ofstream note(own_file_note(host, whole), std::ios::binary | std::ios::trunc);
    fs::permissions(own_file_note(host, whole), fs::perms::owner_read | fs::perms::owner_write, ignored);
    note << nlohmann::json{{"device", now.st_dev}, {"file", now.st_ino}, {"digest", sha256(content)}}.dump();
}

bool is_own_folder(const fs::path& relative) {
    return std::any_of(relative.begin(), relative.end(),
                       [](const fs::path& part) { return part == ".git" || part == ".migc"; });
}

}  // namespace

tl::expected<fs::path, std::string> project_path(Host& host, const std::string& path) {
    if (path.empty() || path.find('\0') != std::string::npos)
        return Failure("a path cannot be empty or hold a NUL");
    std::error_code error;
    const fs::path root = fs::canonical(host.setting("root"), error);
    if (error) return cannot(host.setting("root"), error.message());
    fs::path whole = fs::weakly_canonical(root / path, error);
    if (error) return cannot(path, error.message());
    const fs::path relative = whole.lexically_relative(root);
    if (relative.empty() || *relative.begin() == "..")
        return cannot(path, fmt::format("it leads out of the project's folder {}", root.string()));
    if (is_own_folder(relative))
        return cannot(path, "the folders .git and .migc are no files of the project");
    return whole;
}

std::string shown_path(Host& host, const std::string& path) {
    const fs::path root = fs::path(host.setting("root")).lexically_normal();
    const fs::path relative = (root / path).lexically_normal().lexically_relative(root);
    return relative.empty() || *relative.begin() == ".." ? path : relative.string();
}

tl::expected<std::optional<ProjectFile>, std::string> read_project_file(Host& host, const std::string& path) {
    const auto whole = project_path(host, path);
    if (!whole) return Failure(whole.error());
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
    if (!whole) return Failure(whole.error());
    std::error_code error;
    fs::create_directories(whole->parent_path(), error);
    if (error) return cannot(whole->parent_path(), error.message());
    struct stat old = {};
    const bool is_there = ::stat(whole->c_str(), &old) == 0;
    if (is_there && !S_ISREG(old.st_mode)) return cannot(shown_path(host, path), "it is no regular file");
    Replacement replacement(*whole);
    if (Done written = replacement.write(content); !written) return written;
    if (auto changed = changed_since(host, path, expected)) return Failure(std::move(*changed));
    note_own_file(host, *whole, replacement.descriptor(), content);
    const mode_t usual = is_there ? old.st_mode & 07777 : 0644;
    if (auto changed = changed_since(host, path, expected)) return Failure(std::move(*changed));
    if (Done placed = replacement.take_place(mode.value_or(usual), is_there ? &old : nullptr); !placed)
        return placed;
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
    if (!whole) return Failure(whole.error());
    if (::unlink(whole->c_str()) != 0 && errno != ENOENT)
        return cannot(shown_path(host, path), system_error());
    host.wrote_file(whole->string());
    fs::path folder = whole->parent_path();
    while (folders-- > 0 && ::rmdir(folder.c_str()) == 0) folder = folder.parent_path();
    return {};
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

}  // namespace migc::runtime
