#include "runtime/journal/starting.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/journal/operator.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/tools/descriptor.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;

constexpr const char* starting_name = "starting";

struct Trace {
    std::string file;
    std::string purpose, user, host;
    int pid = 0;
    std::int64_t since_ms = 0;
};

// One that cannot be read was cut off while it was written: by then the run had not begun.
Trace read_trace(const trust::PrivateFolder& folder, const std::string& file) {
    Trace trace;
    trace.file = file;
    constexpr std::size_t largest = 4096;
    std::string text(largest, '\0');
    const auto in = folder.file(file, O_RDONLY);
    const ssize_t size = in && *in ? ::pread((*in)->get(), text.data(), text.size(), 0) : 0;
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return trace;
    try {
        trace.purpose = json.value("purpose", "");
        trace.user = json.value("user", "");
        trace.host = json.value("host", "");
        trace.pid = json.value("pid", 0);
        trace.since_ms = json.value("since", std::int64_t{0});
    } catch (const nlohmann::json::exception&) {
        return {file, {}, {}, {}, 0, 0};
    }
    return trace;
}

std::vector<Trace> traces(const trust::PrivateFolder& folder) {
    std::vector<Trace> found;
    std::error_code error;
    for (fs::directory_iterator i(folder.path(), error), end; !error && i != end; i.increment(error))
        found.push_back(read_trace(folder, i->path().filename().string()));
    return found;
}

// On another machine nobody here can tell.
bool is_gone(const Trace& trace) {
    if (trace.pid <= 0) return true;
    return trace.host == host_name() && ::kill(trace.pid, 0) != 0 && errno == ESRCH;
}

// No run takes so long to begin: its process is gone, and another one has its number, or it was on a machine
// that nobody here can ask.
bool is_over(const Trace& trace) {
    constexpr std::int64_t longest_start_ms = 3'600'000;
    return is_gone(trace) || trust::time_now() - trace.since_ms > longest_start_ms;
}

std::string time_in_words(std::int64_t milliseconds) {
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
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
    const nlohmann::json json = {{"purpose", purpose_},
                                 {"user", operator_name()},
                                 {"host", host_name()},
                                 {"pid", owner_},
                                 {"since", trust::time_now()}};
    const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    const std::string file = fmt::format("{}-{}.json", trust::time_now(), owner_);
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
        if (!last || trace.since_ms >= last->since_ms) last = std::move(trace);
    if (!last) return std::nullopt;
    const std::string who = last->pid == 0
                                ? "it"
                                : fmt::format("{} of {} (process {} on {}, {})", last->purpose, last->user,
                                              last->pid, last->host, time_in_words(last->since_ms));
    if (is_gone(*last))
        return fmt::format("the last run had not begun: {} was interrupted before it changed anything", who);
    return fmt::format("the last run has not begun yet: {} is just being started", who);
}

}  // namespace migc::runtime
