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

// A key's text, escaped; of something else than a string its JSON, and nothing if it is missing.
std::string text_at(const nlohmann::json& body, const char* key);

// Which step of the run an event is about; the same for all events of one step.
std::string step_key(const Event& event);

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
    [[nodiscard]] std::vector<std::string> run_begun(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> run_resumed(const Event& event) const;
    [[nodiscard]] std::vector<std::string> resolved(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> stage_begun(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> noted(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> checked(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> stage_ended(const nlohmann::json& body) const;
    [[nodiscard]] std::vector<std::string> run_ended(const nlohmann::json& body) const;
    std::vector<std::string> outcome(const Event& event);
    std::vector<std::string> undo_outcome(const Event& event);
    void remember(const Event& event);
    std::string taken(std::map<std::string, std::string>& from, const std::string& key);

    Style style_;
    std::string run_;
    std::map<std::string, std::string> commands_;  // of steps that were begun
    std::map<std::string, std::string> texts_;
};

}  // namespace migc::runtime::inline report
