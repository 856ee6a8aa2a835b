// Command lines of kubectl taken apart, as far as a plan has to understand them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"

namespace migc::runtime::inline plans {

using kubernetes::is_cluster_wide;
using kubernetes::type_name;

struct KubectlWords {
    std::string verb;                            // "get", "scale"
    std::string name_space;                      // of the last --namespace or -n; "" if there is none
    bool everywhere = false;                     // --all-namespaces
    std::vector<std::string> words;              // what is no option, behind the verb: {"deployment/webapi"}
    std::map<std::string, std::string> options;  // "--replicas" -> "4"; a flag without a value has ""

    [[nodiscard]] bool has(const std::string& option) const { return options.contains(option); }
    [[nodiscard]] std::string value(const std::string& option) const;
    // The objects that are named: "deployment/webapi" for both spellings, `deployment webapi` too.
    [[nodiscard]] std::vector<std::string> targets() const;
};

// `argv` with the program first.
KubectlWords parse_kubectl(const std::vector<std::string>& argv);

// Whether controllers make and change objects of the type all the time: pods, events, replica sets.
bool is_volatile(const std::string& type);

}  // namespace migc::runtime::inline plans
