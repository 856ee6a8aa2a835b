// What a run would do, read only: nothing is changed, and nothing is written down.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/engine/options.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime {

// Reads the world as it is now; each step meets it as the steps before will have left it (see foreseen.hpp).
// {"title", "properties": {"reason", ..}, "mode", "digests": {"change", "run", "parts"}, "emergency" (if it
// is one), "lets": [{"name", "value"}], "problems": [..] (what the script requires and is not so), "open" (if
// there is such): [..] (what it requires and the plan does not know),
//  "stages": [{"stage", "environment", "context", "namespace", "gates": [{"text", "open", "why", "known"}],
//              "steps": [{"step", "kind", "text", "layer", "command", "captures", "effects": [{"probe",
//              "before", "after", "fields", "was"}], "needs": [..] (known only later), "undo",
//              "undo_commands", "kept", "limit", "already", "problems", "known", "when", "seen", "objects"}],
//              "times": {"steps_ms", "soaks_ms", "soaks_between_ms", "undo_ms", "no_return",
//              "windows": [{"window", "last_safe_start"}]}, "on_failure"}]}
// Values are shown as text, "(known after step 6)" where only the run can know them; times are upper bounds,
// in milliseconds; "last_safe_start" is empty for a window that is too short for steps and undo. "known" says
// what of an `if`, a `for` or a gate only the run can know, "when" under which condition a step comes at all.
// What `live_drift` compares besides: "was" is an object as it is, "seen" what was captured, "objects" the
// UIDs of the objects that were looked at. The problem: a stage has no environment, or a parameter no value.
tl::expected<nlohmann::json, Problem> make_plan(const ir::Program& program,
                                                const project::Inventory& inventory, Tools& tools,
                                                const RunOptions& options);

// The digests alone, as in the plan; nothing but kubectl is asked, for which cluster it is.
tl::expected<nlohmann::json, Problem> make_digests(const ir::Program& program,
                                                   const project::Inventory& inventory, Tools& tools,
                                                   const RunOptions& options);

// Whether a step will certainly not go well as things are: a need that will not hold, a file that is missing,
// an object that the server refuses.
bool has_problem(const nlohmann::json& plan);

// The same for people, as plain text.
std::string render_plan(const nlohmann::json& plan);

// As Markdown, for a pull request. With "affected": [{"layer", "what", "environments", "readers"}] it also
// says what is changed in all, and who reads it.
std::string render_plan_markdown(const nlohmann::json& plan);

// Both in one; a problem becomes the text.
std::string plan(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
                 const RunOptions& options);

}  // namespace migc::runtime
