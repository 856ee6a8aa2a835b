// What the Kubernetes natives share: reading objects with kubectl, and how workloads and pods belong
// together.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {

using kubernetes::Document;
using kubernetes::Handle;
using kubernetes::object_name;

// Null: there is no such object. The error: it could not be found out, in words for people.
using Fetched = tl::expected<json, std::string>;

// One object: "deployment/webapi". A namespace other than the stage's is named explicitly. `managers`: with
// who wrote which field, `metadata.managedFields`.
Fetched get_object(Host& host, const std::string& written, const std::string& name_space = {},
                   bool managers = false);
// kubectl's option for the fields' managers, where a reading is to say who wrote what it reads; else nothing.
std::vector<std::string> writers_option(Host& host);
// Every object of some types, as an array: list_objects(host, {"pods", "-l", "app=web"}).
Fetched list_objects(Host& host, const std::vector<std::string>& what);

// Whether it was the server that said no to a command; all else (network, login, time) may be otherwise at
// the next try.
bool is_refusal(const Answer& answer);

// kubectl's option for a namespace, or nothing where it is the stage's own.
std::vector<std::string> namespace_option(Host& host, const std::string& name_space);

// A workload as an argument of a native: how tools want it, and its name for people.
struct WorkloadName {
    std::string written;  // "deployment/monadic-pipeline-webapi"
    std::string shown;    // "webapi"
};
tl::expected<WorkloadName, std::string> workload_argument(Host& host, const Value& value);

// "Deployment" for "deployment/x", "deploy/x" and "deployments.apps/x"; "" for no workload.
std::string workload_kind(const std::string& written);
// Whether it names a cron job: it makes pods when its time comes, and has no rollout.
bool is_cron_job(const std::string& written);

// The pod template of a workload, a cron job's included; the object itself if it is a pod.
const json& pod_template(const json& workload);
// Where it stands in the object: "/spec/template"; "" of a pod.
std::string pod_template_place(const json& workload);
// A digest of a pod template, without what a controller adds to it when it makes a revision of it; "" of
// anything else.
std::string template_digest(json pods);
// All containers of a pod template, the init containers first.
std::vector<json> containers_of(const json& pod_or_template);
// All container statuses of a pod, those of init containers first.
std::vector<json> container_statuses(const json& pod);

// Whether the pod was made by the workload, by its owner: labels may be shared.
bool owns(const json& workload, const json& pod);
// The pods of a workload; an error where the pods could not be read.
Fetched pods_of(Host& host, const json& workload);

// The name of the autoscaler that scales this workload; "" if none does.
std::string autoscaler_in(const json& autoscalers, const std::string& kind, const std::string& name);

// Whether that condition is "True".
bool holds(const json& object, const std::string& type);
std::string name_of(const json& object);
std::string resource_version(const json& object);
// Whether the server has begun to delete it.
bool is_being_deleted(const json& object);
// Whether all of a pod's containers are through.
bool has_ended(const json& pod);
// The condition of that type in /status/conditions; null if there is none.
const json& condition(const json& object, const std::string& type);

}  // namespace migc::runtime::inline natives
