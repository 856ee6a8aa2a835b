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
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/semantics/visit.hpp"

namespace migc::checks {

struct Input {
    const ir::Program& program;
    const project::Inventory& inventory;
    SourceMap& sources;  // files that a finding points into are added
};

// What the families look at: the script, the manifests, and what the script does in order.
struct CheckContext : Input {
    explicit CheckContext(const Input& input);
    Manifests manifests;
    Resources resources;
    EditedFiles files;
    Timeline timeline;
};

// What a gate asks for: an argument of the role of the probe that it asks, as far as it is known.
std::optional<Value> asked_of(const CheckContext& picture, const ir::Step& gate, const ir::Stage& stage,
                              std::size_t number = 0);

// Reports what it finds, in the order of the script.
using Check = void (*)(const CheckContext&, Diagnostics&);

struct Family {
    std::string_view name;
    Check check;
};

const std::vector<Family>& families();

// All families, one after the other.
void run(const Input& input, Diagnostics& diagnostics);

// rollback.cpp: every stage and every step has a way back.
void rollback(const CheckContext& picture, Diagnostics& diagnostics);
// undo.cpp: an undo that is written by hand takes back what was changed, in an order that hurts nobody.
void undo(const CheckContext& picture, Diagnostics& diagnostics);
// order.cpp: lower environments come first.
void order(const CheckContext& picture, Diagnostics& diagnostics);
// outside.cpp: what stands outside of the stages needs no environment.
void outside(const CheckContext& picture, Diagnostics& diagnostics);
// promotion.cpp: production gets what staging has exercised, through gates that can open.
void promotion(const CheckContext& picture, Diagnostics& diagnostics);
// verification.cpp: what is changed is looked at.
void verification(const CheckContext& picture, Diagnostics& diagnostics);
// terraform.cpp: what is applied has been planned, and the plan has been looked at.
void terraform(const CheckContext& picture, Diagnostics& diagnostics);
// kubernetes.cpp: what a script does agrees with the manifests.
void kubernetes(const CheckContext& picture, Diagnostics& diagnostics);
// images.cpp: the manifest names the image that the script leaves.
void images(const CheckContext& picture, Diagnostics& diagnostics);
// services.cpp: services and their ports lead to pods.
void services(const CheckContext& picture, Diagnostics& diagnostics);
// capacity.cpp: what is requested is there.
void capacity(const CheckContext& picture, Diagnostics& diagnostics);
// layers.cpp: what several layers state is the same in each.
void layers(const CheckContext& picture, Diagnostics& diagnostics);
// volumes.cpp: terraform's volumes and the claims are of one size.
void volumes(const CheckContext& picture, Diagnostics& diagnostics);
// addresses.cpp: the services that a configuration names are declared.
void addresses(const CheckContext& picture, Diagnostics& diagnostics);
// committed.cpp: what a committed script reads is committed, too.
void committed(const CheckContext& picture, Diagnostics& diagnostics);
// times.cpp: what is waited for fits into its limit and into the maintenance window.
void times(const CheckContext& picture, Diagnostics& diagnostics);
// clauses.cpp: what stands behind a step of steps bounds all of it, and can.
void clauses(const CheckContext& picture, Diagnostics& diagnostics);
// watching.cpp: production is watched for a while after a change.
void watching(const CheckContext& picture, Diagnostics& diagnostics);
// compatibility.cpp: what is replaced stays until nobody uses it.
void compatibility(const CheckContext& picture, Diagnostics& diagnostics);
// backend.cpp: terraform's state is locked while it is changed.
void backend(const CheckContext& picture, Diagnostics& diagnostics);
// destruction.cpp: terraform started by hand applies a plan, and destroys what is named.
void destruction(const CheckContext& picture, Diagnostics& diagnostics);
// restoring.cpp: what takes back is looked at, and takes back what belongs together.
void restoring(const CheckContext& picture, Diagnostics& diagnostics);
// keys.cpp: the keys that pods cannot start without are there.
void keys(const CheckContext& picture, Diagnostics& diagnostics);
// unapplied.cpp: what is written into a manifest is applied.
void unapplied(const CheckContext& picture, Diagnostics& diagnostics);
// branches.cpp: what runs at the same time changes nothing in common.
void branches(const CheckContext& picture, Diagnostics& diagnostics);
// reachability.cpp: every step can be reached.
void reachability(const CheckContext& picture, Diagnostics& diagnostics);
// secrets.cpp: nothing that is called a secret stands in the text.
void named_secrets(const CheckContext& picture, Diagnostics& diagnostics);
// language.cpp: names that nothing uses, calculations that cannot be done, secrets in the text.
void language(const CheckContext& picture, Diagnostics& diagnostics);
// manifest_files.cpp: the manifests that steps name can be read.
void manifest_files(const CheckContext& picture, Diagnostics& diagnostics);
// files.cpp: the files that steps name are there.
void files(const CheckContext& picture, Diagnostics& diagnostics);
// invariants.cpp: what the script states is about something that it does.
void invariants(const CheckContext& picture, Diagnostics& diagnostics);
// requirements.cpp: what the script requires of the project's files holds.
void requirements(const CheckContext& picture, Diagnostics& diagnostics);

// Whether the script says that it is one for an emergency, in which production does not wait for others.
bool is_emergency(const ir::Program& program);
// Whether a stage has a failure block that it did not take over from the stage that it repeats.
bool has_own_failure_block(const ir::Program& program, const ir::Stage& stage);
// Calls visit(undo) for each undo that a step of the stage itself has, once: a loop comes to it in each
// round.
void each_undo_of_step(const StageEvents& course, const std::function<void(const OwnUndo&)>& visit);
using semantics::each_expression;
using semantics::each_step;
// Whether a step of the list, or one within it, changes anything outside.
bool mutates(const ir::Program& program, const std::vector<ir::Step>& steps);
// The first step that does; null if none.
const ir::Step* first_mutation(const ir::Program& program, const std::vector<ir::Step>& steps);

}  // namespace migc::checks
