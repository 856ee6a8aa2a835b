#include "compiler/support/write_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "compiler/support/project_path.hpp"

namespace migc {
namespace {

namespace fs = std::filesystem;
using Done = tl::expected<void, std::string>;
using Failure = tl::unexpected<std::string>;

constexpr std::size_t longest_name = 255;  // bytes, on every file system there is

Failure errno_says() {
    return Failure(std::string(std::strerror(errno)));
}

std::string random_name(const fs::path& path) {
    std::array<unsigned char, 8> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
    std::string name = AtomicFile::unfinished_name(path);
    for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
    return name;
}

struct Place {
    fs::path folder;  // without links
    std::string name;
};

bool enters(const fs::path& path, const fs::path& project) {
    std::error_code error;
    fs::path prefix;
    for (const fs::path& part : path) {
        prefix /= part;
        if (is_within(fs::weakly_canonical(prefix, error), project)) return true;
    }
    return false;
}

// Whoever names a file outside of the project means that; but a path that goes through the project and comes
// out somewhere else has been led there by one of its links.
tl::expected<fs::path, std::string> folder_of(const fs::path& path, const fs::path& project) {
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    fs::path folder = fs::canonical(absolute.parent_path(), error);
    if (error) return Failure(error.message());
    if (folder != fs::canonical(absolute.lexically_normal().parent_path(), error))
        return Failure(std::string("its path goes back over a link"));
    const bool led_out = !project.empty() && !is_within(folder, project) &&
                         enters(absolute.lexically_normal().parent_path(), project);
    if (led_out)
        return Failure(
            fmt::format("a link on the way to it leads out of the project's folder {}", project.string()));
    return folder;
}

// What a link stands for: a file of the project, or nothing that is written.
tl::expected<Place, std::string> target_of_link(const fs::path& link, const fs::path& project) {
    std::error_code error;
    const fs::path target = fs::canonical(link, error);
    if (error) return Failure(std::string("it is a link that leads to nothing"));
    if (project.empty() || !project_path(project, target))
        return Failure(fmt::format(
            "it is a link to {}, which is no file of the project; name that file itself", target.string()));
    return Place{target.parent_path(), target.filename().string()};
}

tl::expected<Place, std::string> place_of(const fs::path& path, const fs::path& project) {
    if (path.native().find('\0') != std::string::npos || !path.has_filename() || path.filename() == "." ||
        path.filename() == "..")
        return Failure(std::string("that is no name of a file"));
    auto folder = folder_of(path, project);
    if (!folder) return Failure(folder.error());
    std::error_code error;
    const fs::path whole = *folder / path.filename();
    if (fs::is_symlink(fs::symlink_status(whole, error))) return target_of_link(whole, project);
    return Place{std::move(*folder), path.filename().string()};
}

}  // namespace

AtomicFile::AtomicFile(Descriptor folder, std::string name, WriteOptions options)
    : folder_(std::move(folder)), name_(std::move(name)), options_(std::move(options)) {}

AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;

// One that was moved away has no folder any more.
AtomicFile::~AtomicFile() {
    if (folder_ && !temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
}

std::string AtomicFile::unfinished_name(const fs::path& path) {
    constexpr std::size_t others = 32;  // what is before and behind
    return "." + path.filename().string().substr(0, longest_name - others) + ".migc-";
}

tl::expected<AtomicFile, std::string> AtomicFile::beside(const fs::path& path, WriteOptions options) {
    std::error_code error;
    if (!options.project.empty()) options.project = fs::canonical(options.project, error);
    if (error) return Failure(error.message());
    auto place = place_of(path, options.project);
    if (!place) return Failure(place.error());
    Descriptor folder = open_folder(place->folder);
    if (!folder) return errno_says();
    AtomicFile file(std::move(folder), std::move(place->name), std::move(options));
    if (auto old = file.look_at_the_old(); !old) return Failure(old.error());
    if (auto opened = file.open(); !opened) return Failure(opened.error());
    return file;
}

Done AtomicFile::look_at_the_old() {
    struct stat old {};
    mode_ = options_.mode.value_or(options_.usual);
    owner_ = ::geteuid();
    group_ = static_cast<gid_t>(-1);
    if (::fstatat(folder_.get(), name_.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? Done() : Done(errno_says());
    if (options_.only_new) return Failure(std::string("there is one already"));
    if (S_ISDIR(old.st_mode)) return Failure(std::string("it is a folder"));
    if (!S_ISREG(old.st_mode)) return Failure(std::string("it is no regular file"));
    replaces_ = static_cast<std::uintmax_t>(old.st_size);
    mode_ = options_.mode.value_or(old.st_mode & 07777);
    owner_ = old.st_uid;
    group_ = old.st_gid;
    return {};
}

Done AtomicFile::open() {
    const std::string name = random_name(name_);
    if (name.empty()) return errno_says();
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_ = above_standard(::openat(folder_.get(), name.c_str(), flags, 0600));
    if (!file_) return errno_says();
    temporary_ = name;
    return {};
}

// Only root may give a file away. What belongs to somebody else afterwards gives nobody its owner's rights.
Done AtomicFile::give_owner_and_mode() {
    const bool kept = !replaces_ || ::fchown(file_.get(), owner_, group_) == 0;
    if (!kept && errno != EPERM) return errno_says();
    if (::fchmod(file_.get(), kept ? mode_ : mode_ & 0777) != 0) return errno_says();
    return {};
}

Done AtomicFile::take_place() {
    if (auto given = give_owner_and_mode(); !given) return given;
    if (options_.synced && ::fsync(file_.get()) != 0) return errno_says();
    if (!options_.only_new) {
        if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0)
            return errno_says();
    } else {  // `rename` would replace one that was made meanwhile
        if (::linkat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str(), 0) != 0)
            return errno == EEXIST ? Done(Failure(std::string("there is one already"))) : Done(errno_says());
        ::unlinkat(folder_.get(), temporary_.c_str(), 0);
    }
    temporary_.clear();
    if (options_.synced && ::fsync(folder_.get()) != 0) return errno_says();
    return {};
}

tl::expected<Written, std::string> write_file(const fs::path& path, std::string_view content,
                                              const WriteOptions& options) {
    auto file = AtomicFile::beside(path, options);
    if (!file) return Failure(file.error());
    if (!write_all(file->descriptor(), content)) return errno_says();
    if (auto placed = file->take_place(); !placed) return Failure(placed.error());
    return Written{file->replaces()};
}

}  // namespace migc
