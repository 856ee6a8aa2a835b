// What a run is asked to do, and how it ended.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/value.hpp"
#include "compiler/semantics/outcome.hpp"
#include "compiler/source/source.hpp"
#include "runtime/natives/natives.hpp"
#include "runtime/tools/natives.hpp"
#include "runtime/trust/place.hpp"

namespace migc::runtime::inline evaluation {

// Why nothing was begun, as a sentence for people.
struct Problem {
    std::string message;
    int exit_code = 2;      // of `run`
    bool in_lines = false;  // the message has lines of its own, each made safe where it was written
};

struct RunOptions {
    std::optional<std::string> context;       // --context: in place of every stage's own
    std::optional<std::string> name_space;    // --namespace: likewise
    std::map<std::string, Value> parameters;  // --set: values of script parameters, already of their type
    std::string script;                       // path as given, for the journal
    std::string script_text;                  // kept by the journal, so that undo does not need the file
    std::string operated_by;                  // "maria on jumphost", for the journal
    std::vector<std::string> only;            // --stage: these and no others; empty: all
    std::set<FileId> own_files;          // the script and what it uses: what stands there is the project's
    nlohmann::json consent;              // what of the project may be executed, for the journal; may be null
    bool reads_secrets = true;           // a plan does not: see read_secrets
    std::string expect;                  // the change or the run digest that was reviewed; empty: any
    std::optional<nlohmann::json> plan;  // what a saved plan says was reviewed; see reviewed.hpp
    std::string run_digest;              // set by the engine and the planner
    std::function<Approvals()> approvals;  // what people have signed; asked at each gate; may be empty
    std::string run;                       // its id in the journal, set by the engine
    // The newest time that the journal has of a live run: a clock that is before it is wrong. May be empty.
    std::function<Time()> newest_known;
    // Whether an earlier run, or a signed file, says that the stage passed with one of these change digests,
    // and there where it lies: asked of the place that is written there, as `is_where_it_is` answers.
    // Its identity is the run in the journal; empty for a file. May be empty.
    using IsThere = std::function<tl::expected<std::string, std::string>(const std::string& stage,
                                                                         const trust::Place& then)>;
    std::function<Reading(const std::string& stage, const std::vector<std::string>& changes,
                          const IsThere& is_there)>
        evidence;
    // Why a stage that repeats another one may do without evidence that that one passed: a person's word,
    // which the journal keeps. Empty: it may not.
    std::string without_evidence;
    std::string world;                     // name of the simulated world, for reports; empty if live
    bool overwrite = false;                // undo restores what somebody else changed meanwhile, too
    std::function<bool()> stop_requested;  // asked between steps; may be empty
    // Why this process may not go on: somebody has broken its lock. Asked before each write; may be empty.
    std::function<std::optional<std::string>()> lock_lost;
    std::function<bool()> hurry_requested;  // asked twice to stop: nothing is waited for; may be empty
    std::function<const NativeEntry*(std::string_view)> natives = find_native;
};

// 0 done, 1 failed and undone, 2 refused before anything began, 3 held, 4 undo failed or in doubt, 5 gate
// closed.
struct RunResult {
    Outcome result = Outcome::None;
    int exit_code = 0;
    std::string run;                    // id in the journal; empty if no run was begun
    std::string message;                // why it is not done; empty if it is
    std::vector<std::string> standing;  // steps whose change still stands
    Reason why = Reason::None;          // of one that is held
    bool in_lines = false;              // of the message: see Problem
};

}  // namespace migc::runtime::inline evaluation
