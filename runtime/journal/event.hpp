// What happens in a run, as a stream of events. The journal keeps the ones that resume, undo and history
// need; the reporters render all of them; `--json` prints them as they are.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/value.hpp"
#include "compiler/semantics/outcome.hpp"
#include "compiler/semantics/step_id.hpp"

namespace migc::runtime::inline journal {

using semantics::StepId;
using Values = std::map<std::string, Value>;       // by the phrase of a probe: "replicas of webapi"
using Texts = std::map<std::string, std::string>;  // likewise, or by name

// Where a stage runs, as the run found it when it began.
struct PinnedEnvironment {
    std::string environment = {}, context = {}, name_space = {};
    bool is_protected = false;
    Texts settings = {};
    Values parameters = {};  // without secrets
};

// In the order of Event::Body.
enum class EventKind : std::uint8_t {
    RunBegun,
    RunResumed,
    StageBegun,
    StepBegun,
    Waiting,
    Noted,
    Intent,
    Outcome,
    Checked,
    StageFailed,
    UndoBegun,
    UndoIntent,
    UndoOutcome,
    Resolved,
    StageEnded,
    LockBroken,
    Adopted,
    RunEnded,
};

// What the events say. JSON beside the types is what another part of the program writes and reads: arguments,
// captures and scope as a scope keeps them, secrets sealed or left out.
namespace events {

// Whether what a step was to bring about, and is there, is its own work.
enum class Ownership : std::uint8_t {
    Ours,      // its command was accepted, or the thing itself says who wrote it
    NotOurs,   // its command was refused: whatever is there, somebody else made it
    Unproved,  // the command reported a failure or its answer was lost, and nothing tells who it was
};

struct RunBegun {
    std::string run = {}, script = {}, title = {}, digest = {}, run_digest = {}, by = {}, mode = {},
                world = {};
    nlohmann::json reviewed = {};
    nlohmann::json files = {};                             // null: an older format has none
    std::vector<std::string> environments = {};            // of its stages
    std::map<std::string, PinnedEnvironment> stages = {};  // by name
    std::string emergency = {}, without_evidence = {};     // why; empty for no
    nlohmann::json consent = {};
};

// An earlier run goes on, or is taken back.
struct RunResumed {
    enum class Action : std::uint8_t { Resume, Undo };
    std::string run = {};
    Action action = Action::Resume;
    std::string by = {};
    nlohmann::json consent = {};
};

struct InStage {
    std::string stage = {};
};

struct AtStep : InStage {
    StepId step = {};
};

struct OfStep : AtStep {
    std::string text = {};  // "scale webapi to 4"
};

struct StageBegun : InStage {
    PinnedEnvironment where = {};
};

// Progress only.
struct StepBegun : OfStep {};

// Why a condition does not hold yet; progress only.
struct Waiting : OfStep {
    std::string state = {};
};

// What a run found out once, and a resumed run does not find out again. A `let` of the script has no step.
struct Noted : AtStep {
    enum class Kind : std::uint8_t {
        Name,       // of a `let` or `as`
        Decision,   // of an `if`: a boolean
        List,       // of a `for`
        Captures,   // of a composite: an object
        Soaked,     // for how many milliseconds a soak has held
        Baseline,   // of `undo .. after P`: P before the stage began
        UndoStart,  // likewise: P when the stage's first undo began
    };
    Kind kind = Kind::Name;
    std::string name = {};
    nlohmann::json value = nlohmann::json::value_t::discarded;
};

// What a step is about to do.
struct Call : OfStep {
    std::string verb = {};     // its signature
    std::string command = {};  // as it is shown
    nlohmann::json arguments = nlohmann::json::object();
    nlohmann::json captures = nlohmann::json::object();
    bool own_undo = false;                            // the caller brought the inverse
    nlohmann::json scope = nlohmann::json::object();  // what the caller's inverse can see
    bool composite = false;                           // it changes nothing itself: its steps do
    Values before = {};
    Values declared = {};                     // not there for `becomes different`
    std::vector<std::string> workloads = {};  // that the effects are about
    Texts identities = {};       // which thing it is that the step changes, where its server tells; by phrase
    bool failure_block = false;  // it is a step of one
};

struct Intent : Call {};

struct StepOutcome : OfStep {
    migc::Outcome result = migc::Outcome::None;  // Done, Already, Failed or InDoubt
    std::string message = {};
    Values observed = {};
    bool acted = true;        // false: it failed before anything was begun
    bool reconciled = false;  // it was found out afterwards
    std::optional<std::int64_t> took_ms = {};
    bool accepted = false;  // it failed though its tool said that all went well
    Ownership ownership = Ownership::Ours;
    std::vector<StepId> supersedes = {};  // earlier steps that changed the same
    Texts identities = {};                // as in Call, and of what the step has made
    Texts revisions =
        {};  // of what was written, and when, if the tool did not write under the run's own name
    std::optional<Call> call = {};  // of what was there already, which has no intent of its own
};

// A `verify`, a soak, a gate.
struct Checked : OfStep {
    Finding result = Finding::Unknown;
    std::string message = {};
    std::optional<std::int64_t> took_ms = {};
    std::vector<std::string> approvals = {};  // that it used
};

// From here on the failure block runs.
struct StageFailed : InStage {
    std::string reason = {};
};

struct UndoBegun : InStage {
    std::string reason = {};
};

// `step` is the one that is undone, `part` the call of its inverse.
struct UndoIntent : Call {
    StepId part = {};
};

struct UndoOutcome : OfStep {
    std::optional<StepId> part = {};             // else it is about the inverse as a whole
    migc::Outcome result = migc::Outcome::None;  // Undone, NothingToUndo, Held, Failed or InDoubt
    std::string message = {};
    Values observed = {};
    Texts identities = {};
    std::optional<bool> acted = {};  // of a part
    std::optional<std::int64_t> took_ms = {};
};

// A person's decision.
struct Resolved : OfStep {
    enum class Part : std::uint8_t { Forward, Inverse };
    enum class Verdict : std::uint8_t { NotDone, Done };
    Part part = Part::Forward;
    Verdict verdict = Verdict::NotDone;
    std::string because = {}, by = {};
};

struct StageEnded : InStage {
    migc::Outcome result = migc::Outcome::None;
    std::string message = {};
    std::string environment = {};           // this and what follows: of a stage that passed, for evidence
    std::vector<std::string> changes = {};  // digests
    nlohmann::json place = {};
    std::vector<std::string> approvals = {};  // that it used
};

// The lock was taken from the process that ran it.
struct LockBroken {
    std::string lock = {}, by = {}, because = {};
};

// A person answers for what the journal says of the run, though nothing shows that this user wrote it.
struct Adopted {
    std::string by = {}, because = {}, why = {};
    std::vector<std::string> gone = {};  // runs that the journal has no more
};

struct RunEnded {
    migc::Outcome result = migc::Outcome::None;
    std::int64_t exit_code = 0;
    std::string message = {};
    std::vector<std::string> standing = {};  // what was changed and still is
    std::vector<StepId> decide = {};         // about which a person has to say how they went
};

}  // namespace events

using events::Ownership;

struct Event {
    using Body = std::variant<events::RunBegun, events::RunResumed, events::StageBegun, events::StepBegun,
                              events::Waiting, events::Noted, events::Intent, events::StepOutcome,
                              events::Checked, events::StageFailed, events::UndoBegun, events::UndoIntent,
                              events::UndoOutcome, events::Resolved, events::StageEnded, events::LockBroken,
                              events::Adopted, events::RunEnded>;

    std::int64_t time_ms = 0;  // the run's clock, milliseconds since 1970
    Body body;
    Reason why = Reason::None;  // of an undo that is held; the journal does not keep it

    [[nodiscard]] EventKind kind() const { return static_cast<EventKind>(body.index()); }
    // The body, or what it has in common with others (InStage, AtStep, OfStep); null if it has not.
    template <class Part>
    [[nodiscard]] const Part* as() const {
        return std::visit(
            [](const auto& it) -> const Part* {
                if constexpr (std::derived_from<std::remove_cvref_t<decltype(it)>, Part>)
                    return &it;
                else
                    return nullptr;
            },
            body);
    }
};

// "run-begun", "outcome", ..: as the journal has it.
std::string name(EventKind kind);

// The body as the journal has it, and back. The error: the name is none of an event, a value is not of its
// type, or something is not there without which such an event means nothing. What older formats do not have
// is as it is by default; keys of a later migc are no mistake.
nlohmann::json encode(const Event::Body& body);
tl::expected<Event::Body, std::string> decode(const std::string& name, const nlohmann::json& body);
// Likewise of what a stage's beginning has.
nlohmann::json encode(const PinnedEnvironment& environment);

}  // namespace migc::runtime::inline journal
