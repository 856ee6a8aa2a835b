#include "compiler/checks/routes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/field.hpp"
#include "compiler/documents/pointer.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

constexpr const char* selector_pointer = "/spec/selector";

Labels labels_of_pods(const Object& workload) {
    return labels_at(workload.json, fmt::format("{}/metadata/labels", template_of(workload.thing)));
}

// "colour" of "/spec/selector/colour"; empty for every other pointer.
std::string selected_key(const std::string& pointer) {
    const auto tokens = documents::tokens_of(pointer);
    const bool is_key = tokens && tokens->size() == 3 && pointer.starts_with(selector_pointer);
    return is_key ? tokens->back() : "";
}

}  // namespace

bool takes_away(const Event& event) {
    return event.is_change() && std::ranges::any_of(event.effects, [](const Effect& effect) {
               const auto count = count_of(effect);
               const bool whole = !effect.pointer || effect.pointer->empty();
               return (effect.becomes == ir::Becomes::Absent && whole) || (count && count->number == 0);
           });
}

Routes::Selection& Routes::selection(const ResourceKey& service) {
    const auto [entry, is_new] = selections_.try_emplace(service);
    if (is_new)
        if (const auto declared = surroundings_.declaring(service); declared.size() == 1) {
            entry->second.labels = labels_at(declared.front()->json, selector_pointer);
            entry->second.is_known = !entry->second.labels.empty();
        }
    return entry->second;
}

void Routes::change(Selection& selection, const Event& event, const Effect& effect) const {
    const std::string* written = effect.value ? effect.value->get_if<std::string>() : nullptr;
    const auto* whole = effect.value ? effect.value->get_if<Json>() : nullptr;
    const std::string* pointer = text_in(effect.role, 0);
    const std::string key = effect.probe->role.role == ir::Role::Field && pointer != nullptr
                                ? selected_key(*pointer)
                                : std::string();
    selection.by = &event;
    if (event.object != nullptr && event.object->thing == effect.thing) {
        selection.labels = labels_at(event.object->json, selector_pointer);
        selection.is_known = !selection.labels.empty();
    } else if (!key.empty() && effect.value) {
        selection.labels[key] = plain_text(in_json(*effect.value));
        if (effect.value->is_absent()) selection.labels.erase(key);
    } else if (effect.pointer == selector_pointer && whole != nullptr) {
        selection.labels = labels_at(**whole, "");
        selection.is_known = true;
    } else if (effect.pointer == selector_pointer && written != nullptr &&
               written->find('=') != std::string::npos) {
        for (const auto& [name, value] : written_labels(*written)) selection.labels[name] = value;
        selection.is_known = true;
    } else if (!effect.pointer || share_field(*effect.pointer, selector_pointer)) {
        selection = {false, {}, &event};
    }
}

void Routes::take(const Event& event) {
    if (!event.is_change()) return;
    for (const Effect& effect : event.effects) {
        if (effect.thing.is("service") &&
            (!effect.pointer || share_field(*effect.pointer, selector_pointer))) {
            Selection& now = selection(effect.thing);
            before_[&event].emplace_back(effect.thing, now);
            change(now, event, effect);
        }
        if (effect.thing.empty()) continue;
        const auto count = count_of(effect);
        const bool goes = effect.becomes == ir::Becomes::Absent || (count && count->number == 0);
        const bool whole = !effect.pointer || effect.pointer->empty();
        if (goes && (whole || count)) {
            away_.insert(effect.thing);
        } else if (whole || count) {
            away_.erase(effect.thing);
            come_.insert(effect.thing);
        }
    }
}

void Routes::take_back(const Event& event) {
    if (takes_away(event))
        for (const ResourceKey& thing : event.things) away_.erase(thing);
    const auto found = before_.find(&event);
    if (found == before_.end()) return;
    for (const auto& [service, selection] : found->second) selections_[service] = selection;
}

const std::vector<Routes::Workload>& Routes::workloads() const {
    if (workloads_) return *workloads_;
    workloads_.emplace();
    std::set<ResourceKey> things;
    for (const Object* object : picture_.manifests.all())
        if (template_of(object->thing) != nullptr) things.insert(object->thing);
    for (const ResourceKey& thing : things)
        for (const Object* object : surroundings_.declaring(thing))
            workloads_->push_back(
                {thing, labels_of_pods(*object), int_field(object->json, "/spec/replicas", 1) > 0});
    return *workloads_;
}

std::set<ResourceKey> Routes::led_to(const ResourceKey& service) const {
    std::set<ResourceKey> found;
    const auto selection = selections_.find(service);
    if (selection == selections_.end() || !selection->second.is_known || selection->second.labels.empty())
        return found;
    for (const Workload& one : workloads())
        if (matches(selection->second.labels, one.labels)) found.insert(one.thing);
    return found;
}

bool Routes::has_pods(const ResourceKey& workload) const {
    if (away_.contains(workload)) return false;
    const auto declared = surroundings_.declaring(workload);
    return come_.contains(workload) || declared.empty() ||
           std::ranges::any_of(
               declared, [](const Object* one) { return int_field(one->json, "/spec/replicas", 1) > 0; });
}

// Where no manifest declares a workload, one that is called after the service and what the service selects is
// meant: "front-green" of front, by "colour=green".
bool Routes::selects(const ResourceKey& service, const Selection& selection,
                     const ResourceKey& workload) const {
    const auto declared = surroundings_.declaring(workload);
    if (!declared.empty())
        return std::ranges::any_of(declared, [&](const Object* one) {
            return template_of(one->thing) != nullptr && matches(selection.labels, labels_of_pods(*one));
        });
    return selection.by != nullptr && is_workload(workload) &&
           std::ranges::any_of(selection.labels, [&](const auto& label) {
               return workload.name() == fmt::format("{}-{}", service.name(), label.second);
           });
}

std::vector<Routes::Left> Routes::left_without(const std::set<ResourceKey>& gone) const {
    std::vector<Left> left;
    const auto check = [&](const ResourceKey& service, const Selection& selection) {
        if (!selection.is_known || selection.labels.empty() || gone.contains(service) ||
            away_.contains(service))
            return;
        // A manifest that says 0 may be what the step makes true: what is taken away now is there before.
        const auto is_led_to = [&](const ResourceKey& thing) {
            return !away_.contains(thing) && selects(service, selection, thing);
        };
        const auto serves = [&](const Workload& one) {
            return (one.runs || come_.contains(one.thing)) && !away_.contains(one.thing) &&
                   !gone.contains(one.thing) && matches(selection.labels, one.labels);
        };
        // By its name one is meant alone, whatever others have these labels.
        const auto is_meant = [&](const ResourceKey& thing) {
            return is_led_to(thing) && surroundings_.declaring(thing).empty();
        };
        if (std::ranges::any_of(gone, is_meant) ||
            (std::ranges::any_of(gone, is_led_to) && std::ranges::none_of(workloads(), serves)))
            left.push_back({service, selection.by});
    };
    for (const auto& [service, selection] : selections_) check(service, selection);
    for (const ResourceKey& workload : gone)
        for (const Object* object : surroundings_.declaring(workload))
            for (const Object* service : surroundings_.services(*object))
                if (!selections_.contains(service->thing))
                    check(service->thing, {true, labels_at(service->json, selector_pointer), nullptr});
    std::ranges::sort(left, {}, &Left::service);
    const auto again = std::unique(left.begin(), left.end(),
                                   [](const Left& a, const Left& b) { return a.service == b.service; });
    left.erase(again, left.end());
    return left;
}

}  // namespace migc::checks
