// How things end. The words for it are the journal's, and stand in outcome.cpp alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace migc {

// How a step, the undo of one, a stage or a run ended.
enum class Outcome : std::uint8_t {
    None,  // it has not ended, or in a way that this migc does not know
    Done,
    Already,  // of a step: there was nothing to do
    Failed,   // of a step, or of its undo
    InDoubt,
    Undone,
    NothingToUndo,  // of an undo
    Held,           // something was left as it is, for a person
    UndoFailed,
    Refused,     // by a gate or a lock, or before anything began
    Unfinished,  // of a run without an end
};

// "in-doubt"; empty for None.
std::string word(Outcome outcome);
Outcome outcome_of(std::string_view word);
// The same as people say it: "in doubt".
std::string in_words(Outcome outcome);
// All words, for whoever must not take them for something else.
std::vector<std::string> outcome_words();

// Why something was left as it is though nobody is at fault: for whoever judges a run, beside the words for
// people. It is told with events and results, and not kept.
enum class Reason : std::uint8_t {
    None,
    AskedFor,   // the failure block says `hold`
    NoWayBack,  // the step is irreversible by its declaration
    Stays,      // a declaration says that it stays
    NotProved,  // whose work it is nobody can tell: its command reported a failure
    NotSeen,    // what stands could not be found out
};

// How a condition was found: what `verify`, `soak` and a gate end with.
enum class Finding : std::uint8_t { Unknown, Holds, Fails };
std::string word(Finding finding);

// Both are written into events as their words, and read from them; None or Unknown for words that this migc
// does not know. What is no text throws as the library does.
void to_json(nlohmann::json& json, Outcome outcome);
void to_json(nlohmann::json& json, Finding finding);
void from_json(const nlohmann::json& json, Outcome& outcome);
void from_json(const nlohmann::json& json, Finding& finding);

}  // namespace migc
