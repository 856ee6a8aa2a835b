#include "compiler/kubernetes/kinds.hpp"

#include <algorithm>
#include <map>

#include "compiler/support/find.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

std::deque<Kind> built_in() {
    const bool cluster_wide = false;
    return {
        {"deployments", "Deployment", "apps", "v1", "deploy", true, true},
        {"statefulsets", "StatefulSet", "apps", "v1", "sts", true, true},
        {"daemonsets", "DaemonSet", "apps", "v1", "ds", true, true},
        {"replicasets", "ReplicaSet", "apps", "v1", "rs", true, true},
        {"controllerrevisions", "ControllerRevision", "apps", "v1", ""},
        {"pods", "Pod", "", "v1", "po"},
        {"services", "Service", "", "v1", "svc"},
        {"endpoints", "Endpoints", "", "v1", "ep"},
        {"endpointslices", "EndpointSlice", "discovery.k8s.io", "v1", "", true, true},
        {"configmaps", "ConfigMap", "", "v1", "cm"},
        {"secrets", "Secret", "", "v1", ""},
        {"serviceaccounts", "ServiceAccount", "", "v1", "sa"},
        {"events", "Event", "", "v1", "ev"},
        {"resourcequotas", "ResourceQuota", "", "v1", "quota"},
        {"limitranges", "LimitRange", "", "v1", "limits"},
        {"persistentvolumeclaims", "PersistentVolumeClaim", "", "v1", "pvc"},
        {"persistentvolumes", "PersistentVolume", "", "v1", "pv", cluster_wide},
        {"storageclasses", "StorageClass", "storage.k8s.io", "v1", "sc", cluster_wide},
        {"namespaces", "Namespace", "", "v1", "ns", cluster_wide},
        {"nodes", "Node", "", "v1", "no", cluster_wide},
        {"horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v2", "hpa", true, false,
         "v1"},
        {"poddisruptionbudgets", "PodDisruptionBudget", "policy", "v1", "pdb", true, true},
        {"ingresses", "Ingress", "networking.k8s.io", "v1", "ing", true, true},
        {"networkpolicies", "NetworkPolicy", "networking.k8s.io", "v1", "netpol", true, true},
        {"jobs", "Job", "batch", "v1", "", true, true},
        {"cronjobs", "CronJob", "batch", "v1", "cj", true, true},
        {"roles", "Role", "rbac.authorization.k8s.io", "v1", ""},
        {"rolebindings", "RoleBinding", "rbac.authorization.k8s.io", "v1", ""},
        {"clusterroles", "ClusterRole", "rbac.authorization.k8s.io", "v1", "", cluster_wide},
        {"clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io", "v1", "", cluster_wide},
        {"customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io", "v1", "crd crds",
         cluster_wide, true},
        {"priorityclasses", "PriorityClass", "scheduling.k8s.io", "v1", "pc", cluster_wide, true},
        {"ingressclasses", "IngressClass", "networking.k8s.io", "v1", "", cluster_wide, true},
        {"validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io",
         "v1", "", cluster_wide, true},
        {"mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "admissionregistration.k8s.io",
         "v1", "", cluster_wide, true},
    };
}

// By every name that a kind has.
const std::map<std::string, const Kind*, std::less<>>& known_kinds() {
    static const std::deque<Kind> kinds = built_in();
    static const auto known = [] {
        std::map<std::string, const Kind*, std::less<>> names;
        for (const Kind& kind : kinds) {
            names.emplace(kind.plural, &kind);
            names.emplace(lower_case(kind.kind), &kind);
            for (const std::string& word : split(kind.short_names, ' '))
                if (!word.empty()) names.emplace(word, &kind);
        }
        return names;
    }();
    return known;
}

std::string singular_of(const std::string& word) {
    if (word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
    if (word.ends_with("sses")) return word.substr(0, word.size() - 2);
    const bool is_plural = word.size() > 1 && word.ends_with('s') && !word.ends_with("ss");
    return is_plural ? word.substr(0, word.size() - 1) : word;
}

bool is_called(const Kind& kind, std::string_view name) {
    return name == kind.plural || name == lower_case(kind.kind) || listed(kind.short_names, name);
}

}  // namespace

std::string Kind::singular() const {
    return group.empty() ? lower_case(kind) : lower_case(kind) + "." + group;
}

Kinds::Kinds() : kinds_(built_in()) {}

const Kind* Kinds::typed(std::string_view word) const {
    const std::string name = lower_case(word.substr(0, word.find('.')));
    std::string_view group = word.substr(std::min(word.size(), name.size() + 1));
    for (const Kind& kind : kinds_) {
        const std::size_t dot = std::min(group.find('.'), group.size());
        const std::string_view version = group.substr(0, dot);
        const std::string_view rest = group.substr(std::min(dot + 1, group.size()));
        const bool served = version == kind.version || listed(kind.others, version);
        const bool in_group = group.empty() || group == kind.group || (served && rest == kind.group);
        if (in_group && is_called(kind, name)) return &kind;
    }
    return nullptr;
}

std::string Kinds::version_typed(std::string_view word) const {
    const Kind* kind = typed(word);
    const std::size_t first = word.find('.');
    if (kind == nullptr || first == std::string_view::npos || word.substr(first + 1) == kind->group)
        return {};
    return std::string(word.substr(first + 1, word.find('.', first + 1) - first - 1));
}

std::string version_in(const std::string& api_version) {
    return api_version.substr(api_version.find('/') + 1);
}

std::string group_in(const std::string& api_version) {
    const std::size_t slash = api_version.find('/');
    return slash == std::string::npos ? "" : api_version.substr(0, slash);
}

// Those of Kubernetes that the table does not have, since nothing here asks for more than their names.
constexpr std::string_view further_kinds =
    "APIService Binding CertificateSigningRequest ComponentStatus CSIDriver CSINode CSIStorageCapacity ClusterTrustBundle "
    "DeviceClass Eviction FlowSchema IPAddress Lease LocalSubjectAccessReview PodSecurityPolicy PodTemplate "
    "PriorityLevelConfiguration ReplicationController ResourceClaim ResourceClaimTemplate ResourceSlice RuntimeClass Scale "
    "SelfSubjectAccessReview SelfSubjectReview SelfSubjectRulesReview ServiceCIDR StorageVersion StorageVersionMigration "
    "SubjectAccessReview TokenRequest TokenReview ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding VolumeAttachment "
    "VolumeAttributesClass MutatingAdmissionPolicy MutatingAdmissionPolicyBinding";

bool is_unknown(std::string_view kind, const std::string& api_version) {
    const std::string group = group_in(api_version), version = version_in(api_version);
    // `gateway.networking.k8s.io` is of Kubernetes' people, and yet a definition of its own.
    const bool is_built_in =
        group.find('.') == std::string::npos ||
        std::ranges::any_of(known_kinds(), [&](const auto& known) { return known.second->group == group; });
    if (!is_built_in || listed(further_kinds, kind)) return false;
    const auto found = known_kinds().find(lower_case(kind));
    if (found == known_kinds().end() || found->second->kind != kind) return true;
    return found->second->group != group ||
           (found->second->version != version && !listed(found->second->others, version));
}

bool is_own_group(std::string_view group) {
    return group.find('.') == std::string_view::npos || group.ends_with(".k8s.io");
}

std::string type_name(std::string_view written) {
    std::string word = lower_case(written.substr(0, written.find('.')));
    const auto known = known_kinds().find(word);
    return known != known_kinds().end() ? lower_case(known->second->kind) : singular_of(std::move(word));
}

std::string kind_name(std::string_view written) {
    const auto known = known_kinds().find(lower_case(written.substr(0, written.find('.'))));
    return known != known_kinds().end() ? known->second->kind : std::string();
}

std::string plural_of(std::string_view kind) {
    std::string word = lower_case(kind);
    if (const auto known = known_kinds().find(word); known != known_kinds().end())
        return known->second->plural;
    if (word.ends_with("ss")) return word + "es";
    if (word.ends_with("y")) return word.substr(0, word.size() - 1) + "ies";
    return word.ends_with("s") ? word : word + "s";
}

bool is_cluster_wide(std::string_view type) {
    const auto known = known_kinds().find(type);
    return known != known_kinds().end() && !known->second->namespaced;
}

bool is_workload(std::string_view type) {
    return type == "deployment" || type == "statefulset" || type == "daemonset";
}

const Kind& Kinds::of_manifest(const std::string& kind, const std::string& api_version) {
    const std::string group = group_in(api_version);
    const std::string version = version_in(api_version);
    for (Kind& known : kinds_) {
        if (known.kind != kind || known.group != group) continue;
        // Of a kind that the world does not know of itself, the first version that it meets is the preferred
        // one.
        if (!is_own_group(group) && version != known.version && !listed(known.others, version))
            known.others += " " + version;
        return known;
    }
    Kind added;
    added.plural = plural_of(kind);
    added.kind = kind;
    added.group = group;
    added.version = version;
    added.has_generation = true;
    kinds_.push_back(std::move(added));
    return kinds_.back();
}

const Kind* Kinds::of_kind(std::string_view kind) const {
    return first_of(kinds_, [&](const Kind& k) { return k.kind == kind; });
}

const Kind* Kinds::by_plural(std::string_view plural) const {
    return first_of(kinds_, [&](const Kind& k) { return k.plural == plural; });
}

bool holds_data(std::string_view written) {
    const std::string type = type_name(written);
    return type == "persistentvolumeclaim" || type == "persistentvolume" || type == "namespace" ||
           type == "customresourcedefinition";
}

bool is_left_standing(std::string_view type) {
    return holds_data(type) || type == "secret";
}

}  // namespace migc::kubernetes
