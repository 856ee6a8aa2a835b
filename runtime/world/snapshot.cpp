// The state of a world as one text, for comparing before and after.
#include "compiler/support/sha256.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr const char* restart_annotation = "kubectl.kubernetes.io/restartedAt";

Object without_counters(const ObjectKey& key, Object object) {
    const Object capacity = object_at(object, "/status/capacity");
    object = written_by_people(std::move(object));
    // How large a claim really is, is state; it lags behind what was asked for.
    if (key.plural == "persistentvolumeclaims" || key.plural == "nodes") object["capacity"] = capacity;
    if (part(object, "/spec/template/metadata")) {
        Object& inner = object["spec"]["template"]["metadata"];
        drop_annotation(inner, restart_annotation);
        if (inner.empty() || inner.is_null()) object["spec"]["template"].erase("metadata");
    }
    return object;
}

std::string shown(const std::string& sort, const ObjectKey& key) {
    return sort + "/" + key.name_space + "/" + key.name;
}

// What runs, by workload: how many pods of each image and configuration, and how many of them are ready.
Object running(const Cluster& cluster) {
    std::map<std::string, std::map<std::string, std::pair<int, int>>> sorts;
    for (const auto& [key, record] : cluster.pods) {
        if (record.terminating || record.stage == PodStage::Ended || !cluster.find(key)) continue;
        const Object& pod = *cluster.find(key);
        Object sort = {{"configuration", record.seen}, {"images", Object::array()}};
        for (const Object& status : list_at(pod, "/status/containerStatuses"))
            sort["images"].push_back({{"image", status["image"]}, {"content", status["imageID"]}});
        const ObjectKey owner = cluster.top_owner(pod);
        const Kind& kind = *cluster.kinds.by_plural(owner.plural);
        auto& [all, ready] = sorts[shown(kind.kind, owner)][printed(sort, -1)];
        ++all;
        ready += record.stage == PodStage::Ready ? 1 : 0;
    }
    Object result = Object::object();
    for (const auto& [owner, kinds] : sorts)
        for (const auto& [sort, counts] : kinds) {
            Object entry = Object::parse(sort);
            entry["pods"] = counts.first;
            entry["ready"] = counts.second;
            result[owner].push_back(std::move(entry));
        }
    return result;
}

// A job that is through is a record of what was, like an event.
bool is_record(const ObjectKey& key, const Object& object) {
    return key.plural == "jobs" && part(object, "/status/conditions");
}

// By workload and path.
Object files(const Cluster& cluster) {
    Object result = Object::object();
    for (const auto& [key, of_workload] : cluster.files)
        for (const auto& [path, content] : of_workload)
            result[shown(key.plural, key)][path] = sha256(content);
    return result;
}

Object state_of(const Cluster& cluster) {
    Object objects = Object::object();
    for (const auto& [key, object] : cluster.objects())
        if (!is_derived(key.plural) && !is_record(key, object))
            objects[shown(key.plural, key)] = without_counters(key, object);
    Object state = {{"objects", objects}, {"running", running(cluster)}};
    if (Object written = files(cluster); !written.empty()) state["files"] = std::move(written);
    return state;
}

}  // namespace

std::string state_of(const Simulation& world) {
    Object state = {
        {"clusters", Object::object()}, {"registry", Object::object()}, {"terraform", Object::object()}};
    for (const auto& [name, cluster] : world.clusters) state["clusters"][name] = state_of(cluster);
    for (const auto& [image, digest] : world.registry)
        if (image.find('@') == std::string::npos) state["registry"][image] = digest;
    for (const auto& [name, directory] : world.terraform) {
        state["terraform"][name] = {{"instances", directory.instances}, {"variables", directory.variables}};
        if (!directory.tainted.empty()) state["terraform"][name]["tainted"] = directory.tainted;
    }
    for (const auto& [log, program] : world.left_running)
        if (program.ends > world.clock) state["programs"].push_back(program.path);
    for (const WebEndpoint& endpoint : world.web)
        for (const auto& [url, content] : endpoint.contents) state["web"][url] = content.body;
    return printed(state, 1) + "\n";
}

}  // namespace migc::runtime::inline world
