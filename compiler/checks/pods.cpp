#include "compiler/checks/pods.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/checks/manifests.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {

using nlohmann::json;

const char* template_of(const ResourceKey& thing) {
    for (const char* kind : {"deployment", "statefulset", "daemonset", "replicaset", "job"})
        if (thing.is(kind)) return "/spec/template";
    if (thing.is("cronjob")) return "/spec/jobTemplate/spec/template";
    return thing.is("pod") ? "" : nullptr;
}

Labels labels_at(const json& object, const std::string& pointer) {
    Labels labels;
    if (const json& found = field(object, pointer); found.is_object())
        for (const auto& [key, value] : found.items()) labels[key] = plain_text(value);
    return labels;
}

bool matches(const Labels& selector, const Labels& labels) {
    return std::ranges::includes(labels, selector);
}

Labels written_labels(const std::string& text) {
    Labels labels;
    for (const std::string& pair : split(text, ','))
        labels[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
    return labels;
}

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

void each_image(const json& part, const std::string& pointer, const VisitImage& visit) {
    if (!part.is_object()) return;
    for (const auto& [key, value] : part.items()) {
        const bool lists = (key == "containers" || key == "initContainers") && value.is_array();
        for (std::size_t i = 0; lists && i < value.size(); ++i)
            visit(text_field(value[i], "/image"), fmt::format("{}/{}/{}/image", pointer, key, i));
        if (!lists && value.is_structured() && key.find('/') == std::string::npos)
            each_image(value, fmt::format("{}/{}", pointer, key), visit);
    }
}

void each_configuration(const json& part, const VisitConfiguration& visit) {
    static const std::map<std::string, std::pair<const char*, const char*>, std::less<>> references = {
        {"configMapRef", {"configmap", "name"}}, {"configMapKeyRef", {"configmap", "name"}},
        {"configMap", {"configmap", "name"}},    {"secretRef", {"secret", "name"}},
        {"secretKeyRef", {"secret", "name"}},    {"secret", {"secret", "secretName"}},
    };
    if (part.is_object())
        for (const auto& [key, value] : part.items()) {
            if (const auto found = references.find(key); found != references.end())
                if (const std::string name = text_of(value, found->second.second); !name.empty())
                    visit(found->second.first, name);
            // A projected volume names a secret as a ConfigMap is named.
            if (key == "secret")
                if (const std::string name = text_of(value, "name"); !name.empty()) visit("secret", name);
        }
    if (part.is_structured())
        for (const json& inner : part) each_configuration(inner, visit);
}

}  // namespace migc::checks
