// Whether a run could begin, and be taken back, from here: what `migc doctor` tells. Everything is only read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ir/program.hpp"
#include "runtime/evaluate/environment.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline inspect {

enum class Health { Well, Note, Trouble };  // a note: nothing to mend, or not known

struct Diagnosis {
    Health health = Health::Well;
    std::string subject;  // "kubectl", "staging", "the journal"
    std::string text;     // what was found, as a sentence part
    std::string mend;     // of trouble: what to do about it
};
using Diagnoses = std::vector<Diagnosis>;

// What is found about one subject.
class Examined {
  public:
    Examined(std::string subject, Diagnoses& found) : subject_(std::move(subject)), found_(found) {}
    void well(std::string text) const { found_.push_back({Health::Well, subject_, std::move(text), {}}); }
    void note(std::string text) const { found_.push_back({Health::Note, subject_, std::move(text), {}}); }
    void trouble(std::string text, std::string mend) const {
        found_.push_back({Health::Trouble, subject_, std::move(text), std::move(mend)});
    }

  private:
    std::string subject_;
    Diagnoses& found_;
};

// The program behind each tool that a script uses, or of all that the standard library wraps: there, and
// which version. Only what the script uses is trouble where it is missing.
void examine_tools(const ir::Program& program, Tools& tools, Diagnoses& found);

// The cluster of an environment that uses one: reachable, which it is, its namespace, and until when the
// credentials are good; and its terraform folder. `until` is when they have to be good, in milliseconds since
// 1970.
void examine_environment(const ir::Program& program, const StageEnvironment& environment, bool uses_cluster,
                         Time until, Tools& tools, Diagnoses& found);

// Whether the operator may do in the cluster what a planned stage and its undo do there.
void examine_rights(const ir::Program& program, const PlanStage& planned, const StageEnvironment& environment,
                    Tools& tools, Diagnoses& found);

// Whether the disk of a folder has room for what a long run writes.
void examine_room(const std::filesystem::path& folder, Diagnoses& found);

// The folder of the journal: whether it can be written, is private, and has room; and the locks.
void examine_journal(const std::filesystem::path& root, Diagnoses& found);

// The rights that a command of kubectl takes: {"patch", "deployments/scale"}. Empty for another program, and
// for what only reads.
struct Right {
    std::string verb;
    std::string resource;
    auto operator<=>(const Right&) const = default;
};
std::vector<Right> rights_of(const PlannedCommand& command);

// When a certificate (PEM, perhaps in base64) or a token (JWT) ends, in milliseconds since 1970; nothing if
// it does not say or cannot be read. The certificate is read by openssl.
std::optional<Time> end_of_certificate(const std::string& base64_pem, Tools& tools);
std::optional<Time> end_of_token(const std::string& token);

// For people, one line each; marks in the terminal's character set.
std::string render(const Diagnoses& found);
nlohmann::json to_json(const Diagnoses& found);

}  // namespace migc::runtime::inline inspect
