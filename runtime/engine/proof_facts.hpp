// What `migc prove` has to know of the runtime.
#pragma once

#include "compiler/prove/facts.hpp"

namespace migc::runtime::inline engine {

// `parameters`: the values of the script's parameters that the command line gives, already of their type.
prove::Facts proof_facts(std::map<std::string, Value> parameters = {});

}  // namespace migc::runtime::inline engine
