// The kinds of objects of a cluster: how they are called on the command line, in manifests and in answers.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace migc::kubernetes {

struct Kind {
    std::string plural;       // "deployments"
    std::string kind;         // "Deployment"
    std::string group;        // "apps"; empty for the core group
    std::string version;      // "v1"
    std::string short_names;  // space-separated
    bool namespaced = true;
    bool has_generation = false;
    std::string others = {};  // further versions in which it is served, space-separated

    [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
    // "deployments.apps", as in kubectl's NotFound messages.
    [[nodiscard]] std::string resource() const { return group.empty() ? plural : plural + "." + group; }
    // "deployment.apps", as in kubectl's "deployment.apps/web scaled".
    [[nodiscard]] std::string singular() const;
};

class Kinds {
  public:
    Kinds();
    // By what one types: plural, singular, short name, with or without the group. Null if there is none.
    [[nodiscard]] const Kind* typed(std::string_view word) const;
    // The version that a word such as "horizontalpodautoscaler.v1.autoscaling" asks for; empty if it asks for
    // none.
    [[nodiscard]] std::string version_typed(std::string_view word) const;
    // By kind and apiVersion of a manifest; a kind that is not known is added as a namespaced one.
    const Kind& of_manifest(const std::string& kind, const std::string& api_version);
    [[nodiscard]] const Kind* by_plural(std::string_view plural) const;
    [[nodiscard]] const std::deque<Kind>& all() const { return kinds_; }
    [[nodiscard]] const Kind* of_kind(std::string_view kind) const;

  private:
    std::deque<Kind> kinds_;  // references stay valid when a kind is added
};

// "v1" of "autoscaling/v1".
std::string version_in(const std::string& api_version);
// "autoscaling" of "autoscaling/v1"; empty for the core group.
std::string group_in(const std::string& api_version);
// Whether the cluster would know no such kind: one of Kubernetes' own groups has no kind of that name, or not
// in that version. What a definition of somebody else adds is never unknown.
bool is_unknown(std::string_view kind, const std::string& api_version);
// Whether a group is one of Kubernetes' own, whose kinds kubectl knows without it: apps, batch, *.k8s.io.
bool is_own_group(std::string_view group);

// One name for each type of object, however it is spelled: "deployment" for deploy, Deployment and
// deployments.apps.
std::string type_name(std::string_view written);
// "Deployment" of "deploy"; empty for a type that is not known here.
std::string kind_name(std::string_view written);
// "ingresses" of "Ingress".
std::string plural_of(std::string_view kind);
// Whether objects of the type are in no namespace.
bool is_cluster_wide(std::string_view type);
// Whether objects of the type run pods that go on running: deployments, stateful sets, daemon sets.
bool is_workload(std::string_view type);
// Whether nobody but a person can bring back what an object of the type holds, however the type is spelled:
// claims, volumes, namespaces, resource definitions.
bool holds_data(std::string_view written);
// Whether `delete objects of` leaves objects of the type standing: they could not be made again as they were.
bool is_left_standing(std::string_view type);

}  // namespace migc::kubernetes
