// What a script does to named things, in order: the one picture of a script that the checks read. It is made
// from the verbs' declarations; composite verbs, loops over known lists and manifests are gone through.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/checks/manifests.hpp"
#include "compiler/ir/bounds.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"

namespace migc::checks {

// A thing that a step changes or looks at: "deployment/webapi", "service/web", "file k8s/a.yaml",
// "terraform".
using Thing = std::string;

// One effect of a step: a probe, what it is asked about, and what it becomes as far as that is known.
struct Effect {
    const ir::Probe* probe = nullptr;
    std::string name;    // the probe with its arguments: two effects of one name are on one state variable
    bool exact = false;  // whether every argument is known
    std::vector<std::optional<Value>> arguments;
    ir::Becomes becomes = ir::Becomes::Different;
    std::optional<Value> value;
};

enum class Act {
    Change,
    Other,  // a verb that leaves nothing to undo: a backup, a message
    Look,   // a verify, or a verb that looks at a plan
    Soak,
    Gate,
    Undo,
    UndoAll,
    Hold
};

struct Event {
    Act act = Act::Look;
    const ir::Step* step = nullptr;               // as the script has it
    const ir::Step* inner = nullptr;              // the same, or the step of a composite verb that this is
    const ir::Verb* verb = nullptr;               // of a call
    const ir::Verb* part_of = nullptr;            // the composite verb that the script calls
    std::vector<std::optional<Value>> arguments;  // of a call
    std::set<Thing> things;                       // changed or looked at
    std::vector<Effect> effects;                  // of a change
    std::set<std::string> plans;                  // names of plans that it uses
    bool everything = false;   // it looks at the system as a whole: a request, a script, all pods
    bool conditional = false;  // whether it happens only a run can tell
    bool beside = false;       // it happens at the same time as others: in a `parallel`
    std::optional<std::int64_t> at_least_ms;  // Soak: how long it takes
    ir::Bound bound;                          // Change, Other, Look: how long it may take
};

struct Course {
    const ir::Stage* stage = nullptr;
    const project::Environment* environment = nullptr;  // null if unknown
    std::vector<Event> gates, forward, failure;
};

// What is known of names where an expression stands.
struct Known {
    std::optional<Value> value;
    const ir::Expr* condition = nullptr;  // an argument of type condition, and where its names are known
    const std::map<std::string, Known>* home = nullptr;
    std::string plan;  // the name that the script has for a plan which was handed on
};
using Names = std::map<std::string, Known>;

class Timeline {
  public:
    Timeline(const ir::Program& program, const project::Inventory& inventory, const Manifests& manifests);

    [[nodiscard]] const std::vector<Course>& courses() const { return courses_; }
    // What a list of steps does, where names are known as at the stage's top level.
    [[nodiscard]] std::vector<Event> events(const std::vector<ir::Step>& steps, const ir::Stage& stage) const;
    // As far as it is known without running anything.
    [[nodiscard]] std::optional<Value> value(const ir::Expr& expression, const ir::Stage& stage) const;
    // How a resource is called in the cluster: webapi is "deployment/monadic-pipeline-webapi".
    [[nodiscard]] Thing thing(const ResourceRef& resource) const;

  private:
    class Walk;
    const ir::Program& program_;
    const project::Inventory& inventory_;
    const Manifests& manifests_;
    std::vector<Course> courses_;
};

// "deploy/web" and "Deployment/web" are "deployment/web"; a namespace in the middle is left out.
Thing object_thing(std::string_view handle);

// How a change is taken back: as the step says, else as its verb does.
const ir::Undo& way_back(const Event& change);

// Whether a thing is in the cluster or behind it, and no file of the project, image or plan.
bool is_live(const Thing& thing);
// Whether an event changes or looks at such a thing.
bool touches_live(const Event& event);

}  // namespace migc::checks
