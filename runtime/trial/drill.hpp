// The real engine in a simulated world, with everything that can go wrong.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/session/session.hpp"

namespace migc::trial {

struct DrillOptions {
    unsigned faults = 1;  // how many commands go wrong in one run
    bool others = false;  // somebody else acts as well, in place of faults
    session::SessionOptions session;
};

// A run that ends where it must not.
struct Hole {
    std::string faults, why, result;
    std::vector<std::string> left;  // what is not as it was
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Hole, faults, why, result, left)

// What came of the runs: as the report says it, and as one process tells it another.
struct Tally {
    std::map<std::string, std::size_t> ends;
    std::map<std::string, std::set<std::string>> ends_by_fault;
    std::size_t commands = 0;  // of the run without faults, that change something
    std::size_t runs = 0;
    std::vector<Hole> counterexamples;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, ends, ends_by_fault, commands, runs, counterexamples)

// The script's gates are taken away. The error: it could not be tried, as a sentence.
tl::expected<Tally, std::string> drill(const DrillOptions& options, driver::Script& script);

// With its verdict, for programs.
std::string as_json(const Tally& tally);

}  // namespace migc::trial
