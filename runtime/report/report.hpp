// A run as people and programs follow it: each reporter renders the same stream of events.
#pragma once

#include <cstdio>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/journal/event.hpp"
#include "runtime/journal/journal.hpp"

namespace migc::runtime::inline report {

// Every text of an event that comes from a tool or a script is escaped before it is shown; an event that
// lacks keys is shown as far as it goes. Signs are ASCII where the locale is not UTF-8.
class Reporter {
  public:
    virtual ~Reporter() = default;
    // Events of one run, in order; called by one thread at a time.
    virtual void on(const Event& event) = 0;
};

// One line for each thing that has happened: for logs and pipes.
std::unique_ptr<Reporter> make_plain_reporter(std::ostream& out, bool colour);

// The same lines, and below them one line, redrawn in place, with the step that is running, for how long, and
// what it waits for. That line is gone once the reporter is. `terminal` must stay open as long.
std::unique_ptr<Reporter> make_live_reporter(std::FILE* terminal);

// One JSON object per line, ASCII only: {"version": 1, "event": "outcome", "time_ms": .., "body": {..}}.
// The names of events and the keys of bodies are those of event.hpp.
std::unique_ptr<Reporter> make_json_reporter(std::ostream& out);

// What the journal has of one run, for `migc show`: the lines of the plain reporter under a heading, and for
// a run without an end the steps that were begun and whose outcome is not known.
std::string show_run(const RunSummary& run, const std::vector<Event>& events, bool colour = false);

// For `migc runs`: one line per run, in the order given, under column names.
std::string runs_table(const std::vector<RunSummary>& runs);

}  // namespace migc::runtime::inline report
