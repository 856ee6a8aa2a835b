// kubectl delete.
#include <array>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

bool gone_within_limit(KubectlCall& call, const ObjectKey& key, const std::string& uid) {
    const auto is_there = [&] {
        const Object* object = call.cluster.find(key);
        return object && text_at(*object, "/metadata/uid") == uid;
    };
    while (is_there())
        if (call.world.next() == never || !call.world.pass_to_next()) return false;
    return true;
}

void mark_deleted(Cluster& cluster, const ObjectKey& key) {
    Object object = *cluster.find(key);
    object["metadata"]["deletionTimestamp"] = timestamp(cluster.now());
    object["metadata"]["deletionGracePeriodSeconds"] = 0;
    cluster.put(key, std::move(object));
}

void delete_namespace(Cluster& cluster, const std::string& name_space) {
    std::vector<ObjectKey> inside;
    for (const auto& [key, object] : cluster.objects())
        if (key.name_space == name_space) inside.push_back(key);
    for (const ObjectKey& key : inside) cluster.erase(key);
}

// What the server does at once; who has finalizers stays until they are taken away.
void begin_deletion(KubectlCall& call, const Target& target) {
    if (target.key.plural == "persistentvolumeclaims" && is_mounted(call.cluster, target.key)) {
        Object object = *call.cluster.find(target.key);
        object["metadata"]["finalizers"] = {"kubernetes.io/pvc-protection"};
        call.cluster.put(target.key, std::move(object));
        mark_deleted(call.cluster, target.key);
    } else if (target.key.plural == "pods") {
        call.cluster.terminate(target.key);
    } else if (!list_at(*call.cluster.find(target.key), "/metadata/finalizers").empty()) {
        mark_deleted(call.cluster, target.key);
    } else {
        if (target.key.plural == "namespaces") delete_namespace(call.cluster, target.key.name);
        call.cluster.erase(target.key);
    }
}

// False if it did not go within the command's limit.
bool remove(KubectlCall& call, const Target& target) {
    const std::string uid = text_at(*call.cluster.find(target.key), "/metadata/uid");
    begin_deletion(call, target);
    return call.arguments.value_or("--wait", "true") == "false" || gone_within_limit(call, target.key, uid);
}

// "/apis/apps/v1/namespaces/web/deployments/x", "/api/v1/nodes/y"; nothing if there is no such place.
std::optional<Target> target_at(const KubectlCall& call, const std::string& path) {
    std::vector<std::string> parts = split(path, '/');
    const std::size_t version = parts.size() > 1 && parts[1] == "api" ? 2 : 3;
    if (parts.size() < version + 3) return std::nullopt;
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(version) + 1);
    const bool within = parts.size() == 4 && parts[0] == "namespaces";
    if (!within && parts.size() != 2) return std::nullopt;
    const Kind* kind = call.cluster.kinds.by_plural(parts[parts.size() - 2]);
    if (!kind) return std::nullopt;
    return Target{kind, {kind->plural, within ? parts[1] : "", parts.back()}};
}

Answer delete_raw(KubectlCall& call, const std::string& path) {
    const auto target = target_at(call, path);
    if (!target)
        return failed("Error from server (NotFound): the server could not find the requested resource\n");
    const Object* object = call.cluster.find(target->key);
    if (!object) return not_found(*target->kind, target->key.name);
    const Object options = Object::parse(call.input, nullptr, false);
    constexpr std::array<const char*, 3> checked[] = {
        {"uid", "UID", "deleted and then recreated"},
        {"resourceVersion", "ResourceVersion", "modified"},
    };
    for (const auto& [field, shown, otherwise] : checked) {
        const std::string wanted = text_at(options, (std::string("/preconditions/") + field).c_str());
        const std::string has = text_at(*object, (std::string("/metadata/") + field).c_str());
        if (!wanted.empty() && wanted != has)
            return failed(
                "Error from server (Conflict): Operation cannot be fulfilled on {} \"{}\": the {} in the "
                "precondition ({}) does not match the {} in record ({}). The object might have been {}\n",
                target->kind->kind, target->key.name, shown, wanted, shown, has, otherwise);
    }
    const std::string uid = text_at(*object, "/metadata/uid");
    begin_deletion(call, *target);
    return done_json(
        {{"kind", "Status"},
         {"apiVersion", "v1"},
         {"metadata", Object::object()},
         {"status", "Success"},
         {"details", {{"name", target->key.name}, {"kind", target->kind->plural}, {"uid", uid}}}},
        -1);
}

}  // namespace

Answer kubectl_delete(KubectlCall& call) {
    if (const auto path = call.arguments.value("--raw")) return delete_raw(call, *path);
    const auto targets = targets_of(call, call.arguments.words);
    if (!targets) return targets.error();
    if (targets->empty()) return unmodelled("kubectl delete of other than named resources");
    std::string output;
    std::string errors;
    for (const Target& target : *targets) {
        if (!call.cluster.find(target.key)) {
            if (!call.arguments.has("--ignore-not-found"))
                errors += not_found(*target.kind, target.key.name).errors;
            continue;
        }
        output += fmt::format("{} \"{}\" deleted\n", target.kind->singular(), target.key.name);
        if (!remove(call, target)) return out_of_time();
    }
    return exited(errors.empty() ? 0 : 1, output, errors);
}

}  // namespace migc::runtime::inline world
