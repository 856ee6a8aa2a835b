#include "runtime/trust/local_witness.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using Silence = tl::unexpected<std::string>;

constexpr std::string_view note_begins = "migc journal 1\n";
constexpr std::size_t head_of_note = 4096;  // holds the place
constexpr std::size_t line_size = 128;
constexpr std::size_t run_size = 62;

std::string in_hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

std::optional<std::string> from_hexadecimal(const std::string& text) {
    std::string bytes(text.size() / 2, '\0');
    const int failed = sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                      text.data(), text.size(), nullptr, nullptr, nullptr);
    return failed == 0 ? std::optional(bytes) : std::nullopt;
}

// It becomes a file's name.
bool is_identity(const std::string& text) {
    return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

fs::path canonical_place(const fs::path& root) {
    std::error_code error;
    const fs::path place = fs::canonical(root, error);
    return error ? fs::absolute(root).lexically_normal() : place;
}

std::string whole_note(int note) {
    struct stat status {};
    constexpr off_t largest = off_t{64} << 20;
    if (::fstat(note, &status) != 0 || status.st_size > largest) return {};
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    const ssize_t size = ::pread(note, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

std::string line_for(const std::string& run, const std::string& head) {
    return fmt::format("{:<{}} {:<64}\n", run, run_size, head);
}

// What the mark stands for, each part with its length before it.
std::string marked(const RunState& state) {
    return fmt::format("{}:{}{}:{}{}:{}", state.run.size(), state.run, state.head.size(), state.head,
                       state.about.size(), state.about);
}

bool write_at(int file, std::string_view bytes, off_t at) {
    return ::pwrite(file, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

std::string new_journal_identity() {
    ready_sodium();
    std::array<char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    return in_hexadecimal({bytes.data(), bytes.size()});
}

std::unique_ptr<LocalWitness> LocalWitness::open(const std::string& identity, const fs::path& root,
                                                 bool make) {
    std::unique_ptr<LocalWitness> witness(new LocalWitness());
    witness->identity_ = identity;
    const auto opened =
        witness->open_key(root, make).and_then([&] { return witness->open_note(root, make); });
    witness->silent_ = opened ? std::nullopt : std::optional(opened.error());
    return witness;
}

tl::expected<void, std::string> LocalWitness::open_key(const fs::path& root, bool make) {
    if (!is_identity(identity_)) return Silence("it was made by a migc that marked nothing yet");
    const auto place = make ? key_place(root, "journals") : key_folder(root, "journals");
    if (!place) return Silence(place.error());
    const fs::path& folder = *place;
    std::error_code error;
    if (make) fs::create_directories(folder.parent_path(), error);
    if (error) return Silence(fmt::format("{}: {}", folder.parent_path().string(), error.message()));
    auto opened = make ? PrivateFolder::make(folder).map(
                             [](PrivateFolder&& one) { return std::optional(std::move(one)); })
                       : PrivateFolder::at(folder);
    if (!opened) return Silence(opened.error());
    if (!*opened || (!make && !fs::exists(folder / "seal.key", error)))
        return Silence("there is no key of its user here");
    auto key = digest_key(folder, "seal");
    if (!key) return Silence(key.error());
    if (key->name == trust::open_key().name)
        return Silence(
            fmt::format("nothing can be written into {}, where its key would lie", folder.string()));
    key_ = std::move(*key);
    folder_ = std::move(*opened);
    return {};
}

tl::expected<void, std::string> LocalWitness::open_note(const fs::path& root, bool make) {
    auto file = folder_->file(identity_, make ? O_RDWR | O_CREAT : O_RDONLY);
    if (!file) return Silence(file.error());
    if (!*file) return {};  // marked here, and noted nowhere: the mark is enough
    note_ = std::move(**file);
    const std::string text = whole_note(note_.get());
    if (text.starts_with(note_begins)) {
        const std::size_t end = text.find('\n', note_begins.size());
        place_ = text.substr(note_begins.size(), end - note_begins.size());
    } else if (make) {
        moved_to(root);
    }
    return {};
}

void LocalWitness::moved_to(const fs::path& root) {
    place_ = canonical_place(root);
    std::string head = fmt::format("{}{}\n", note_begins, place_.string());
    if (head.size() > head_of_note) return;  // then it is where it is
    head.resize(head_of_note - 1, ' ');
    write_at(note_.get(), head + "\n", 0);
}

std::string LocalWitness::mark(const RunState& state) const {
    return silent_ ? "" : secret_digest(*key_, identity_, marked(state));
}

bool LocalWitness::knows(const RunState& state, std::string_view mark) const {
    if (silent_ || mark.empty()) return false;
    const std::string wanted = secret_digest(*key_, identity_, marked(state));
    return wanted.size() == mark.size() && sodium_memcmp(wanted.data(), mark.data(), mark.size()) == 0;
}

// Where it cannot be written, the note says less than it could, and accuses nobody.
void LocalWitness::remember(const RunState& state) {
    if (silent_ || !note_ || state.run.size() > run_size) return;
    if (!last_ || last_->run != state.run) last_ = line_of(state.run);
    const std::string line = line_for(state.run, in_hexadecimal(state.head));
    if (last_) {
        write_at(note_.get(), line, last_->at);
        return;
    }
    // At the end, wherever that is by then: somebody else may add a run, too.
    const runtime::Descriptor end(
        ::openat(folder_->descriptor(), identity_.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
    if (end) runtime::write_all(end.get(), line);
}

std::vector<LocalWitness::Line> LocalWitness::lines() const {
    std::vector<Line> found;
    const std::string text = note_ ? whole_note(note_.get()) : "";
    for (std::size_t at = head_of_note; at + line_size <= text.size();) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string::npos) break;
        const std::string line = text.substr(at, end - at);
        // One that was cut off when there was no space is none.
        if (line.size() + 1 == line_size && line.front() != ' ')
            found.push_back(
                {static_cast<off_t>(at), line.substr(0, line.find(' ')), line.substr(run_size + 1)});
        at = end + 1;
    }
    return found;
}

std::optional<LocalWitness::Line> LocalWitness::line_of(const std::string& run) const {
    for (Line& line : lines())
        if (line.run == run) return std::move(line);
    return std::nullopt;
}

std::optional<std::string> LocalWitness::remembered(const std::string& run) const {
    const auto line = line_of(run);
    return line ? from_hexadecimal(line->head) : std::nullopt;
}

std::vector<std::string> LocalWitness::runs() const {
    std::vector<std::string> found;
    for (Line& line : lines()) found.push_back(std::move(line.run));
    return found;
}

void LocalWitness::forget(const std::string& run) {
    for (const Line& line : lines())
        if (line.run == run) write_at(note_.get(), line_for("", ""), line.at);
    last_.reset();
}

}  // namespace migc::trust
