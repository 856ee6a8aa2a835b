#include "runtime/natives/kubernetes.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

Fetched parsed(const Answer& answer) {
    if (!answer.succeeded()) return tl::unexpected(complaint("kubectl", answer));
    if (answer.truncated) return failure("kubectl: the answer is too long to be read");
    if (answer.output.find_first_not_of(" \r\n\t") == std::string::npos) return json();
    auto object = json::parse(answer.output, nullptr, false);
    if (!object.is_object()) return failure("kubectl: the answer is not JSON");
    return object;
}

// The name of a deployment's replica set is the deployment's, a hyphen and a hash without hyphens.
bool is_replica_set_of(const std::string& deployment, const std::string& replica_set) {
    return replica_set.size() > deployment.size() + 1 && replica_set.starts_with(deployment + "-") &&
           replica_set.find('-', deployment.size() + 1) == std::string::npos;
}

std::string requirement(const json& expression) {
    const std::string key = text_field(expression, "/key");
    const std::string operation = text_field(expression, "/operator");
    if (operation == "Exists") return key;
    if (operation == "DoesNotExist") return "!" + key;
    std::vector<std::string> values;
    for (const auto& value : field(expression, "/values"))
        if (value.is_string()) values.push_back(value);
    return fmt::format("{} {} ({})", key, operation == "In" ? "in" : "notin", fmt::join(values, ","));
}

// The workload's label selector as kubectl's -l takes it.
std::string selector_of(const json& workload) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : field(workload, "/spec/selector/matchLabels").items())
        if (value.is_string()) parts.push_back(key + "=" + value.get<std::string>());
    for (const auto& expression : field(workload, "/spec/selector/matchExpressions"))
        parts.push_back(requirement(expression));
    return fmt::format("{}", fmt::join(parts, ","));
}

std::vector<json> joined(const json& object, const std::string& first, const std::string& second) {
    std::vector<json> result;
    for (const std::string& pointer : {first, second})
        for (const auto& item : field(object, pointer)) result.push_back(item);
    return result;
}

}  // namespace

bool is_refusal(const Answer& answer) {
    static const re2::RE2 refusal(
        R"(\((Forbidden|NotFound|BadRequest|Invalid|Conflict|AlreadyExists|UnsupportedMediaType)\)|is invalid|"
        "is forbidden|denied the request|Apply failed|Operation cannot be fulfilled|no matches for kind|unknown field|error validating)");
    return answer.ending == Ending::Exited && re2::RE2::PartialMatch(answer.errors, refusal);
}

std::vector<std::string> namespace_option(Host& host, const std::string& name_space) {
    if (name_space.empty() || name_space == host.setting("namespace")) return {};
    return {"--namespace", name_space};
}

Fetched get_object(Host& host, const std::string& written, const std::string& name_space, bool managers) {
    std::vector<std::string> arguments = {"get", written, "-o", "json", "--ignore-not-found"};
    if (managers) arguments.emplace_back("--show-managed-fields=true");
    append(arguments, namespace_option(host, name_space));
    append(arguments, writers_option(host));
    return parsed(host.run("kubectl", arguments));
}

std::vector<std::string> writers_option(Host& host) {
    return asks_for_writer(host) ? std::vector<std::string>{"--show-managed-fields=true"}
                                 : std::vector<std::string>{};
}

Fetched list_objects(Host& host, const std::vector<std::string>& what) {
    std::vector<std::string> arguments = {"get"};
    append(arguments, what);
    append(arguments, {"-o", "json"});
    auto list = parsed(host.run("kubectl", arguments));
    if (!list) return list;
    if (list->is_null()) return json::array();
    if (!field(*list, "/items").is_array()) return failure("kubectl: the answer is not a list");
    return std::move(list->at("items"));
}

tl::expected<WorkloadName, std::string> workload_argument(Host& host, const Value& value) {
    WorkloadName name;
    if (const auto* resource = value.get_if<ResourceRef>()) {
        name = {host.written(*resource), resource->name};
    } else if (const auto* text = value.get_if<std::string>()) {
        name.written = text->find('/') == std::string::npos ? "deployment/" + *text : *text;
        name.shown = object_name(name.written);
    }
    if (object_name(name.written).empty()) return failure("`{}` does not name a workload", show(value));
    return name;
}

std::string workload_kind(const std::string& written) {
    const std::string type = written.substr(0, written.find_first_of("./"));
    return kubernetes::is_workload(kubernetes::type_name(type)) ? kubernetes::kind_name(type) : "";
}

bool is_cron_job(const std::string& written) {
    return kubernetes::type_name(written.substr(0, written.find_first_of("./"))) == "cronjob";
}

std::string pod_template_place(const json& workload) {
    const std::string kind = text_field(workload, "/kind");
    if (kind == "Pod") return {};
    return kind == "CronJob" ? "/spec/jobTemplate/spec/template" : "/spec/template";
}

const json& pod_template(const json& workload) {
    return field(workload, pod_template_place(workload));
}

std::string template_digest(json pods) {
    if (!pods.is_object()) return {};
    pods.erase("$patch");
    if (json& metadata = pods["metadata"]; metadata.is_object()) {
        if (metadata.contains("labels") && metadata["labels"].is_object())
            metadata["labels"].erase("pod-template-hash");
        if (field(metadata, "/creationTimestamp").is_null()) metadata.erase("creationTimestamp");
    }
    return "sha256:" + sha256(pods.dump()).substr(0, 16);
}

std::vector<json> containers_of(const json& pod_or_template) {
    return joined(pod_or_template, "/spec/initContainers", "/spec/containers");
}

std::vector<json> container_statuses(const json& pod) {
    return joined(pod, "/status/initContainerStatuses", "/status/containerStatuses");
}

bool owns(const json& workload, const json& pod) {
    const std::string kind = text_field(workload, "/kind");
    const std::string name = text_field(workload, "/metadata/name");
    for (const auto& owner : field(pod, "/metadata/ownerReferences")) {
        const std::string owner_kind = text_field(owner, "/kind");
        const std::string owner_name = text_field(owner, "/name");
        if (owner_kind == kind && owner_name == name) return true;
        if (kind == "Deployment" && owner_kind == "ReplicaSet" && is_replica_set_of(name, owner_name))
            return true;
    }
    return false;
}

Fetched pods_of(Host& host, const json& workload) {
    const std::string selector = selector_of(workload);
    auto pods =
        selector.empty() ? list_objects(host, {"pods"}) : list_objects(host, {"pods", "-l", selector});
    if (!pods) return pods;
    json owned = json::array();
    for (auto& pod : *pods)
        if (owns(workload, pod)) owned.push_back(std::move(pod));
    return owned;
}

std::string autoscaler_in(const json& autoscalers, const std::string& kind, const std::string& name) {
    for (const auto& autoscaler : autoscalers)
        if (text_field(autoscaler, "/spec/scaleTargetRef/kind") == kind &&
            text_field(autoscaler, "/spec/scaleTargetRef/name") == name)
            return text_field(autoscaler, "/metadata/name");
    return {};
}

const json& condition(const json& object, const std::string& type) {
    static const json none;
    for (const auto& item : field(object, "/status/conditions"))
        if (text_field(item, "/type") == type) return item;
    return none;
}

bool holds(const json& object, const std::string& type) {
    return text_field(condition(object, type), "/status") == "True";
}

std::string name_of(const json& object) {
    return text_field(object, "/metadata/name");
}

std::string resource_version(const json& object) {
    return text_field(object, "/metadata/resourceVersion");
}

bool is_being_deleted(const json& object) {
    return !field(object, "/metadata/deletionTimestamp").is_null();
}

bool has_ended(const json& pod) {
    const std::string phase = text_field(pod, "/status/phase");
    return phase == "Failed" || phase == "Succeeded";
}

}  // namespace migc::runtime::inline natives
