// What `migc check` looks for beyond types: one file per family, one ordered list of all.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"

namespace migc::checks {

struct Input {
    const ir::Program& program;
    const project::Inventory& inventory;
    SourceMap& sources;  // files that a finding points into are added
    // Whether the project's files are those that the script is about. Not so for the copy in a journal: the
    // run itself has changed them since.
    bool files_are_current = true;
};

// Reports what it finds, in the order of the script.
using Check = void (*)(const Input&, Diagnostics&);

struct Family {
    std::string_view name;
    Check check;
    bool reads_files = false;  // it looks into the project's files
};

const std::vector<Family>& families();

// All families, one after the other.
void run(const Input& input, Diagnostics& diagnostics);

// rollback.cpp: every stage and every step has a way back.
void rollback(const Input& input, Diagnostics& diagnostics);
// order.cpp: lower environments come first.
void order(const Input& input, Diagnostics& diagnostics);
// files.cpp: the files that steps name are there.
void files(const Input& input, Diagnostics& diagnostics);
// requirements.cpp: what the script requires of the project's files holds.
void requirements(const Input& input, Diagnostics& diagnostics);

// Calls visit(step) for each step of the list and, in order, for those within it.
void each_step(const std::vector<ir::Step>& steps, const std::function<void(const ir::Step&)>& visit);
// Whether a step of the list, or one within it, changes anything outside.
bool mutates(const ir::Program& program, const std::vector<ir::Step>& steps);
// The first step that does; null if none.
const ir::Step* first_mutation(const ir::Program& program, const std::vector<ir::Step>& steps);

}  // namespace migc::checks
