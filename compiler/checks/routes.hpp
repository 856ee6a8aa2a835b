// Which pods the services of an environment lead to, as the steps of a stage go on.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/pods.hpp"

namespace migc::checks {

// Whether an event destroys things, or leaves them without pods.
bool takes_away(const Event& event);

class Routes {
  public:
    Routes(const CheckContext& picture, const StageEvents& course)
        : picture_(picture), surroundings_(picture, course) {}

    // A step is done, or taken back as its verb says.
    void take(const Event& event);
    void take_back(const Event& event);

    // The services that lead to the pods of these workloads, and to no others that are known to run.
    struct Left {
        ResourceKey service;
        const Event* by = nullptr;  // the step that leads it there; null: it did so before
    };
    [[nodiscard]] std::vector<Left> left_without(const std::set<ResourceKey>& gone) const;
    // The workloads of the manifests whose pods a service selects that a step has led elsewhere; none where
    // that is not known.
    [[nodiscard]] std::set<ResourceKey> led_to(const ResourceKey& service) const;
    // Whether a workload may have pods, as far as is known.
    [[nodiscard]] bool has_pods(const ResourceKey& workload) const;

  private:
    // What a service selects; of one that no manifest declares only what steps have said.
    struct Selection {
        bool is_known = false;
        Labels labels;
        const Event* by = nullptr;
    };
    struct Workload {
        ResourceKey thing;
        Labels labels;
        bool runs = true;
    };

    Selection& selection(const ResourceKey& service);
    void change(Selection& selection, const Event& event, const Effect& effect) const;
    [[nodiscard]] const std::vector<Workload>& workloads() const;
    [[nodiscard]] bool selects(const ResourceKey& service, const Selection& selection,
                               const ResourceKey& workload) const;

    const CheckContext& picture_;
    Surroundings surroundings_;
    std::unordered_map<ResourceKey, Selection> selections_;
    std::unordered_map<const Event*, std::vector<std::pair<ResourceKey, Selection>>> before_;
    std::set<ResourceKey> away_, come_;  // come: a step has started it
    mutable std::optional<std::vector<Workload>> workloads_;
};

}  // namespace migc::checks
