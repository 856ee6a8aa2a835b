// Reading texts out of JSON objects that may lack them.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace migc {

// The text that an object has under a key; empty if there is none, or if it is no object.
std::string text_of(const nlohmann::json& object, const char* key);

}  // namespace migc
