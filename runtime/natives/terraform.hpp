// What the natives of terraform share: running it, and the files that lie beside a saved plan.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/plan.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// What terraform complained of, on one line: without its frames and warnings; of a lock, who holds it.
std::string terraform_complaint(Answer answer);
// The answer of a command that changes something, with the complaint in place of terraform's own text.
Answer told_plainly(Answer answer);

using PrintedJson = tl::expected<nlohmann::json, std::string>;
// Standard output as a JSON object; the error is the complaint.
PrintedJson printed_json(const Answer& answer);

tl::expected<PlanSummary, std::string> read_plan(Host& host, const std::string& file);
// The state as `terraform show -json` prints it.
PrintedJson shown_state(Host& host);

// Which state it is, and how far it has come; no lineage and no serial before the first apply.
struct StateIdentity {
    std::string workspace;
    std::string lineage;
    std::int64_t serial = 0;
    friend bool operator==(const StateIdentity&, const StateIdentity&) = default;
};
// The state of the workspace that is selected.
tl::expected<StateIdentity, std::string> state_identity(Host& host);
tl::expected<std::string, std::string> selected_workspace(Host& host);

// Why nothing can be said or done: the last apply could not store the state, and left it in a file.
std::optional<std::string> state_left_behind(Host& host);

}  // namespace migc::runtime::inline natives
