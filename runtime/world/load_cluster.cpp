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

void put(Cluster& cluster, const ObjectKey& key, Object object) {
    add_defaults(*cluster.kinds.by_plural(key.plural), object);
    cluster.put(key, std::move(object));
}

void put_namespace(Cluster& cluster, const std::string& name) {
    const ObjectKey key{"namespaces", "", name};
    Object object = head_of(cluster, key);
    object["metadata"]["labels"] = {{"kubernetes.io/metadata.name", name}};
    put(cluster, key, std::move(object));
    cluster.set_status(key, {{"phase", "Active"}});
}

// "dedicated=gpu:NoSchedule", as kubectl takes it.
Object taint_of(const std::string& text) {
    const std::size_t colon = std::min(text.rfind(':'), text.size());
    const std::size_t sign = text.substr(0, colon).find('=');
    Object taint = {{"key", text.substr(0, std::min(sign, colon))},
                    {"effect", colon < text.size() ? text.substr(colon + 1) : "NoSchedule"}};
    if (sign != std::string::npos) taint["value"] = text.substr(sign + 1, colon - sign - 1);
    return taint;
}

void load_node(Cluster& cluster, const std::string& name, Fields fields) {
    const ObjectKey key{"nodes", "", name};
    const std::string cpu = fields.quantity("cpu").value_or("4");
    const std::string memory = fields.quantity("memory").value_or("16Gi");
    const bool ready = fields.flag_or("ready", true);
    Object object = make_node(name);
    object["metadata"]["labels"].update(labels_of(fields, "labels", Object::object()));
    // `taints`: a list of texts such as "dedicated=gpu:NoSchedule".
    for (const std::string& taint : fields.texts("taints"))
        object["spec"]["taints"].push_back(taint_of(taint));
    if (fields.flag_or("unschedulable", false)) set_schedulable(object, false);
    put(cluster, key, std::move(object));
    cluster.set_status(key, node_status(cluster, cpu, memory, ready));
}

// A number of usual nodes, or a map from name to node.
void load_nodes(Cluster& cluster, Fields& fields) {
    const YamlNode* nodes = fields.take("nodes");
    if (nodes && nodes->kind == YamlKind::Map) {
        for (const auto& [name, one] : nodes->entries)
            load_node(cluster, name.text, fields.below(one, "a node"));
        return;
    }
    constexpr std::int64_t most = 100;
    const std::int64_t count = fields.number_or("nodes", 3, 0, most);
    for (std::int64_t i = 1; i <= count; ++i)
        load_node(cluster, fmt::format("node-{}", i), fields.below({}, "a node"));
}

std::vector<FailRule> fail_rules(Fields& all) {
    std::vector<FailRule> result;
    for (const YamlNode& node : all.one_or_more("fails")) {
        Fields fields = all.below(node, "a rule of `fails`");
        FailRule& rule = result.emplace_back();
        rule.when = condition_of(fields);
        rule.reason = fields.text_or("reason", "CrashLoopBackOff");
        rule.message = fields.text_or("message", "");
        rule.after_ms = fields.duration_or("after", 0);
        rule.logs = fields.texts("logs");
    }
    return result;
}

std::vector<CommandAnswer> command_answers(Fields& all) {
    std::vector<CommandAnswer> answers;
    for (const YamlNode& node : all.list("answers")) {
        Fields fields = all.below(node, "an answer to a command");
        CommandAnswer& answer = answers.emplace_back();
        answer.command = fields.pattern("command");
        load_ending(answer, fields);
        if (!answer.command)
            fields.mistake("an answer to a command needs the `command`, a regular expression");
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

Behaviour behaviour(Fields& fields) {
    Behaviour result;
    result.start_ms = fields.duration_or("start-delay", result.start_ms);
    result.stop_ms = fields.duration_or("stop-delay", result.stop_ms);
    result.ready = fields.flag_or("ready", true);
    result.fails = fail_rules(fields);
    result.reads = config_map_names(fields.texts("reads"));
    result.logs = fields.texts("logs");
    // `request-log: "${method} ${path} ${status}"` is written by the pod that serves a request.
    result.request_log = fields.text_or("request-log", "");
    // `used: { /data: 3Gi }` is what df shows.
    for (const auto& [resource, amount] : fields.map("used").entries)
        result.used[resource.text] = amount.text;
    result.answers = command_answers(fields);
    Fields usage = fields.below(fields.map("usage"), "`usage`");
    result.cpu = usage.quantity("cpu");
    result.memory = usage.quantity("memory");
    return result;
}

Object requests(Fields& fields) {
    Fields inner = fields.below(fields.map("requests"), "`requests`");
    Object result = Object::object();
    for (const char* resource : {"cpu", "memory"})
        if (const auto amount = inner.quantity(resource)) result[resource] = *amount;
    return result;
}

Object containers(Fields& fields, const std::string& workload) {
    Object list = Object::array();
    if (const auto image = fields.text("image")) list.push_back({{"name", workload}, {"image", *image}});
    for (const auto& [container, reference] : fields.map("containers").entries)
        list.push_back({{"name", container.text}, {"image", reference.text}});
    const Object wanted = requests(fields);
    if (!wanted.empty())
        for (Object& one : list) one["resources"]["requests"] = wanted;
    if (list.empty())
        fields.mistake(fmt::format("the workload `{}` needs an `image` or `containers`", workload));
    return list;
}

Object volumes(Fields& fields, Object& container_list) {
    Object list = Object::array();
    for (const auto& [path, claim] : fields.map("mounts").entries) {
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
    if (kind && is_workload(*kind)) return kind;
    fields.mistake(node->span, fmt::format("`{}` is no kind of workload: deployment, statefulset, daemonset",
                                           node->text));
    return nullptr;
}

void load_workload(Cluster& cluster, const std::string& name_space, const std::string& name, Fields fields) {
    const Kind* kind = workload_kind(cluster, fields);
    if (!kind) return;
    const ObjectKey key{kind->plural, name_space, name};
    const bool exists = fields.flag_or("exists", true);
    const std::int64_t replicas = fields.number_or("replicas", 1, 0, most_replicas);
    const Object labels = labels_of(fields, "labels", {{"app", name}});
    Object list = exists ? containers(fields, name) : Object::array();
    cluster.behaviours[key] = behaviour(fields);
    for (Object& one : list)
        for (const std::string& map : cluster.behaviours[key].reads)
            one["envFrom"].push_back({{"configMapRef", {{"name", map}}}});
    const Object mounted = volumes(fields, list);
    // `files: { /data/a: content }`, the same in all of its pods.
    for (const auto& [file, content] : fields.map("files").entries)
        cluster.files[key][file.text] = content.text;
    Object object = head_of(cluster, key);
    object["metadata"]["labels"] = labels;
    Object& spec = object["spec"];
    spec = {{"selector", {{"matchLabels", labels}}},
            {"template", {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", list}}}}}};
    if (kind->plural != "daemonsets") spec["replicas"] = replicas;
    if (!mounted.empty()) spec["template"]["spec"]["volumes"] = mounted;
    if (const auto strategy = fields.text("strategy")) spec["strategy"]["type"] = *strategy;
    if (const auto surge = fields.text("max-surge")) spec["strategy"]["rollingUpdate"]["maxSurge"] = *surge;
    if (const auto lacking = fields.text("max-unavailable"))
        spec["strategy"]["rollingUpdate"]["maxUnavailable"] = *lacking;
    const std::int64_t deadline_ms = fields.duration_or("progress-deadline", 600'000);
    if (kind->plural == "deployments") spec["progressDeadlineSeconds"] = deadline_ms / 1000;
    if (exists) put(cluster, key, std::move(object));
}

void load_config_map(Cluster& cluster, const ObjectKey& key, const YamlNode& node, Fields& fields) {
    Object object = head_of(cluster, key);
    object["data"] = Object::object();
    for (const auto& [entry, value] : node.entries) object["data"][entry.text] = value.text;
    if (node.kind == YamlKind::Scalar || node.kind == YamlKind::List)
        fields.mistake(node.span, fmt::format("the configmap `{}` must be a map of texts", key.name));
    put(cluster, key, std::move(object));
}

// What a loader of one object adds to its head; the error of its keys it reports itself.
using Fill = void (*)(Cluster&, const ObjectKey&, Fields&, Object&);

void fill_service(Cluster&, const ObjectKey& key, Fields& fields, Object& object) {
    const std::int64_t port = fields.number_or("port", 80, 1, 65535);
    object["spec"] = {
        {"selector", labels_of(fields, "selector", {{"app", key.name}})},
        {"ports", Object::array({Object{{"port", port}, {"targetPort", port}, {"protocol", "TCP"}}})}};
}

void fill_claim(Cluster& cluster, const ObjectKey&, Fields& fields, Object& object) {
    const std::string size = fields.quantity("size").value_or("1Gi");
    const bool expandable = fields.flag_or("expandable", false);
    const std::string storage = fields.text_or("class", expandable ? "expandable" : "fixed");
    const std::string provisioner = fields.text_or("provisioner", "simulated");
    const ObjectKey storage_key{"storageclasses", "", storage};
    if (!cluster.find(storage_key)) {
        Object storage_object = head_of(cluster, storage_key);
        // `provisioner: kubernetes.io/no-provisioner` is one that never resizes a volume.
        storage_object["provisioner"] = provisioner;
        storage_object["allowVolumeExpansion"] = expandable;
        put(cluster, storage_key, std::move(storage_object));
    }
    object["spec"] = {{"storageClassName", storage}, {"resources", {{"requests", {{"storage", size}}}}}};
}

// `disruption-budgets: { web: { selector: { app: web }, min-available: 2 } }`, or `max-unavailable: 50%`.
void fill_disruption_budget(Cluster&, const ObjectKey& key, Fields& fields, Object& object) {
    object["spec"]["selector"]["matchLabels"] = labels_of(fields, "selector", {{"app", key.name}});
    const auto least = fields.text("min-available");
    const auto most = fields.text("max-unavailable");
    if (least) object["spec"]["minAvailable"] = *least;
    if (most) object["spec"]["maxUnavailable"] = *most;
    if (least.has_value() == most.has_value())
        fields.mistake("a disruption budget has either `min-available` or `max-unavailable`");
}

void fill_autoscaler(Cluster&, const ObjectKey& key, Fields& fields, Object& object) {
    const std::int64_t least = fields.number_or("min", 1, 1, most_replicas);
    const std::string workload = fields.text_or("workload", key.name);
    object["spec"] = {
        {"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", workload}}},
        {"minReplicas", least},
        {"maxReplicas", fields.number_or("max", least, least, most_replicas)}};
}

// A job of it takes `duration`, writes `logs` and ends with `exit-code`.
void fill_cron_job(Cluster& cluster, const ObjectKey& key, Fields& fields, Object& object) {
    const std::string image = fields.text_or("image", key.name);
    Behaviour& behaviour = cluster.behaviours[key];
    behaviour.job_ms = fields.duration_or("duration", behaviour.job_ms);
    behaviour.exit_code = static_cast<int>(fields.number_or("exit-code", 0, 0, 255));
    behaviour.logs = fields.texts("logs");
    behaviour.fails = fail_rules(fields);
    const Object containers = Object::array({Object{{"name", key.name}, {"image", image}}});
    object["spec"] = {
        {"schedule", fields.text_or("schedule", "0 3 * * *")},
        {"jobTemplate",
         {{"spec", {{"template", {{"spec", {{"containers", containers}, {"restartPolicy", "Never"}}}}}}}}}};
}

void load_quota(Cluster& cluster, const std::string& name_space, Fields quota) {
    const std::int64_t pods = quota.number_or("pods", -1, 0, 100'000);
    if (pods < 0) return;
    const ObjectKey key{"resourcequotas", name_space, "quota"};
    Object object = head_of(cluster, key);
    object["spec"] = {{"hard", {{"pods", std::to_string(pods)}}}};
    put(cluster, key, std::move(object));
}

void load_namespace(Cluster& cluster, const std::string& name, Fields fields) {
    put_namespace(cluster, name);
    load_quota(cluster, name, fields.below(fields.map("quota"), "`quota`"));
    const auto load_each = [&](const char* map, const char* what, const char* plural, Fill fill) {
        for (const auto& [object_name, one] : fields.map(map).entries) {
            const ObjectKey key{plural, name, object_name.text};
            Fields inner = fields.below(one, what);
            Object object = head_of(cluster, key);
            fill(cluster, key, inner, object);
            put(cluster, key, std::move(object));
        }
    };
    for (const auto& [map, one] : fields.map("configmaps").entries)
        load_config_map(cluster, {"configmaps", name, map.text}, one, fields);
    load_each("claims", "a claim", "persistentvolumeclaims", fill_claim);
    for (const auto& [workload, one] : fields.map("workloads").entries)
        load_workload(cluster, name, workload.text, fields.below(one, "a workload"));
    load_each("services", "a service", "services", fill_service);
    load_each("autoscalers", "an autoscaler", "horizontalpodautoscalers", fill_autoscaler);
    load_each("disruption-budgets", "a disruption budget", "poddisruptionbudgets", fill_disruption_budget);
    load_each("cronjobs", "a cron job", "cronjobs", fill_cron_job);
}

}  // namespace

void load_cluster(Cluster& cluster, Fields fields) {
    cluster.version = fields.text_or("version", cluster.version);
    if (cluster.version.size() < 2 || cluster.version[0] != 'v')
        fields.mistake("`version` of a cluster must look like v1.30.2");
    cluster.lag_ms = fields.duration_or("lag", cluster.lag_ms);
    // `metrics: false`: there is no metrics server, so `kubectl top` fails.
    cluster.metrics = fields.flag_or("metrics", true);
    cluster.fails = fail_rules(fields);
    cluster.answers = command_answers(fields);
    for (const char* name : {"default", "kube-system"}) put_namespace(cluster, name);
    load_nodes(cluster, fields);
    for (const auto& [name, one] : fields.map("namespaces").entries)
        load_namespace(cluster, name.text, fields.below(one, "a namespace"));
}

}  // namespace migc::runtime::inline world
