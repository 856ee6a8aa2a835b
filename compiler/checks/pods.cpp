#include "compiler/checks/pods.hpp"

#include <fmt/format.h>

#include "compiler/checks/manifests.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {

using nlohmann::json;

const json& containers_of(const json& workload) {
    static const json none = json::array();
    static const json::json_pointer place("/spec/template/spec/containers");
    return workload.contains(place) && workload[place].is_array() ? workload[place] : none;
}

void each_setting(const std::string& thing, const json& object, const VisitSetting& visit) {
    if (thing.starts_with("configmap/") && object.contains("data") && object["data"].is_object())
        for (const auto& [key, value] : object["data"].items())
            visit(key, documents::pointer_to({"data", key}), value);
    const json& containers = containers_of(object);
    for (std::size_t i = 0; i < containers.size(); ++i) {
        const json& container = containers[i];
        if (!container.is_object() || !container.contains("env") || !container["env"].is_array()) continue;
        for (std::size_t k = 0; k < container["env"].size(); ++k) {
            const json& one = container["env"][k];
            if (one.is_object() && one.contains("value"))
                visit(text_field(one, "/name"),
                      fmt::format("/spec/template/spec/containers/{}/env/{}/value", i, k), one["value"]);
        }
    }
}

}  // namespace migc::checks
