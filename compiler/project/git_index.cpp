#include "compiler/project/git_index.hpp"

#include <iterator>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "compiler/support/encoding.hpp"
#include "compiler/support/read_file.hpp"

namespace migc::project {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t worth_reading = std::uintmax_t{32} << 20;  // a larger one costs more than it tells
constexpr std::uintmax_t largest = std::uintmax_t{512} << 20;
constexpr std::size_t digest_sizes[] = {20, 32};  // of SHA-1 and SHA-256

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
    // What an extension behind the entries holds; nothing if there is none of this name, or the rest is not
    // as it should be: what the entries were read as is then wrong, too.
    [[nodiscard]] std::optional<std::string_view> extension(std::string_view name, bool& is_sound) const {
        std::optional<std::string_view> found;
        std::size_t at = at_;
        while (at + digest_size_ < bytes_.size()) {
            const std::size_t size = number(at + 4, 4);
            if (bytes_.substr(at, name.size()) == name) found = bytes_.substr(at + 8, size);
            at += 8 + size;
        }
        is_sound = at + digest_size_ == bytes_.size();
        return found;
    }

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

// Bits that are packed by EWAH: runs of words that are alike, and words as they are. Nothing if they are not
// as they should be.
class Bitmap {
  public:
    static std::optional<std::set<std::size_t>> read(std::string_view& bytes) {
        constexpr std::size_t most_bits = std::size_t{1} << 26;
        if (bytes.size() < 8) return std::nullopt;
        const std::uint64_t bits = number(bytes, 0, 4), words = number(bytes, 4, 4);
        const std::size_t size = 8 + words * 8 + 4;
        if (bits > most_bits || size > bytes.size()) return std::nullopt;
        std::set<std::size_t> set;
        std::size_t at = 0;  // of the bits
        for (std::uint64_t word = 0; word < words;) {
            const std::uint64_t marker = number(bytes, 8 + 8 * word++, 8);
            const std::uint64_t alike = (marker >> 1 & 0xFFFFFFFF) * 64, literals = marker >> 33;
            if (alike > most_bits || literals > words - word) return std::nullopt;
            for (std::uint64_t i = 0; i < alike; ++i, ++at)
                if ((marker & 1) != 0 && at < bits) set.insert(set.end(), at);
            for (std::uint64_t i = 0; i < literals; ++i, at += 64) {
                const std::uint64_t literal = number(bytes, 8 + 8 * word++, 8);
                for (std::size_t bit = 0; bit < 64; ++bit)
                    if ((literal >> bit & 1) != 0 && at + bit < bits) set.insert(set.end(), at + bit);
            }
            if (at > most_bits + 64) return std::nullopt;
        }
        bytes.remove_prefix(size);
        return set;
    }

  private:
    static std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
        std::uint64_t value = 0;
        for (const char c : bytes.substr(at, size)) value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }
};

struct Entry {
    std::string name;
    std::uint32_t size = 0;
};
using Entries = std::vector<Entry>;

std::optional<Entries> entries_of(std::string_view bytes, std::size_t digest_size, std::string_view& link) {
    Entries entries;
    IndexReader reader(bytes, digest_size);
    const bool whole = reader.each_entry([&](const std::string& name, std::uint32_t size) {
        entries.push_back({name, size});
    });
    bool is_sound = false;
    if (whole) link = reader.extension("link", is_sound).value_or("");
    return whole && is_sound ? std::optional(std::move(entries)) : std::nullopt;
}

// A split index: what has changed since the shared one was written, which is named by its digest.
std::optional<Entries> joined(Entries own, std::string_view link, std::size_t digest_size,
                              const GitIndex::Shared& shared) {
    if (link.size() < digest_size) return std::nullopt;
    const std::string_view digest = link.substr(0, digest_size);
    if (digest.find_first_not_of('\0') == std::string_view::npos) return own;
    link.remove_prefix(digest_size);
    auto gone = std::optional<std::set<std::size_t>>(std::in_place);
    auto replaced = gone;
    if (!link.empty()) gone = Bitmap::read(link), replaced = gone ? Bitmap::read(link) : std::nullopt;
    const auto bytes = shared ? shared(hexadecimal(digest)) : std::nullopt;
    std::string_view none;
    auto base = bytes ? entries_of(*bytes, digest_size, none) : std::nullopt;
    if (!replaced || !base || own.size() < replaced->size()) return std::nullopt;
    Entries all;
    std::size_t next = 0;  // of one's own: those that replace come first, and have no names
    for (std::size_t i = 0; i < base->size(); ++i) {
        if (replaced->contains(i)) (*base)[i].size = own[next++].size;
        if (!gone->contains(i)) all.push_back(std::move((*base)[i]));
    }
    std::move(own.begin() + static_cast<std::ptrdiff_t>(next), own.end(), std::back_inserter(all));
    return all;
}

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
    if (!bytes) return std::nullopt;
    return parse(*bytes, root, [&](const std::string& digest) {
        return read_file(*git / ("sharedindex." + digest), worth_reading);
    });
}

std::optional<GitIndex> GitIndex::parse(std::string_view bytes, fs::path root, const Shared& shared) {
    for (const std::size_t digest_size : digest_sizes) {
        std::string_view link;
        auto entries = entries_of(bytes, digest_size, link);
        if (entries && !link.empty()) entries = joined(std::move(*entries), link, digest_size, shared);
        if (!entries) continue;
        GitIndex index;
        index.root_ = std::move(root);
        for (Entry& entry : *entries)
            index.sizes_.emplace_hint(index.sizes_.end(), std::move(entry.name), entry.size);
        return index;
    }
    return std::nullopt;
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
    for (const std::size_t digest_size : digest_sizes)
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
