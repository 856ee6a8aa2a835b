// What a script changes, and who reads it: for the migration plan that a pull request shows.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/checks/checks.hpp"

namespace migc::checks {

struct Affected {
    std::string layer;                      // "infrastructure", "cluster", "images", "files", "elsewhere"
    std::string thing;                      // "configmap/settings", "terraform/staging", "k8s/settings.yaml"
    std::vector<std::string> environments;  // in the order of the stages
    std::set<std::string> readers;          // as the manifests say; empty where nobody is known
};

// In the order of the layers, and within one in that of the script. What only a run can name is not in it.
std::vector<Affected> affected(const Input& input);

}  // namespace migc::checks
