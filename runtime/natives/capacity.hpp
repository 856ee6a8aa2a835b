// How many more pods the nodes of a cluster can take, by what is requested, not by what is used.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/value.hpp"

namespace migc::runtime::inline natives {

// An amount that a manifest or a server writes as a text or as a number.
tl::expected<Quantity, std::string> quantity_of(const nlohmann::json& written);

// Amounts by resource name: cpu in cores, memory in bytes, pods.
using Amounts = std::map<std::string, double>;

// What one pod of a template, or a running pod, requests; `pods` is always 1. The error: an amount that is
// none.
tl::expected<Amounts, std::string> requests_of(const nlohmann::json& pod_or_template);

struct Room {
    std::string node;
    Amounts free;
};

// What is free on the nodes that may take a pod of this template: ready, not cordoned, taints tolerated,
// node selector matched.
tl::expected<std::vector<Room>, std::string> free_room(const nlohmann::json& nodes,
                                                       const nlohmann::json& pods,
                                                       const nlohmann::json& pod_template);

// How many of `wanted` pods find a place, first fit.
std::int64_t fitting(std::vector<Room> rooms, const Amounts& request, std::int64_t wanted);

}  // namespace migc::runtime::inline natives
