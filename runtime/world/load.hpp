// The parts of loading a world file.
#pragma once

#include "runtime/world/fields.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

void load_cluster(Cluster& cluster, Fields fields);
// Each of these reads one key of the world.
void load_web(Simulation& world, Fields& fields);
void load_terraform(Simulation& world, Fields& fields);
void load_programs(Simulation& world, Fields& fields);
void load_git(Simulation& world, Fields& fields);
void load_registry(Simulation& world, Fields& fields);

// `image`, `configmap`, `key`, `value` of a map.
PodCondition condition_of(Fields& fields);
// `status`, `output`, `errors` and `duration`.
void load_ending(ProgramEnding& ending, Fields& fields);

}  // namespace migc::runtime::inline world
