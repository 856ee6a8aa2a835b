// Whether a workload has caught up with what it was asked for: a judgement over what kubectl printed.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

struct Readiness {
    bool ready = false;
    std::string why;         // "2 of 4 pods of webapi are ready; webapi-7f-x: ImagePullBackOff: .."
    bool permanent = false;  // waiting cannot mend it
};

// `items` holds at least the replica sets and pods of the workload's namespace, and its controller revisions
// if `is_told_by_revision`; `shown` is its name for people.
Readiness judge(const nlohmann::json& workload, const nlohmann::json& items, const std::string& shown);

// Whether only the controller revisions tell which of a workload's pods are the newest: a daemon set that
// went back to an older template has pods of several generations, and the oldest may be right.
bool is_told_by_revision(const nlohmann::json& workload, const nlohmann::json& items);

// How many of its pods are ready, by its own word.
std::int64_t ready_count(const nlohmann::json& workload);

// What keeps a pod from being ready: "ImagePullBackOff: Back-off pulling image ..". Empty if nothing is seen.
struct PodTrouble {
    std::string text;
    bool permanent = false;
};
PodTrouble pod_trouble(const nlohmann::json& pod);

// Whether the cluster has caught up with what a workload asks for, with the words for where it has not:
// pods.cpp.
Reading rollout_complete(Host& host, const Arguments& arguments);

}  // namespace migc::runtime::inline natives
