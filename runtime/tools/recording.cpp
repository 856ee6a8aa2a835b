#include "runtime/tools/recording.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/support/failure.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/tools/output_file.hpp"
#include "runtime/tools/redaction.hpp"
#include "runtime/tools/secret_objects.hpp"
#include "runtime/tools/transcript.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr std::uintmax_t largest_file = 1 << 20;  // bytes of an output file that is kept in a transcript

// The command as which something is recorded that is none.
CommandLine as_command(std::vector<std::string> argv) {
    CommandLine command;
    command.argv = std::move(argv);
    return command;
}

// What went into an output file is the answer's output in a transcript.
Answer with_output_file(const CommandLine& command, Answer answer) {
    if (command.output_file.empty() || !answer.succeeded()) return answer;
    if (auto content = read_file(command.output_file, largest_file)) {
        answer.output = std::move(*content);
        return answer;
    }
    return not_started(fmt::format("{} was too large to be recorded", command.output_file));
}

// The file, shared by the recorder and its watches.
class TranscriptFile {
  public:
    TranscriptFile(std::filesystem::path file, Descriptor descriptor)
        : file_(std::move(file)), descriptor_(std::move(descriptor)) {}

    void write(const nlohmann::json& line) {
        const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        const std::scoped_lock lock(mutex_);
        // A transcript with a hole would answer wrongly later, so nothing follows the first failure.
        if (problem_.empty() && !write_all(descriptor_.get(), text))
            problem_ = fmt::format("{} is incomplete: {}", file_.string(), std::strerror(errno));
    }

    [[nodiscard]] std::string problem() const {
        const std::scoped_lock lock(mutex_);
        return problem_;
    }

    int next_watch() {
        const std::scoped_lock lock(mutex_);
        return ++watches_;
    }

  private:
    std::filesystem::path file_;
    Descriptor descriptor_;
    mutable std::mutex mutex_;
    std::string problem_;
    int watches_ = 0;
};

class RecordingWatch : public Watch {
  public:
    RecordingWatch(std::unique_ptr<Watch> watch, int id, Tools& tools, TranscriptFile& transcript)
        : watch_(std::move(watch)), id_(id), tools_(tools), transcript_(transcript) {}

    WakeReason wait(Time deadline) override {
        const WakeReason woken = watch_->wait(deadline);
        if (woken == WakeReason::Changed) transcript_.write(watched_line("news", id_, tools_.now()));
        if (woken == WakeReason::Ended) transcript_.write(watched_line("ended", id_, tools_.now()));
        return woken;
    }

  private:
    std::unique_ptr<Watch> watch_;
    int id_;
    Tools& tools_;
    TranscriptFile& transcript_;
};

class Recording : public RecordingTools {
  public:
    Recording(std::unique_ptr<Tools> tools, std::filesystem::path file, Descriptor descriptor,
              std::vector<Normalisation> normalised)
        : RecordingTools(*tools),
          recorded_(std::move(tools)),
          transcript_(std::move(file), std::move(descriptor)),
          normalised_(std::move(normalised)) {
        transcript_.write(header_line(tools_.now()));
    }

    Answer run(const CommandLine& command) override {
        if (command.tool == "(secret)")
            return tools_.run(command);  // it prints one, before anybody can hide it
        const Time begun = tools_.now();
        const CommandKey key = key_of(without_secrets(command), normalised_);
        Answer answer = tools_.run(command);
        Answer recorded = concealed(with_output_file(command, answer));
        if (command.tool == "kubectl") recorded.output = secret_objects_.hidden(recorded.output);
        transcript_.write(run_line(key, recorded, begun));
        return answer;
    }

    tl::expected<bool, std::string> running(const std::string& log) override {
        auto running = tools_.running(log);
        write_about_program(
            "running", log,
            running ? exited(0, *running ? "true" : "false") : exited(1, "", running.error()));
        return running;
    }

    Answer stop(const std::string& log, std::int64_t grace_ms) override {
        Answer answer = tools_.stop(log, grace_ms);
        write_about_program("stop", log, answer);
        return answer;
    }

    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        return recorded(tools_.watch(command), command);
    }

    std::unique_ptr<Watch> watch_all() override {
        return recorded(tools_.watch_all(), as_command({"everything"}));
    }

    [[nodiscard]] std::string problem() const override { return transcript_.problem(); }

  private:
    std::unique_ptr<Watch> recorded(std::unique_ptr<Watch> watch, const CommandLine& command) {
        if (!watch) return nullptr;
        const int id = transcript_.next_watch();
        transcript_.write(watch_line(key_of(command, normalised_), id, tools_.now()));
        return std::make_unique<RecordingWatch>(std::move(watch), id, tools_, transcript_);
    }

    void write_about_program(const char* question, const std::string& log, const Answer& answer) {
        transcript_.write(run_line(key_of(as_command({question, log}), normalised_), answer, tools_.now()));
    }

    static Answer concealed(Answer answer) {
        for (std::string* text : {&answer.output, &answer.errors, &answer.reason})
            *text = secrets().apply(std::move(*text));
        return answer;
    }

    // A digest of a short secret would give it away.
    static CommandLine without_secrets(CommandLine command) {
        command.input = secrets().apply(std::move(command.input));
        return command;
    }

    SecretObjects secret_objects_;
    std::unique_ptr<Tools> recorded_;
    TranscriptFile transcript_;
    std::vector<Normalisation> normalised_;
};

// The clock is the tools' one: a watch moves it on.
class ReplayedWatch : public Watch {
  public:
    ReplayedWatch(RecordedWatch recorded, Time& now) : recorded_(std::move(recorded)), now_(now) {}

    WakeReason wait(Time deadline) override {
        if (!recorded_.news.empty()) {
            if (!reached(recorded_.news.front(), deadline)) return WakeReason::Deadline;
            recorded_.news.pop_front();
            return WakeReason::Changed;
        }
        if (recorded_.ended)
            return reached(recorded_.ended_at, deadline) ? WakeReason::Ended : WakeReason::Deadline;
        now_ = std::max(now_, deadline);
        return WakeReason::Deadline;
    }

  private:
    // Moves the clock to the time of an event, or to the deadline if that comes first.
    bool reached(Time event, Time deadline) {
        const bool first = event <= std::max(now_, deadline);
        now_ = std::max(now_, first ? event : deadline);
        return first;
    }

    RecordedWatch recorded_;
    Time& now_;
};

class ReplayedTools : public Tools {
  public:
    ReplayedTools(Transcript transcript, std::string file, std::vector<Normalisation> normalised)
        : transcript_(std::move(transcript)),
          file_(std::move(file)),
          normalised_(std::move(normalised)),
          now_(transcript_.begun) {}

    Answer run(const CommandLine& command) override {
        CommandLine asked = command;
        if (std::string manager = manager_of(command); !manager.empty()) manager_ = std::move(manager);
        asked.input = secrets().apply(std::move(asked.input));  // as the recording has it
        auto found = transcript_.answers.find(key_of(asked, normalised_));
        // An earlier migc did not ask who had written what it read; then nothing is known of that.
        if (found == transcript_.answers.end() && std::erase(asked.argv, "--show-managed-fields=true") > 0)
            found = transcript_.answers.find(key_of(asked, normalised_));
        if (found == transcript_.answers.end()) return not_recorded(command);
        auto& answers = found->second;
        Answer answer = answers.front();
        if (answers.size() > 1) answers.pop_front();
        now_ += answer.took_ms;
        answer.output = as_written_by(std::move(answer.output), manager_);
        if (!command.output_file.empty()) move_output_to_file(answer, command.output_file);
        return answer;
    }

    tl::expected<bool, std::string> running(const std::string& log) override {
        const Answer answer = run(as_command({"running", log}));
        if (answer.succeeded()) return answer.output == "true";
        return tl::unexpected(answer.reason.empty() ? answer.errors : answer.reason);
    }

    Answer stop(const std::string& log, std::int64_t) override { return run(as_command({"stop", log})); }

    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        const auto found = transcript_.watches.find(key_of(command, normalised_));
        if (found == transcript_.watches.end() || found->second.empty()) return nullptr;
        RecordedWatch recorded = std::move(found->second.front());
        found->second.pop_front();
        return std::make_unique<ReplayedWatch>(std::move(recorded), now_);
    }

    std::unique_ptr<Watch> watch_all() override { return watch(as_command({"everything"})); }

    Time now() override { return now_; }
    WakeReason sleep_until(Time deadline) override {
        now_ = std::max(now_, deadline);
        return WakeReason::Deadline;
    }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "replayed"; }

  private:
    [[nodiscard]] Answer not_recorded(const CommandLine& command) const {
        return not_started(fmt::format("{} has no answer to `{}`{}: record it again with this script", file_,
                                       shown(command.argv), command.input.empty() ? "" : " with this input"));
    }

    Transcript transcript_;
    std::string file_;
    std::vector<Normalisation> normalised_;
    std::string manager_;  // the name under which this run writes
    Time now_;
};

// It is written while the run goes on, so it takes its place at once. A device is written where it is.
tl::expected<Descriptor, std::string> open_transcript(const std::filesystem::path& file,
                                                      const std::filesystem::path& project) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0 && S_ISCHR(status.st_mode)) {
        Descriptor device = above_standard(::open(file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!device) return failure(std::strerror(errno));
        return device;
    }
    auto made = AtomicFile::beside(file, {.project = project});
    if (!made) return tl::unexpected(made.error());
    if (const auto placed = made->take_place(); !placed) return tl::unexpected(placed.error());
    return made->release();
}

}  // namespace

tl::expected<std::unique_ptr<RecordingTools>, std::string> make_recording_tools(
    std::unique_ptr<Tools> tools, const std::filesystem::path& file, std::vector<Normalisation> normalised,
    const std::filesystem::path& project) {
    auto opened = open_transcript(file, project);
    if (!opened) return failure("{} cannot be written: {}", file.string(), opened.error());
    return std::make_unique<Recording>(std::move(tools), file, std::move(*opened), std::move(normalised));
}

tl::expected<std::unique_ptr<Tools>, std::string> make_replayed_tools(const std::filesystem::path& file,
                                                                      std::vector<Normalisation> normalised) {
    auto transcript = read_transcript(file);
    if (!transcript) return tl::unexpected(transcript.error());
    return std::make_unique<ReplayedTools>(std::move(*transcript), file.string(), std::move(normalised));
}

}  // namespace migc::runtime::inline tools
