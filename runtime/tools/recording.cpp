#include "runtime/tools/recording.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <sys/stat.h>

#include "runtime/tools/descriptor.hpp"
#include "runtime/tools/transcript.hpp"

namespace migc::runtime {

namespace {

// The file, shared by the recorder and its watches.
class TranscriptFile {
  public:
    TranscriptFile(std::filesystem::path file, Descriptor descriptor)
        : file_(std::move(file)), descriptor_(std::move(descriptor)) {}

    void write(const nlohmann::json& line) {
        const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        const std::scoped_lock lock(mutex_);
        // A transcript with a hole would answer wrongly later, so nothing follows the first failure.
        for (std::size_t done = 0; problem_.empty() && done < text.size();) {
            const ssize_t size = ::write(descriptor_.get(), text.data() + done, text.size() - done);
            if (size > 0) done += static_cast<std::size_t>(size);
            if (size < 0 && errno != EINTR) {
                problem_ = fmt::format("{} is incomplete: {}", file_.string(), std::strerror(errno));
            }
        }
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

    Woken wait(Time deadline) override {
        const Woken woken = watch_->wait(deadline);
        if (woken == Woken::Changed) transcript_.write(news_line(id_, tools_.now()));
        if (woken == Woken::Ended) transcript_.write(ended_line(id_, tools_.now()));
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
        : tools_(std::move(tools)),
          transcript_(std::move(file), std::move(descriptor)),
          normalised_(std::move(normalised)) {
        transcript_.write(header_line(tools_->now()));
    }

    Answer run(const CommandLine& command) override {
        const Time begun = tools_->now();
        Answer answer = tools_->run(command);
        transcript_.write(run_line(key_of(command, normalised_), answer, begun));
        return answer;
    }

    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        auto watch = tools_->watch(command);
        if (!watch) return nullptr;
        const int id = transcript_.next_watch();
        transcript_.write(watch_line(key_of(command, normalised_), id, tools_->now()));
        return std::make_unique<RecordingWatch>(std::move(watch), id, *tools_, transcript_);
    }

    Time now() override { return tools_->now(); }
    Woken sleep_until(Time deadline) override { return tools_->sleep_until(deadline); }
    [[nodiscard]] bool concurrent() const override { return tools_->concurrent(); }
    [[nodiscard]] std::string kind() const override { return tools_->kind(); }
    [[nodiscard]] std::string problem() const override { return transcript_.problem(); }

  private:
    std::unique_ptr<Tools> tools_;
    TranscriptFile transcript_;
    std::vector<Normalisation> normalised_;
};

// The clock is the tools' one: a watch moves it on.
class ReplayedWatch : public Watch {
  public:
    ReplayedWatch(RecordedWatch recorded, Time& now) : recorded_(std::move(recorded)), now_(now) {}

    Woken wait(Time deadline) override {
        if (!recorded_.news.empty()) {
            if (!reached(recorded_.news.front(), deadline)) return Woken::Deadline;
            recorded_.news.pop_front();
            return Woken::Changed;
        }
        if (recorded_.ended) return reached(recorded_.ended_at, deadline) ? Woken::Ended : Woken::Deadline;
        now_ = std::max(now_, deadline);
        return Woken::Deadline;
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
        const auto found = transcript_.answers.find(key_of(command, normalised_));
        if (found == transcript_.answers.end()) return not_recorded(command);
        auto& answers = found->second;
        Answer answer = answers.front();
        if (answers.size() > 1) answers.pop_front();
        now_ += answer.took_ms;
        return answer;
    }

    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        const auto found = transcript_.watches.find(key_of(command, normalised_));
        if (found == transcript_.watches.end() || found->second.empty()) return nullptr;
        RecordedWatch recorded = std::move(found->second.front());
        found->second.pop_front();
        return std::make_unique<ReplayedWatch>(std::move(recorded), now_);
    }

    Time now() override { return now_; }
    Woken sleep_until(Time deadline) override {
        now_ = std::max(now_, deadline);
        return Woken::Deadline;
    }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "replayed"; }

  private:
    [[nodiscard]] Answer not_recorded(const CommandLine& command) const {
        Answer answer;
        answer.reason = fmt::format("{} has no answer to `{}`{}: record it again with this script", file_,
                                    shown(command.argv), command.input.empty() ? "" : " with this input");
        return answer;
    }

    Transcript transcript_;
    std::string file_;
    std::vector<Normalisation> normalised_;
    Time now_;
};

}  // namespace

tl::expected<std::unique_ptr<RecordingTools>, std::string> make_recording_tools(
    std::unique_ptr<Tools> tools, const std::filesystem::path& file, std::vector<Normalisation> normalised) {
    Descriptor descriptor =
        above_standard(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    // An older file may have been open to others.
    std::error_code ignored;
    const bool ours = std::filesystem::is_regular_file(file, ignored);
    if (!descriptor || (ours && ::fchmod(descriptor.get(), 0600) != 0)) {
        return tl::unexpected(fmt::format("{} cannot be written: {}", file.string(), std::strerror(errno)));
    }
    return std::make_unique<Recording>(std::move(tools), file, std::move(descriptor), std::move(normalised));
}

tl::expected<std::unique_ptr<Tools>, std::string> make_replayed_tools(const std::filesystem::path& file,
                                                                      std::vector<Normalisation> normalised) {
    auto transcript = read_transcript(file);
    if (!transcript) return tl::unexpected(transcript.error());
    return std::make_unique<ReplayedTools>(std::move(*transcript), file.string(), std::move(normalised));
}

}  // namespace migc::runtime
