// Writes what happens: into the journal where undo and history need it, and to whoever watches.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/journal/journal.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline engine {

using Listener = std::function<void(const Event&)>;

// One run's record; safe to use from several threads.
class Recorder {
  public:
    Recorder(Journal& journal, Tools& tools, Listener listener);

    void belongs_to(std::string run) { run_ = std::move(run); }
    [[nodiscard]] const std::string& run() const { return run_; }

    // Written when it returns true: no end of this process loses it. It is durable, and told to who watches,
    // by the next `flush`. After the first false nothing is written any more: the journal is not to be
    // trusted, and no effect may begin.
    bool record(const Event::Body& body, Reason why = Reason::None);
    // All that was recorded is durable, and told, when it returns true. For before anything outside is
    // touched or waited for: so nobody outside can tell how long an outcome was only written.
    bool flush();
    // The last event of a run. If it cannot be written it is not told either.
    bool end(const events::RunEnded& body);
    // Why nothing may be written any more by this process (its lock was broken); asked before each write.
    void fenced_by(std::function<std::optional<std::string>()> lost) { lost_ = std::move(lost); }
    // Progress, not kept.
    void tell(const Event::Body& body);

    [[nodiscard]] bool trusted() const { return trusted_; }
    [[nodiscard]] const std::string& failure() const { return failure_; }
    // Whether an outcome was written that the disk may not have.
    [[nodiscard]] bool lost_outcome() const { return lost_outcome_; }

  private:
    enum class Writing : std::uint8_t { Unsynced, Last };
    [[nodiscard]] Event event_of(const Event::Body& body, Reason why = Reason::None) const;
    bool write(const Event& event, Writing how);
    void distrust(const std::string& error);
    void announce(const Event& event);
    void announce_waiting();

    Journal& journal_;
    Tools& tools_;
    Listener listener_;
    std::function<std::optional<std::string>()> lost_;
    std::string run_;
    std::mutex mutex_;
    std::vector<Event> untold_;  // until what is among them is durable
    std::atomic<bool> trusted_ = true;
    std::atomic<bool> lost_outcome_ = false;
    std::string failure_;
};

}  // namespace migc::runtime::inline engine
