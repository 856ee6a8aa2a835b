// The values of a Secret, which are in no form that migc keeps or compares: kept sealed for the way back.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// The native `secret-values`: [object, its form, the form that it gets or absent]: a secret, or absent where
// no value is lost. The values are JSON of {key: base64}.
Reading secret_values(Host& host, const Arguments& arguments);

// Whether it is a Secret as the cluster has it, or a form of one.
bool is_secret_object(const nlohmann::json& object);

// Takes away the note in which kubectl keeps the values of a Secret a second time, in clear.
void drop_noted_values(nlohmann::json& object);

// From now on no record shows these values: {"password": base64}.
void redact_values(Host& host, const nlohmann::json& data);

// A form, or a patch for one, with the values in the place of the marks. `values` is what the probe
// `secret-values` has answered; the error: it lacks one.
tl::expected<nlohmann::json, std::string> with_values(nlohmann::json form, const std::string& values);

}  // namespace migc::runtime::inline natives
