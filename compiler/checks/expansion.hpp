// What a stage expands to, in order: composite verbs, loops over known lists, both ways of an `if`, and the
// undos that somebody wrote.
#pragma once

#include <deque>
#include <functional>

#include "compiler/checks/edited_files.hpp"
#include "compiler/checks/resources.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/checks/values.hpp"

namespace migc::checks {

// What all stages have in common.
struct Ground {
    const ir::Program& program;
    Resources& resources;
    EditedFiles& files;
    std::deque<Branch>& branches;      // gets those that steps open
    std::function<bool(Span)> is_own;  // of the script's own, and not of the standard library
};

// The stage is that of the values; their top level is bound. Its edits are made in the files.
StageEvents expand(const Ground& ground, Values& values);

}  // namespace migc::checks
