// What happens in a run, as a stream of events. The journal keeps the ones that resume, undo and history
// need; the reporters render all of them; `--json` prints them as they are.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "compiler/semantics/outcome.hpp"

namespace migc::runtime::inline journal {

enum class EventKind : std::uint8_t {
    RunBegun,     // script, title, digest, mode, world, environments, stages: their environments
    RunResumed,   // action (resume|undo), by: an earlier run goes on, or is taken back
    StageBegun,   // stage, environment, context, namespace
    StepBegun,    // step, text                                    (progress only)
    Waiting,      // step, text, state: why a condition does not hold yet   (progress only)
    Noted,        // name, value: a `let`, evaluated once; with a kind (decision, list, captures, soaked) what
                  // a resumed run does not find out again
    Intent,       // step, text, command, captures, before: what is about to be changed
    Outcome,      // step, result (done|already|failed|in-doubt), message, observed, took_ms
    Checked,      // step, text, result (held|failed|unknown), message, took_ms: verify, soak, needs
    StageFailed,  // stage, reason: from here on the failure block runs
    UndoBegun,    // stage, reason
    UndoIntent,   // step (the one undone), text, command
    UndoOutcome,  // step, result (undone|nothing-to-undo|held|failed|in-doubt), message
    Resolved,     // step, part (forward|inverse), verdict (done|not-done), because, by: a person's decision
    StageEnded,   // stage, result (done|undone|held|undo-failed|in-doubt)
    LockBroken,   // lock, by, because: the lock was taken from the process that ran it
    Adopted,  // by, because, why: a person answers for what the journal says of the run, though nothing shows
              // that this user wrote it
    RunEnded,  // result, exit_code, standing: what was changed and still is
};

struct Event {
    EventKind kind = EventKind::RunBegun;
    std::int64_t time_ms = 0;   // the run's clock, milliseconds since 1970
    nlohmann::json body;        // an object; keys as listed above; "stage" and "step" wherever they apply
    Reason why = Reason::None;  // of an undo that is held; the journal does not keep it
};

// "run-begun", "outcome", ... and back; an unknown name gives RunBegun and false.
std::string name(EventKind kind);
bool parse(const std::string& name, EventKind& kind);

// Whether a reader can rely on the body: it is an object, what it has of the keys above is of their types,
// and what such an event cannot be without is there. Keys of a later migc are no mistake.
bool well_formed(const Event& event);

}  // namespace migc::runtime::inline journal
