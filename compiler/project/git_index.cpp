#include "compiler/project/git_index.hpp"

#include <algorithm>
#include <system_error>

#include "compiler/source/read_file.hpp"

namespace migc::project {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest = std::uintmax_t{32}
                                   << 20;  // bytes; a larger index would cost more than it tells

// The folder in which git keeps the index: `.git`, or what a file `.git` names, as a work tree has it.
std::optional<fs::path> git_folder(const fs::path& root) {
    std::error_code error;
    const fs::path git = root / ".git";
    if (fs::is_directory(git, error)) return git;
    auto text = read_file(git, 4096);
    if (!text || !text->starts_with("gitdir: ")) return std::nullopt;
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    return (root / text->substr(8)).lexically_normal();
}

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t length) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

}  // namespace

std::optional<GitIndex> GitIndex::of(const fs::path& folder) {
    std::error_code error;
    fs::path root = fs::canonical(folder, error);
    if (error) return std::nullopt;
    for (;; root = root.parent_path()) {
        if (fs::exists(root / ".git", error)) break;
        if (root == root.root_path()) return std::nullopt;
    }
    const auto git = git_folder(root);
    auto bytes = git ? read_file(*git / "index", largest) : std::nullopt;
    return bytes ? parse(std::move(*bytes), root) : std::nullopt;
}

// Versions 2 and 3 of git's "index format": a header of 12 bytes, then entries of 62 bytes (64 with the
// extended flag) and a name, padded with 1 to 8 zeros to a multiple of eight.
std::optional<GitIndex> GitIndex::parse(std::string content, fs::path root) {
    constexpr std::size_t header = 12, fixed = 62, size_at = 36, flags_at = 60;
    GitIndex index;
    index.root_ = std::move(root);
    index.bytes_ = std::move(content);
    const std::string_view bytes = index.bytes_;
    if (bytes.size() < header || !bytes.starts_with("DIRC")) return std::nullopt;
    const std::uint32_t version = number(bytes, 4, 4), entries = number(bytes, 8, 4);
    if (version != 2 && version != 3) return std::nullopt;
    std::size_t at = header;
    for (std::uint32_t i = 0; i < entries; ++i) {
        if (bytes.size() - at < fixed) return std::nullopt;
        const bool is_extended = (number(bytes, at + flags_at, 2) & 0x4000U) != 0;
        const std::size_t name = at + fixed + (is_extended ? 2 : 0);
        const std::size_t end = bytes.find('\0', name);
        if (end == std::string_view::npos) return std::nullopt;
        index.entries_.push_back({name, end - name, number(bytes, at + size_at, 4)});
        at += (end - at + 8) / 8 * 8;
        if (at > bytes.size()) return std::nullopt;
    }
    // A split index has the rest of its entries elsewhere.
    if (bytes.substr(at).starts_with("link")) return std::nullopt;
    return index;
}

std::optional<Tracking> GitIndex::tracking(const fs::path& file) const {
    std::error_code error;
    const fs::path full = fs::canonical(file, error);
    if (error || !fs::is_regular_file(full, error)) return std::nullopt;
    const std::string wanted = full.lexically_relative(root_).generic_string();
    if (wanted.empty() || wanted.starts_with("..")) return std::nullopt;
    const auto known =
        std::lower_bound(entries_.begin(), entries_.end(), wanted,
                         [&](const Entry& entry, const std::string& text) { return name(entry) < text; });
    if (known == entries_.end() || name(*known) != wanted) return Tracking::Untracked;
    // 0 also stands for an entry whose size git has not settled yet.
    const auto size = static_cast<std::uint32_t>(fs::file_size(full, error));
    return known->size == 0 || known->size == size ? Tracking::Same : Tracking::Changed;
}

}  // namespace migc::project
