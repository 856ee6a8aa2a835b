// What a run would do, read only: nothing is changed, and nothing is written down.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/checks/affected.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/semantics/bounds.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline plans {

// Texts are for people, in valid UTF-8 and without secrets.

// A value, on one line.
struct PlanValue {
    enum class Kind : std::uint8_t {
        Known,  // or not to be had; then the text says why
        Absent,
        LeftOpen,  // "(known after step 6)": only the run can tell
    };
    std::string text;
    Kind kind = Kind::Known;
};

// Of two objects the fields that differ, by JSON pointer: "/spec/replicas" has 2 and 4; null is absent.
using FieldChanges = std::map<std::string, std::pair<nlohmann::json, nlohmann::json>>;

struct PlanEffect {
    std::string probe;  // "replicas of webapi"
    PlanValue before;
    PlanValue after;                          // "different" where that is all that is declared
    std::optional<FieldChanges> fields = {};  // of objects
    std::optional<nlohmann::json> was = {};   // the object before
};

struct PlanUndo {
    ir::UndoKind kind = ir::UndoKind::Steps;
    std::string text;
};

// Of a call that runs a command itself.
struct PlanAction {
    Preview command;
    std::string layer;  // "cluster"
    std::vector<PlanEffect> effects;
    bool already = false;  // what it declares holds as things are
    std::vector<Preview> undo_commands;
};

// In the order of their words in json.cpp.
enum class PlanStepKind : std::uint8_t { Call, Verify, Soak, Let, If, For, Statement };

struct PlanStep {
    std::string number;  // "2.1[1]", within its stage
    PlanStepKind kind = PlanStepKind::Statement;
    std::string text;
    std::vector<std::string> problems = {};
    std::vector<std::string> needs = {};  // what it needs, and only the run can tell
    std::string known = {};  // what else of it only the run can tell; of an `if` which way it goes
    std::string when = {};   // the condition under which it comes at all
    std::string limit = {};
    std::optional<std::map<std::string, std::string>> captures = {};  // of a call that can begin
    std::vector<std::string> kept = {};                               // secrets that are kept for its undo
    std::optional<PlanAction> action = {};
    std::optional<PlanUndo> undo = {};
    // What `live_drift` compares besides effects: what was captured, and the UIDs of the objects that were
    // looked at.
    std::map<std::string, Value> seen = {};
    std::map<std::string, std::string> objects = {};
};

struct PlanGate {
    std::string text;
    bool open = false;
    std::string why = {};    // of a closed one
    std::string known = {};  // "known after step 2 of staging"
};

// A maintenance window, and when its stage begins at the latest; empty for one that is too short for the
// steps and their undo.
struct PlanWindow {
    std::string window;
    std::string last_safe_start;
};

struct PlanStage {
    std::string name;
    std::string environment;
    std::string context;
    std::string name_space;
    std::vector<PlanGate> gates;
    std::vector<PlanStep> steps;
    std::string on_failure;
    semantics::Times times;  // upper bounds
    std::vector<PlanWindow> windows;
};

struct PlanLet {
    std::string name;
    PlanValue value;
};

// As `Reviewed` has them.
struct PlanDigests {
    std::string change;
    std::string run;
    nlohmann::json parts;
};

struct Plan {
    std::string title;
    std::map<std::string, std::string> properties;  // "reason", "ticket"
    std::string mode;                               // "live", "simulated"
    PlanDigests digests;
    std::optional<std::string> emergency;
    std::vector<PlanLet> lets;
    std::vector<std::string> problems;  // what the script requires and is not so
    std::vector<std::string> open;      // what it requires and the plan does not know
    std::vector<PlanStage> stages;
    std::optional<std::vector<checks::Affected>> affected;  // what is changed in all, where it was asked for
};

// Reads the world as it is now; each step meets it as the steps before will have left it (see foreseen.hpp).
// The problem: a stage has no environment, or a parameter no value.
tl::expected<Plan, Problem> make_plan(const ir::Program& program, const project::Inventory& inventory,
                                      Tools& tools, const RunOptions& options);

// The digests alone, as in the plan; nothing but kubectl is asked, for which cluster it is.
tl::expected<PlanDigests, Problem> make_digests(const ir::Program& program,
                                                const project::Inventory& inventory, Tools& tools,
                                                const RunOptions& options);

// Takes the secrets out of it.
void redact(Plan& plan);

// Whether a step will certainly not go well as things are: a need that will not hold, a file that is missing,
// an object that the server refuses.
bool has_problem(const Plan& plan);

// What the world holds that is not as it was when the plan was made, one sentence each.
std::vector<std::string> live_drift(const Plan& before, const Plan& now);

// Its JSON, for other programs and saved plans; times are in milliseconds.
void to_json(nlohmann::json& out, const Plan& plan);
// Of a saved plan what `live_drift` compares, and no more. The error is a sentence without a full stop.
tl::expected<Plan, std::string> saved_plan(const nlohmann::json& saved);

// The same for people, as plain text.
std::string render_plan(const Plan& plan);

// As Markdown, for a pull request.
std::string render_plan_markdown(const Plan& plan);

}  // namespace migc::runtime::inline plans
