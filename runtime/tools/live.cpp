#include "runtime/tools/live.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <time.h>

#include "runtime/tools/environment.hpp"
#include "runtime/tools/output_file.hpp"
#include "runtime/tools/program.hpp"
#include "runtime/tools/redaction.hpp"
#include "runtime/tools/supervisor.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr std::int64_t coalesce_ms = 30;
constexpr std::int64_t longest_poll_ms = 10'000;  // the system's clock may be set while one sleeps
constexpr int watch_end_ms = 2'000;
constexpr const char* usual_path = "/usr/local/bin:/usr/bin:/bin";

int poll_timeout(Time deadline) {
    return static_cast<int>(std::clamp<std::int64_t>(deadline - system_now(), 0, longest_poll_ms));
}

// Goes on while the machine sleeps, whatever its clock is set to.
Time time_since_boot() {
    timespec time = {};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::int64_t{time.tv_sec} * 1'000 + time.tv_nsec / 1'000'000;
}

std::string variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : otherwise;
}

// Half a line may hold half a secret, which nobody would know for one.
void drop_cut_lines(Answer& answer) {
    constexpr std::size_t most_errors = std::size_t{64} << 10;  // of which the last were kept
    constexpr std::size_t longest_part = std::size_t{4} << 10;  // of a line that was cut
    // What is whole goes first: within a long line the cut would make a part of the next one, unknown again.
    if (answer.errors.size() >= most_errors) {
        answer.errors = secrets().apply(std::move(answer.errors));
        answer.errors.erase(0, std::min(answer.errors.find('\n'), longest_part) + 1);
    }
    if (!answer.truncated) return;
    answer.output = secrets().apply(std::move(answer.output));
    const std::size_t end = answer.output.rfind('\n');
    answer.output.resize(end == std::string::npos
                             ? answer.output.size() - std::min(answer.output.size(), longest_part)
                             : end + 1);
}

class LiveWatch : public Watch {
  public:
    LiveWatch(Child child, std::string token, Stream output)
        : child_(std::move(child)),
          descendants_(child_.pid(), std::move(token)),
          output_(std::move(output)) {}
    LiveWatch(const LiveWatch&) = delete;
    LiveWatch& operator=(const LiveWatch&) = delete;

    // A watch only reads, so there is nothing that it should be allowed to finish.
    ~LiveWatch() override {
        child_.signal_group(SIGKILL);
        const bool ended = child_.ended_within(watch_end_ms);
        if (!ended || orphans_alive()) descendants_.end(0);
        if (child_.ended_within(0)) child_.reap();
    }

    WakeReason wait(Time deadline) override {
        const InterruptNotice notice;
        for (;;) {
            if (notice.arrived()) return WakeReason::Interrupted;
            if (ended_) return WakeReason::Ended;
            if (look(poll_timeout(deadline))) {
                coalesce();
                return WakeReason::Changed;
            }
            if (!ended_ && system_now() >= deadline) return WakeReason::Deadline;
        }
    }

  private:
    // Whether there was news.
    bool look(int timeout_ms) {
        std::array<pollfd, 3> polled = {{{output_.descriptor(), POLLIN, 0},
                                         {child_.exit_descriptor(), POLLIN, 0},
                                         {interrupt_descriptor(), POLLIN, 0}}};
        if (::poll(polled.data(), polled.size(), timeout_ms) <= 0) return false;
        if (polled[2].revents != 0) clear_interrupt_descriptor();
        const bool news = (polled[0].revents & POLLIN) != 0;
        if (polled[0].revents != 0) output_.take();
        ended_ = !news && (polled[1].revents != 0 || !output_.open());
        return news;
    }

    void coalesce() {
        const Time limit = system_now() + coalesce_ms;
        while (!ended_ && system_now() < limit) look(poll_timeout(limit));
    }

    Child child_;
    Descendants descendants_;
    Stream output_;
    bool ended_ = false;
};

class LiveTools : public Tools {
  public:
    explicit LiveTools(LiveOptions options)
        : options_(std::move(options)),
          environment_(passed_on(::environ)),
          programs_(variable("PATH", usual_path)),
          outer_steps_(variable(step_variable, "")),
          steady_offset_(system_now() - time_since_boot()) {
        adopt_orphans();
    }

    Answer run(const CommandLine& command) override {
        if (command.argv.empty()) return not_started("there is no program to run");
        if (command.within_ms <= 0)
            return not_started(fmt::format("no time was left to run {}", command.argv.front()));
        if (!command.log.empty()) return leave_running(command);
        if (command.output_file.empty()) return run(command, nullptr);
        auto file = OutputFile::create(command.output_file);
        if (!file) return not_started(file.error());
        Answer answer = run(command, &*file);
        finish_output(answer, *file);
        if (answer.ending == Ending::TimedOut && command.graceful) file->leave();
        return answer;
    }

    std::optional<ProgramFile> program_file(const std::string& program) override {
        return programs_.pinned(program);
    }
    std::optional<std::string> changed_program() override { return programs_.changed(); }

    tl::expected<bool, std::string> running(const std::string& log) override { return program_running(log); }
    Answer stop(const std::string& log, std::int64_t grace_ms) override {
        return stop_program(log, grace_ms);
    }

    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        Stream output(Keep::First, 0);
        const Descriptor nowhere = above_standard(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        if (command.argv.empty() || !nowhere || !output.open_pipe()) return nullptr;
        const std::string token = new_step_token();
        auto child = start(command, token, output.child_end(), nowhere.get(), Work::Looks);
        if (!child) return nullptr;
        output.close_child_end();
        return std::make_unique<LiveWatch>(std::move(*child), token, std::move(output));
    }

    Time now() override { return system_now(); }
    Time steady() override { return time_since_boot() + steady_offset_; }

    WakeReason sleep_until(Time deadline) override {
        const InterruptNotice notice;
        for (;;) {
            if (notice.arrived()) return WakeReason::Interrupted;
            if (system_now() >= deadline) return WakeReason::Deadline;
            pollfd polled = {interrupt_descriptor(), POLLIN, 0};
            if (::poll(&polled, 1, poll_timeout(deadline)) > 0) clear_interrupt_descriptor();
        }
    }

    [[nodiscard]] bool concurrent() const override { return true; }
    [[nodiscard]] std::string kind() const override { return "live"; }

  private:
    // Into the file, if there is one, the child writes by itself.
    Answer run(const CommandLine& command, const OutputFile* file) {
        Supervisor::Streams streams;
        if (const auto opened = open(streams, command, file != nullptr); !opened)
            return not_started(opened.error());
        const std::string token = new_step_token();
        const int output = file != nullptr ? file->descriptor() : streams.output.child_end();
        auto child = start(command, token, output, streams.errors.child_end());
        if (!child) return not_started(child.error());
        streams.output.close_child_end();
        streams.errors.close_child_end();
        Answer answer = Supervisor(command, options_, std::move(*child), token, std::move(streams)).follow();
        if (!secrets().any()) return answer;
        drop_cut_lines(answer);
        if (!secrets().finds(command.input)) {
            answer.errors = secrets().apply(std::move(answer.errors));
            return answer;
        }
        // Some complain on the wrong one.
        if (answer.errors.empty() && !answer.succeeded()) answer.errors = answer.output;
        answer.errors = without_codes(std::move(answer.errors));
        return answer;
    }

    // It is no part of any step, and holds no lock: whoever comes next must be able to work.
    Answer leave_running(const CommandLine& command) {
        const Descriptor input = input_of(command);
        auto plan = plan_of(command, program_token(command.log));
        if (!plan || !input) return not_started(plan ? "its standard input cannot be read" : plan.error());
        plan->input = input.get();
        plan->inherited.clear();
        return start_program(std::move(*plan), command.log);
    }

    static Descriptor input_of(const CommandLine& command) {
        if (command.input_file.empty()) return input_file(command.input);
        return above_standard(::open(command.input_file.c_str(), O_RDONLY | O_CLOEXEC));
    }

    // A graceful command must survive the death of migc, and would not survive the death of a pipe.
    tl::expected<void, std::string> open(Supervisor::Streams& streams, const CommandLine& command,
                                         bool only_errors) const {
        const auto open_one = [&](Stream& stream, const char* ending) {
            return command.graceful ? stream.open_file(options_.spool, command.tool + ending)
                                    : stream.open_pipe();
        };
        const auto opened =
            only_errors ? tl::expected<void, std::string>() : open_one(streams.output, ".out");
        return opened ? open_one(streams.errors, ".err") : opened;
    }

    // As `program_file` was asked for it: a path is relative to where the program is run.
    static std::string whole_name(const CommandLine& command) {
        const std::string& name = command.argv.front();
        if (name.find('/') == std::string::npos || command.directory.empty()) return name;
        return (std::filesystem::path(command.directory) / name).lexically_normal().string();
    }

    // All but its streams.
    tl::expected<ChildPlan, std::string> plan_of(const CommandLine& command, const std::string& token) {
        const auto program = programs_.find(command.argv.front());
        if (!program) return tl::unexpected(program.error());
        // Before each start: what was put in its place since is never run, not even to look.
        if (auto why = programs_.changed(whole_name(command))) return tl::unexpected(std::move(*why));
        ChildPlan plan;
        plan.program = *program;
        plan.argv = command.argv;
        plan.environment = merged(merged(environment_, command.environment),
                                  {fmt::format("{}={}{}", step_variable, outer_steps_, token)});
        plan.directory = command.directory;
        // An orphan of the project's own need not hold the lock; a tool that is still at work does.
        if (command.tool != "program") plan.inherited = options_.inherited;
        return plan;
    }

    // What only looks, and may go on doing so when migc is gone, holds no lock.
    enum class Work { Changes, Looks };

    tl::expected<Child, std::string> start(const CommandLine& command, const std::string& token, int output,
                                           int errors, Work work = Work::Changes) {
        auto plan = plan_of(command, token);
        if (!plan) return tl::unexpected(plan.error());
        if (work == Work::Looks) plan->inherited.clear();
        const Descriptor input = input_of(command);
        if (!input)
            return tl::unexpected(
                command.input_file.empty()
                    ? "there is not enough memory for its standard input"
                    : fmt::format("{} cannot be read: {}", command.input_file, std::strerror(errno)));
        plan->input = input.get();
        plan->output = output;
        plan->errors = errors;
        // terraform would leave a lock.
        plan->may_be_killed = !command.graceful && command.tool != "terraform";
        return Child::start(*plan);
    }

    LiveOptions options_;
    std::vector<std::string> environment_;
    Programs programs_;
    std::string outer_steps_;
    Time steady_offset_;
};

}  // namespace

Time system_now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::unique_ptr<Tools> make_live_tools(LiveOptions options) {
    return std::make_unique<LiveTools>(std::move(options));
}

}  // namespace migc::runtime::inline tools
