// A saved terraform plan, as `terraform show -json` prints it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace migc::runtime {

struct PlannedChange {
    std::string address;  // module.cluster.node_pool.main[0]
    std::string what;     // add, change, destroy, replace, forget
};

struct PlanSummary {
    std::int64_t adds = 0;
    std::int64_t changes = 0;
    std::int64_t destroys = 0;  // a replaced resource counts as added and as destroyed
    std::vector<PlannedChange> touched;
};

// The error: the JSON is no plan, or a plan that did not come to its end.
tl::expected<PlanSummary, std::string> summarize(const nlohmann::json& plan);

// Whether an address is the allowed one, an instance of it, or inside the allowed module.
bool is_within(const std::string& address, const std::string& allowed);

}  // namespace migc::runtime
