#include "runtime/journal/starting.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/journal/operator.hpp"
#include "runtime/tools/descriptor.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;

fs::path starting_folder(const fs::path& root) {
    return root / ".migc" / "starting";
}

struct Trace {
    fs::path file;
    std::string purpose, user, host;
    int pid = 0;
    std::int64_t since_ms = 0;
};

std::int64_t wall_clock_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// One that cannot be read was cut off while it was written: by then the run had not begun.
Trace read_trace(const fs::path& file) {
    Trace trace;
    trace.file = file;
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
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

std::vector<Trace> traces(const fs::path& root) {
    std::vector<Trace> found;
    std::error_code error;
    for (fs::directory_iterator i(starting_folder(root), error), end; !error && i != end; i.increment(error))
        found.push_back(read_trace(i->path()));
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
    return is_gone(trace) || wall_clock_ms() - trace.since_ms > longest_start_ms;
}

bool is_file(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

std::string time_in_words(std::int64_t milliseconds) {
    const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

Starting::Starting(const fs::path& root, const std::string& purpose) : root_(root), purpose_(purpose) {
    if (!is_file(root / ".migc" / "journal.db")) return;
    leave();
    std::error_code ignored;
    for (const Trace& trace : traces(root_))
        if (trace.file != file_ && is_over(trace)) fs::remove(trace.file, ignored);
}

Starting::~Starting() {
    begun();
}

// Where it cannot be written the run goes on: the journal, in the same folder, will say what is wrong.
void Starting::leave() {
    std::error_code ignored;
    const fs::path folder = starting_folder(root_);
    if (fs::create_directory(folder, ignored)) fs::permissions(folder, fs::perms::owner_all, ignored);
    owner_ = ::getpid();
    const nlohmann::json json = {{"purpose", purpose_},
                                 {"user", operator_name()},
                                 {"host", host_name()},
                                 {"pid", owner_},
                                 {"since", wall_clock_ms()}};
    const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    const fs::path file = folder / fmt::format("{}-{}.json", wall_clock_ms(), owner_);
    const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!out) return;
    write_all(out.get(), text);
    ::fdatasync(out.get());
    sync_folder(folder);
    file_ = file;
}

void Starting::begun() {
    if (file_.empty() || owner_ != ::getpid()) return;
    std::error_code ignored;
    fs::remove(file_, ignored);
    file_.clear();
}

void Starting::take_over() {
    if (file_.empty()) return;
    const fs::path before = file_;
    leave();
    std::error_code ignored;
    if (file_ != before) fs::remove(before, ignored);
}

std::optional<std::string> not_begun(const fs::path& root) {
    std::optional<Trace> last;
    for (Trace& trace : traces(root))
        if (!last || trace.since_ms >= last->since_ms) last = std::move(trace);
    if (!last) return std::nullopt;
    const std::string who = last->pid == 0
                                ? "it"
                                : fmt::format("{} of {} (process {} on {}, {})", last->purpose, last->user,
                                              last->pid, last->host, time_in_words(last->since_ms));
    if (is_gone(*last))
        return fmt::format("the last run had not begun: {} was cut off before it changed anything", who);
    return fmt::format("the last run has not begun yet: {} is just being started", who);
}

}  // namespace migc::runtime
