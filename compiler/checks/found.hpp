// What a stage, or one of its steps, has found before it changed something, as far as files and manifests
// tell.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "compiler/checks/checks.hpp"

namespace migc::checks {

struct Found {
    nlohmann::json value;
    Span place;  // that says so
};

class FoundBefore {
  public:
    // `earlier`: what earlier stages have changed in the same environment.
    FoundBefore(const CheckContext& picture, const StageEvents& course, const std::set<ResourceKey>& earlier);

    // What an effect that takes back brings another value for: what stood there before the events of the
    // stage from `begin` to `end`, which have changed it. Nothing if it is the same, or if one of the two is
    // not known.
    [[nodiscard]] std::optional<Found> other_than(const Effect& back, Events::const_iterator begin,
                                                  Events::const_iterator end) const;

  private:
    [[nodiscard]] std::optional<Found> in_file(const Effect& back, const Event& first) const;
    [[nodiscard]] std::optional<Found> in_cluster(const Effect& back, Events::const_iterator begin) const;
    [[nodiscard]] std::optional<Found> declared(const Effect& back) const;
    [[nodiscard]] std::optional<nlohmann::json> left_by(const Effect& back, const Event& event) const;
    [[nodiscard]] bool is_made(const Effect& back, const nlohmann::json& value) const;
    [[nodiscard]] bool is_taken_back_by_hand(const Event& event) const;
    [[nodiscard]] const Event* last_on(const Effect& back, const Event* begin, const Event* end) const;

    const CheckContext& picture_;
    const StageEvents& course_;
    Surroundings surroundings_;
    std::unordered_map<ResourceKey, std::vector<const Event*>> changes_;  // of the stage, by thing
    const std::set<ResourceKey>& earlier_;
};

}  // namespace migc::checks
