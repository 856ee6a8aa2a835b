// What both forms of a plan say in the same words.
#pragma once

#include <string>

#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::runtime::inline plans {

// "replicas of webapi: 2 -> 4", with an arrow.
std::string changed(const std::string& what, const std::string& before, const std::string& after);
// Each of an effect's changes by `changed`; of an object each field that differs, without the probe.
std::vector<std::string> changes_in_words(const PlanEffect& effect);
// A value on one line; "(known after step 6)" for one that only the run can know.
PlanValue shown_value(const Reading& reading);
// The same; an object is too long to be read, and what differs in it is told with the effect.
PlanValue shown_capture(const Reading& reading);
// Binds the name of a `let`, a secret with its form in `kept`; gives how its value is shown.
PlanValue bind_let(const ir::Step& let, const Reading& reading, KeptSecrets* kept, Scope& scope);
// "open", "known after step 2 of staging", "closed now, .."
std::string gate_in_words(const PlanGate& gate);
std::string times_in_words(const semantics::Times& times);
std::string window_in_words(const PlanWindow& window);

// The fields in which two objects differ.
FieldChanges differences(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace migc::runtime::inline plans
