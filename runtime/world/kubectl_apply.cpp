// kubectl apply and create, and what the API server says about an object before it keeps it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kubernetes/validation.hpp"
#include "runtime/world/document.hpp"
#include "runtime/world/kubectl.hpp"
#include "runtime/world/patches.hpp"

namespace migc::runtime::inline world {
namespace {

Answer invalid(const Kind& kind, const std::string& name, const std::string& why) {
    return failed("The {} \"{}\" is invalid: {}\n", kind.kind, name, why);
}

// What is wrong with the object as it would be now. What a world file left out of the object before is not
// the change's fault.
std::optional<Answer> validity(const Kind& kind, const std::string& name, const Object& object,
                               const Object* old, bool all_fields) {
    auto wrong = kubernetes::refusals_of(kind.plural, object, all_fields);
    std::erase_if(wrong, [](const auto& one) { return one.of_pods_only; });
    if (old != nullptr && !wrong.empty()) {
        const auto before = kubernetes::refusals_of(kind.plural, *old, all_fields);
        std::erase_if(wrong, [&](const auto& one) { return std::ranges::find(before, one) != before.end(); });
    }
    if (old != nullptr)
        std::ranges::copy(kubernetes::refusals_of_change(kind.plural, *old, object),
                          std::back_inserter(wrong));
    if (wrong.empty()) return std::nullopt;
    if (wrong.front().is_type)
        return failed("Error from server (BadRequest): {} \"{}\" cannot be handled: .{}: {}\n", kind.kind,
                      name, wrong.front().field(), wrong.front().why);
    return invalid(kind, name, fmt::format("{}: {}", wrong.front().field(), wrong.front().why));
}

double size_of(const Object& claim) {
    return amount_of(text_at(claim, "/spec/resources/requests/storage"));
}

std::optional<Answer> claim_refusal(const KubectlCall& call, const Kind& kind, const std::string& name,
                                    const Object& object, const Object* old) {
    if (!old || size_of(object) == size_of(*old)) return std::nullopt;
    if (size_of(object) < size_of(*old))
        return invalid(
            kind, name,
            "spec.resources.requests.storage: Forbidden: field can not be less than previous value");
    const Object* storage =
        call.cluster.find({"storageclasses", "", text_at(object, "/spec/storageClassName")});
    if (storage && flag_at(*storage, "/allowVolumeExpansion")) return std::nullopt;
    return failed(
        "Error from server (Forbidden): persistentvolumeclaims \"{}\" is forbidden: only dynamically "
        "provisioned pvc can be resized and the storageclass that provisions the pvc must support resize\n",
        name);
}

std::optional<Answer> refusal(const KubectlCall& call, const Kind& kind, const Object& object,
                              const ObjectKey& key) {
    if (kind.namespaced && !call.cluster.has_namespace(key.name_space))
        return not_found(*call.cluster.kinds.by_plural("namespaces"), key.name_space);
    const Object* old = call.cluster.find(key);
    const std::int64_t pods =
        std::max(number_at(object, "/spec/replicas", 1), number_at(object, "/spec/minReplicas", 1));
    if (pods > most_replicas) return unmodelled("workloads of more than {} replicas", most_replicas);
    const bool all_fields = call.verb == "apply" && call.arguments.has("--server-side");
    if (auto refused = validity(kind, key.name, object, old, all_fields)) return refused;
    if (kind.plural == "persistentvolumeclaims") return claim_refusal(call, kind, key.name, object, old);
    return std::nullopt;
}

constexpr const char* review_hint =
    "Please review the fields above--they currently have other managers. Here\n"
    "are the ways you can resolve this warning:\n"
    "* If you intend to manage all of these fields, please re-run the apply\n"
    "  command with the `--force-conflicts` flag.\n"
    "* If you do not intend to manage all of the fields, please edit your\n"
    "  manifest to remove references to the fields that should keep their\n"
    "  current managers.\n"
    "* You may co-own fields by updating your manifest to match the existing\n"
    "  value; in this case, you'll become the manager if the other manager(s)\n"
    "  stop managing the field (remove it from their configuration).\n"
    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts\n";

// Why it cannot be put over what is there: it was made from an older version of the object, or from another
// object of that name. Empty: it can. Where there is none, applying makes one, whatever version it names.
std::string outdated(const KubectlCall& call, const Object* live, const Object& object) {
    if (!live && call.verb == "apply" && part(object, "/metadata/uid"))
        return fmt::format(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            text_at(object, "/metadata/uid"));
    if (!live && call.verb == "apply") return {};
    for (const char* pointer : {"/metadata/resourceVersion", "/metadata/uid"})
        if (part(object, pointer) && (!live || text_at(object, pointer) != text_at(*live, pointer)))
            return "the object has been modified; please apply your changes to the latest version and try again";
    return {};
}

bool dry_run(const KubectlCall& call) {
    return call.arguments.value_or("--dry-run", "none") == "server";
}

constexpr const char* last_applied = "kubectl.kubernetes.io/last-applied-configuration";

// What `kubectl apply` without --server-side was given last time, by its own note.
Object noted_as_applied(const Object& live) {
    const std::string noted =
        text_at(live, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration");
    return noted.empty() ? Object() : Object::parse(noted, nullptr, false);
}

tl::expected<const Kind*, Answer> kind_of(KubectlCall& call, const Object& object) {
    const std::string kind = text_at(object, "/kind");
    const std::string version = text_at(object, "/apiVersion");
    if (kind.empty() || version.empty())
        return tl::unexpected(failed("error: unable to decode \"STDIN\": Object 'Kind' is missing\n"));
    if (text_at(object, "/metadata/name").empty())
        return tl::unexpected(failed("error: resource name may not be empty\n"));
    if (kubernetes::is_unknown(kind, version))
        return tl::unexpected(failed(
            "error: resource mapping not found for name: \"{}\" namespace: \"{}\" from \"STDIN\": no matches "
            "for kind \"{}\" in version \"{}\"\nensure CRDs are installed first\n",
            text_at(object, "/metadata/name"), text_at(object, "/metadata/namespace"), kind, version));
    return &call.cluster.kinds.of_manifest(kind, version);
}

tl::expected<ObjectKey, Answer> key_of(const KubectlCall& call, const Kind& kind, const Object& object) {
    const std::string given = text_at(object, "/metadata/namespace");
    if (kind.namespaced && !given.empty() && given != call.name_space)
        return tl::unexpected(
            failed("error: the namespace from the provided object \"{}\" does not match the namespace "
                   "\"{}\". You must pass '--namespace={}' to perform this operation.\n",
                   given, call.name_space, given));
    return ObjectKey{kind.plural, kind.namespaced ? call.name_space : "", text_at(object, "/metadata/name")};
}

Answer apply_on_server(KubectlCall& call, const Kind& kind, const ObjectKey& key, const Object& applied,
                       const std::string& version) {
    const Object* live = call.cluster.find(key);
    const auto found = call.cluster.managers.find(key);
    FieldManagers managers = found == call.cluster.managers.end() ? FieldManagers() : found->second;
    if (live && !call.arguments.has("--force-conflicts"))
        if (const std::string why = managers.conflicts(*live, applied, manager_of(call), kind.api_version());
            !why.empty())
            return failed("error: " + why + "\n" + review_hint);
    const Object before = live ? *live : Object();
    Object object =
        live ? merged(managers.without_dropped(*live, applied, manager_of(call)), Object(), applied)
             : applied;
    const auto stored = store(call, kind, std::move(object), &applied);
    if (!stored) return stored.error();
    Object shown = as_shown(call, *stored);
    if (dry_run(call) && call.arguments.has("--show-managed-fields")) {
        managers.note(before, *stored, {manager_of(call), "", &applied}, timestamp(call.cluster.now()));
        shown["metadata"]["managedFields"] = managers.shown(kind.api_version());
    }
    const std::string said =
        Target{&kind, key}.shown() + " serverside-applied" + (dry_run(call) ? " (server dry run)" : "");
    return shown_as(call, in_version(kind, std::move(shown), version), said);
}

// What kubectl does itself without --server-side: it compares with what it noted last time, and notes this
// time.
Answer apply_as_client(KubectlCall& call, const Kind& kind, const ObjectKey& key, const Object& applied) {
    const Object* live = call.cluster.find(key);
    Object object = live ? merged(*live, noted_as_applied(*live), applied) : applied;
    object["metadata"]["annotations"][last_applied] = applied.dump() + "\n";
    const bool is_new = live == nullptr;
    const auto stored = store(call, kind, std::move(object));
    if (!stored) return stored.error();
    return shown_object(call, *stored, Target{&kind, key}.shown() + (is_new ? " created" : " configured"));
}

}  // namespace

tl::expected<Object, Answer> manifest_of(const KubectlCall& call) {
    if (call.arguments.value_or("-f --filename", "") != "-")
        return tl::unexpected(unmodelled("kubectl {} of other than standard input (-f -)", call.verb));
    Object object = Object::parse(call.input, nullptr, false);
    if (object.is_discarded()) {
        const auto document = read_document(call.input, 0);
        if (!document)
            return tl::unexpected(failed("error: error parsing STDIN: " + document.error().message + "\n"));
        object = to_json(*document);
    }
    if (!object.is_object()) return tl::unexpected(failed("error: no objects passed to " + call.verb + "\n"));
    return object;
}

std::string manager_of(const KubectlCall& call) {
    const std::string usual =
        listed("create patch set rollout replace run", call.verb) ? "kubectl-" + call.verb : "kubectl";
    // `create --raw /api/v1/../configmaps?fieldManager=x` says it there.
    const std::string raw = call.arguments.value_or("--raw", "");
    if (const std::size_t at = raw.find("fieldManager="); at != std::string::npos) return raw.substr(at + 13);
    if (call.verb == "apply" && !call.arguments.has("--server-side"))
        return call.arguments.value_or("--field-manager", "kubectl-client-side-apply");
    return call.arguments.value_or("--field-manager", usual);
}

tl::expected<Object, Answer> store(KubectlCall& call, const Kind& kind, Object object,
                                   const Object* applied) {
    object = without_nulls(object);
    const ObjectKey key{kind.plural, kind.namespaced ? call.name_space : "",
                        text_at(object, "/metadata/name")};
    if (key.name.empty() || !object["metadata"].is_object())
        return tl::unexpected(failed("error: resource name may not be empty\n"));
    if (kind.namespaced) object["metadata"]["namespace"] = key.name_space;
    if (const std::string why = outdated(call, call.cluster.find(key), object); !why.empty())
        return tl::unexpected(
            failed("{}Operation cannot be fulfilled on {} \"{}\": {}\n{}",
                   call.verb == "apply"     ? "error: "
                   : call.verb == "replace" ? "Error from server (Conflict): error when replacing \"STDIN\": "
                                            : "Error from server (Conflict): ",
                   kind.resource(), key.name, why, call.verb == "apply" ? review_hint : ""));
    if (!call.cluster.find(key))
        for (const char* given : {"resourceVersion", "uid"}) object["metadata"].erase(given);
    object = in_version(kind, std::move(object), kind.version);
    if (auto refused = refusal(call, kind, object, key)) return tl::unexpected(*refused);
    add_defaults(kind, object);
    // The server taints a node that is not to be used, and takes the taint away again.
    if (kind.plural == "nodes") set_schedulable(object, !flag_at(object, "/spec/unschedulable"));
    if (dry_run(call)) return object;
    const bool is_new = !call.cluster.find(key);
    call.cluster.put(key, std::move(object),
                     {manager_of(call), call.verb == "scale" ? "scale" : "", applied});
    if (is_new && kind.plural == "pods") adopt_pod(call.cluster, key);
    if (is_new && kind.plural == "namespaces") call.cluster.set_status(key, {{"phase", "Active"}});
    return *call.cluster.find(key);
}

// What the command is given, and what it is to the cluster; the error is kubectl's answer.
struct Given {
    Object object;
    const Kind* kind;
    ObjectKey key;
};

static tl::expected<Given, Answer> object_given(KubectlCall& call) {
    if (call.arguments.has("--dry-run") && !dry_run(call))
        return tl::unexpected(unmodelled("kubectl {} --dry-run other than server", call.verb));
    auto object = manifest_of(call);
    if (!object) return tl::unexpected(object.error());
    const auto kind = kind_of(call, *object);
    if (!kind) return tl::unexpected(kind.error());
    auto key = key_of(call, **kind, *object);
    if (!key) return tl::unexpected(key.error());
    return Given{std::move(*object), *kind, std::move(*key)};
}

Answer kubectl_apply(KubectlCall& call) {
    const auto given = object_given(call);
    if (!given) return given.error();
    const auto& [applied, kind, key] = *given;
    const std::string version = kubernetes::version_in(text_at(applied, "/apiVersion"));
    const Object wanted = in_version(*kind, applied, kind->version);
    return call.arguments.has("--server-side") ? apply_on_server(call, *kind, key, wanted, version)
                                               : apply_as_client(call, *kind, key, wanted);
}

Answer kubectl_create(KubectlCall& call) {
    if (!call.arguments.words.empty() && call.arguments.words[0] == "job") return kubectl_create_job(call);
    if (!call.arguments.words.empty()) return unmodelled("kubectl create " + joined(call.arguments.words));
    const auto given = object_given(call);
    if (!given) return given.error();
    const auto& [object, kind, key] = *given;
    if (call.cluster.find(key))
        return failed("Error from server (AlreadyExists): {}{} \"{}\" already exists\n",
                      call.arguments.has("--raw") ? "" : "error when creating \"STDIN\": ", kind->resource(),
                      key.name);
    const auto stored = store(call, *kind, as_written(object));
    if (!stored) return stored.error();
    if (call.arguments.has("--raw")) return done_json(*stored, -1);
    return shown_object(call, *stored, Target{kind, key}.shown() + " created");
}

Answer kubectl_replace(KubectlCall& call) {
    if (!call.arguments.words.empty()) return unmodelled("kubectl replace " + joined(call.arguments.words));
    const auto given = object_given(call);
    if (!given) return given.error();
    const auto& [object, kind, key] = *given;
    if (!call.cluster.find(key))
        return failed("Error from server (NotFound): error when replacing \"STDIN\": {} \"{}\" not found\n",
                      kind->resource(), key.name);
    const auto stored = store(call, *kind, object);
    if (!stored) return stored.error();
    return shown_object(call, *stored, Target{kind, key}.shown() + " replaced");
}

}  // namespace migc::runtime::inline world
