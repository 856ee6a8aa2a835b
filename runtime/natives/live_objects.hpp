// Objects of the cluster by name, as arguments of natives.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/manifest.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// The object that a resource or a text names: "configmap/settings". The error, for people: it names none, or
// one of a namespace in which the stage does not act.
tl::expected<Handle, std::string> object_argument(Host& host, const Value& value);

// The same, fetched: null if there is none.
Fetched fetch(Host& host, const Handle& handle);

// Where the server keeps objects of this kind and namespace: "/apis/apps/v1/namespaces/web/deployments". How
// a kind is spelled there only the server knows.
tl::expected<std::string, std::string> collection_of(Host& host, const nlohmann::json& object);

// Whether nobody but a person can bring back what an object of this type holds: claims, volumes, namespaces,
// resource definitions.
bool holds_data(const Handle& handle);

// Whether the server has begun to delete it.
bool is_being_deleted(const nlohmann::json& object);
// "its finalizer example.com/keep holds it"; empty if it has none.
std::string finalizers_shown(const nlohmann::json& object);

}  // namespace migc::runtime
