#include "compiler/project/defaults.hpp"

namespace migc::project {

std::vector<Scalar> default_order() {
    return {{"development", {}}, {"staging", {}}, {"production", {}}};
}

std::vector<Environment> default_environments() {
    std::vector<Environment> environments;
    for (const Scalar& name : default_order()) environments.push_back(unbound(name));
    return environments;
}

Environment unbound(const Scalar& name) {
    Environment environment;
    environment.name = name.text;
    environment.is_protected = name.text == "production";
    environment.span = name.span;
    return environment;
}

}  // namespace migc::project
