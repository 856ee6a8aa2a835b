// The revisions of stateful and daemon sets; those of a deployment are its replica sets.
#include <algorithm>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

// Oldest first.
std::vector<ObjectKey> revisions_of(const Cluster& cluster, const ObjectKey& set) {
    auto found = owned(cluster, "controllerrevisions", *cluster.find(set));
    std::ranges::sort(found, {},
                      [&](const ObjectKey& key) { return number_at(*cluster.find(key), "/revision", 0); });
    return found;
}

// As its pods are labelled: those of a stateful set with the revision's name, those of a daemon set with its
// hash.
std::string revision_label(const ObjectKey& set, const ObjectKey& revision) {
    return set.plural == "statefulsets" ? revision.name : revision.name.substr(set.name.size() + 1);
}

Object revision_object(const Cluster& cluster, const ObjectKey& set, const ObjectKey& key,
                       std::int64_t number) {
    const Object& owner = *cluster.find(set);
    Object pods = object_at(owner, "/spec/template");
    pods["$patch"] = "replace";
    Object revision = head_of(cluster, key);
    revision["metadata"]["labels"] = {{"controller-revision-hash", revision_label(set, key)}};
    revision["metadata"]["ownerReferences"] = owner_reference(owner);
    revision["data"]["spec"]["template"] = pods;
    revision["revision"] = number;
    return revision;
}

}  // namespace

std::int64_t revision_of(const Object& object) {
    const std::string noted = text_at(object, "/metadata/annotations/deployment.kubernetes.io~1revision");
    return whole_number(noted).value_or(0);
}

void keep_revision(Cluster& cluster, const ObjectKey& set) {
    const std::string hash = template_hash(object_at(*cluster.find(set), "/spec/template"));
    const ObjectKey key{"controllerrevisions", set.name_space, set.name + "-" + hash};
    auto kept = revisions_of(cluster, set);
    if (!kept.empty() && kept.back() == key) return;
    const std::int64_t newest = kept.empty() ? 0 : number_at(*cluster.find(kept.back()), "/revision", 0);
    // An old one that comes back is the newest again, under its name.
    cluster.put(key, revision_object(cluster, set, key, newest + 1));
    std::erase(kept, key);
    forget_oldest(cluster, set, kept);
}

void forget_oldest(Cluster& cluster, const ObjectKey& workload, const std::vector<ObjectKey>& oldest_first) {
    const auto limit = static_cast<std::size_t>(
        std::max<std::int64_t>(0, number_at(*cluster.find(workload), "/spec/revisionHistoryLimit", 10)));
    for (std::size_t i = 0; i + limit < oldest_first.size(); ++i) cluster.erase(oldest_first[i]);
}

}  // namespace migc::runtime::inline world
