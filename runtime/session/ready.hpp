// What a run, an undo or a rehearsal acts with, and what it is held to.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/session/scratch.hpp"

namespace migc::session {

// Its parts are given up in the reverse order: the locks last.
struct Ready {
    std::shared_ptr<runtime::Locks> locks;  // of a live run; else of nothing
    std::unique_ptr<ScratchCopy> scratch;
    std::unique_ptr<runtime::Journal> journal;
    std::unique_ptr<Session> session;
    runtime::RunOptions options;
};

// Takes the locks of `program` (the script, or a part of it) and opens the rest. `purpose` is what others are
// told who want the locks: "the run of deploy.mig"; `agreed` what `agreed_options` gave for these options.
tl::expected<Ready, Refusal> make_ready(SessionOptions options, Script& script, const ir::Program& program,
                                        const std::string& purpose, runtime::RunOptions agreed);

// What a saved plan says of the world must still hold; the engine compares the rest. Gives the plan as it is
// now; nothing if no file is named.
tl::expected<std::optional<runtime::Plan>, Refusal> hold_to_plan(const std::string& file,
                                                                 const Script& script, Ready& ready);

// A run of the journal, with the copy of the script that it took.
struct Earlier {
    runtime::RunSummary about;
    std::unique_ptr<Script> script;
    std::vector<runtime::Event> events;
    std::string note;  // that it was made elsewhere; else empty
};

// The journal of the project that one stands in. The error is a sentence: there is none, or it cannot be
// read.
tl::expected<std::unique_ptr<runtime::Journal>, std::string> journal_here();

// A run of it, by its id or what stands for one.
struct FoundRun {
    std::filesystem::path root;
    std::unique_ptr<runtime::Journal> journal;
    runtime::RunSummary about;
    std::string doubt;  // why nobody vouches for what the journal says of it; empty: the journal is vouched
};
tl::expected<FoundRun, std::string> find_run(const std::string& id);

// Of the project that one stands in, a run for which the journal is vouched. It belongs to the project with
// whose journal it was made: moved with it, it goes on where the project is now; in a copy it does not, for
// what the copy did the original would not know. `is_undo` is for the words of the error.
tl::expected<Earlier, std::string> earlier_run(const std::string& id, bool is_undo);

}  // namespace migc::session
