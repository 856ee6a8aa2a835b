// Where a run stands: what it is at, who is at it, what it has changed, how long taking that back may take,
// and until when that fits into the window.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ir/program.hpp"
#include "runtime/inspect/progress.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"

namespace migc::runtime::inline inspect {

struct StatusInput {
    const RunSummary& about;
    const std::vector<Event>& events;
    const ir::Program& program;        // of the journal's copy of the script
    std::optional<Progress> progress;  // of a run that somebody is at
    std::optional<LockState> worker;   // the lock that names the run, if anybody holds it
    Time now = 0;
};

struct Status {
    std::string state;  // "at work", "cut off", or how it ended: "done", "held", ...
    std::string stage;  // the last one that was begun
    std::optional<Progress> doing;
    std::vector<std::string> standing;  // the steps whose change stands, as texts
    std::vector<std::string> in_doubt;
    std::string no_return;     // of those that stand the last without a way back; empty if there is none
    std::int64_t undo_ms = 0;  // an undo would take this long at most, by the declared limits
    std::string window;        // of the stage, as written; empty if it has none
    bool window_open = false;
    Time window_until = 0;  // when it closes, or else opens next
    Time last_safe_ms = 0;  // open: the latest moment for an undo to begin that ends in the window
};

Status status_of(const StatusInput& input);

// For people, a few lines.
std::string render_status(const Status& status, const StatusInput& input);
nlohmann::json to_json(const Status& status, const StatusInput& input);

}  // namespace migc::runtime::inline inspect
