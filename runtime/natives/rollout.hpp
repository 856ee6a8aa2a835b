// Whether a workload has caught up with what it was asked for: a judgement over what kubectl printed.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace migc::runtime {

struct Verdict {
    bool ready = false;
    std::string why;        // "2 of 4 pods of webapi are ready; webapi-7f-x: ImagePullBackOff: .."
    bool hopeless = false;  // waiting cannot mend it
};

// `items` holds at least the replica sets and pods of the workload's namespace; `shown` is its name for
// people.
Verdict judge(const nlohmann::json& workload, const nlohmann::json& items, const std::string& shown);

// How many of its pods are ready, by its own word.
std::int64_t ready_count(const nlohmann::json& workload);

// What keeps a pod from being ready: "ImagePullBackOff: Back-off pulling image ..". Empty if nothing is seen.
struct PodTrouble {
    std::string text;
    bool hopeless = false;
};
PodTrouble pod_trouble(const nlohmann::json& pod);

}  // namespace migc::runtime
