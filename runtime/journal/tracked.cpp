#include "runtime/journal/tracked.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/tools/descriptor.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_index = std::size_t{512} << 20;

// Empty if it is no regular file that can be read.
std::string git_file(const fs::path& path, std::size_t largest) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    if (static_cast<std::size_t>(status.st_size) > largest) return {};
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got =
            ::pread(file.get(), text.data() + size, text.size() - size, static_cast<off_t>(size));
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
}

// See gitformat-index(5).
class IndexReader {
  public:
    // `digest_size`: of the repository's object names, which only its settings tell.
    IndexReader(std::string_view bytes, std::size_t digest_size) : bytes_(bytes), digest_size_(digest_size) {}

    bool names(std::string_view path) {
        if (!bytes_.starts_with("DIRC")) return false;
        const std::uint32_t version = number(4, 4), count = number(8, 4);
        if (version < 2 || version > 4) return false;
        at_ = 12;
        std::string name;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (!read_entry(version, name)) return false;
            if (name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '/'))
                return true;
        }
        return false;
    }

  private:
    std::uint32_t number(std::size_t at, std::size_t size) const {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size && at + i < bytes_.size(); ++i)
            value = (value << 8) | static_cast<unsigned char>(bytes_[at + i]);
        return value;
    }

    bool read_entry(std::uint32_t version, std::string& name) {
        const std::size_t begin = at_;
        const std::size_t flags = begin + 40 + digest_size_;
        constexpr std::uint32_t extended = 0x4000;
        at_ = flags + 2 + (version >= 3 && (number(flags, 2) & extended) != 0 ? 2 : 0);
        if (version == 4 && !cut_back(name)) return false;
        const std::size_t end = at_ < bytes_.size() ? bytes_.find('\0', at_) : std::string_view::npos;
        if (end == std::string_view::npos) return false;
        name = (version == 4 ? name : "") + std::string(bytes_.substr(at_, end - at_));
        // Filled up with one to eight zeros.
        at_ = version == 4 ? end + 1 : begin + (end - begin + 8) / 8 * 8;
        return true;
    }

    // How much of the name before is not part of this one.
    bool cut_back(std::string& name) {
        std::size_t size = 0;
        for (bool first = true, more = true; more; first = false) {
            if (at_ >= bytes_.size() || size > bytes_.size()) return false;
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            size = ((first ? 0 : size + 1) << 7) + (byte & 0x7F);
            more = (byte & 0x80) != 0;
        }
        if (size > name.size()) return false;
        name.resize(name.size() - size);
        return true;
    }

    std::string_view bytes_;
    std::size_t digest_size_;
    std::size_t at_ = 0;
};

// Of a working tree, also of one that shares its repository with others.
std::optional<fs::path> git_folder(const fs::path& tree) {
    std::error_code error;
    const fs::path git = tree / ".git";
    if (fs::is_directory(git, error)) return git;
    std::string text = git_file(git, 4096);
    constexpr std::string_view begins = "gitdir: ";
    if (!text.starts_with(begins)) return std::nullopt;
    text = text.substr(begins.size(), text.find_last_not_of("\r\n") + 1 - begins.size());
    return tree / text;
}

bool is_tracked_in(const fs::path& git, const std::string& path) {
    if (index_names(git_file(git / "index", largest_index), path)) return true;
    std::error_code error;  // parts of an index that was split
    for (fs::directory_iterator i(git, error), end; !error && i != end; i.increment(error))
        if (i->path().filename().string().starts_with("sharedindex.") &&
            index_names(git_file(i->path(), largest_index), path))
            return true;
    return false;
}

}  // namespace

bool index_names(std::string_view index, std::string_view path) {
    return IndexReader(index, 20).names(path) || IndexReader(index, 32).names(path);
}

std::optional<fs::path> tracked_by_git(const fs::path& folder, std::string_view name) {
    std::error_code error;
    const fs::path whole = fs::canonical(folder, error);
    if (error) return std::nullopt;
    for (fs::path tree = whole;; tree = tree.parent_path()) {
        if (const auto git = git_folder(tree)) {
            const fs::path below = (whole / name).lexically_relative(tree);
            if (is_tracked_in(*git, below.string())) return tree;
        }
        if (tree == tree.root_path()) return std::nullopt;
    }
}

}  // namespace migc::runtime
