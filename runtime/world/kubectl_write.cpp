// kubectl scale, rollout, set image, patch, delete.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime {
namespace {

std::optional<std::int64_t> whole_number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool has_pod_template(const Kind& kind) {
    return is_workload(kind.plural);
}

// Stores the change and says so, or gives the server's refusal.
Answer stored(KubectlCall& call, const Target& target, Object object, const std::string& said) {
    const auto result = store(call, *target.kind, std::move(object));
    return result ? shown_object(call, *result, target.shown() + " " + said) : result.error();
}

Answer restart(KubectlCall& call, const Target& target) {
    Object object = *call.cluster.find(target.key);
    Object& metadata = object["spec"]["template"]["metadata"];
    if (!metadata.is_object()) metadata = Object::object();
    Object& annotation = metadata["annotations"]["kubectl.kubernetes.io/restartedAt"];
    const std::string time = timestamp(call.cluster.now());
    if (annotation == time)
        return failed(fmt::format(
            "error: {} \"{}\" restart failed: if restart has already been triggered within the past "
            "second, please wait before attempting to trigger another\n",
            target.kind->plural, target.key.name));
    annotation = time;
    return stored(call, target, std::move(object), "restarted");
}

struct Revision {
    std::int64_t number = 0;
    ObjectKey set;
};

std::vector<Revision> revisions_of(const Cluster& cluster, const ObjectKey& deployment) {
    std::vector<Revision> found;
    for (const ObjectKey& key : cluster.keys("replicasets", deployment.name_space)) {
        const Object& set = *cluster.find(key);
        if (!owned_by(set, *cluster.find(deployment))) continue;
        const Object annotations = object_at(set, "/metadata/annotations");
        const auto number = whole_number(annotations.value("deployment.kubernetes.io/revision", "0"));
        found.push_back({number.value_or(0), key});
    }
    std::sort(found.begin(), found.end(),
              [](const Revision& a, const Revision& b) { return a.number > b.number; });
    return found;
}

// The revision asked for; 0 asks for the one before the current.
std::optional<Revision> wanted_revision(const std::vector<Revision>& revisions, std::int64_t number) {
    if (number == 0) return revisions.size() > 1 ? std::optional(revisions[1]) : std::nullopt;
    const auto found = std::find_if(revisions.begin(), revisions.end(),
                                    [&](const Revision& r) { return r.number == number; });
    return found == revisions.end() ? std::nullopt : std::optional(*found);
}

Answer roll_back(KubectlCall& call, const Target& target) {
    if (target.key.plural != "deployments")
        return unmodelled("kubectl rollout undo of a " + target.kind->kind);
    const std::string asked = call.arguments.value_or("--to-revision", "0");
    const auto number = whole_number(asked);
    if (!number || *number < 0)
        return failed(fmt::format("error: invalid argument \"{}\" for --to-revision\n", asked));
    const auto revision = wanted_revision(revisions_of(call.cluster, target.key), *number);
    if (!revision)
        return failed(
            *number == 0
                ? fmt::format("error: no rollout history found for deployment \"{}\"\n", target.key.name)
                : fmt::format("error: unable to find specified revision {} in history\n", *number));
    Object pod_template = object_at(*call.cluster.find(revision->set), "/spec/template");
    pod_template["metadata"]["labels"].erase("pod-template-hash");
    Object object = *call.cluster.find(target.key);
    if (object["spec"]["template"] == pod_template)
        return shown_object(call, object,
                            fmt::format("{} skipped rollback (current template already matches revision {})",
                                        target.shown(), revision->number));
    object["spec"]["template"] = pod_template;
    return stored(call, target, std::move(object), "rolled back");
}

// Puts the image into the container of that name ("*": into all); false if there is none.
bool set_image(Object& object, const std::string& container, const std::string& image) {
    bool found = false;
    for (const char* list : {"initContainers", "containers"}) {
        Object& spec = object["spec"]["template"]["spec"];
        if (!spec.is_object() || !spec.contains(list)) continue;
        for (Object& one : spec[list]) {
            if (container != "*" && text_at(one, "/name") != container) continue;
            one["image"] = image;
            found = true;
        }
    }
    return found;
}

bool gone_within_limit(KubectlCall& call, const ObjectKey& key, const std::string& uid) {
    const auto is_there = [&] {
        const Object* object = call.cluster.find(key);
        return object && text_at(*object, "/metadata/uid") == uid;
    };
    while (is_there()) {
        const Time next = call.world.next();
        if (next == never || !call.world.pass(std::max<Time>(1, next - call.world.clock))) return false;
    }
    return true;
}

void delete_namespace(Cluster& cluster, const std::string& name_space) {
    std::vector<ObjectKey> inside;
    for (const auto& [key, object] : cluster.objects())
        if (key.name_space == name_space) inside.push_back(key);
    for (const ObjectKey& key : inside) cluster.erase(key);
}

// False if it did not go within the command's limit.
bool remove(KubectlCall& call, const Target& target) {
    const std::string uid = text_at(*call.cluster.find(target.key), "/metadata/uid");
    if (target.key.plural == "persistentvolumeclaims" && is_mounted(call.cluster, target.key)) {
        Object object = *call.cluster.find(target.key);
        object["metadata"]["deletionTimestamp"] = timestamp(call.cluster.now());
        object["metadata"]["finalizers"] = {"kubernetes.io/pvc-protection"};
        call.cluster.put(target.key, std::move(object));
    } else if (target.key.plural == "pods") {
        call.cluster.terminate(target.key);
    } else {
        if (target.key.plural == "namespaces") delete_namespace(call.cluster, target.key.name);
        call.cluster.erase(target.key);
    }
    return call.arguments.value_or("--wait", "true") == "false" || gone_within_limit(call, target.key, uid);
}

}  // namespace

Answer kubectl_scale(KubectlCall& call) {
    const auto target = existing_target(call, call.arguments.words);
    if (!target) {
        // kubectl scale words this one otherwise than every other verb does.
        const std::string prefix = "Error from server (NotFound): ";
        const std::string& errors = target.error().errors;
        return errors.rfind(prefix, 0) == 0
                   ? failed("error: no objects passed to scale " + errors.substr(prefix.size()))
                   : target.error();
    }
    const auto wanted = whole_number(call.arguments.value_or("--replicas", ""));
    if (!wanted || *wanted < 0)
        return failed(
            "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n");
    const std::string& plural = target->key.plural;
    if (plural != "deployments" && plural != "statefulsets" && plural != "replicasets")
        return failed(
            "error: could not find the requested scale subresource: the server could not find the requested "
            "resource\n");
    Object object = *call.cluster.find(target->key);
    const std::int64_t has = number_at(object, "/spec/replicas", 1);
    const auto expected = whole_number(call.arguments.value_or("--current-replicas", "-1"));
    if (!expected) return failed("error: invalid argument for \"--current-replicas\"\n");
    if (*expected >= 0 && *expected != has)
        return failed(fmt::format("error: Expected replicas to be {}, was {}\n", *expected, has));
    object["spec"]["replicas"] = *wanted;
    return stored(call, *target, std::move(object), "scaled");
}

Answer kubectl_rollout(KubectlCall& call) {
    std::vector<std::string> words = call.arguments.words;
    const std::string action = words.empty() ? "" : words[0];
    if (action != "restart" && action != "undo") return unmodelled("kubectl rollout " + action);
    words.erase(words.begin());
    const auto target = existing_target(call, words);
    if (!target) return target.error();
    if (!has_pod_template(*target->kind))
        return failed(fmt::format("error: {} \"{}\" {}ing is not supported\n", target->kind->plural,
                                  target->key.name, action));
    return action == "restart" ? restart(call, *target) : roll_back(call, *target);
}

Answer kubectl_set(KubectlCall& call) {
    std::vector<std::string> words = call.arguments.words;
    if (words.size() < 3 || words[0] != "image") return unmodelled("kubectl set " + joined(words));
    words.erase(words.begin());
    const auto first_image = std::find_if(
        words.begin(), words.end(), [](const std::string& w) { return w.find('=') != std::string::npos; });
    const auto target = existing_target(call, {words.begin(), first_image});
    if (!target) return target.error();
    const Object before = *call.cluster.find(target->key);
    Object object = before;
    for (auto image = first_image; image != words.end(); ++image) {
        const std::size_t sign = image->find('=');
        if (sign == std::string::npos) return unmodelled("kubectl set image of several resources");
        const std::string container = image->substr(0, sign);
        if (!set_image(object, container, image->substr(sign + 1)))
            return failed(fmt::format("error: unable to find container named \"{}\"\n", container));
    }
    if (object == before) return done("");
    return stored(call, *target, std::move(object), "image updated");
}

Answer kubectl_patch(KubectlCall& call) {
    const std::string type = call.arguments.value_or("--type", "strategic");
    if (type != "merge") return unmodelled("kubectl patch --type=" + type);
    if (call.arguments.has("--dry-run") && call.arguments.value_or("--dry-run", "") != "server")
        return unmodelled("kubectl patch --dry-run other than server");
    const auto target = existing_target(call, call.arguments.words);
    if (!target) return target.error();
    const Object patch = Object::parse(call.arguments.value_or("-p --patch", ""), nullptr, false);
    if (!patch.is_object()) return failed("error: unable to parse the patch: it is not a JSON object\n");
    const Object before = *call.cluster.find(target->key);
    for (const char* pointer : {"/metadata/resourceVersion", "/metadata/uid"})
        if (part(patch, pointer) && text_at(patch, pointer) != text_at(before, pointer))
            return failed(fmt::format(
                "Error from server (Conflict): Operation cannot be fulfilled on {} \"{}\": the object has "
                "been modified; please apply your changes to the latest version and try again\n",
                target->kind->resource(), target->key.name));
    Object object = before;
    object.merge_patch(patch);
    if (text_at(object, "/metadata/name") != target->key.name)
        return failed(
            fmt::format("Error from server (BadRequest): the name of the object ({}) does not match the name "
                        "on the URL ({})\n",
                        text_at(object, "/metadata/name"), target->key.name));
    const Object after_patch = object;
    Answer answer = stored(call, *target, std::move(object), "patched");
    if (answer.succeeded() && after_patch == before && !call.arguments.value("-o --output"))
        return done(target->shown() + " patched (no change)\n");
    return answer;
}

Answer kubectl_delete(KubectlCall& call) {
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

}  // namespace migc::runtime
