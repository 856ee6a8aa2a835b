// Keys of a ConfigMap that pods cannot start without: after the last step of a stage each one that a workload
// names is there.
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// A key that must be there: of a `configMapKeyRef`, or of a volume that names the keys that become files.
struct Needed {
    std::string map, key;
    std::string pointer;  // of the reference, in the workload
};

void find_needed(const json& part, const std::string& pointer, std::vector<Needed>& found) {
    if (const json& reference = field(part, "/configMapKeyRef"); reference.is_object()) {
        if (reference.value("optional", json()) != true)
            found.push_back({text_field(reference, "/name"), text_field(reference, "/key"),
                             pointer + "/configMapKeyRef/key"});
        return;
    }
    if (const json& volume = field(part, "/configMap");
        volume.is_object() && volume.value("optional", json()) != true) {
        const json& items = field(volume, "/items");
        for (std::size_t i = 0; items.is_array() && i < items.size(); ++i)
            found.push_back({text_field(volume, "/name"), text_field(items[i], "/key"),
                             fmt::format("{}/configMap/items/{}/key", pointer, i)});
        return;
    }
    if (part.is_object())
        for (const auto& [key, value] : part.items())
            if (key.find('/') == std::string::npos)
                find_needed(value, fmt::format("{}/{}", pointer, key), found);
    if (part.is_array())
        for (std::size_t i = 0; i < part.size(); ++i)
            find_needed(part[i], fmt::format("{}/{}", pointer, i), found);
}

// What a stage leaves of ConfigMaps and workloads.
class Left : StageCheck {
  public:
    using StageCheck::StageCheck;

    void check() {
        for (const Event& event : course_.forward)
            if (event.is_change()) note(event);
        std::set<ResourceKey> workloads;
        for (const auto& [thing, event] : touched_) {
            if (is_workload(thing))
                workloads.insert(thing);
            else
                for (const Object* reader : picture_.manifests.readers(thing))
                    workloads.insert(reader->thing);
        }
        for (const ResourceKey& workload : workloads) look_at(workload);
    }

  private:
    void note(const Event& event) {
        for (const ResourceKey& thing : event.things)
            if (is_workload(thing) || thing.is("configmap")) touched_[thing] = &event;
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
        const bool is_map = effect.thing.is("configmap");
        if (is_map && is_field && effect.pointer->starts_with(data) && effect.value)
            keys_[effect.thing][effect.pointer->substr(data.size())] = !effect.value->is_absent();
        else if (is_map || !is_field || effect.pointer->find("/env") != std::string::npos)
            unknown_.insert(effect.thing);
    }

    // As it is after the stage; null if that is not known.
    [[nodiscard]] const Object* object(const ResourceKey& thing) const {
        if (const auto found = applied_.find(thing); found != applied_.end()) return found->second;
        const auto declared = Surroundings(picture_, course_).declaring(thing);
        return declared.size() == 1 ? declared.front() : nullptr;
    }

    [[nodiscard]] bool may_have(const ResourceKey& map, const std::string& key) const {
        if (unknown_.contains(map)) return true;
        if (const auto set = keys_.find(map); set != keys_.end())
            if (const auto one = set->second.find(key); one != set->second.end()) return one->second;
        const Object* declared = object(map);
        if (declared == nullptr) return true;
        return field(declared->json, "/data").contains(key) ||
               field(declared->json, "/binaryData").contains(key);
    }

    void look_at(const ResourceKey& workload) {
        const Object* reader = unknown_.contains(workload) ? nullptr : object(workload);
        if (reader == nullptr) return;
        std::vector<Needed> needed;
        find_needed(reader->json, "", needed);
        for (const Needed& one : needed) {
            const auto map = ResourceKey::object("configmap", one.map);
            const auto by = touched_.contains(map) ? touched_.find(map) : touched_.find(workload);
            if (one.map.empty() || one.key.empty() || by == touched_.end() || may_have(map, one.key))
                continue;
            auto& d = diagnostics_.report(
                Code::MissingKey, by->second->step->span,
                fmt::format("{} has no key `{}`, and {} cannot start without it", map, one.key, workload));
            d.label(picture_.manifests.span(*reader, one.pointer), "asked for here");
            d.note(
                "the next pod that starts would wait for the key for ever, perhaps in the middle of an "
                "undo; add the key, or take the reference away first");
        }
    }

    std::map<ResourceKey, const Event*> touched_;  // the last change
    std::map<ResourceKey, const Object*> applied_;
    std::map<ResourceKey, std::map<std::string, bool>> keys_;  // set or removed in the cluster
    std::set<ResourceKey> unknown_;
};

}  // namespace

void keys(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats) Left(picture, course, diagnostics).check();
}

}  // namespace migc::checks
