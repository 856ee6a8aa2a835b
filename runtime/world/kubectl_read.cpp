// kubectl get, top, auth can-i.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

// The resources of one version of a group: "/api/v1", "/apis/apps/v1".
Answer resources_of(const Cluster& cluster, const std::string& version) {
    Object list = Object::array();
    for (const Kind& kind : cluster.kinds.all())
        if (kind.api_version() == version)
            list.push_back({{"name", kind.plural},
                            {"singularName", ""},
                            {"namespaced", kind.namespaced},
                            {"kind", kind.kind}});
    if (list.empty())
        return failed("Error from server (NotFound): the server could not find the requested resource\n");
    return done_json({{"kind", "APIResourceList"}, {"groupVersion", version}, {"resources", list}}, -1);
}

Answer raw(const KubectlCall& call, const std::string& path) {
    for (const std::string prefix : {"/apis/", "/api/"})
        if (path.starts_with(prefix)) return resources_of(call.cluster, path.substr(prefix.size()));
    if (path == "/readyz" || path == "/healthz" || path == "/livez")
        return exited(0, "ok",
                      call.arguments.value("-v") ? "    Date: " + http_date(call.cluster.now()) + "\n" : "");
    if (path == "/version") return done(printed({{"gitVersion", call.cluster.version}}, 2));
    return unmodelled("kubectl get --raw " + path);
}

// "status.phase=Running,spec.nodeName!=a"
bool fields_match(const Object& object, const std::string& selector) {
    for (const std::string& one : split(selector, ',')) {
        const auto [path, value, negated] = requirement_of(one);
        if (!value) return false;
        std::string pointer = "/" + path;
        std::ranges::replace(pointer, '.', '/');
        if ((text_at(object, pointer.c_str()) == *value) == negated) return false;
    }
    return true;
}

tl::expected<std::vector<Target>, Answer> listed_targets(const KubectlCall& call, const std::string& types) {
    std::vector<Target> found;
    const std::string selector = call.arguments.value_or("-l --selector", "");
    const auto fields = call.arguments.value("--field-selector");
    for (const std::string& type : split(types, ',')) {
        const Kind* kind = call.cluster.kinds.typed(type);
        if (!kind) return tl::unexpected(unknown_type(type));
        const bool everywhere = call.arguments.has("-A --all-namespaces") || !kind->namespaced;
        for (const auto& [key, object] : call.cluster.all(kind->plural, everywhere ? "" : call.name_space)) {
            const auto chosen = selected(object_at(object, "/metadata/labels"), selector);
            if (!chosen) return tl::unexpected(unmodelled("kubectl get -l " + selector));
            if (*chosen && (!fields || fields_match(object, *fields))) found.push_back({kind, key});
        }
    }
    return found;
}

Answer names(const std::vector<Target>& targets) {
    std::string text;
    for (const Target& target : targets) text += target.shown() + "\n";
    return done(text);
}

Answer list(const KubectlCall& call, const std::vector<Target>& targets) {
    Object list = {{"apiVersion", "v1"},
                   {"items", Object::array()},
                   {"kind", "List"},
                   {"metadata", {{"resourceVersion", ""}}}};
    for (const Target& target : targets)
        list["items"].push_back(as_shown(call, *call.cluster.find(target.key)));
    return done_json(list);
}

Answer get_named(const KubectlCall& call, std::vector<Target> targets) {
    const bool single = targets.size() == 1;
    std::string errors;
    std::erase_if(targets, [&](const Target& target) {
        if (call.cluster.find(target.key)) return false;
        if (!call.arguments.has("--ignore-not-found"))
            errors += not_found(*target.kind, target.key.name).errors;
        return true;
    });
    const int status = errors.empty() ? 0 : 1;
    if (targets.empty() && (single || status == 0)) return exited(status, "", errors);
    if (call.arguments.value_or("-o --output", "") == "name")
        return exited(status, names(targets).output, errors);
    const auto shown = [&](const Target& target) {
        return in_version(*target.kind, as_shown(call, *call.cluster.find(target.key)), target.version);
    };
    const std::string text = single ? printed(shown(targets[0])) + "\n" : list(call, targets).output;
    return exited(status, text, errors);
}

// A watch that is run as a command prints until its time is up.
Answer watch_until_the_limit(KubectlCall& call) {
    call.world.pass(never / 2);
    return out_of_time();
}

std::string cores(double amount) {
    return fmt::format("{}m", static_cast<std::int64_t>(amount * 1000 + 0.5));
}
std::string mebibytes(double amount) {
    return fmt::format("{}Mi", static_cast<std::int64_t>(amount / (1024 * 1024) + 0.5));
}

Resources usage_of(const Cluster& cluster, const Object& pod) {
    const Behaviour& behaviour = cluster.behaviour_of(pod);
    Resources usage = requested(pod);
    if (behaviour.cpu) usage.cpu = amount_of(*behaviour.cpu);
    if (behaviour.memory) usage.memory = amount_of(*behaviour.memory);
    return usage;
}

std::string node_row(const Cluster& cluster, const ObjectKey& node) {
    Resources sum;
    for (const auto& [key, pod] : cluster.all("pods")) {
        if (text_at(pod, "/spec/nodeName") != node.name || !is_ready(cluster, key)) continue;
        const Resources one = usage_of(cluster, pod);
        sum.cpu += one.cpu;
        sum.memory += one.memory;
    }
    const Object& object = *cluster.find(node);
    const double cpu = amount_of(text_at(object, "/status/capacity/cpu"));
    const double memory = amount_of(text_at(object, "/status/capacity/memory"));
    return fmt::format("{:<24} {:>6} {:>4}% {:>8} {:>4}%\n", node.name, cores(sum.cpu),
                       cpu > 0 ? static_cast<int>(100 * sum.cpu / cpu) : 0, mebibytes(sum.memory),
                       memory > 0 ? static_cast<int>(100 * sum.memory / memory) : 0);
}

}  // namespace

Answer kubectl_get(KubectlCall& call) {
    if (const auto path = call.arguments.value("--raw")) return raw(call, *path);
    const auto& words = call.arguments.words;
    if (words.empty()) return failed("error: Required resource not specified.\n");
    const std::string format = call.arguments.value_or("-o --output", "");
    if (format != "json" && format != "name") return unmodelled("kubectl get without -o json or -o name");
    const bool named = words.size() > 1 || words[0].find('/') != std::string::npos;
    const auto targets = named ? targets_of(call, words) : listed_targets(call, words[0]);
    if (!targets) return targets.error();
    if (call.arguments.has("--watch-only --watch -w")) return watch_until_the_limit(call);
    if (named) return get_named(call, *targets);
    return format == "name" ? names(*targets) : list(call, *targets);
}

Answer kubectl_top(KubectlCall& call) {
    if (!call.cluster.metrics) return failed("error: Metrics API not available\n");
    const auto& words = call.arguments.words;
    if (words.size() != 1 || !call.arguments.has("--no-headers"))
        return unmodelled("kubectl top " + joined(words));
    const Kind* kind = call.cluster.kinds.typed(words[0]);
    std::string text;
    if (kind && kind->plural == "nodes") {
        for (const ObjectKey& node : call.cluster.keys("nodes")) text += node_row(call.cluster, node);
        return done(text);
    }
    if (!kind || kind->plural != "pods") return unmodelled("kubectl top " + words[0]);
    const auto pods = listed_targets(call, "pods");
    if (!pods) return pods.error();
    for (const Target& pod : *pods) {
        if (!is_ready(call.cluster, pod.key)) continue;
        const Resources usage = usage_of(call.cluster, *call.cluster.find(pod.key));
        text += fmt::format("{:<48} {:>6} {:>8}\n", pod.key.name, cores(usage.cpu), mebibytes(usage.memory));
    }
    if (text.empty())
        return exited(0, "", fmt::format("No resources found in {} namespace.\n", call.name_space));
    return done(text);
}

Answer kubectl_can_i(KubectlCall& call) {
    const auto& words = call.arguments.words;
    if (words.size() < 3 || words[0] != "can-i") return unmodelled("kubectl auth " + joined(words));
    return done("yes\n");
}

}  // namespace migc::runtime::inline world
