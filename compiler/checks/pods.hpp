// What a manifest says of the pods that it makes.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "compiler/checks/resource_key.hpp"

namespace migc::checks {

// Where the pods of a kind of workload are described; nothing for a kind without pods.
const char* template_of(const ResourceKey& thing);

using Labels = std::map<std::string, std::string>;
Labels labels_at(const nlohmann::json& object, const std::string& pointer);
// Whether a selector selects pods with these labels.
bool matches(const Labels& selector, const Labels& labels);
// The labels of a selector as a script writes it: "version=green,track=stable".
Labels written_labels(const std::string& text);

// The containers of a workload's pods; an empty list for what has none.
const nlohmann::json& containers_of(const nlohmann::json& workload);

// Calls visit(name, pointer, value) for each value that pods may read: the keys of a ConfigMap, and the
// variables that containers state themselves.
using VisitSetting = std::function<void(const std::string&, const std::string&, const nlohmann::json&)>;
void each_setting(const ResourceKey& thing, const nlohmann::json& object, const VisitSetting& visit);

// Calls visit(image, pointer) for each container's image, those that run before the others included.
// `pointer` is where the part stands in its object.
using VisitImage = std::function<void(const std::string&, const std::string&)>;
void each_image(const nlohmann::json& part, const std::string& pointer, const VisitImage& visit);

// Calls visit(kind, name) for each ConfigMap and Secret that a pod, by its spec, reads anything from.
using VisitConfiguration = std::function<void(const char*, const std::string&)>;
void each_configuration(const nlohmann::json& spec, const VisitConfiguration& visit);

}  // namespace migc::checks
