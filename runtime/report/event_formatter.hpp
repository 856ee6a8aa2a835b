// The lines that tell a run. Private to the reporters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/style.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime::inline report {

// Which step of the run an event is about; the same for all events of one step.
std::string step_key(const events::AtStep& event);

// "0.1s", "8.2s", "1m12s", "24h".
std::string elapsed(std::int64_t milliseconds);
// The text's beginning: at most so many characters.
std::string_view first_characters(std::string_view text, std::size_t count);

class EventFormatter {
  public:
    explicit EventFormatter(Style style) : style_(style) {}

    // The lines, without line breaks, that this event adds. None for what is only progress.
    std::vector<std::string> lines(const Event& event);

    struct Sign {
        const char* unicode;
        const char* ascii;
        Ink ink;
    };
    // "  ✓ text        first   second", the texts in columns; empty details are left out.
    [[nodiscard]] std::string line(const Sign& sign, const std::string& text,
                                   const std::vector<std::string>& details, bool part = false) const;
    static const Sign unknown;

  private:
    using Lines = std::vector<std::string>;

    [[nodiscard]] Lines of(const events::RunBegun& begun) const;
    [[nodiscard]] Lines of(const events::RunResumed& resumed) const;
    [[nodiscard]] Lines of(const events::Resolved& resolved) const;
    [[nodiscard]] Lines of(const events::StageBegun& begun) const;
    [[nodiscard]] Lines of(const events::Noted& noted) const;
    [[nodiscard]] Lines of(const events::Checked& checked) const;
    [[nodiscard]] Lines of(const events::UndoBegun& undo) const;
    [[nodiscard]] Lines of(const events::StageEnded& ended) const;
    [[nodiscard]] Lines of(const events::LockBroken& broken) const;
    [[nodiscard]] Lines of(const events::Adopted& adopted) const;
    [[nodiscard]] Lines of(const events::RunEnded& ended) const;
    Lines of(const events::StepOutcome& ended);
    Lines of(const events::UndoOutcome& ended);
    // Progress, and what is shown with its outcome.
    [[nodiscard]] Lines of(const auto& /*body*/) const { return {}; }
    void remember(const Event& event);
    std::string taken(std::map<std::string, std::string>& from, const std::string& key);

    Style style_;
    std::string run_;
    std::int64_t time_ms_ = 0;                     // of the event that is told
    std::map<std::string, std::string> commands_;  // of steps that were begun
    std::map<std::string, std::string> texts_;
};

}  // namespace migc::runtime::inline report
