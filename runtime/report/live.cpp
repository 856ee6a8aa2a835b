#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "compiler/support/escape.hpp"
#include "runtime/report/event_formatter.hpp"
#include "runtime/report/report.hpp"
#include "runtime/tools/thread.hpp"

namespace migc::runtime::inline report {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A step that was begun and has not ended.
struct Running {
    std::string key;
    std::string text;
    std::string state;  // what it waits for
    Clock::time_point since;
};

class LiveReporter : public Reporter {
  public:
    explicit LiveReporter(std::FILE* terminal)
        : terminal_(terminal), style_{true, locale_is_utf8()}, narrator_(style_) {
        ticker_ =
            without_signals([this] { return std::jthread([this](std::stop_token end) { tick(end); }); });
    }

    LiveReporter(const LiveReporter&) = delete;
    LiveReporter& operator=(const LiveReporter&) = delete;

    ~LiveReporter() override {
        ticker_ = {};
        write(cleared());
    }

    void on(const Event& event) override {
        const std::lock_guard guard(mutex_);
        std::string out = cleared();
        for (const std::string& line : narrator_.lines(event)) out += line + "\n";
        follow(event);
        write(out + status());
    }

  private:
    void follow(const Event& event) {
        const auto* step = event.as<events::OfStep>();
        switch (event.kind()) {
            case EventKind::StepBegun:
                begin(step_key(*step), escaped(step->text));
                break;
            case EventKind::UndoIntent:
                begin(step_key(*step), "undo: " + escaped(step->text));
                break;
            case EventKind::Waiting:
                wait(step_key(*step), escaped(event.as<events::Waiting>()->state));
                break;
            case EventKind::Outcome:
            case EventKind::Checked:
            case EventKind::UndoOutcome:
                end(step_key(*step));
                break;
            case EventKind::UndoBegun:
            case EventKind::StageEnded:
            case EventKind::RunEnded:
                running_.clear();
                break;
            default:
                break;
        }
    }

    // The parts of a step speak for it: while they run, and after them.
    void begin(const std::string& key, std::string text) {
        std::erase_if(running_,
                      [&](const Running& one) { return one.key == key || key.starts_with(one.key + "."); });
        running_.push_back({key, std::move(text), {}, Clock::now()});
    }

    void wait(const std::string& key, const std::string& state) {
        for (Running& one : running_)
            if (one.key == key) one.state = state;
    }

    void end(const std::string& key) {
        std::erase_if(running_, [&](const Running& one) { return one.key == key; });
    }

    // The status line, without a line break, so that the cursor stays in it.
    std::string status() {
        if (running_.empty()) return {};
        const Running& one = running_.back();
        const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - one.since);
        std::string line = fmt::format("  {} {}   {}", spinner(), one.text, elapsed(time.count()));
        if (!one.state.empty()) line += "   " + one.state;
        if (running_.size() > 1) line += fmt::format("   (and {} more)", running_.size() - 1);
        drawn_ = true;
        return style_.paint(Ink::Cyan, std::string(first_characters(line, columns() - 1)));
    }

    [[nodiscard]] const char* spinner() const {
        constexpr std::array<const char*, 10> unicode = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
        constexpr std::array<const char*, 4> ascii = {"-", "\\", "|", "/"};
        return style_.unicode ? unicode.at(ticks_ % unicode.size()) : ascii.at(ticks_ % ascii.size());
    }

    // What removes the status line from the terminal.
    std::string cleared() { return std::exchange(drawn_, false) ? "\r\x1b[K" : ""; }

    [[nodiscard]] std::size_t columns() const {
        winsize size{};
        const bool known = ::ioctl(::fileno(terminal_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
        return known ? size.ws_col : 80;
    }

    void redraw() {
        const std::string clearing = cleared();
        write(clearing + status());
    }

    void write(const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), terminal_);
        std::fflush(terminal_);
    }

    void tick(const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        while (!wake_.wait_for(lock, end, 100ms, [&] { return end.stop_requested(); })) {
            ++ticks_;
            if (!running_.empty()) redraw();
        }
    }

    std::FILE* terminal_;
    Style style_;
    EventFormatter narrator_;
    std::vector<Running> running_;  // the one begun last is shown
    bool drawn_ = false;
    std::size_t ticks_ = 0;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread ticker_;
};

}  // namespace

std::unique_ptr<Reporter> make_live_reporter(std::FILE* terminal) {
    return std::make_unique<LiveReporter>(terminal);
}

}  // namespace migc::runtime::inline report
