// YAML answers as JSON, so that one kind of pointer reads both.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace migc::runtime::inline engine {

// The first document; nullopt if the text is not YAML, or is nested deeper than 200 levels.
std::optional<nlohmann::json> parse_yaml(const std::string& text);

}  // namespace migc::runtime::inline engine
