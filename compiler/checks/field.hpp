// Which field of which thing an effect is on, and whether one effect takes back another.
#pragma once

#include "compiler/checks/timeline.hpp"

namespace migc::checks {

// The field that a probe reads, with these arguments of its role; see Effect::pointer.
std::optional<std::string> field_of(const ir::Probe& probe, const std::vector<std::optional<Value>>& role);

// Whether it may be any field of an object, with any value: what `patch object` changes.
bool is_free_field(const Effect& effect);
// Whether an event takes an object of the cluster away.
bool deletes_object(const Event& event);
// Whether two fields of one thing are the same, or one holds the other.
bool share_field(std::string_view a, std::string_view b);
// Whether a field is the number of a workload's pods.
bool is_count_of_pods(std::string_view pointer);
// Whether it is on the range in which an autoscaler sets a workload's number of pods.
bool is_autoscaling(const Effect& effect);
// The effects of a change on the cluster or a file. Where a verb tells which value of a file it sets, that
// the file is then another one says nothing more.
std::vector<const Effect*> telling_effects(const Event& change);
// The image that an event gives to a container: the effect on it; null if it gives none.
const Effect* image_of(const Event& event);
// Whether an effect is on the image of a container, in the cluster or in a file.
bool is_image_of_container(const Effect& effect);
// Whether another image may come of it.
bool may_change_image(const Effect& effect);

// Whether what changes the one field of a thing may change the other.
bool may_change(std::string_view changed, std::string_view asked);
// Whether no pod may be left of a workload of which the field changes.
bool may_take_all_pods(std::string_view field);

// Whether a pod starts anew when the field changes: the pod template, or the count of pods becoming none.
bool starts_pods_anew(const Effect& effect);
// The number that a workload's count of pods becomes, where the effect is on that; nothing for other effects.
struct Count {
    ResourceKey workload;
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
