#include "runtime/trust/private_folder.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/project/user_config.hpp"
#include "compiler/support/account.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using Untrusted = tl::unexpected<std::string>;

Untrusted cannot_be(const fs::path& path, const char* what) {
    return failure("{} cannot be {}: {}", path.string(), what, std::strerror(errno));
}

Untrusted not_of_its_kind(const fs::path& path, mode_t mode) {
    if (S_ISLNK(mode))
        return failure("{} is a link, and could lead anywhere: migc follows none there. Move it away",
                       path.string());
    return failure("{} is not what migc makes there; move it away", path.string());
}

// Who may have written in it.
tl::expected<void, std::string> is_ours(const fs::path& path, const struct stat& status) {
    if (status.st_uid != ::geteuid())
        return failure(
            "{} belongs to {}, and what others wrote is not trusted: run migc as that user, or move "
            "it away",
            path.string(), user_name(status.st_uid));
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return failure(
            "{} may be written by others, so nobody knows who wrote what is in it. If nobody else "
            "has, `chmod go-w {}`",
            path.string(), path.string());
    return {};
}

tl::expected<void, std::string> is_our_file(const fs::path& path, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return not_of_its_kind(path, status.st_mode);
    if (auto ours = is_ours(path, status); !ours) return ours;
    if (status.st_nlink > 1)
        return failure(
            "{0} has a second name elsewhere (a hard link), by which it can be changed. If it is yours, "
            "`cp -p {0} {0}.own && mv {0}.own {0}`",
            path.string());
    return {};
}

// One that leads elsewhere could come from a journal, as the name of a run.
tl::expected<void, std::string> is_plain(const std::string& name) {
    if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos) return {};
    return failure("{} is no name of a file", name.empty() ? "nothing" : escaped(name));
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

PrivateFolder::Found PrivateFolder::below(int parent, const std::string& name, const fs::path& path) {
    Descriptor descriptor(
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!descriptor) {
        const int why = errno;
        if (why == ENOENT) return std::nullopt;
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode))
            return not_of_its_kind(path, status.st_mode);
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
            if (auto ours = is_ours(path, status); !ours) return failure(ours.error());
        errno = why;
        return cannot_be(path, "opened");
    }
    if (::fstat(descriptor.get(), &status) != 0) return cannot_be(path, "looked at");
    if (auto ours = is_ours(path, status); !ours) return failure(ours.error());
    return PrivateFolder(std::move(descriptor), path);
}

PrivateFolder::Made PrivateFolder::make_below(int parent, const std::string& name, const fs::path& path) {
    const bool made = ::mkdirat(parent, name.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return cannot_be(path, "created");
    // What was created survives a power cut only once the folder above is on the disk.
    if (made && ::fsync(parent) != 0) return cannot_be(path.parent_path(), "stored");
    auto folder = below(parent, name, path);
    if (!folder) return failure(folder.error());
    if (!*folder) return failure("{} is gone again", path.string());
    struct stat status {};
    const bool known = ::fstat((*folder)->descriptor(), &status) == 0;
    if (known && (status.st_mode & 0777) != 0700 && ::fchmod((*folder)->descriptor(), 0700) != 0)
        return cannot_be(path, "made private");
    return std::move(**folder);
}

namespace {

// Links on the way to it are its owner's business.
Descriptor parent_of(const fs::path& path) {
    return Descriptor(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

PrivateFolder::Found PrivateFolder::at(const fs::path& path) {
    const Descriptor parent = parent_of(path);
    if (!parent && errno == ENOENT) return std::nullopt;
    if (!parent) return cannot_be(path, "opened");
    return below(parent.get(), path.filename().string(), path);
}

PrivateFolder::Made PrivateFolder::make(const fs::path& path) {
    const Descriptor parent = parent_of(path);
    if (!parent) return cannot_be(path, "created");
    return make_below(parent.get(), path.filename().string(), path);
}

PrivateFolder::Found PrivateFolder::folder(const std::string& name) const {
    return is_plain(name).and_then([&] { return below(descriptor_.get(), name, path_ / name); });
}

PrivateFolder::Made PrivateFolder::make_folder(const std::string& name) const {
    return is_plain(name).and_then([&] { return make_below(descriptor_.get(), name, path_ / name); });
}

tl::expected<std::optional<Descriptor>, std::string> PrivateFolder::file(const std::string& name,
                                                                         int flags) const {
    const fs::path path = path_ / name;
    struct stat status {};
    // Looked at before it is opened: to open a device, or a pipe, may do something already.
    if (::fstatat(descriptor_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        if (auto ours = is_our_file(path, status); !ours) return failure(ours.error());
    Descriptor descriptor(
        ::openat(descriptor_.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!descriptor && errno == ENOENT) return std::nullopt;
    if (!descriptor) return cannot_be(path, "opened");
    if (::fstat(descriptor.get(), &status) != 0) return cannot_be(path, "looked at");
    if (auto ours = is_our_file(path, status); !ours) return failure(ours.error());
    return descriptor;
}

tl::expected<bool, std::string> PrivateFolder::has_file(const std::string& name) const {
    struct stat status {};
    if (::fstatat(descriptor_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        return is_our_file(path_ / name, status).map([] { return true; });
    if (errno == ENOENT) return false;
    return cannot_be(path_ / name, "looked at");
}

namespace {

// Who may write in the folders below does not matter: nobody else comes as far.
tl::expected<void, std::string> look_for_links(int folder, const fs::path& path, int depth) {
    const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseFolder> entries(again < 0 ? nullptr : ::fdopendir(again));
    if (!entries) return cannot_be(path, "read");
    while (const dirent* entry = ::readdir(entries.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat status {};
        mode_t kind = DTTOIF(entry->d_type);  // zero where the file system does not tell
        if (kind == 0 && ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
            kind = status.st_mode & S_IFMT;
        if (S_ISLNK(kind)) return not_of_its_kind(path / name, kind);
        if (!S_ISDIR(kind) || depth == 0) continue;
        const Descriptor inner(
            ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!inner && errno == ENOENT) continue;  // gone meanwhile
        if (!inner) return cannot_be(path / name, "read");
        if (auto fine = look_for_links(inner.get(), path / name, depth - 1); !fine) return fine;
    }
    return {};
}

}  // namespace

tl::expected<void, std::string> PrivateFolder::has_no_links(int depth) const {
    return look_for_links(descriptor_.get(), path_, depth);
}

tl::expected<fs::path, std::string> key_folder(const fs::path& project, const std::string& name) {
    const fs::path folder = folder_of_operator(name);
    if (folder.empty()) return failure("neither HOME nor XDG_CONFIG_HOME names a folder for its key");
    if (project::lies_in_project(folder, project))
        return failure("the folder for its key, {}, lies in the project, where others would find it",
                       folder.string());
    return folder;
}

tl::expected<fs::path, std::string> key_place(const fs::path& project, const std::string& name) {
    auto folder = key_folder(project, name);
    if (!folder) return folder;
    // The nearest folder that is there must take a new one.
    std::error_code error;
    fs::path there = *folder;
    while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
    if (::access(there.c_str(), W_OK | X_OK) != 0)
        return failure("nothing can be written into {}, where its key would lie", there.string());
    return folder;
}

}  // namespace migc::trust
