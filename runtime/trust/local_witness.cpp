#include "runtime/trust/local_witness.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/account.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/read_file.hpp"
#include "runtime/trust/bytes.hpp"
#include "runtime/trust/runner.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view note_begins = "migc journal 1\n";
constexpr std::size_t head_of_note = 4096;  // holds the place
constexpr std::size_t line_size = 128;
constexpr std::size_t run_size = 62;

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
    constexpr std::uintmax_t largest = std::uintmax_t{64} << 20;
    return descriptor_content(note, largest).value_or("");
}

// What a note begins with.
struct Head {
    std::string place;     // where the journal lies
    std::string given_up;  // by whom and why, if a person has said that it need not be there
};

constexpr std::string_view given_up_mark = "given up ";

std::optional<Head> read_head(const std::string& note) {
    if (!note.starts_with(note_begins)) return std::nullopt;
    const std::size_t end = note.find('\n', note_begins.size());
    Head head{note.substr(note_begins.size(), end - note_begins.size()), {}};
    if (end == std::string::npos) return head;
    const std::string rest = note.substr(end + 1, note.find('\n', end + 1) - end - 1);
    if (rest.starts_with(given_up_mark)) head.given_up = rest.substr(given_up_mark.size());
    return head;
}

// Of a size that never changes; empty if it does not fit.
std::string written_head(const Head& head) {
    std::string text = fmt::format("{}{}\n", note_begins, head.place);
    if (!head.given_up.empty()) text += fmt::format("{}{}\n", given_up_mark, head.given_up);
    if (text.size() >= head_of_note) return {};
    text.resize(head_of_note - 1, ' ');
    return text + "\n";
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
    return hexadecimal({bytes.data(), bytes.size()});
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
    if (!is_identity(identity_)) return failure("it was made by a migc that marked nothing yet");
    const auto place = make ? key_place(root, "journals") : key_folder(root, "journals");
    if (!place) return failure(place.error());
    const fs::path& folder = *place;
    std::error_code error;
    if (make) fs::create_directories(folder.parent_path(), error);
    if (error) return failure("{}: {}", folder.parent_path().string(), error.message());
    auto opened = make ? PrivateFolder::make(folder).map(
                             [](PrivateFolder&& one) { return std::optional(std::move(one)); })
                       : PrivateFolder::at(folder);
    if (!opened) return failure(opened.error());
    if (!*opened || (!make && !fs::exists(folder / "seal.key", error)))
        return failure("there is no key of its user here");
    auto key = digest_key(folder, "seal");
    if (!key) return failure(key.error());
    if (key->name == trust::open_key().name)
        return failure("nothing can be written into {}, where its key would lie", folder.string());
    key_ = std::move(*key);
    folder_ = std::move(*opened);
    return {};
}

tl::expected<void, std::string> LocalWitness::open_note(const fs::path& root, bool make) {
    auto file = folder_->file(identity_, make ? O_RDWR | O_CREAT : O_RDONLY);
    if (!file) return failure(file.error());
    if (!*file) return {};  // marked here, and noted nowhere: the mark is enough
    note_ = std::move(**file);
    const auto head = read_head(whole_note(note_.get()));
    if (head) place_ = head->place;
    // One that was given up and is there again is a journal like any other.
    if (make && (!head || !head->given_up.empty())) moved_to(head ? place_ : root);
    return {};
}

void LocalWitness::moved_to(const fs::path& root) {
    place_ = canonical_place(root);
    const std::string head = written_head({place_.string(), {}});
    if (!head.empty()) write_at(note_.get(), head, 0);  // else it is where it is
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
    const std::string line = line_for(state.run, hexadecimal(state.head));
    if (last_) {
        write_at(note_.get(), line, last_->at);
        return;
    }
    // At the end, wherever that is by then: somebody else may add a run, too.
    const Descriptor end(
        ::openat(folder_->descriptor(), identity_.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
    if (end) write_all(end.get(), line);
}

std::vector<LocalWitness::Line> LocalWitness::lines_of(const std::string& text) {
    std::vector<Line> found;
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
    for (Line& line : lines_of(whole_note(note_.get())))
        if (line.run == run) return std::move(line);
    return std::nullopt;
}

std::optional<std::string> LocalWitness::remembered(const std::string& run) const {
    const auto line = line_of(run);
    return line ? from_hexadecimal(line->head) : std::nullopt;
}

std::vector<std::string> LocalWitness::runs() const {
    return runs_in(whole_note(note_.get()));
}

void LocalWitness::forget(const std::string& run) {
    for (const Line& line : lines_of(whole_note(note_.get())))
        if (line.run == run) write_at(note_.get(), line_for("", ""), line.at);
    last_.reset();
}

std::vector<std::string> LocalWitness::runs_in(const std::string& note) {
    std::vector<std::string> found;
    for (Line& line : lines_of(note)) found.push_back(std::move(line.run));
    return found;
}

// ------------------------------------------------------------------ journals that lay at a root

namespace {

// Whoever is here, whatever the variables say.
std::vector<fs::path> folders_of_notes() {
    std::vector<fs::path> folders = {folder_of_operator("journals")};
    const Accounts accounts = accounts_here();
    for (const uid_t user : {accounts.who(), accounts.real, accounts.effective})
        if (const fs::path home = home_of(user); home.is_absolute())
            folders.push_back(home / ".config" / "migc" / "journals");
    std::vector<fs::path> found;
    for (const fs::path& folder : folders) {
        std::error_code error;
        const fs::path whole = fs::weakly_canonical(folder, error);
        if (!folder.empty() && std::find(found.begin(), found.end(), whole) == found.end())
            found.push_back(whole);
    }
    return found;
}

// Nothing if it is no note of a journal that lay there and has runs.
std::optional<NotedJournal> noted_in(const fs::path& file, const std::string& place) {
    const Descriptor note(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!note || ::fstat(note.get(), &status) != 0) return std::nullopt;
    const std::string text = whole_note(note.get());
    const auto head = read_head(text);
    if (!head || head->place != place) return std::nullopt;
    auto runs = LocalWitness::runs_in(text);
    if (runs.empty()) return std::nullopt;
    return NotedJournal{file.filename().string(), std::move(runs),
                        runtime::Time{status.st_mtim.tv_sec} * 1000, head->given_up, file};
}

}  // namespace

tl::expected<std::vector<NotedJournal>, std::string> journals_noted_at(const fs::path& root) {
    const std::string place = canonical_place(root).string();
    std::vector<NotedJournal> found;
    std::error_code error;
    const fs::path own = fs::weakly_canonical(folder_of_operator("journals"), error);
    for (const fs::path& folder : folders_of_notes()) {
        fs::directory_iterator i(folder, error);
        for (const fs::directory_iterator end; !error && i != end; i.increment(error)) {
            if (!is_identity(i->path().filename().string())) continue;
            if (auto one = noted_in(i->path(), place)) found.push_back(std::move(*one));
        }
        const bool absent =
            error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
        if (error && !absent && folder == own)
            return failure("the notes of journals in {} cannot be read ({})", folder.string(),
                           error.message());
    }
    return found;
}

tl::expected<void, std::string> give_up(const NotedJournal& journal, const std::string& decision) {
    const Descriptor note(::open(journal.note.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    const auto failed = [&] {
        return failure("{} cannot be written: {}", journal.note.string(), std::strerror(errno));
    };
    if (!note) return failed();
    const auto head = read_head(whole_note(note.get()));
    const std::string text = written_head({head ? head->place : "", decision});
    if (text.empty()) return failure("the reason is too long; say it in fewer words");
    return write_at(note.get(), text, 0) && ::fsync(note.get()) == 0 ? tl::expected<void, std::string>()
                                                                     : failed();
}

}  // namespace migc::trust
