#include "runtime/journal/starting.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"
#include "compiler/support/read_file.hpp"
#include "runtime/journal/lock_file.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime::inline journal {
namespace {

namespace fs = std::filesystem;

constexpr const char* starting_name = "starting";

// A file, and whose it is. One that cannot be read was cut off while it was written: by then the run had not
// begun.
struct Trace {
    std::string file;
    LockHolder holder;
};

Trace read_trace(const trust::PrivateFolder& folder, const std::string& file) {
    constexpr std::uintmax_t largest = 4096;
    const auto in = folder.file(file, O_RDONLY);
    const std::string text = in && *in ? descriptor_content((*in)->get(), largest).value_or("") : "";
    return {file, holder_in(nlohmann::json::parse(text, nullptr, false))};
}

std::vector<Trace> traces(const trust::PrivateFolder& folder) {
    std::vector<Trace> found;
    std::error_code error;
    for (fs::directory_iterator i(folder.path(), error), end; !error && i != end; i.increment(error))
        found.push_back(read_trace(folder, i->path().filename().string()));
    return found;
}

bool is_gone(const Trace& trace) {
    return trace.holder.pid <= 0 || is_dead(trace.holder);
}

// No run takes so long to begin: its process is gone, and another one has its number, or it was on a machine
// that nobody here can ask.
bool is_over(const Trace& trace) {
    constexpr std::int64_t longest_start_ms = 3'600'000;
    return is_gone(trace) || system_now() - trace.holder.since_ms > longest_start_ms;
}

}  // namespace

// Where the folder cannot be used, the journal, which lies in the same one, will say so.
Starting::Starting(const fs::path& root, const std::string& purpose) : purpose_(purpose) {
    const auto state = find_state_folder(root);
    if (!state || !*state || !(*state)->has_file("journal.db").value_or(false)) return;
    auto folder = (*state)->make_folder(starting_name);
    if (!folder) return;
    folder_ = std::move(*folder);
    leave();
    for (const Trace& trace : traces(*folder_))
        if (trace.file != file_ && is_over(trace)) ::unlinkat(folder_->descriptor(), trace.file.c_str(), 0);
}

Starting::~Starting() {
    begun();
}

// Where it cannot be written the run goes on: the journal, in the same folder, will say what is wrong.
void Starting::leave() {
    owner_ = ::getpid();
    const LockHolder holder = this_holder(purpose_);
    const std::string text =
        to_json(holder).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    const std::string file = fmt::format("{}-{}.json", holder.since_ms, owner_);
    const auto out = folder_->file(file, O_WRONLY | O_CREAT | O_EXCL);
    if (!out || !*out) return;
    write_all((*out)->get(), text);
    ::fdatasync((*out)->get());
    ::fsync(folder_->descriptor());
    file_ = file;
}

void Starting::begun() {
    if (file_.empty() || owner_ != ::getpid()) return;
    ::unlinkat(folder_->descriptor(), file_.c_str(), 0);
    file_.clear();
}

void Starting::take_over() {
    if (file_.empty()) return;
    const std::string before = file_;
    leave();
    if (file_ != before) ::unlinkat(folder_->descriptor(), before.c_str(), 0);
}

std::optional<std::string> not_begun(const fs::path& root) {
    std::optional<Trace> last;
    const auto folder = find_state_folder(root, starting_name);
    if (!folder || !*folder) return std::nullopt;  // whoever opens the journal is told why
    for (Trace& trace : traces(**folder))
        if (!last || trace.holder.since_ms >= last->holder.since_ms) last = std::move(trace);
    if (!last) return std::nullopt;
    const LockHolder& holder = last->holder;
    const std::string who = holder.pid == 0
                                ? "it"
                                : fmt::format("{} of {} (process {} on {}, {})", holder.purpose, holder.user,
                                              holder.pid, holder.host, trust::utc_time(holder.since_ms));
    if (is_gone(*last))
        return fmt::format("the last run had not begun: {} was interrupted before it changed anything", who);
    return fmt::format("the last run has not begun yet: {} is just being started", who);
}

}  // namespace migc::runtime::inline journal
