// The parts of loading a world file.
#pragma once

#include "runtime/world/fields.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

void load_cluster(Cluster& cluster, const YamlNode& node, Diagnostics& diagnostics);
void load_web(Simulation& world, const std::vector<YamlNode>& endpoints, Diagnostics& diagnostics);
void load_terraform(Simulation& world, const YamlNode& directories, Diagnostics& diagnostics);
void load_programs(Simulation& world, const YamlNode& programs, Diagnostics& diagnostics);
void load_git(Simulation& world, Fields& fields, Diagnostics& diagnostics);
void load_registry(Simulation& world, const YamlNode& images, Diagnostics& diagnostics);

// `image`, `configmap`, `key`, `value` of a map.
PodCondition condition_of(Fields& fields);
std::vector<FailRule> fail_rules(const std::vector<YamlNode>& rules, Diagnostics& diagnostics);

}  // namespace migc::runtime::inline world
