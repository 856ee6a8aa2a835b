// kubectl scale, set image, patch.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"
#include "runtime/world/patches.hpp"

namespace migc::runtime::inline world {
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
        return failed("error: Expected replicas to be {}, was {}\n", *expected, has);
    const std::string version = text_at(object, "/metadata/resourceVersion");
    if (const std::string wanted_version = call.arguments.value_or("--resource-version", "");
        !wanted_version.empty() && wanted_version != version)
        return failed("error: Expected resource version to be {}, was {}\n", wanted_version, version);
    // With `-o` kubectl prints the object that it found, not the one that it made.
    const Answer as_it_was = shown_object(call, object, target->shown() + " scaled");
    object["spec"]["replicas"] = *wanted;
    const Answer answer = stored(call, *target, std::move(object), "scaled");
    return answer.succeeded() ? as_it_was : answer;
}

Answer kubectl_set(KubectlCall& call) {
    std::vector<std::string> words = call.arguments.words;
    if (words.size() < 3 || words[0] != "image") return unmodelled("kubectl set " + joined(words));
    words.erase(words.begin());
    const auto first_image =
        std::ranges::find_if(words, [](const std::string& w) { return w.find('=') != std::string::npos; });
    const auto target = existing_target(call, {words.begin(), first_image});
    if (!target) return target.error();
    const Object before = *call.cluster.find(target->key);
    Object object = before;
    for (auto image = first_image; image != words.end(); ++image) {
        const std::size_t sign = image->find('=');
        if (sign == std::string::npos) return unmodelled("kubectl set image of several resources");
        const std::string container = image->substr(0, sign);
        if (!set_image(object, container, image->substr(sign + 1)))
            return failed("error: unable to find container named \"{}\"\n", container);
    }
    if (object == before) return done("");
    return stored(call, *target, std::move(object), "image updated");
}

Answer kubectl_patch(KubectlCall& call) {
    const std::string type = call.arguments.value_or("--type", "strategic");
    if (type != "merge" && type != "strategic" && type != "json")
        return failed("error: --type must be one of [json merge strategic], not \"" + type + "\"\n");
    if (call.arguments.has("--dry-run") && call.arguments.value_or("--dry-run", "") != "server")
        return unmodelled("kubectl patch --dry-run other than server");
    const auto file = call.arguments.value("--patch-file");
    if (file && *file != "/dev/stdin") return unmodelled("kubectl patch --patch-file other than /dev/stdin");
    const auto target = existing_target(call, call.arguments.words);
    if (!target) return target.error();
    const Object before = *call.cluster.find(target->key);
    const Object known = with_managers(call, before);
    auto object = patched(known, type, file ? call.input : call.arguments.value_or("-p --patch", ""));
    if (!object) return failed(object.error());
    const Object managers = list_at(*object, "/metadata/managedFields");
    const bool passes = managers != list_at(known, "/metadata/managedFields");
    (*object)["metadata"].erase("managedFields");
    const bool dry = call.arguments.has("--dry-run");
    if (text_at(*object, "/metadata/name") != target->key.name)
        return failed(
            "Error from server (BadRequest): the name of the object ({}) does not match the name "
            "on the URL ({})\n",
            text_at(*object, "/metadata/name"), target->key.name);
    if (passes && !dry &&
        text_at(*object, "/metadata/resourceVersion") == text_at(before, "/metadata/resourceVersion")) {
        call.cluster.set_managers(target->key, managers);
        (*object)["metadata"]["resourceVersion"] =
            text_at(*call.cluster.find(target->key), "/metadata/resourceVersion");
    }
    Answer answer =
        stored(call, *target, in_version(*target->kind, *object, target->kind->version), "patched");
    if (answer.succeeded() && *object == before && !call.arguments.value("-o --output"))
        return done(target->shown() + " patched (no change)\n");
    return answer;
}

}  // namespace migc::runtime::inline world
