#include "runtime/natives/plan.hpp"

#include <algorithm>

#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

void count(PlanSummary& plan, const std::string& address, const json& actions) {
    const auto has = [&](const char* action) {
        return std::find(actions.begin(), actions.end(), action) != actions.end();
    };
    const bool adds = has("create");
    const bool destroys = has("delete");
    plan.adds += adds ? 1 : 0;
    plan.destroys += destroys ? 1 : 0;
    plan.changes += has("update") ? 1 : 0;
    if (adds && destroys)
        plan.touched.push_back({address, "replace"});
    else if (adds || destroys)
        plan.touched.push_back({address, adds ? "add" : "destroy"});
    else if (has("update"))
        plan.touched.push_back({address, "change"});
    else if (has("forget"))
        plan.touched.push_back({address, "forget"});
}

}  // namespace

tl::expected<PlanSummary, std::string> summarize(const json& plan) {
    if (text_field(plan, "/format_version").empty())
        return tl::unexpected<std::string>("terraform: this is no plan");
    if (field(plan, "/errored") == json(true))
        return tl::unexpected<std::string>("the plan is incomplete: terraform met an error while making it");
    PlanSummary summary;
    for (const auto& change : field(plan, "/resource_changes"))
        count(summary, text_field(change, "/address"), field(change, "/change/actions"));
    return summary;
}

bool is_within(const std::string& address, const std::string& allowed) {
    if (allowed.empty() || !address.starts_with(allowed)) return false;
    return address.size() == allowed.size() || address[allowed.size()] == '.' ||
           address[allowed.size()] == '[';
}

}  // namespace migc::runtime
