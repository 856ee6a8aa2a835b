// A saved terraform plan, as `terraform show -json` prints it, beside the state and beside another plan.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

struct PlannedChange {
    std::string address;     // module.cluster.node_pool.main[0]
    std::string what;        // add, change, destroy, replace, forget, import, move
    nlohmann::json before;   // attributes, sensitive ones too: never for messages; null where there is none
    nlohmann::json after;    // without what is known only after the apply
    nlohmann::json unknown;  // where `after` is not known yet: true, or the same shape with true inside
};

struct PlanSummary {
    std::int64_t adds = 0;
    std::int64_t changes = 0;
    std::int64_t destroys = 0;  // a replaced resource counts as added and as destroyed
    std::vector<PlannedChange> touched;
    std::vector<PlannedChange> outputs;  // which values of outputs change; address "output.NAME"
};

// The error: the JSON is no plan, or a plan that did not come to its end.
tl::expected<PlanSummary, std::string> summarize(const nlohmann::json& plan);

// Whether an address is the allowed one, an instance of it, or inside the allowed module.
bool is_within(const std::string& address, const std::string& allowed);

// What the state holds at an address.
struct StateEntry {
    nlohmann::json values;
    bool tainted = false;  // created, but not to the end
};
// By address; outputs as "output.NAME". `state` is what `terraform show -json` prints of it.
std::map<std::string, StateEntry> entries_of(const nlohmann::json& state);

// The facts that a plan brings about, one or two for each change: "create a.b[0]", "create a.b[0] complete".
// Of a plan that touches resources the outputs are none.
std::vector<std::string> facts_of(const PlanSummary& plan);
// Those of them that the state shows. `ended_well`: terraform itself said that it did all; then a value that
// is neither the old nor the planned one is what a provider made of the planned one.
std::vector<std::string> facts_in(const PlanSummary& plan, const std::map<std::string, StateEntry>& state,
                                  bool ended_well);
// Addresses of what the plan creates and the state does not hold.
std::vector<std::string> not_created(const PlanSummary& plan, const std::map<std::string, StateEntry>& state);

// What `back` would do besides taking back what `forward` does; nothing in it if it does only that, be it all
// or a part. Values are never told, attributes by name only.
std::vector<std::string> beyond_taking_back(const PlanSummary& back, const PlanSummary& forward);
// What `back` leaves as `forward` makes it, by address.
std::vector<std::string> left_standing(const PlanSummary& back, const PlanSummary& forward);
// The same, of what the state shows that `forward` has done.
std::vector<std::string> left_standing(const PlanSummary& back, const PlanSummary& forward,
                                       const std::map<std::string, StateEntry>& state);

}  // namespace migc::runtime::inline natives
