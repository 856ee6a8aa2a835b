// What the change of a script changes in what it does.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/program.hpp"
#include "compiler/source/source.hpp"

namespace migc::diff {

struct Difference {
    std::string where;  // "stage `staging`", "the script", "the verb `poke (w: workload)`"
    std::string what;   // a sentence without full stop
};

struct Version {
    const ir::Program& program;
    const SourceMap& sources;  // in which the program's spans lie
};

// In the order of the new script, what is gone first. Empty if both do the same, however they are written:
// layout, comments and the order of declarations make no difference.
std::vector<Difference> differences(const Version& before, const Version& after);

}  // namespace migc::diff
