#include "compiler/project/git_index.hpp"

#include <system_error>
#include <utility>

#include "compiler/support/read_file.hpp"

namespace migc::project {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t worth_reading = std::uintmax_t{32} << 20;  // a larger one costs more than it tells
constexpr std::uintmax_t largest = std::uintmax_t{512} << 20;

// The folder in which git keeps the index: `.git`, or what a file `.git` names, as a work tree has it.
std::optional<fs::path> git_folder(const fs::path& root) {
    std::error_code error;
    const fs::path git = root / ".git";
    if (fs::is_directory(git, error)) return git;
    const std::string text = read_file(git, 4096).value_or("");
    constexpr std::string_view begins = "gitdir: ";
    if (!text.starts_with(begins)) return std::nullopt;
    return root / text.substr(begins.size(), text.find_last_not_of("\r\n") + 1 - begins.size());
}

// Reads versions 2 to 4 of git's index: see gitformat-index(5).
class IndexReader {
  public:
    // `digest_size`: of the repository's object names, which only its settings tell.
    IndexReader(std::string_view bytes, std::size_t digest_size) : bytes_(bytes), digest_size_(digest_size) {}

    // Tells each file's name and size, until one is not as it should be: then false.
    bool each_entry(const std::function<void(const std::string& name, std::uint32_t size)>& tell) {
        constexpr std::size_t header = 12;
        version_ = number(4, 4);
        if (!bytes_.starts_with("DIRC") || bytes_.size() < header || version_ < 2 || version_ > 4)
            return false;
        at_ = header;
        for (std::uint32_t left = number(8, 4); left > 0; --left) {
            const std::uint32_t size = number(at_ + 36, 4);
            if (!read_name()) return false;
            tell(name_, size);
            if (at_ > bytes_.size()) return false;
        }
        return true;
    }
    // What follows the entries.
    [[nodiscard]] std::string_view rest() const { return bytes_.substr(at_); }

  private:
    [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t size) const {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < size && at + i < bytes_.size(); ++i)
            value = (value << 8) | static_cast<unsigned char>(bytes_[at + i]);
        return value;
    }

    bool read_name() {
        const std::size_t begin = at_;
        const std::size_t flags = begin + 40 + digest_size_;
        constexpr std::uint32_t extended = 0x4000;
        at_ = flags + 2 + (version_ >= 3 && (number(flags, 2) & extended) != 0 ? 2 : 0);
        if (version_ != 4) name_.clear();
        if (version_ == 4 && !cut_back()) return false;
        const std::size_t end = at_ < bytes_.size() ? bytes_.find('\0', at_) : std::string_view::npos;
        if (end == std::string_view::npos) return false;
        name_ += bytes_.substr(at_, end - at_);
        // Filled up with one to eight zeros.
        at_ = version_ == 4 ? end + 1 : begin + (end - begin + 8) / 8 * 8;
        return true;
    }

    // How much of the name before is not part of this one.
    bool cut_back() {
        std::size_t size = 0;
        for (bool first = true, more = true; more; first = false) {
            if (at_ >= bytes_.size() || size > bytes_.size()) return false;
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            size = ((first ? 0 : size + 1) << 7) + (byte & 0x7F);
            more = (byte & 0x80) != 0;
        }
        if (size > name_.size()) return false;
        name_.resize(name_.size() - size);
        return true;
    }

    std::string_view bytes_;
    std::size_t digest_size_;
    std::uint32_t version_ = 0;
    std::size_t at_ = 0;
    std::string name_;
};

bool is_tracked_in(const fs::path& git, const std::string& path) {
    const auto names_it = [&](const fs::path& index) {
        return index_names(read_file(index, largest).value_or(""), path);
    };
    if (names_it(git / "index")) return true;
    std::error_code error;  // parts of an index that was split
    for (fs::directory_iterator i(git, error), end; !error && i != end; i.increment(error))
        if (i->path().filename().string().starts_with("sharedindex.") && names_it(i->path())) return true;
    return false;
}

}  // namespace

std::optional<GitIndex> GitIndex::of(const fs::path& folder) {
    std::error_code error;
    fs::path root = fs::canonical(folder, error);
    if (error) return std::nullopt;
    for (; !fs::exists(root / ".git", error); root = root.parent_path())
        if (root == root.root_path()) return std::nullopt;
    const auto git = git_folder(root);
    const auto bytes = git ? read_file(*git / "index", worth_reading) : std::nullopt;
    return bytes ? parse(*bytes, root) : std::nullopt;
}

std::optional<GitIndex> GitIndex::parse(std::string_view bytes, fs::path root) {
    constexpr std::size_t sha1 = 20;
    GitIndex index;
    index.root_ = std::move(root);
    IndexReader reader(bytes, sha1);
    const bool whole = reader.each_entry([&](const std::string& name, std::uint32_t size) {
        index.sizes_.emplace_hint(index.sizes_.end(), name, size);
    });
    // A split index has the rest of its entries elsewhere.
    return whole && !reader.rest().starts_with("link") ? std::optional(std::move(index)) : std::nullopt;
}

std::optional<Tracking> GitIndex::tracking(const fs::path& file) const {
    std::error_code error;
    const fs::path full = fs::canonical(file, error);
    if (error || !fs::is_regular_file(full, error)) return std::nullopt;
    const std::string wanted = full.lexically_relative(root_).generic_string();
    if (wanted.empty() || wanted.starts_with("..")) return std::nullopt;
    const auto known = sizes_.find(wanted);
    if (known == sizes_.end()) return Tracking::Untracked;
    // 0 also stands for an entry whose size git has not settled yet.
    const auto size = static_cast<std::uint32_t>(fs::file_size(full, error));
    return known->second == 0 || known->second == size ? Tracking::Same : Tracking::Changed;
}

bool index_names(std::string_view index, std::string_view path) {
    bool found = false;
    for (const std::size_t digest_size : {20, 32})
        IndexReader(index, digest_size).each_entry([&](const std::string& name, std::uint32_t) {
            found |= name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '/');
        });
    return found;
}

std::optional<fs::path> tracked_by_git(const fs::path& folder, std::string_view name) {
    std::error_code error;
    const fs::path whole = fs::canonical(folder, error);
    if (error) return std::nullopt;
    for (fs::path tree = whole;; tree = tree.parent_path()) {
        const auto git = git_folder(tree);
        if (git && is_tracked_in(*git, (whole / name).lexically_relative(tree).string())) return tree;
        if (tree == tree.root_path()) return std::nullopt;
    }
}

}  // namespace migc::project
