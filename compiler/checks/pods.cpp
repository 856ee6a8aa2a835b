#include "compiler/checks/pods.hpp"

#include <fmt/format.h>

#include "compiler/checks/manifests.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {

using nlohmann::json;

const json& containers_of(const json& workload) {
    static const json none = json::array();
    const json& containers = field(workload, "/spec/template/spec/containers");
    return containers.is_array() ? containers : none;
}

void each_setting(const ResourceKey& thing, const json& object, const VisitSetting& visit) {
    const json& data = field(object, "/data");
    if (thing.is("configmap") && data.is_object())
        for (const auto& [key, value] : data.items()) visit(key, documents::pointer_to({"data", key}), value);
    const json& containers = containers_of(object);
    for (std::size_t i = 0; i < containers.size(); ++i) {
        const json& variables = field(containers[i], "/env");
        for (std::size_t k = 0; variables.is_array() && k < variables.size(); ++k)
            if (variables[k].is_object() && variables[k].contains("value"))
                visit(text_field(variables[k], "/name"),
                      fmt::format("/spec/template/spec/containers/{}/env/{}/value", i, k),
                      variables[k]["value"]);
    }
}

}  // namespace migc::checks
