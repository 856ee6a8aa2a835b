// terraform's JSON: a plan, beside itself and beside a state of the same text.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/natives/plan.hpp"

using namespace migc::runtime;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 16) return 0;
    const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
    if (json.is_discarded()) return 0;
    const auto state = entries_of(json);
    const auto plan = summarize(json);
    if (!plan) return 0;
    // What the state shows of a plan is a part of what the plan brings about.
    if (facts_in(*plan, state, false).size() > facts_of(*plan).size()) std::abort();
    if (not_created(*plan, state).size() > plan->touched.size()) std::abort();
    beyond_taking_back(*plan, *plan);
    if (!left_standing(*plan, *plan).empty()) std::abort();
    return 0;
}
