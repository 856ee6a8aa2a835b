// What both forms of a plan say in the same words.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace migc::runtime {

// "replicas of webapi: 2 -> 4", with an arrow.
std::string changed(const std::string& what, const std::string& before, const std::string& after);
std::string times_in_words(const nlohmann::json& times);
std::string window_in_words(const nlohmann::json& window);

}  // namespace migc::runtime
