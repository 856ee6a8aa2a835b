// What a script does to named things, in order: the one picture of a script that the checks read. It is made
// from the verbs' declarations; composite verbs, loops over known lists and manifests are gone through.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/checks/edited_files.hpp"
#include "compiler/checks/resources.hpp"
#include "compiler/checks/values.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/semantics/bounds.hpp"

namespace migc::checks {

// One effect of a step: a probe, what it is asked about, and what it becomes as far as that is known.
struct Effect {
    const ir::Probe* probe = nullptr;
    std::string name;    // the probe with its arguments: two effects of one name are on one state variable
    bool exact = false;  // whether every argument is known
    std::vector<std::optional<Value>> arguments;
    std::vector<std::optional<Value>> role;  // the arguments of the probe's role
    ir::Becomes becomes = ir::Becomes::Different;
    std::optional<Value> value;
    std::string same;   // tells the value from others, though it is not known; see Known::same
    ResourceKey thing;  // that it is an effect on; empty if unknown
    // The field of the thing that the probe reads, as a JSON pointer with `*` for an element of a list; "" is
    // the whole thing. Nothing if it is none of the thing's own fields. What `patch object` and a verb for
    // the field change is one state variable.
    std::optional<std::string> pointer;
};

// An address that a step asks.
struct Asked {
    std::string address;
    bool inside = false;                // from a pod
    const ir::Expr* written = nullptr;  // where the address stands: in the step's own file
};

// One of the ways that an `if` or `parallel` opens; which events are on it.
struct Branch {
    const Branch* outer = nullptr;
    const ir::Step* step = nullptr;
    std::size_t visit = 0;  // each time that a step is come to has a number of its own
    std::size_t arm = 0;    // If: 0 then, 1 else. Parallel: the number of the statement
    std::size_t depth = 0;
    std::optional<bool> taken;  // of an `if` that the stage's environment decides
    [[nodiscard]] bool parallel() const { return step->kind == ir::StepKind::Parallel; }
};

enum class EventKind {
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
    EventKind act = EventKind::Look;
    const ir::Step* step = nullptr;               // as the script has it
    const ir::Step* inner = nullptr;              // the same, or the step of a composite verb that this is
    const ir::Verb* verb = nullptr;               // of a call
    const ir::Verb* part_of = nullptr;            // the composite verb that the script calls
    std::vector<std::optional<Value>> arguments;  // of a call
    std::vector<std::optional<Value>> role;       // the arguments of the verb's role
    std::set<ResourceKey> things;                 // changed or looked at
    std::vector<Effect> effects;                  // of a change
    std::set<std::string> plans;                  // names of plans that it uses, made known by `makes`
    std::string makes;                            // the name of the plan that it makes
    std::vector<Asked> asked;
    const ir::Expr* condition = nullptr;  // of a look or gate: as the caller wrote it, where it was handed on
    bool always = false;                  // and whether that holds whatever the probes answer
    const ir::Undo* undo = nullptr;       // of a change: the outermost that was written, else the verb's
    const Object* object = nullptr;       // that it applies, with what the script has edited in the manifest
    std::string manifest;                 // the path that it applies
    const Branch* branch = nullptr;
    Moment moment = 0;                        // of the project's files, when it has happened
    bool everything = false;                  // it looks at the system as a whole: a script, all pods
    bool conditional = false;                 // whether it happens only a run can tell
    bool beside = false;                      // it happens at the same time as others: in a `parallel`
    std::optional<std::int64_t> at_least_ms;  // Soak: how long it takes
    semantics::Bound bound;                   // Change, Other, Look: how long it may take

    [[nodiscard]] bool is_change() const { return act == EventKind::Change; }
    // Whether it looks at something, once or for a while.
    [[nodiscard]] bool is_look() const { return act == EventKind::Look || act == EventKind::Soak; }
    // Whether it takes back steps as they say themselves.
    [[nodiscard]] bool undoes() const { return act == EventKind::Undo || act == EventKind::UndoAll; }
    // Whether it happens unless a run fails, and at no time beside others.
    [[nodiscard]] bool is_sure() const { return !conditional && !beside; }
};
using Events = std::vector<Event>;

// An undo that somebody wrote, in a step or in a verb of their own, and what it is the undo of.
struct OwnUndo {
    const ir::Undo* undo = nullptr;
    const ir::Step* step = nullptr;     // the call
    const ir::Verb* part_of = nullptr;  // the composite verb that the call is in; null if the script has it
    std::size_t begin = 0, end = 0;     // of the course's forward events
    Events back;
    bool by_verb = false;   // declared by the verb
    bool outermost = true;  // no other one takes its place
};

// A value of a file of the project that a step reads, where the place is known.
struct FileRead {
    std::string file, pointer;
    Moment moment = 0;
    const ir::Step* used = nullptr;  // the step that cannot do without it; null if none is known
};

struct StageEvents {
    const ir::Stage* stage = nullptr;
    const project::Environment* environment = nullptr;  // null if unknown
    Moment moment = 0;                                  // of the project's files, when its steps are done
    Events gates, forward, failure, throughout;
    std::vector<OwnUndo> undos;
    std::vector<FileRead> reads;  // of its own steps, which they do unless a run fails
    Events lets;                  // the top level's, as this stage sees them

    [[nodiscard]] bool is_protected() const { return environment != nullptr && environment->is_protected; }
    // The file of terraform's variables, relative to the root; empty if the environment has none.
    [[nodiscard]] std::string variables() const {
        return environment != nullptr && environment->terraform ? environment->terraform->variables() : "";
    }
};

class Timeline {
  public:
    Timeline(const ir::Program& program, const project::Inventory& inventory, const Manifests& manifests,
             const SourceMap& sources, Resources& resources, EditedFiles& files);
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    [[nodiscard]] const std::vector<StageEvents>& courses() const { return courses_; }
    // As far as it is known without running anything, where names are known as at the top level of the
    // script.
    [[nodiscard]] std::optional<Value> value(const ir::Expr& expression, const ir::Stage& stage) const;
    [[nodiscard]] const ReadBy& read_by() const { return read_by_; }
    // Whether something stands in the script or in a file that it uses, and not in the standard library.
    [[nodiscard]] bool is_own(Span span) const;

  private:
    const ir::Program& program_;
    const SourceMap& sources_;
    std::deque<Branch> branches_;
    std::deque<Values> values_;  // by the number of the stage
    std::vector<StageEvents> courses_;
    ReadBy read_by_;
};

// Whether migc takes back steps, or a person takes over, at an event or behind it.
bool undoes_or_holds(Events::const_iterator from, Events::const_iterator end);
// Calls visit(event) for what a stage does, and then for what takes it back.
void each_event(const StageEvents& course, const std::function<void(const Event&)>& visit);

// The events of a stage that an undo takes back.
std::pair<Events::const_iterator, Events::const_iterator> undone_by(const StageEvents& course,
                                                                    const OwnUndo& own);

// How a change is taken back: as the step says, else as its verb does.
const ir::Undo& way_back(const Event& change);

// Whether there is a way back that must be gone when all of it is undone.
bool must_be_restored(const Event& change);

// Whether an event changes or looks at a thing in the cluster or behind it.
bool touches_live(const Event& event);

// Whether the verb of an event has a role, by its own word.
bool plays(const Event& event, ir::Role role);
// The first of an event's effects on a probe with a role; null if there is none.
const Effect* effect_on(const Event& event, ir::Role role);
// The text that a role was given as an argument; null if it is not known.
const std::string* text_in(const std::vector<std::optional<Value>>& role, std::size_t number);

// Whether two events are on different ways of one `if`: never both happen.
bool exclusive(const Event& a, const Event& b);
// Whether they are on different branches of one `parallel`: either may come first.
bool concurrent(const Event& a, const Event& b);

// Whether an event is on a way that this stage's environment never takes.
bool never_happens(const Event& event);
// The `if` by which an event happens in this stage's environment and not in others; null if none does.
const ir::Step* decided_by_environment(const Event& event);

}  // namespace migc::checks
