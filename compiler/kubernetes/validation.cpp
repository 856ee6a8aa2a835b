#include "compiler/kubernetes/validation.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "compiler/kubernetes/rules.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

using nlohmann::json;

using Check = Found (*)(const json& value, std::string_view words);

struct Rule {
    std::string_view path;  // `*`: each item of a list, each value of a map
    Check check;
    std::string_view words = {};
};

constexpr Rule of_every_object[] = {{"/metadata", rules::a_map},
                                    {"/metadata/labels", rules::labels},
                                    {"/metadata/annotations", rules::annotations},
                                    {"/metadata/ownerReferences", rules::maps},
                                    {"/metadata/finalizers", rules::a_list}};
constexpr Rule of_workloads[] = {{"/spec", rules::a_map},
                                 {"/spec/replicas", rules::at_least, "0"},
                                 {"/spec/minReadySeconds", rules::at_least, "0"},
                                 {"/spec/revisionHistoryLimit", rules::at_least, "0"},
                                 {"/spec/selector", rules::a_map},
                                 {"/spec/selector/matchLabels", rules::labels},
                                 {"/spec/selector/matchExpressions", rules::maps},
                                 {"/spec/selector/matchExpressions/*", rules::requirement},
                                 {"/spec/template", rules::a_map},
                                 {"/spec/template/metadata", rules::a_map},
                                 {"/spec/template/metadata/labels", rules::labels},
                                 {"/spec/template/metadata/annotations", rules::annotations},
                                 {"/spec/template/spec/restartPolicy", rules::a_word, "Always"},
                                 {"/spec", rules::own_pods}};
constexpr Rule of_deployments[] = {{"/spec/progressDeadlineSeconds", rules::at_least, "0"},
                                   {"/spec/paused", rules::a_flag},
                                   {"/spec/strategy", rules::a_map},
                                   {"/spec/strategy/rollingUpdate", rules::a_map},
                                   {"/spec/strategy/rollingUpdate/maxSurge", rules::count_or_percent},
                                   {"/spec/strategy/rollingUpdate/maxUnavailable", rules::count_or_percent},
                                   {"/spec/strategy", rules::strategy},
                                   {"/spec", rules::deadline}};
constexpr Rule of_sets[] = {{"/spec/serviceName", rules::a_text},
                            {"/spec/updateStrategy/type", rules::a_word, "RollingUpdate OnDelete"},
                            {"/spec/podManagementPolicy", rules::a_word, "OrderedReady Parallel"},
                            {"/spec/volumeClaimTemplates", rules::maps},
                            {"/spec/volumeClaimTemplates/*/spec", rules::claimed}};
constexpr Rule of_daemons[] = {{"/spec/updateStrategy/type", rules::a_word, "RollingUpdate OnDelete"}};
constexpr Rule of_pods[] = {  // below the pod's spec
    {"", rules::a_map},
    {"/containers", rules::maps},
    {"/initContainers", rules::maps},
    {"/volumes", rules::maps},
    {"/tolerations", rules::maps},
    {"/nodeSelector", rules::texts},
    {"/nodeName", rules::a_text},
    {"/serviceAccountName", rules::a_text},
    {"/priorityClassName", rules::a_text},
    {"/hostNetwork", rules::a_flag},
    {"/terminationGracePeriodSeconds", rules::a_whole},
    {"/activeDeadlineSeconds", rules::at_least, "1"},
    {"/imagePullSecrets", rules::maps},
    {"/volumes/*", rules::has, "name"},
    {"/volumes", rules::differ, "name"},
    {"/volumes/*/configMap/items", rules::maps},
    {"/volumes/*/persistentVolumeClaim", rules::has, "claimName"},
    {"/containers", rules::differ, "name"},
    {"/tolerations/*", rules::toleration},
    {"", rules::has, "containers"}};
constexpr Rule of_containers[] = {  // below each
    {"/name", rules::a_text},
    {"/image", rules::a_text},
    {"", rules::has, "name"},
    {"/name", rules::dns_label},
    {"", rules::has, "image"},
    {"/command", rules::a_list},
    {"/args", rules::a_list},
    {"/command/*", rules::a_text},
    {"/args/*", rules::a_text},
    {"/workingDir", rules::a_text},
    {"/imagePullPolicy", rules::a_word, "Always IfNotPresent Never"},
    {"/env", rules::maps},
    {"/env/*/name", rules::a_text},
    {"/env/*/value", rules::a_text},
    {"/env/*", rules::variable},
    {"/env/*/valueFrom/configMapKeyRef", rules::has, "key"},
    {"/env/*/valueFrom/secretKeyRef", rules::has, "key"},
    {"/env/*/valueFrom/fieldRef", rules::has, "fieldPath"},
    {"/envFrom", rules::maps},
    {"/envFrom/*", rules::one_way, "configMapRef secretRef"},
    {"/envFrom/*/configMapRef", rules::has, "name"},
    {"/envFrom/*/secretRef", rules::has, "name"},
    {"/ports", rules::maps},
    {"/ports/*/containerPort", rules::port},
    {"/ports/*", rules::has, "containerPort"},
    {"/ports/*/name", rules::port_name},
    {"/ports/*/protocol", rules::a_word, "SCTP TCP UDP"},
    {"/resources", rules::a_map},
    {"/resources/requests", rules::quantities},
    {"/resources/limits", rules::quantities},
    {"/resources", rules::requests},
    {"/volumeMounts", rules::maps},
    {"/volumeMounts/*", rules::has, "name mountPath"},
    {"/volumeMounts", rules::differ, "mountPath"}};
constexpr Rule of_probes[] = {  // below each of a container
    {"", rules::a_map},
    {"", rules::one_way, "exec httpGet tcpSocket grpc"},
    {"/httpGet", rules::has, "port"},
    {"/httpGet/port", rules::port_or_name},
    {"/tcpSocket", rules::has, "port"},
    {"/tcpSocket/port", rules::port_or_name},
    {"/periodSeconds", rules::at_least, "0"},
    {"/timeoutSeconds", rules::at_least, "0"},
    {"/failureThreshold", rules::at_least, "0"},
    {"/initialDelaySeconds", rules::at_least, "0"},
    {"/successThreshold", rules::at_least, "0"}};
constexpr Rule of_jobs[] = {{"/completions", rules::at_least, "0"},
                            {"/parallelism", rules::at_least, "0"},
                            {"/backoffLimit", rules::at_least, "0"},
                            {"/activeDeadlineSeconds", rules::at_least, "0"},
                            {"/ttlSecondsAfterFinished", rules::at_least, "0"},
                            {"", rules::no_selector},
                            {"/template/spec", rules::has, "restartPolicy"},
                            {"/template/spec/restartPolicy", rules::a_word, "OnFailure Never"}};
constexpr Rule of_cron_jobs[] = {{"/spec/schedule", rules::schedule},
                                 {"/spec", rules::has, "schedule"},
                                 {"/spec/suspend", rules::a_flag},
                                 {"/spec/concurrencyPolicy", rules::a_word, "Allow Forbid Replace"},
                                 {"/spec/startingDeadlineSeconds", rules::at_least, "0"},
                                 {"/spec/successfulJobsHistoryLimit", rules::at_least, "0"},
                                 {"/spec/failedJobsHistoryLimit", rules::at_least, "0"}};
constexpr Rule of_services[] = {{"/metadata/name", rules::service_name},
                                {"/spec", rules::a_map},
                                {"/spec/type", rules::a_word, "ClusterIP ExternalName LoadBalancer NodePort"},
                                {"/spec/selector", rules::labels},
                                {"/spec/ports", rules::maps},
                                {"/spec/ports/*/port", rules::port},
                                {"/spec/ports/*", rules::has, "port"},
                                {"/spec/ports/*/name", rules::dns_label},
                                {"/spec/ports/*/nodePort", rules::node_port},
                                {"/spec/ports/*/protocol", rules::a_word, "SCTP TCP UDP"},
                                {"/spec/ports", rules::differ, "port protocol"},
                                {"/spec/clusterIP", rules::cluster_address},
                                {"/spec", rules::service_ports}};
constexpr Rule of_config_maps[] = {{"/data", rules::config_data},
                                   {"/binaryData", rules::base64_data},
                                   {"/immutable", rules::a_flag},
                                   {"", rules::both_data}};
constexpr Rule of_secrets[] = {{"/data", rules::base64_data},
                               {"/stringData", rules::config_data},
                               {"/immutable", rules::a_flag},
                               {"/type", rules::a_text}};
constexpr Rule of_claims[] = {
    {"/spec", rules::a_map},
    {"/spec/resources/requests", rules::quantities},
    {"/spec/accessModes", rules::a_list},
    {"/spec/accessModes/*", rules::a_word, "ReadOnlyMany ReadWriteMany ReadWriteOnce ReadWriteOncePod"},
    {"/spec", rules::claimed},
    {"/spec", rules::has, "accessModes"}};
constexpr Rule of_autoscalers[] = {
    {"/spec", rules::a_map},
    {"/spec/minReplicas", rules::at_least, "1"},
    {"/spec/maxReplicas", rules::a_whole},
    {"/spec/scaleTargetRef", rules::a_map},
    {"/spec", rules::aims},
    {"/spec/metrics", rules::maps},
    {"/spec/metrics/*/resource/target/averageUtilization", rules::at_least, "1"},
    {"/spec", rules::autoscaler}};
constexpr Rule of_budgets[] = {{"/spec", rules::a_map},
                               {"/spec/minAvailable", rules::count_or_percent},
                               {"/spec/maxUnavailable", rules::count_or_percent},
                               {"/spec/selector/matchLabels", rules::labels},
                               {"/spec", rules::disruption}};
constexpr Rule of_ingresses[] = {
    {"/spec", rules::a_map},
    {"/spec/rules", rules::maps},
    {"/spec/rules/*/host", rules::host},
    {"/spec/rules/*/http/paths", rules::maps},
    {"/spec/rules/*/http/paths/*/pathType", rules::a_word, "Exact ImplementationSpecific Prefix"},
    {"/spec/rules/*/http/paths/*", rules::path},
    {"/spec", rules::routes}};
constexpr Rule of_others[] = {{"/spec", rules::a_map}};

constexpr std::string_view pod_fields =
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname "
    "imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName "
    "schedulingGates securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes";
constexpr Rule fields_of_pods[] = {{"", rules::knows, pod_fields}};
constexpr Rule fields_of_containers[] = {
    {"", rules::knows,
     "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy securityContext startupProbe stdin stdinOnce "
     "terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"},
    {"/resources", rules::knows, "claims limits requests"},
    {"/env/*", rules::knows, "name value valueFrom"}};

struct Known {
    std::string_view plurals;
    std::string_view fields;  // of its spec
};
constexpr Known fields_of_specs[] = {
    {"deployments",
     "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector strategy template"},
    {"statefulsets",
     "minReadySeconds ordinals persistentVolumeClaimRetentionPolicy podManagementPolicy replicas revisionHistoryLimit selector serviceName template updateStrategy volumeClaimTemplates"},
    {"daemonsets", "minReadySeconds revisionHistoryLimit selector template updateStrategy"},
    {"replicasets", "minReadySeconds replicas selector template"},
    {"cronjobs",
     "concurrencyPolicy failedJobsHistoryLimit jobTemplate schedule startingDeadlineSeconds successfulJobsHistoryLimit suspend timeZone"},
    {"horizontalpodautoscalers",
     "behavior maxReplicas metrics minReplicas scaleTargetRef targetCPUUtilizationPercentage"},
    {"poddisruptionbudgets", "maxUnavailable minAvailable selector unhealthyPodEvictionPolicy"},
    {"persistentvolumeclaims",
     "accessModes dataSource dataSourceRef resources selector storageClassName volumeAttributesClassName volumeMode volumeName"}};

// Where a kind has the specification of its pods.
std::string_view pods_of(std::string_view plural) {
    if (plural == "pods") return "/spec";
    if (plural == "cronjobs") return "/spec/jobTemplate/spec/template/spec";
    return listed("deployments statefulsets daemonsets replicasets jobs", plural) ? "/spec/template/spec"
                                                                                  : "";
}
constexpr std::string_view pods_that_stay = "deployments statefulsets daemonsets replicasets";

// ------------------------------------------------------------------ going through them

class Validation {
  public:
    explicit Validation(const json& object) : object_(object) {}

    template <std::size_t count>
    void apply(const Rule (&rules)[count], const std::string& base = {}) {
        const json* from = base.empty() ? &object_ : at(object_, base);
        for (const Rule& rule : rules)
            if (from != nullptr)
                visit(*from, rule.path, base,
                      [&](const json& value, const std::string& pointer) { look(rule, value, pointer); });
    }
    void look(const Rule& rule, const json& value, const std::string& pointer) {
        note(rule.check(value, rule.words), pointer);
    }
    void note(const Found& wrong, const std::string& pointer) {
        if (wrong) result_.push_back({pointer + wrong->below, wrong->why, wrong->is_type});
    }
    // Of another type, nothing else is looked at: further rules take the types as right.
    [[nodiscard]] std::vector<Refusal> result() {
        const auto is_type = [](const Refusal& one) { return one.is_type; };
        if (std::ranges::any_of(result_, is_type)) std::erase_if(result_, std::not_fn(is_type));
        return std::move(result_);
    }

  private:
    template <typename Visit>
    static void visit(const json& value, std::string_view path, const std::string& pointer,
                      const Visit& found) {
        if (value.is_null()) return;
        if (path.empty()) return found(value, pointer);
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view step = path.substr(0, end), rest = path.substr(end);
        if (step != "*") {
            if (const auto one = value.is_object() ? value.find(step) : value.end(); one != value.end())
                visit(*one, rest, pointer + step_of(step), found);
            return;
        }
        for (const auto& [key, one] : value.items()) visit(one, rest, pointer + step_of(key), found);
    }

    const json& object_;
    std::vector<Refusal> result_;
};

constexpr std::array containers_of = {"/containers", "/initContainers"};

template <typename Visit>
void each_container(const json& object, const std::string& pods, const Visit& visit) {
    for (const char* list : containers_of) {
        const json* containers = at(object, pods + list);
        for (std::size_t i = 0; containers != nullptr && containers->is_array() && i < containers->size();
             ++i)
            if ((*containers)[i].is_object()) visit(fmt::format("{}{}/{}", pods, list, i));
    }
}

void pods(Validation& validation, const json& object, const std::string& spec) {
    validation.apply(of_pods, spec);
    if (const json* pod = at(object, spec))
        validation.note(rules::mounts(*pod, at(object, "/spec/volumeClaimTemplates")), spec);
    each_container(object, spec, [&](const std::string& container) {
        validation.apply(of_containers, container);
        for (const char* probe : {"/readinessProbe", "/livenessProbe", "/startupProbe"})
            validation.apply(of_probes, container + probe);
    });
}

void by_kind(Validation& validation, std::string_view plural) {
    if (listed(pods_that_stay, plural)) validation.apply(of_workloads);
    if (plural == "deployments")
        validation.apply(of_deployments);
    else if (plural == "statefulsets")
        validation.apply(of_sets);
    else if (plural == "daemonsets")
        validation.apply(of_daemons);
    else if (plural == "jobs")
        validation.apply(of_jobs, "/spec");
    else if (plural == "cronjobs")
        validation.apply(of_cron_jobs), validation.apply(of_jobs, "/spec/jobTemplate/spec");
    else if (plural == "services")
        validation.apply(of_services);
    else if (plural == "configmaps")
        validation.apply(of_config_maps);
    else if (plural == "secrets")
        validation.apply(of_secrets);
    else if (plural == "persistentvolumeclaims")
        validation.apply(of_claims);
    else if (plural == "horizontalpodautoscalers")
        validation.apply(of_autoscalers);
    else if (plural == "poddisruptionbudgets")
        validation.apply(of_budgets);
    else if (plural == "ingresses")
        validation.apply(of_ingresses);
    else
        validation.apply(of_others);
}

void unknown_fields(Validation& validation, const json& object, std::string_view plural,
                    const std::string& spec) {
    for (const Known& known : fields_of_specs)
        if (listed(known.plurals, plural))
            if (const json* own = at(object, "/spec"))
                validation.look({"", rules::knows, known.fields}, *own, "/spec");
    if (spec.empty()) return;
    validation.apply(fields_of_pods, spec);
    each_container(object, spec,
                   [&](const std::string& container) { validation.apply(fields_of_containers, container); });
}

// Names of roles may have a `:`; what a definition adds has rules of its own.
constexpr std::string_view with_dns_names =
    "deployments statefulsets daemonsets replicasets pods configmaps secrets serviceaccounts persistentvolumeclaims persistentvolumes storageclasses horizontalpodautoscalers "
    "poddisruptionbudgets ingresses networkpolicies jobs cronjobs resourcequotas limitranges endpoints priorityclasses";
}  // namespace

std::string Refusal::field() const {
    std::string result;
    for (const std::string& part :
         split(std::string_view(pointer).substr(std::min<std::size_t>(1, pointer.size())), '/')) {
        const bool is_index = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
        if (is_index)
            result += "[" + part + "]";
        else
            result += (result.empty() ? "" : ".") + part;
    }
    return result;
}

std::vector<Refusal> refusals_of(std::string_view plural, const json& object, bool all_fields) {
    if (!object.is_object()) return {};
    const bool without_spec = !listed("configmaps secrets", plural) && at(object, "/spec") == nullptr;
    json completed;  // what is missing in an empty spec is missing without one
    if (without_spec) (completed = object)["spec"] = json::object();
    const json& looked_at = without_spec ? completed : object;
    Validation validation(looked_at);
    validation.apply(of_every_object);
    if (listed(with_dns_names, plural))
        if (const json* name = at(looked_at, "/metadata/name"))
            validation.look({"", rules::dns_name}, *name, "/metadata/name");
    by_kind(validation, plural);
    const std::string spec(pods_of(plural));
    if (!spec.empty()) {
        pods(validation, looked_at, spec);
        if (at(looked_at, spec) == nullptr)
            validation.look({"", rules::has, "containers"}, json::object(), spec);
    }
    if (all_fields) unknown_fields(validation, looked_at, plural, spec);
    std::vector<Refusal> result = validation.result();
    // Of a stateful set's pods the server looks at the types, and at nothing else before it makes one.
    for (Refusal& one : result)
        one.of_pods_only = plural == "statefulsets" && !one.is_type && one.pointer.starts_with(spec + "/") &&
                           one.pointer != spec + "/restartPolicy";
    return result;
}

}  // namespace migc::kubernetes
