// Keys of a ConfigMap that pods cannot start without: after the last step of a stage each one that a workload
// names is there.
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// `configMapKeyRef`, where the key must be there.
struct Needed {
    std::string map, key;
    std::string pointer;  // of the reference, in the workload
};

void find_needed(const json& part, const std::string& pointer, std::vector<Needed>& found) {
    if (part.is_object() && part.contains("configMapKeyRef") && part["configMapKeyRef"].is_object()) {
        const json& reference = part["configMapKeyRef"];
        if (reference.value("optional", json()) != true)
            found.push_back({text_field(reference, "/name"), text_field(reference, "/key"),
                             pointer + "/configMapKeyRef/key"});
        return;
    }
    if (part.is_object())
        for (const auto& [key, value] : part.items())
            if (key.find('/') == std::string::npos) find_needed(value, pointer + "/" + key, found);
    if (part.is_array())
        for (std::size_t i = 0; i < part.size(); ++i)
            find_needed(part[i], fmt::format("{}/{}", pointer, i), found);
}

// What a stage leaves of ConfigMaps and workloads.
class Left {
  public:
    Left(const CheckContext& picture, const StageEvents& course) : picture_(picture), course_(course) {}

    void check(Diagnostics& diagnostics) {
        for (const Event& event : course_.forward)
            if (event.act == EventKind::Change) note(event);
        std::set<ResourceKey> workloads;
        for (const auto& [thing, event] : touched_) {
            if (is_workload(thing))
                workloads.insert(thing);
            else
                for (const Object* reader : picture_.manifests.readers(thing))
                    workloads.insert(reader->thing);
        }
        for (const ResourceKey& workload : workloads) look_at(workload, diagnostics);
    }

  private:
    void note(const Event& event) {
        for (const ResourceKey& thing : event.things)
            if (is_workload(thing) || thing.starts_with("configmap/")) touched_[thing] = &event;
        if (event.object != nullptr) {
            applied_[event.object->thing] = event.object;
            unknown_.erase(event.object->thing);
            keys_.erase(event.object->thing);
            return;
        }
        for (const Effect& effect : event.effects) note(event, effect);
    }

    // A field that is set in the cluster. What else happens to a whole thing nobody knows.
    void note(const Event& event, const Effect& effect) {
        static const std::string data = "/data/";
        const bool is_field = effect.pointer && !effect.pointer->empty() && !event.conditional;
        const bool is_map = effect.thing.starts_with("configmap/");
        if (is_map && is_field && effect.pointer->starts_with(data) && effect.value)
            keys_[effect.thing][effect.pointer->substr(data.size())] = !effect.value->is_absent();
        else if (is_map || !is_field || effect.pointer->find("/env") != std::string::npos)
            unknown_.insert(effect.thing);
    }

    // As it is after the stage; null if that is not known.
    [[nodiscard]] const Object* object(const ResourceKey& thing) const {
        if (const auto found = applied_.find(thing); found != applied_.end()) return found->second;
        const auto declared = picture_.resources.of_environment(picture_.manifests.declaring(thing),
                                                                course_.stage->environment);
        return declared.size() == 1 ? declared.front() : nullptr;
    }

    [[nodiscard]] bool may_have(const ResourceKey& map, const std::string& key) const {
        if (unknown_.contains(map)) return true;
        if (const auto set = keys_.find(map); set != keys_.end())
            if (const auto one = set->second.find(key); one != set->second.end()) return one->second;
        const Object* declared = object(map);
        if (declared == nullptr) return true;
        for (const char* part : {"data", "binaryData"})
            if (declared->json.contains(part) && declared->json[part].is_object() &&
                declared->json[part].contains(key))
                return true;
        return false;
    }

    void look_at(const ResourceKey& workload, Diagnostics& diagnostics) {
        const Object* reader = unknown_.contains(workload) ? nullptr : object(workload);
        if (reader == nullptr) return;
        std::vector<Needed> needed;
        find_needed(reader->json, "", needed);
        for (const Needed& one : needed) {
            const ResourceKey map = "configmap/" + one.map;
            const auto by = touched_.contains(map) ? touched_.find(map) : touched_.find(workload);
            if (one.map.empty() || one.key.empty() || by == touched_.end() || may_have(map, one.key))
                continue;
            auto& d = diagnostics.report(
                Code::MissingKey, by->second->step->span,
                fmt::format("{} has no key `{}`, and {} cannot start without it", map, one.key, workload));
            d.labels.push_back({picture_.manifests.span(*reader, one.pointer), "asked for here"});
            d.notes.emplace_back(
                "the next pod that starts would wait for the key for ever (CreateContainerConfigError), perhaps in the middle of an "
                "undo; add the key, or take the reference away first");
        }
    }

    const CheckContext& picture_;
    const StageEvents& course_;
    std::map<ResourceKey, const Event*> touched_;  // the last change
    std::map<ResourceKey, const Object*> applied_;
    std::map<ResourceKey, std::map<std::string, bool>> keys_;  // set or removed in the cluster
    std::set<ResourceKey> unknown_;
};

}  // namespace

void keys(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats) Left(picture, course).check(diagnostics);
}

}  // namespace migc::checks
