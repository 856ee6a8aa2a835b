// The versions in which a kind is served: the server converts between them.
#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

const Object* cpu_metric(const Object& metrics) {
    for (const Object& metric : metrics)
        if (text_at(metric, "/resource/name") == "cpu" &&
            text_at(metric, "/resource/target/type") == "Utilization")
            return &metric;
    return nullptr;
}

// autoscaling/v1 knows one metric, in a field of its own.
void to_old_autoscaler(Object& spec) {
    const Object metrics = list_at(spec, "/metrics");
    if (const Object* cpu = cpu_metric(metrics))
        spec["targetCPUUtilizationPercentage"] = number_at(*cpu, "/resource/target/averageUtilization", 80);
    spec.erase("metrics");
}

void to_new_autoscaler(Object& spec) {
    if (!spec.contains("targetCPUUtilizationPercentage")) return;
    const Object percent = spec["targetCPUUtilizationPercentage"];
    spec.erase("targetCPUUtilizationPercentage");
    spec["metrics"] = Object::array({Object{
        {"type", "Resource"},
        {"resource",
         {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", percent}}}}}}});
}

}  // namespace

Object in_version(const Kind& kind, Object object, const std::string& version) {
    if (version.empty() || !object.is_object() ||
        kubernetes::version_in(text_at(object, "/apiVersion")) == version)
        return object;
    object["apiVersion"] = kind.group.empty() ? version : kind.group + "/" + version;
    if (kind.plural == "horizontalpodautoscalers" && object.contains("spec") && object["spec"].is_object()) {
        if (version == "v1")
            to_old_autoscaler(object["spec"]);
        else
            to_new_autoscaler(object["spec"]);
    }
    return object;
}

}  // namespace migc::runtime::inline world
