// What is reviewed is what runs: the parts of a change and of a run, their digests, and what differs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/project/inventory.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/review/inputs.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline reviews {

// Two digests, each SHA-256 in hexadecimal over the JSON of its parts:
//
//   change  {"program": D, "files": {path: D}}: what the script does, its parameters by name, and the files
//           that it names. The same for every environment: promotion evidence names it.
//   run     {"change": D, "stages": [{stage, environment, context, namespace, protected, settings, values,
//           secrets}], "tools": {name: {program, digest}}, "title": .., "approvers": {..},
//           "approver_users": {..}, "freezes": [..], "mode": ..}: approvals name it. Of a secret it holds
//           where it comes from, never its value.
struct Reviewed {
    nlohmann::json change;
    nlohmann::json run;

    [[nodiscard]] std::string change_digest() const;
    [[nodiscard]] std::string run_digest() const;
    // {"change": D, "run": D, "parts": {"change": .., "run": ..}}: what a saved plan keeps under "digests".
    [[nodiscard]] nlohmann::json journal() const;
};

// The file of a declared tool, which is no other one from now on, or it is not started; nothing where there
// is none. A path is relative to the project's root, where tools are run.
std::optional<ProgramFile> pin(const ir::Tool& tool, const std::filesystem::path& root, Tools& tools);

Reviewed review(const ir::Program& program, const std::vector<BoundStage>& stages,
                const project::Inventory& inventory, Inputs& inputs, Tools& tools);

// What is not as the saved plan says, one sentence each: files, the script, values, environments, tools.
// `plan` is what `journal` made.
std::vector<std::string> drift(const nlohmann::json& plan, const Reviewed& now);

// Why this is not what was asked for by --expect or --plan, as a sentence; nothing if it is.
std::optional<std::string> refusal(const RunOptions& options, const Reviewed& now);

}  // namespace migc::runtime::inline reviews
