// Where a stage acts: the cluster, the namespace, the terraform folder, the values of the parameters.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/journal/event.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline evaluation {

struct StageEnvironment {
    std::string name;
    // What `Setting` expressions read: context, namespace, kubeconfig, environment, root, terraform-dir,
    // var-file, run-folder, stage-began, cluster (which it is: see cluster_identity), context-given ("yes" if
    // an option says it, in place of what the environment itself says). One that does not apply is not there.
    std::map<std::string, std::string> settings;
    std::map<std::string, Value> parameters;  // of the script, as this environment has them
    std::vector<std::string> secrets;         // names of parameters that are never written down
    bool is_protected = false;
    bool outside = false;  // of all stages: see common_environment

    // From now on none of its secrets is shown. Not so a short one that a run writes down anyway: "staging"
    // is no secret, whoever has it as a password, and a journal in which it is hidden could not be read any
    // more.
    void redact_secrets(const ir::Program& program) const;
    // Whether a text stands in what a run writes down: the script, the settings, the journal's own words.
    [[nodiscard]] bool shows(const ir::Program& program, const std::string& text) const;
    // "" if it does not apply.
    [[nodiscard]] std::string setting(const std::string& key) const;
    // What the journal keeps, so that an undo meets the same cluster; and back.
    [[nodiscard]] PinnedEnvironment journal() const;
    static StageEnvironment from_journal(const PinnedEnvironment& pinned);
};

// Asks kubectl for its contexts only if the stage uses kubectl and migc.yaml does not name one. The problem
// is a refusal: a protected stage for which nobody said which cluster it means, a parameter without a value;
// live, a cluster or a terraform workspace that is not the one that migc.yaml says it is.
tl::expected<StageEnvironment, Problem> resolve_environment(const ir::Program& program,
                                                            const ir::Stage& stage,
                                                            const project::Inventory& inventory,
                                                            const RunOptions& options, Tools& tools);

// Completes an environment that uses a cluster: its context where migc.yaml does not name one, its namespace,
// and under `cluster` which cluster it is, where kubectl can tell. The program may declare another kubectl.
tl::expected<void, Problem> resolve_cluster(const ir::Program& program, StageEnvironment& environment,
                                            Tools& tools);

// What kubectl answers about an environment's cluster; the program may declare another kubectl. The context
// is an argument like any other.
Answer ask_kubectl(const ir::Program& program, const StageEnvironment& environment, Tools& tools,
                   const std::vector<std::string>& arguments);

// What tells one cluster from another, whatever it is called: the UID of its namespace kube-system. The
// error: it could not be read.
tl::expected<std::string, std::string> cluster_identity(const ir::Program& program,
                                                        const StageEnvironment& environment, Tools& tools);

// The same as far as migc.yaml and the options tell: no cluster is asked for, no secret is read, and a
// parameter without a value has none.
StageEnvironment declared_environment(const ir::Program& program, const ir::Stage& stage,
                                      const project::Inventory& inventory, const RunOptions& options);

// What a secret is where none is read.
constexpr const char* secret_unread = "known after the run has read the secret";

// Reads the stage's secrets from where migc.yaml says they are: for a run, and again for an undo, since the
// journal keeps none. A run that is not live needs none, and has "(secret)". The problem names what is
// missing. With `reads` false nothing is read and no command is run: it is only looked whether they could be.
std::optional<Problem> read_secrets(const ir::Program& program, const project::Inventory& inventory,
                                    Tools& tools, StageEnvironment& environment, bool reads = true);

// What stands outside of the stages is evaluated in: the project's root, and the values of parameters from
// --set, else the defaults. No tool but git is asked there, for nobody says in which cluster.
StageEnvironment common_environment(const ir::Program& program, const project::Inventory& inventory,
                                    const RunOptions& options);

// Whether anything that the stage reaches runs kubectl; natives may.
bool uses_kubectl(const ir::Program& program, const ir::Stage& stage);

// The workspace that is selected in the environment's terraform folder, as terraform itself keeps it there;
// "" for the one that there always is, and where there is no such folder.
std::string terraform_workspace(const StageEnvironment& environment);

// The run's own copy of a path, if the run's folder has one; else the path itself.
std::filesystem::path copied_input(const std::filesystem::path& run_folder, const std::filesystem::path& root,
                                   const std::string& path);

}  // namespace migc::runtime::inline evaluation
