// Which field of which thing an effect is on, and whether one effect takes back another.
#pragma once

#include "compiler/checks/timeline.hpp"

namespace migc::checks {

// The field that a probe reads, with these arguments; see Effect::pointer.
std::optional<std::string> field_of(const ir::Probe& probe,
                                    const std::vector<std::optional<Value>>& arguments);

// Whether a pod starts anew when the field changes: the pod template, or the count of pods becoming none.
bool starts_pods_anew(const Effect& effect);
// The number that a workload's count of pods becomes, where the effect is on that; nothing for other effects.
struct Count {
    Thing workload;
    std::optional<std::int64_t> number;
};
std::optional<Count> count_of(const Effect& effect);

// Whether it only makes pods start anew, so that there is no value to be brought back.
bool is_restart(const Effect& effect);
// Whether what the one has changed may be brought back by the other: the same state variable, one that is
// part of it, or one of which only a run could tell.
bool may_restore(const Effect& change, const Effect& back);
// Whether both are known to be on exactly one state variable.
bool same_variable(const Effect& a, const Effect& b);

}  // namespace migc::checks
