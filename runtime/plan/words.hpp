// What both forms of a plan say in the same words.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// "replicas of webapi: 2 -> 4", with an arrow.
std::string changed(const std::string& what, const std::string& before, const std::string& after);
// A value on one line; "(known after step 6)" for one that only the run can know.
std::string shown_value(const Reading& reading);
// The same; an object is too long to be read, and what differs in it is told with the effect.
std::string shown_capture(const Reading& reading);
// "open", "known after step 2 of staging", "closed now, .."
std::string gate_in_words(const nlohmann::json& gate);
std::string times_in_words(const nlohmann::json& times);
std::string window_in_words(const nlohmann::json& window);

}  // namespace migc::runtime
