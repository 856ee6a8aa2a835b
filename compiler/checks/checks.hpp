// What `migc check` looks for beyond types: one file per family, one ordered list of all.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "compiler/checks/manifests.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"

namespace migc::checks {

struct Input {
    const ir::Program& program;
    const project::Inventory& inventory;
    SourceMap& sources;  // files that a finding points into are added
};

// What the families look at: the script, the manifests, and what the script does in order.
struct Picture : Input {
    explicit Picture(const Input& input);
    Manifests manifests;
    Timeline timeline;
};

// Reports what it finds, in the order of the script.
using Check = void (*)(const Picture&, Diagnostics&);

struct Family {
    std::string_view name;
    Check check;
};

const std::vector<Family>& families();

// All families, one after the other.
void run(const Input& input, Diagnostics& diagnostics);

// rollback.cpp: every stage and every step has a way back.
void rollback(const Picture& picture, Diagnostics& diagnostics);
// undo.cpp: an undo that is written by hand takes back what was changed, in an order that hurts nobody.
void undo(const Picture& picture, Diagnostics& diagnostics);
// order.cpp: lower environments come first.
void order(const Picture& picture, Diagnostics& diagnostics);
// promotion.cpp: production gets what staging has exercised, through gates that can open.
void promotion(const Picture& picture, Diagnostics& diagnostics);
// verification.cpp: what is changed is looked at.
void verification(const Picture& picture, Diagnostics& diagnostics);
// terraform.cpp: what is applied has been planned, and the plan has been looked at.
void terraform(const Picture& picture, Diagnostics& diagnostics);
// kubernetes.cpp: what a script does agrees with the manifests.
void kubernetes(const Picture& picture, Diagnostics& diagnostics);
// language.cpp: names that nothing uses, calculations that cannot be done, secrets in the text.
void language(const Picture& picture, Diagnostics& diagnostics);
// manifest_files.cpp: the manifests that steps name can be read.
void manifest_files(const Picture& picture, Diagnostics& diagnostics);
// files.cpp: the files that steps name are there.
void files(const Picture& picture, Diagnostics& diagnostics);
// requirements.cpp: what the script requires of the project's files holds.
void requirements(const Picture& picture, Diagnostics& diagnostics);

// Whether a stage has a failure block that it did not take over from the stage that it repeats.
bool has_own_failure_block(const ir::Program& program, const ir::Stage& stage);
// Calls visit(step) for each step of the list and, in order, for those within it.
void each_step(const std::vector<ir::Step>& steps, const std::function<void(const ir::Step&)>& visit);
// Whether a step of the list, or one within it, changes anything outside.
bool mutates(const ir::Program& program, const std::vector<ir::Step>& steps);
// The first step that does; null if none.
const ir::Step* first_mutation(const ir::Program& program, const std::vector<ir::Step>& steps);

}  // namespace migc::checks
