// kubectl scale, set image, patch.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime {
namespace {

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

}  // namespace

Answer stored(KubectlCall& call, const Target& target, Object object, const std::string& said) {
    const auto result = store(call, *target.kind, std::move(object));
    return result ? shown_object(call, *result, target.shown() + " " + said) : result.error();
}

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

}  // namespace migc::runtime
