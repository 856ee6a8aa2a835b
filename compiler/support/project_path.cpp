#include "compiler/support/project_path.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/support/read_file.hpp"

namespace migc {
namespace {

namespace fs = std::filesystem;
using Path = tl::expected<fs::path, std::string>;
using Failure = tl::unexpected<std::string>;

// git's folder has credentials, and migc's own what a run is undone by.
bool is_own_folder(const fs::path& relative) {
    return std::any_of(relative.begin(), relative.end(),
                       [](const fs::path& part) { return part == ".git" || part == ".migc"; });
}

}  // namespace

bool is_within(const fs::path& path, const fs::path& folder) {
    const fs::path relative = path.lexically_relative(folder);
    return !relative.empty() && !relative.is_absolute() && *relative.begin() != "..";
}

Path project_path(const fs::path& root, const fs::path& path) {
    if (path.empty() || path.native().find('\0') != std::string::npos)
        return Failure(std::string("a path cannot be empty or hold a NUL"));
    std::error_code error;
    const fs::path home = fs::canonical(root, error);
    if (error) return Failure(fmt::format("{}: {}", root.string(), error.message()));
    fs::path whole = fs::weakly_canonical(home / path, error);
    if (error) return Failure(error.message());
    if (!is_within(whole, home))
        return Failure(fmt::format("it leads out of the project's folder {}", home.string()));
    if (is_own_folder(whole.lexically_relative(home)))
        return Failure(std::string("the folders .git and .migc are no files of the project"));
    // A link to nothing is as good as one that leads out: what it names may be there in the next moment.
    if (fs::is_symlink(fs::symlink_status(whole, error)))
        return Failure(std::string("it is a link that leads to nothing"));
    return whole;
}

Path project_file(const fs::path& root, const fs::path& path) {
    auto whole = project_path(root, path);
    if (!whole) return whole;
    struct stat status {};
    if (::lstat(whole->c_str(), &status) != 0)
        return Failure(std::string(errno == ENOENT ? "there is no such file" : std::strerror(errno)));
    if (S_ISDIR(status.st_mode)) return Failure(std::string("it is a folder"));
    if (!S_ISREG(status.st_mode)) return Failure(std::string("it is no regular file"));
    return whole;
}

tl::expected<std::string, std::string> project_file_content(const fs::path& root, const fs::path& path,
                                                            std::uintmax_t limit) {
    const auto whole = project_file(root, path);
    if (!whole) return Failure(whole.error());
    const Descriptor folder = open_folder(whole->parent_path());
    const Descriptor file(folder ? ::openat(folder.get(), whole->filename().c_str(),
                                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                                 : -1);
    if (!file) return Failure(std::string(std::strerror(errno)));
    return descriptor_content(file.get(), limit);
}

std::string shown_path(const fs::path& path) {
    std::error_code error;
    const fs::path near = fs::proximate(path, error);
    return error ? path.string() : near.string();
}

Descriptor open_folder(const fs::path& folder) {
    Descriptor at(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const fs::path& part : folder.relative_path()) {
        if (!at) break;
        at = Descriptor(::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    // One of O_PATH cannot be synced.
    return at ? Descriptor(::openat(at.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : std::move(at);
}

}  // namespace migc
