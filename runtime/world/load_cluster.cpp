// Loading a cluster: nodes, namespaces and what is in them.
#include <fmt/format.h>

#include "runtime/world/load.hpp"

namespace migc::runtime::inline world {
namespace {

Object labels_of(Fields& fields, const std::string& key, const Object& usual) {
    const YamlNode* node = fields.take(key);
    if (!node) return usual;
    Object labels = Object::object();
    for (const auto& [label, value] : node->entries) labels[label.text] = value.text;
    if (node->kind != YamlKind::Map)
        fields.mistake(node->span, fmt::format("`{}` must be a map of texts", key));
    return labels;
}

Object head(const std::string& api_version, const std::string& kind, const ObjectKey& key) {
    Object object = {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", key.name}}}};
    if (!key.name_space.empty()) object["metadata"]["namespace"] = key.name_space;
    return object;
}

void put(Cluster& cluster, const ObjectKey& key, Object object) {
    add_defaults(*cluster.kinds.by_plural(key.plural), object);
    cluster.put(key, std::move(object));
}

void put_namespace(Cluster& cluster, const std::string& name) {
    const ObjectKey key{"namespaces", "", name};
    Object object = head("v1", "Namespace", key);
    object["metadata"]["labels"] = {{"kubernetes.io/metadata.name", name}};
    put(cluster, key, std::move(object));
    cluster.set_status(key, {{"phase", "Active"}});
}

struct NodeKind {
    std::string cpu = "4";
    std::string memory = "16Gi";
    bool ready = true;
};

// "dedicated=gpu:NoSchedule", as kubectl takes it.
Object taint_of(const std::string& text) {
    const std::size_t colon = std::min(text.rfind(':'), text.size());
    const std::size_t sign = text.substr(0, colon).find('=');
    Object taint = {{"key", text.substr(0, std::min(sign, colon))},
                    {"effect", colon < text.size() ? text.substr(colon + 1) : "NoSchedule"}};
    if (sign != std::string::npos) taint["value"] = text.substr(sign + 1, colon - sign - 1);
    return taint;
}

void put_node(Cluster& cluster, const std::string& name, const NodeKind& kind, const Object& labels,
              const std::vector<std::string>& taints, bool off) {
    const ObjectKey key{"nodes", "", name};
    Object object = make_node(name);
    for (const auto& [label, value] : labels.items()) object["metadata"]["labels"][label] = value;
    for (const std::string& taint : taints) object["spec"]["taints"].push_back(taint_of(taint));
    if (off) set_schedulable(object, false);
    put(cluster, key, std::move(object));
    cluster.set_status(key, node_status(cluster, kind.cpu, kind.memory, kind.ready));
}

void load_node(Cluster& cluster, const std::string& name, const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a node", diagnostics);
    NodeKind kind;
    kind.cpu = fields.quantity("cpu").value_or(kind.cpu);
    kind.memory = fields.quantity("memory").value_or(kind.memory);
    kind.ready = fields.flag_or("ready", true);
    const Object labels = labels_of(fields, "labels", Object::object());
    // `taints`: a list of texts such as "dedicated=gpu:NoSchedule".
    const std::vector<std::string> taints = fields.texts("taints");
    put_node(cluster, name, kind, labels, taints, fields.flag_or("unschedulable", false));
}

// A number of usual nodes, or a map from name to node.
void load_nodes(Cluster& cluster, Fields& fields, Diagnostics& diagnostics) {
    const YamlNode* nodes = fields.take("nodes");
    if (nodes && nodes->kind == YamlKind::Map) {
        for (const auto& [name, one] : nodes->entries) load_node(cluster, name.text, one, diagnostics);
        return;
    }
    constexpr std::int64_t most = 100;
    const std::int64_t count = nodes ? fields.number_or("nodes", 3, 0, most) : 3;
    for (std::int64_t i = 1; i <= count; ++i)
        put_node(cluster, fmt::format("node-{}", i), {}, Object::object(), {}, false);
}

std::vector<CommandAnswer> command_answers(const std::vector<YamlNode>& nodes, Diagnostics& diagnostics) {
    std::vector<CommandAnswer> answers;
    for (const YamlNode& node : nodes) {
        Fields fields(node, "an answer to a command", diagnostics);
        CommandAnswer answer;
        answer.command = fields.pattern("command");
        answer.output = fields.text_or("output", "");
        answer.errors = fields.text_or("errors", "");
        answer.status = static_cast<int>(fields.number_or("status", 0, 0, 255));
        answer.duration_ms = fields.duration_or("duration", 0);
        if (!answer.command)
            fields.mistake(node.span, "an answer to a command needs the `command`, a regular expression");
        answers.push_back(std::move(answer));
    }
    return answers;
}

// "configmap/settings" or plainly "settings".
std::vector<std::string> config_map_names(const std::vector<std::string>& written) {
    std::vector<std::string> names;
    for (const std::string& one : written)
        names.push_back(one.substr(one.find('/') == std::string::npos ? 0 : one.find('/') + 1));
    return names;
}

const std::vector<YamlNode>& one_or_more(Fields& fields, const std::string& key,
                                         std::vector<YamlNode>& storage) {
    const YamlNode* node = fields.take(key);
    if (node && node->kind == YamlKind::List) return node->children;
    if (node) storage.push_back(*node);
    return storage;
}

Behaviour behaviour(Fields& fields, Diagnostics& diagnostics) {
    Behaviour result;
    result.start_ms = fields.duration_or("start-delay", result.start_ms);
    result.stop_ms = fields.duration_or("stop-delay", result.stop_ms);
    result.ready = fields.flag_or("ready", true);
    std::vector<YamlNode> single;
    result.fails = fail_rules(one_or_more(fields, "fails", single), diagnostics);
    result.reads = config_map_names(fields.texts("reads"));
    result.logs = fields.texts("logs");
    // `request-log: "${method} ${path} ${status}"` is written by the pod that serves a request.
    result.request_log = fields.text_or("request-log", "");
    // `used: { /data: 3Gi }` is what df shows.
    const YamlNode& used = fields.map("used");
    for (const auto& [resource, amount] : used.entries) result.used[resource.text] = amount.text;
    result.answers = command_answers(fields.list("answers"), diagnostics);
    Fields usage(fields.map("usage"), "`usage`", diagnostics);
    result.cpu = usage.quantity("cpu");
    result.memory = usage.quantity("memory");
    return result;
}

Object requests(Fields& fields, Diagnostics& diagnostics) {
    Fields inner(fields.map("requests"), "`requests`", diagnostics);
    Object result = Object::object();
    if (const auto cpu = inner.quantity("cpu")) result["cpu"] = *cpu;
    if (const auto memory = inner.quantity("memory")) result["memory"] = *memory;
    return result;
}

Object containers(Fields& fields, const std::string& workload, const YamlNode& node,
                  Diagnostics& diagnostics) {
    Object list = Object::array();
    const auto image = fields.text("image");
    if (image) list.push_back({{"name", workload}, {"image", *image}});
    const YamlNode& more = fields.map("containers");
    for (const auto& [container, reference] : more.entries)
        list.push_back({{"name", container.text}, {"image", reference.text}});
    const Object wanted = requests(fields, diagnostics);
    if (!wanted.empty())
        for (Object& one : list) one["resources"]["requests"] = wanted;
    if (list.empty())
        fields.mistake(node.span,
                       fmt::format("the workload `{}` needs an `image` or `containers`", workload));
    return list;
}

Object volumes(Fields& fields, Object& container_list) {
    const YamlNode& mounts = fields.map("mounts");
    Object list = Object::array();
    for (const auto& [path, claim] : mounts.entries) {
        const std::string name = fmt::format("volume-{}", list.size());
        list.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", claim.text}}}});
        for (Object& one : container_list)
            one["volumeMounts"].push_back({{"name", name}, {"mountPath", path.text}});
    }
    return list;
}

const Kind* workload_kind(const Cluster& cluster, Fields& fields) {
    const YamlNode* node = fields.take("kind");
    const Kind* kind = cluster.kinds.typed(node ? node->text : "deployment");
    if (kind && is_workload(kind->plural)) return kind;
    fields.mistake(node->span, fmt::format("`{}` is no kind of workload: deployment, statefulset, daemonset",
                                           node->text));
    return nullptr;
}

void load_workload(Cluster& cluster, const std::string& name_space, const std::string& name,
                   const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a workload", diagnostics);
    const Kind* kind = workload_kind(cluster, fields);
    if (!kind) return;
    const ObjectKey key{kind->plural, name_space, name};
    const bool exists = fields.flag_or("exists", true);
    const std::int64_t replicas = fields.number_or("replicas", 1, 0, most_replicas);
    const Object labels = labels_of(fields, "labels", {{"app", name}});
    Object list = exists ? containers(fields, name, node, diagnostics) : Object::array();
    cluster.behaviours[key] = behaviour(fields, diagnostics);
    for (Object& one : list)
        for (const std::string& map : cluster.behaviours[key].reads)
            one["envFrom"].push_back({{"configMapRef", {{"name", map}}}});
    const Object mounted = volumes(fields, list);
    // `files: { /data/a: content }`, the same in all of its pods.
    const YamlNode& files = fields.map("files");
    for (const auto& [file, content] : files.entries) cluster.files[key][file.text] = content.text;
    Object object = head(kind->api_version(), kind->kind, key);
    object["metadata"]["labels"] = labels;
    Object spec = {{"selector", {{"matchLabels", labels}}},
                   {"template", {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", list}}}}}};
    if (kind->plural != "daemonsets") spec["replicas"] = replicas;
    if (!mounted.empty()) spec["template"]["spec"]["volumes"] = mounted;
    if (const auto strategy = fields.text("strategy")) spec["strategy"]["type"] = *strategy;
    if (const auto surge = fields.text("max-surge")) spec["strategy"]["rollingUpdate"]["maxSurge"] = *surge;
    if (const auto lacking = fields.text("max-unavailable"))
        spec["strategy"]["rollingUpdate"]["maxUnavailable"] = *lacking;
    const std::int64_t deadline_ms = fields.duration_or("progress-deadline", 600'000);
    if (kind->plural == "deployments") spec["progressDeadlineSeconds"] = deadline_ms / 1000;
    object["spec"] = std::move(spec);
    if (exists) put(cluster, key, std::move(object));
}

void load_service(Cluster& cluster, const std::string& name_space, const std::string& name,
                  const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a service", diagnostics);
    const ObjectKey key{"services", name_space, name};
    const std::int64_t port = fields.number_or("port", 80, 1, 65535);
    Object object = head("v1", "Service", key);
    object["spec"] = {
        {"selector", labels_of(fields, "selector", {{"app", name}})},
        {"ports", Object::array({Object{{"port", port}, {"targetPort", port}, {"protocol", "TCP"}}})}};
    put(cluster, key, std::move(object));
}

void load_config_map(Cluster& cluster, const std::string& name_space, const std::string& name,
                     const YamlNode& node, Diagnostics& diagnostics) {
    const ObjectKey key{"configmaps", name_space, name};
    Object object = head("v1", "ConfigMap", key);
    object["data"] = Object::object();
    for (const auto& [entry, value] : node.entries) object["data"][entry.text] = value.text;
    if (node.kind == YamlKind::Scalar || node.kind == YamlKind::List)
        report_mistake(diagnostics, node.span,
                       fmt::format("the configmap `{}` must be a map of texts", name));
    put(cluster, key, std::move(object));
}

void load_claim(Cluster& cluster, const std::string& name_space, const std::string& name,
                const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a claim", diagnostics);
    const ObjectKey key{"persistentvolumeclaims", name_space, name};
    const std::string size = fields.quantity("size").value_or("1Gi");
    const bool expandable = fields.flag_or("expandable", false);
    const std::string storage = fields.text_or("class", expandable ? "expandable" : "fixed");
    const std::string provisioner = fields.text_or("provisioner", "simulated");
    const ObjectKey storage_key{"storageclasses", "", storage};
    if (!cluster.find(storage_key)) {
        Object storage_object = head("storage.k8s.io/v1", "StorageClass", storage_key);
        // `provisioner: kubernetes.io/no-provisioner` is one that never resizes a volume.
        storage_object["provisioner"] = provisioner;
        storage_object["allowVolumeExpansion"] = expandable;
        put(cluster, storage_key, std::move(storage_object));
    }
    Object object = head("v1", "PersistentVolumeClaim", key);
    object["spec"] = {{"storageClassName", storage}, {"resources", {{"requests", {{"storage", size}}}}}};
    put(cluster, key, std::move(object));
}

// `disruption-budgets: { web: { selector: { app: web }, min-available: 2 } }`, or `max-unavailable: 50%`.
void load_disruption_budget(Cluster& cluster, const std::string& name_space, const std::string& name,
                            const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a disruption budget", diagnostics);
    const ObjectKey key{"poddisruptionbudgets", name_space, name};
    Object object = head("policy/v1", "PodDisruptionBudget", key);
    object["spec"]["selector"]["matchLabels"] = labels_of(fields, "selector", {{"app", name}});
    const auto least = fields.text("min-available");
    const auto most = fields.text("max-unavailable");
    if (least) object["spec"]["minAvailable"] = *least;
    if (most) object["spec"]["maxUnavailable"] = *most;
    if (least.has_value() == most.has_value())
        fields.mistake(node.span, "a disruption budget has either `min-available` or `max-unavailable`");
    put(cluster, key, std::move(object));
}

void load_autoscaler(Cluster& cluster, const std::string& name_space, const std::string& name,
                     const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "an autoscaler", diagnostics);
    const ObjectKey key{"horizontalpodautoscalers", name_space, name};
    const std::int64_t least = fields.number_or("min", 1, 1, most_replicas);
    Object object = head("autoscaling/v2", "HorizontalPodAutoscaler", key);
    const std::string workload = fields.text_or("workload", name);
    object["spec"] = {
        {"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", workload}}},
        {"minReplicas", least},
        {"maxReplicas", fields.number_or("max", least, least, most_replicas)}};
    put(cluster, key, std::move(object));
}

// A job of it takes `duration`, writes `logs` and ends with `exit-code`.
void load_cron_job(Cluster& cluster, const std::string& name_space, const std::string& name,
                   const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a cron job", diagnostics);
    const ObjectKey key{"cronjobs", name_space, name};
    const std::string image = fields.text_or("image", name);
    Behaviour& behaviour = cluster.behaviours[key];
    behaviour.job_ms = fields.duration_or("duration", behaviour.job_ms);
    behaviour.exit_code = static_cast<int>(fields.number_or("exit-code", 0, 0, 255));
    behaviour.logs = fields.texts("logs");
    std::vector<YamlNode> single;
    behaviour.fails = fail_rules(one_or_more(fields, "fails", single), diagnostics);
    Object object = head("batch/v1", "CronJob", key);
    const Object containers = Object::array({Object{{"name", name}, {"image", image}}});
    object["spec"] = {
        {"schedule", fields.text_or("schedule", "0 3 * * *")},
        {"jobTemplate",
         {{"spec", {{"template", {{"spec", {{"containers", containers}, {"restartPolicy", "Never"}}}}}}}}}};
    put(cluster, key, std::move(object));
}

void load_quota(Cluster& cluster, const std::string& name_space, Fields& fields, Diagnostics& diagnostics) {
    Fields quota(fields.map("quota"), "`quota`", diagnostics);
    const std::int64_t pods = quota.number_or("pods", -1, 0, 100'000);
    if (pods < 0) return;
    const ObjectKey key{"resourcequotas", name_space, "quota"};
    Object object = head("v1", "ResourceQuota", key);
    object["spec"] = {{"hard", {{"pods", std::to_string(pods)}}}};
    put(cluster, key, std::move(object));
}

using LoadOne = void (*)(Cluster&, const std::string&, const std::string&, const YamlNode&, Diagnostics&);

void load_each(Cluster& cluster, const std::string& name_space, const YamlNode& map, LoadOne load_one,
               Diagnostics& diagnostics) {
    for (const auto& [name, one] : map.entries) load_one(cluster, name_space, name.text, one, diagnostics);
}

void load_namespace(Cluster& cluster, const std::string& name, const YamlNode& node,
                    Diagnostics& diagnostics) {
    put_namespace(cluster, name);
    Fields fields(node, "a namespace", diagnostics);
    load_quota(cluster, name, fields, diagnostics);
    load_each(cluster, name, fields.map("configmaps"), load_config_map, diagnostics);
    load_each(cluster, name, fields.map("claims"), load_claim, diagnostics);
    load_each(cluster, name, fields.map("workloads"), load_workload, diagnostics);
    load_each(cluster, name, fields.map("services"), load_service, diagnostics);
    load_each(cluster, name, fields.map("autoscalers"), load_autoscaler, diagnostics);
    load_each(cluster, name, fields.map("disruption-budgets"), load_disruption_budget, diagnostics);
    load_each(cluster, name, fields.map("cronjobs"), load_cron_job, diagnostics);
}

}  // namespace

std::vector<FailRule> fail_rules(const std::vector<YamlNode>& rules, Diagnostics& diagnostics) {
    std::vector<FailRule> result;
    for (const YamlNode& node : rules) {
        Fields fields(node, "a rule of `fails`", diagnostics);
        FailRule rule;
        rule.when = condition_of(fields);
        rule.reason = fields.text_or("reason", "CrashLoopBackOff");
        rule.message = fields.text_or("message", "");
        rule.after_ms = fields.duration_or("after", 0);
        rule.logs = fields.texts("logs");
        result.push_back(std::move(rule));
    }
    return result;
}

void load_cluster(Cluster& cluster, const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a cluster", diagnostics);
    cluster.version = fields.text_or("version", cluster.version);
    if (cluster.version.size() < 2 || cluster.version[0] != 'v')
        fields.mistake(node.span, "`version` of a cluster must look like v1.30.2");
    cluster.lag_ms = fields.duration_or("lag", cluster.lag_ms);
    // `metrics: false`: there is no metrics server, so `kubectl top` fails.
    cluster.metrics = fields.flag_or("metrics", true);
    std::vector<YamlNode> single;
    cluster.fails = fail_rules(one_or_more(fields, "fails", single), diagnostics);
    cluster.answers = command_answers(fields.list("answers"), diagnostics);
    for (const char* name : {"default", "kube-system"}) put_namespace(cluster, name);
    load_nodes(cluster, fields, diagnostics);
    const YamlNode& namespaces = fields.map("namespaces");
    for (const auto& [name, one] : namespaces.entries) load_namespace(cluster, name.text, one, diagnostics);
}

}  // namespace migc::runtime::inline world
