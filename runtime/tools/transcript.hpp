// The lines of a transcript (see recording.hpp) and the keys by which commands are found again.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/tools/recording.hpp"

namespace migc::runtime::inline tools {

// What makes two commands the same: their normalised argv and the digest of their input.
struct CommandKey {
    std::vector<std::string> argv;
    std::string input;
    friend auto operator<=>(const CommandKey&, const CommandKey&) = default;
};

// Every occurrence.
std::string replaced(std::string word, const Normalisation& normalisation);
// What a recorded run wrote under its own name, the run that hears it now has written under its own.
std::string as_written_by(std::string answer, const std::string& manager);
// That name, where a command writes under one; else "".
std::string manager_of(const CommandLine& command);

// Without the digits of names that migc makes up for pods and jobs: `migc-inside-*`.
std::string without_made_up_names(std::string text);

CommandKey key_of(const CommandLine& command, const std::vector<Normalisation>& normalised);

nlohmann::json header_line(Time begun);
nlohmann::json run_line(const CommandKey& key, const Answer& answer, Time at);
nlohmann::json watch_line(const CommandKey& key, int id, Time at);
// Of a watch: "news" or "ended".
nlohmann::json watched_line(const char* what, int id, Time at);

struct RecordedWatch {
    std::deque<Time> news;
    bool ended = false;
    Time ended_at = 0;
};

struct Transcript {
    Time begun = 0;
    std::map<CommandKey, std::deque<Answer>> answers;
    std::map<CommandKey, std::deque<RecordedWatch>> watches;
};

// The error names file and line.
tl::expected<Transcript, std::string> read_transcript(const std::filesystem::path& file);

}  // namespace migc::runtime::inline tools
