// Objects of the cluster by name, as arguments of natives.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// The object that a resource or a text names: "configmap/settings". The error, for people: it names none, or
// one of a namespace in which the stage does not act.
tl::expected<Handle, std::string> object_argument(Host& host, const Value& value);

// The same, fetched: null if there is none.
Fetched fetch(Host& host, const Handle& handle);

// Likewise, with `metadata.managedFields`, and in that version of its kind; an empty one is what the server
// prefers.
Fetched fetch_with_managers(Host& host, const Handle& handle, const std::string& api_version);
// How kubectl takes an object in one version of its kind: "horizontalpodautoscaler.v1.autoscaling/web".
std::string versioned(const Handle& handle, const std::string& api_version);
// Where an object has another version than the one that was captured: nothing is written, and it is worth
// looking again.
Answer modified_since_look(const Handle& handle);

// Deletes the one object that was looked at, of that version, and waits until it is gone.
Answer delete_exactly(Host& host, const Handle& handle, const nlohmann::json& object);
// That command, as `shown_command`.
Preview shown_deletion(Host& host, const Handle& handle, const nlohmann::json& object);

// A command that changes one object: what the server refuses is marked as that.
Answer write_object(Host& host, const std::vector<std::string>& arguments, const std::string& input);
// A command of kubectl as one can type it into a shell, with the tool's own arguments and what is given on
// standard input: kubectl --context c patch .. <<< '{"data":..}'.
Preview shown_command(Host& host, const std::vector<std::string>& arguments, const std::string& input = {});

// Where the server keeps objects of this kind and namespace: "/apis/apps/v1/namespaces/web/deployments". How
// a kind is spelled there only the server knows.
tl::expected<std::string, std::string> collection_of(Host& host, const nlohmann::json& object);

// "its finalizer example.com/keep holds it"; empty if it has none.
std::string finalizers_shown(const nlohmann::json& object);

}  // namespace migc::runtime::inline natives
