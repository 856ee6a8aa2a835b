#include "runtime/world/kinds.hpp"

#include <algorithm>
#include <cctype>

#include "runtime/world/arguments.hpp"

namespace migc::runtime::inline world {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return result;
}

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
    };
}

bool is_called(const Kind& kind, std::string_view name) {
    return name == kind.plural || name == lower(kind.kind) || listed(kind.short_names, name);
}

}  // namespace

std::string Kind::singular() const {
    return group.empty() ? lower(kind) : lower(kind) + "." + group;
}

Kinds::Kinds() : kinds_(built_in()) {}

const Kind* Kinds::typed(std::string_view word) const {
    const std::string name = lower(word.substr(0, word.find('.')));
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
    const std::size_t slash = api_version.find('/');
    return slash == std::string::npos ? api_version : api_version.substr(slash + 1);
}

const Kind& Kinds::of_manifest(const std::string& kind, const std::string& api_version) {
    const std::size_t slash = api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    for (Kind& known : kinds_) {
        if (known.kind != kind || known.group != group) continue;
        // Of a kind that the world does not know of itself, the first version that it meets is the preferred
        // one.
        const std::string version = version_in(api_version);
        const bool own = group.find('.') == std::string::npos || group.ends_with(".k8s.io");
        if (!own && version != known.version && !listed(known.others, version)) known.others += " " + version;
        return known;
    }
    Kind added;
    added.plural = lower(kind) + "s";
    added.kind = kind;
    added.group = group;
    added.version = slash == std::string::npos ? api_version : api_version.substr(slash + 1);
    added.has_generation = true;
    kinds_.push_back(std::move(added));
    return kinds_.back();
}

const Kind* Kinds::of_kind(std::string_view kind) const {
    const auto found =
        std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) { return k.kind == kind; });
    return found == kinds_.end() ? nullptr : &*found;
}

const Kind* Kinds::by_plural(std::string_view plural) const {
    const auto found =
        std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) { return k.plural == plural; });
    return found == kinds_.end() ? nullptr : &*found;
}

}  // namespace migc::runtime::inline world
