// What the journal of a run that is resumed says about the steps of one stage, so that nothing is done,
// decided or waited for a second time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "compiler/ir/value.hpp"
#include "runtime/journal/outcome.hpp"

namespace migc::runtime {

// How long a soak has seen its condition hold, and when it last saw it.
struct Soaked {
    std::int64_t seen_ms = 0;
    std::int64_t last_ms = 0;
};

// By the ids of the steps.
struct Past {
    bool begun = false;                              // the stage's gates were open once
    std::map<std::string, Value> names;              // of `let` and `as`
    std::map<std::string, bool> decisions;           // of `if`
    std::map<std::string, Value> lists;              // of `for`
    std::map<std::string, nlohmann::json> captures;  // of a composite
    std::map<std::string, Soaked> soaked;
    std::set<std::string> held;                  // verifications and soaks that are over
    std::set<std::string> done;                  // calls of the failure block
    std::map<std::string, nlohmann::json> open;  // intents of the failure block without an outcome
    // Why the stage failed, if it did and nobody has dealt with it.
    std::optional<std::string> failure;
    Outcome result = Outcome::None;  // how the stage ended last
    bool undoing = false;            // an undo of the stage was begun, and not all is undone
    bool cut_in_undo = false;        // the last undo of the stage did not come to its end
};

}  // namespace migc::runtime
