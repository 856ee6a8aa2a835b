#include "runtime/world/kubectl.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace migc::runtime::inline world {
namespace {

constexpr std::string_view connection_values = "--kubeconfig --context --namespace -n --request-timeout -v";

// One row per verb: the options that the simulated one knows, and what does it.
struct Verb {
    std::string_view name;
    std::string_view with_value;
    std::string_view switches;
    Answer (*run)(KubectlCall&);
};

constexpr Verb verbs[] = {
    {"get", "-o --output -l --selector --field-selector --raw --sort-by",
     "--ignore-not-found --watch-only --watch -w -A --all-namespaces --no-headers --show-managed-fields",
     kubectl_get},
    {"top", "-l --selector", "--no-headers -A --all-namespaces", kubectl_top},
    {"auth", "", "-q --quiet -A --all-namespaces", kubectl_can_i},
    {"scale", "--replicas --current-replicas --resource-version --timeout -o --output",
     "--show-managed-fields", kubectl_scale},
    {"rollout", "--to-revision -o --output --timeout", "--watch", kubectl_rollout},
    {"set", "-o --output --field-manager", "", kubectl_set},
    {"apply", "-f --filename --field-manager -o --output",
     "--server-side --dry-run --validate --force-conflicts --show-managed-fields", kubectl_apply},
    {"create", "-f --filename -o --output --field-manager --raw --from", "--dry-run --validate",
     kubectl_create},
    {"replace", "-f --filename -o --output --field-manager", "--dry-run --validate --show-managed-fields",
     kubectl_replace},
    {"patch", "--type -p --patch --patch-file -o --output --field-manager", "--dry-run --show-managed-fields",
     kubectl_patch},
    {"delete", "--timeout --grace-period --raw -f --filename", "--ignore-not-found --wait --now",
     kubectl_delete},
    {"cordon", "", "", kubectl_cordon},
    {"uncordon", "", "", kubectl_uncordon},
    {"drain", "--timeout --grace-period", "--ignore-daemonsets --delete-emptydir-data --force",
     kubectl_drain},
    {"run", "--image --restart --labels -l --pod-running-timeout --timeout --overrides --image-pull-policy",
     "--command --attach --rm -i --stdin --quiet -q", kubectl_run},
    {"wait", "--for --timeout", "", kubectl_wait},
    {"exec", "-c --container --pod-running-timeout", "-i --stdin -q --quiet", kubectl_exec},
    {"logs", "-l --selector --tail --since --since-time -c --container --max-log-requests --limit-bytes",
     "--all-containers --all-pods --prefix --timestamps --previous -p --ignore-errors", kubectl_logs},
};

Answer config(const Simulation& world, const std::vector<std::string>& words) {
    if (words == std::vector<std::string>{"get-contexts"}) {
        std::string names;
        for (const auto& [name, cluster] : world.contexts) names += name + "\n";
        return done(names);
    }
    if (words == std::vector<std::string>{"current-context"})
        return world.current_context.empty() ? failed("error: current-context is not set\n")
                                             : done(world.current_context + "\n");
    return unmodelled("kubectl config " + joined(words));
}

Object version_info(const std::string& version) {
    const auto parts = split(version.substr(1), '.');
    return {{"major", parts[0]},
            {"minor", parts.size() > 1 ? parts[1] : "0"},
            {"gitVersion", version},
            {"platform", "linux/amd64"}};
}

Answer version(const Cluster& cluster, bool client_only) {
    Object answer = {{"clientVersion", version_info("v1.30.2")}};
    if (!client_only) answer["serverVersion"] = version_info(cluster.version);
    return done_json(answer, 2);
}

tl::expected<Arguments, Answer> parse(const std::string& verb, const std::vector<std::string>& rest,
                                      std::string with_value, std::string switches) {
    with_value += " " + std::string(connection_values);
    auto arguments = Arguments::parse(rest, {with_value, switches, false});
    if (!arguments) return tl::unexpected(unmodelled("kubectl {} {}", verb, arguments.error()));
    return *arguments;
}

// The verb is the first word that belongs to no connection option.
std::size_t verb_place(const std::vector<std::string>& arguments) {
    std::size_t i = 0;
    while (i < arguments.size() && arguments[i].substr(0, 1) == "-")
        i += arguments[i].find('=') == std::string::npos ? 2 : 1;
    return i;
}

tl::expected<Cluster*, Answer> cluster_of(Simulation& world, const std::string& context) {
    if (context.empty())
        return tl::unexpected(
            failed("The connection to the server localhost:8080 was refused - did you specify the right host "
                   "or port?\n"));
    const auto found = world.contexts.find(context);
    if (found == world.contexts.end())
        return tl::unexpected(failed("error: context \"{}\" does not exist\n", context));
    return &world.clusters.at(found->second);
}

Answer run_verb(Simulation& world, const CommandLine& command, const Verb& verb, const Arguments& arguments) {
    auto cluster = cluster_of(world, arguments.value_or("--context", world.current_context));
    if (!cluster) return cluster.error();
    KubectlCall call{world,
                     **cluster,
                     arguments.value_or("--namespace -n", "default"),
                     arguments,
                     std::string(verb.name),
                     command.input};
    const std::int64_t before = world.changes();
    Answer answer = verb.run(call);
    world.acted = world.acted || world.changes() != before;
    return answer;
}

}  // namespace

Answer kubectl(Simulation& world, const CommandLine& command, const std::vector<std::string>& list) {
    const std::size_t place = verb_place(list);
    if (place >= list.size()) return unmodelled("kubectl " + joined(list));
    const std::string& name = list[place];
    std::vector<std::string> rest = list;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(place));
    if (name == "config") {
        const auto arguments = parse(name, rest, "-o --output", "--no-headers");
        return arguments ? config(world, arguments->words) : arguments.error();
    }
    if (name == "version") {
        const auto arguments = parse(name, rest, "-o --output", "--client");
        if (!arguments) return arguments.error();
        const auto cluster = cluster_of(world, arguments->value_or("--context", world.current_context));
        return cluster ? version(**cluster, arguments->has("--client")) : cluster.error();
    }
    const auto verb = std::ranges::find_if(verbs, [&](const Verb& v) { return v.name == name; });
    if (verb == std::end(verbs)) return unmodelled("kubectl " + name);
    const auto arguments = parse(name, rest, std::string(verb->with_value), std::string(verb->switches));
    return arguments ? run_verb(world, command, *verb, *arguments) : arguments.error();
}

Answer not_found(const Kind& kind, const std::string& name) {
    return failed("Error from server (NotFound): {} \"{}\" not found\n", kind.resource(), name);
}

Answer unknown_type(const std::string& word) {
    return failed("error: the server doesn't have a resource type \"{}\"\n", word);
}

tl::expected<std::vector<Target>, Answer> targets_of(const KubectlCall& call,
                                                     const std::vector<std::string>& words) {
    std::vector<Target> targets;
    const auto add = [&](const std::string& type, const std::string& name) {
        const Kind* kind = call.cluster.kinds.typed(type);
        if (kind)
            targets.push_back({kind,
                               {kind->plural, kind->namespaced ? call.name_space : "", name},
                               call.cluster.kinds.version_typed(type)});
        return kind != nullptr;
    };
    const bool with_slash = !words.empty() && words[0].find('/') != std::string::npos;
    for (std::size_t i = with_slash ? 0 : 1; i < words.size(); ++i) {
        const std::size_t slash = words[i].find('/');
        if (with_slash != (slash != std::string::npos))
            return tl::unexpected(
                failed("error: there is no need to specify a resource type as a separate argument when "
                       "passing arguments in resource/name form\n"));
        const std::string type = with_slash ? words[i].substr(0, slash) : words[0];
        if (!add(type, with_slash ? words[i].substr(slash + 1) : words[i]))
            return tl::unexpected(unknown_type(type));
    }
    return targets;
}

tl::expected<Target, Answer> existing_target(const KubectlCall& call, const std::vector<std::string>& words) {
    auto targets = targets_of(call, words);
    if (!targets) return tl::unexpected(targets.error());
    if (targets->size() != 1)
        return tl::unexpected(unmodelled("kubectl {} of other than one named resource", call.verb));
    const Target& target = targets->front();
    const std::string& name_space = target.key.name_space;
    if (!name_space.empty() && !call.cluster.has_namespace(name_space))
        return tl::unexpected(not_found(*call.cluster.kinds.by_plural("namespaces"), name_space));
    if (!call.cluster.find(target.key)) return tl::unexpected(not_found(*target.kind, target.key.name));
    return target;
}

Object as_shown(const KubectlCall& call, const Object& object) {
    return call.arguments.has("--show-managed-fields") ? with_managers(call, object) : object;
}

Object with_managers(const KubectlCall& call, const Object& object) {
    const Kind* kind = call.cluster.kinds.of_kind(text_at(object, "/kind"));
    const auto found =
        call.cluster.managers.find({kind ? kind->plural : "", text_at(object, "/metadata/namespace"),
                                    text_at(object, "/metadata/name")});
    if (found == call.cluster.managers.end()) return object;
    Object result = object;
    result["metadata"]["managedFields"] = found->second.shown(text_at(object, "/apiVersion"));
    return result;
}

Answer shown_object(const KubectlCall& call, const Object& object, const std::string& otherwise) {
    return shown_as(call, as_shown(call, object), otherwise);
}

Answer shown_as(const KubectlCall& call, const Object& object, const std::string& otherwise) {
    const auto format = call.arguments.value("-o --output");
    if (!format) return done(otherwise + "\n");
    if (*format == "json") return done_json(object);
    if (*format == "name") return done(otherwise.substr(0, otherwise.find(' ')) + "\n");
    return unmodelled("kubectl {} -o {}", call.verb, *format);
}

}  // namespace migc::runtime::inline world
