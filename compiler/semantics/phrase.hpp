// What a call of a declaration says, in the words of the declaration.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// How a value is written for people: who has secrets hides them there.
using Shown = std::function<std::string(const Value&)>;

// A signature with its parameters filled in: "scale webapi to 4". An optional part whose argument is absent
// is left out; a secret is "(secret)".
std::string phrase(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                   const std::vector<Value>& values, const Shown& shown);

}  // namespace migc::semantics
