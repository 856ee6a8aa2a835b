// What an environment is: where a stage of this run works, and where its environment lies whatever the
// options of a run say. See trust/place.hpp.
#pragma once

#include <string>

#include "runtime/evaluate/evaluate.hpp"
#include "runtime/trust/place.hpp"

namespace migc::runtime::inline evaluation {

// As the stage was or is run.
trust::Place place_of(const ir::Program& program, const project::Inventory& inventory, const ir::Stage& stage,
                      const StageEnvironment& environment);

// As migc.yaml has the stage's environment now, and its cluster says, where it can be reached: without what
// --context, --namespace and --set say of this run. In a live run a `cluster-uid` of migc.yaml is believed,
// and nobody asked.
trust::Place place_now(const EvalContext& eval_context, const ir::Stage& stage);

// What `same_place` says of a place and where the stage's environment lies now. The error also where the
// script has no such stage.
tl::expected<std::string, std::string> is_where_it_is(const EvalContext& eval_context,
                                                      const std::string& stage, const trust::Place& then);

// Why what a stage of this run did elsewhere, where --context or --namespace sent it, says nothing for
// another one that works where it belongs; empty if both do, or neither does.
std::string is_elsewhere(const EvalContext& eval_context, const std::string& stage,
                         const StageEnvironment& gated);

}  // namespace migc::runtime::inline evaluation
