// What `migc check` looks for beyond types: one file per family, one ordered list of all.
#pragma once

#include <functional>
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

// The manifests as the environment of a stage has them.
class Surroundings {
  public:
    Surroundings(const CheckContext& picture, const StageEvents& course)
        : picture_(picture), environment_(course.stage->environment) {}

    [[nodiscard]] Manifests::Objects declaring(const ResourceKey& thing) const {
        return of(picture_.manifests.declaring(thing));
    }
    [[nodiscard]] Manifests::Objects readers(const ResourceKey& thing) const {
        return of(picture_.manifests.readers(thing));
    }
    [[nodiscard]] Manifests::Objects autoscalers(const ResourceKey& thing) const {
        return of(picture_.manifests.autoscalers(thing));
    }
    [[nodiscard]] Manifests::Objects services(const Object& workload) const {
        return of(picture_.manifests.services(workload));
    }

  private:
    [[nodiscard]] Manifests::Objects of(const Manifests::Objects& objects) const {
        return picture_.resources.of_environment(objects, environment_);
    }

    const CheckContext& picture_;
    const std::string& environment_;
};

// What a gate asks for: an argument of the role of the probe that it asks, as far as it is known.
std::optional<Value> asked_of(const CheckContext& picture, const ir::Step& gate, const ir::Stage& stage,
                              std::size_t number = 0);

// Reports what it finds, in the order of the script.
using Check = void (*)(const CheckContext&, Diagnostics&);

// All of them, in the order of checks.def.
const std::vector<Check>& families();

// All families, one after the other.
void run(const Input& input, Diagnostics& diagnostics);

#define MIGC_CHECK(name) void name(const CheckContext& picture, Diagnostics& diagnostics);
#include "compiler/checks/checks.def"
#undef MIGC_CHECK

// What a check of the script, or of one stage, that keeps something in mind is made from.
struct ScriptCheck {
    ScriptCheck(const CheckContext& picture, Diagnostics& diagnostics)
        : picture_(picture), diagnostics_(diagnostics) {}
    const CheckContext& picture_;
    Diagnostics& diagnostics_;
};
struct StageCheck : ScriptCheck {
    StageCheck(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics)
        : ScriptCheck(picture, diagnostics), course_(course) {}
    const StageEvents& course_;
};

// Whether the script says that it is one for an emergency, in which production does not wait for others.
bool is_emergency(const ir::Program& program);

// What stands behind `stage`: "staging", "migrate in staging".
std::string heading(const ir::Stage& stage);
// Whether a stage has a failure block that it did not take over from the stage that it repeats.
bool has_own_failure_block(const ir::Program& program, const ir::Stage& stage);
// Calls visit(undo) for each undo that a step of the stage itself has, once: a loop comes to it in each
// round.
void each_undo_of_step(const StageEvents& course, const std::function<void(const OwnUndo&)>& visit);
using semantics::each_expression;
using semantics::each_step;
// Those of the script, and of declarations that are the script's own.
void each_own_expression(const CheckContext& picture, const semantics::VisitExpression& visit);
// Whether a step of the list, or one within it, changes anything outside.
bool mutates(const ir::Program& program, const std::vector<ir::Step>& steps);
// The first step that does; null if none.
const ir::Step* first_mutation(const ir::Program& program, const std::vector<ir::Step>& steps);

}  // namespace migc::checks
