// What a project would execute on this machine, and whether the user wants that.
//
// kubectl, docker, curl, git and the like are the machine's, and where the standard library says how they are
// run, a project has no word in it. Everything else is the project's: tools that it declares, commands that
// its own verbs and probes give to any tool, programs of its own, commands that migc.yaml names for secrets,
// a kubeconfig of its own that runs a plug-in or names files outside, and terraform, which runs what its
// folder says (providers, data sources, a backend's plug-in). So is whatever PATH finds in the project, also
// under the machine's names.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline evaluation {

// A plan only looks: there also a command in a pod is the project's. A run was begun to act there.
enum class Work { Looks, Acts };

struct ProjectProgram {
    std::string name;          // as the project names it: "helm", "scripts/migrate.sh"
    std::string path;          // its file; empty: only the run can tell
    std::string digest;        // SHA-256 of that file; empty if it is not there
    std::string why;           // for people: "helm is run as the project says"
    std::vector<Span> places;  // where the project says so, as far as scripts do
};

// Begins the reason where a tool, called as one of the machine's, is found in the project.
constexpr std::string_view own_program = "the project would run its own ";

// The program that a name finds on PATH, if it lies in the project: whatever it is called, it is the
// project's.
std::optional<ProjectProgram> lying_in_project(const std::string& name, const std::filesystem::path& root,
                                               Tools& tools);

// What of the project a command line would execute; nothing if nothing is. `path` and `digest` are left open.
std::optional<ProjectProgram> of_project(const CommandLine& command, const std::filesystem::path& root,
                                         Work work);

// What the run of a script may execute of the project, each program once. `tools` finds the machine's.
std::vector<ProjectProgram> project_programs(const ir::Program& program, const project::Inventory& inventory,
                                             const RunOptions& options, Tools& tools);

// Whether the user's own configuration allows it, by its name or path and its digest.
bool is_configured(const ProjectProgram& program, const std::filesystem::path& root);

// Begins the reason of what was not begun because nobody has allowed it, and of what is not known for that.
constexpr std::string_view not_read_mark = "not read: ";
bool is_not_allowed(const Answer& answer);

// Hands on what is the machine's, and of the project's what is allowed. All else is not started.
class ConsentedTools final : public ForwardingTools {
  public:
    using Allows = std::function<bool(const ProjectProgram&)>;

    // Without `allows` everything is allowed.
    ConsentedTools(std::unique_ptr<Tools> tools, std::filesystem::path root, Work work, Allows allows);

    [[nodiscard]] const std::filesystem::path& root() const { return root_; }
    // What was not started, by name.
    [[nodiscard]] std::map<std::string, ProjectProgram> refused() const;

    Answer run(const CommandLine& command) override;
    std::unique_ptr<Watch> watch(const CommandLine& command) override;

  private:
    // What of the project it would execute; nothing where everything is allowed.
    [[nodiscard]] std::optional<ProjectProgram> asked_for(const CommandLine& command) const;
    // Why it is not started; empty if it is.
    std::string refusal(const CommandLine& command, std::optional<ProjectProgram> program);
    [[nodiscard]] CommandLine on_machine(CommandLine command) const;

    std::unique_ptr<Tools> owned_;
    std::filesystem::path root_;
    Work work_;
    Allows allows_;
    std::optional<std::string> path_;  // in place of PATH, for the machine's own
    mutable std::mutex mutex_;
    std::map<std::string, ProjectProgram> refused_;
};

}  // namespace migc::runtime::inline evaluation
