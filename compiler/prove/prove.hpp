// Whether a script can be got back from wherever it stops.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/prove/lower.hpp"
#include "compiler/prove/trace.hpp"

namespace migc::prove {

struct Options {
    unsigned faults = 1;  // at once, at most `most_faults`
    bool jit = false;
    bool others = false;  // somebody else writes once in each run, besides
    std::size_t states = Limits{}.states;
};

enum class Verdict { Proved, Counterexample, CutOff, Undecided };

// What became of one `always` or `never` of the script.
struct InvariantAnswer {
    std::string text;  // "never claim data shrinks"
    Span span;
    Verdict verdict = Verdict::Proved;
    std::optional<Trace> trace;   // how it breaks
    std::vector<Note> undecided;  // where only a run can tell
};

struct Answer {
    using Verdict = prove::Verdict;
    Verdict verdict = Verdict::Proved;  // of the way back and of all invariants
    unsigned faults = 1;
    bool others = false;
    Counts counts;
    std::optional<Trace> trace;     // of the counterexample
    std::vector<Note> bounds;       // what was not looked at
    std::vector<Note> trusted;      // what is taken at its word
    std::vector<Note> undecided;    // what of the way back only a run can tell
    std::vector<Note> no_return;    // from where, by the script's own words, there is no way back
    bool held_as_declared = false;  // whether a run can end held because of them
    std::string problem;            // why the search could not begin
    std::vector<InvariantAnswer> invariants;
    std::map<std::string, std::set<std::string>> ends;  // by what went wrong; "": nothing
};

// Nothing is run and nothing is read but the script. The program has no errors. Never fails: where it cannot
// go on, `problem` says why and the verdict is CutOff.
Answer prove(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
             const Options& options);

// Counterexamples as findings, with the stories in their notes, and what cannot be decided.
void report(const Answer& answer, Diagnostics& diagnostics);

// "proved: 41 stopping points, 1 fault each: 133 schedules"; the lines behind it say what was taken for
// granted.
std::string headline(const Answer& answer);
std::string remarks(const Answer& answer, const SourceMap& sources);

// The ends are those of runs in which only one thing goes wrong.
// {"verdict": "proved"|"counterexample"|"cut off"|"undecided", "faults", "ends": {what: [..]},
// "stopping_points", "schedules": [by number of faults], "bounds": [{text, place}], "trusted", "no_return",
// "counterexample": {..}, "invariants":
// [{text, verdict, place, undecided, counterexample}]}
nlohmann::json as_json(const Answer& answer, const SourceMap& sources);

}  // namespace migc::prove
