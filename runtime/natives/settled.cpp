// Whether the cluster has caught up with an object of a manifest.
#include <fmt/format.h>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rollout.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

// A claim of such a class is bound only when a pod uses it.
tl::expected<bool, std::string> waits_for_first_pod(Host& host, const json& claim) {
    const std::string name = text_field(claim, "/spec/storageClassName");
    if (name.empty()) return false;
    const auto storage_class = get_object(host, "storageclass/" + name);
    if (!storage_class) return tl::unexpected(storage_class.error());
    return text_field(*storage_class, "/volumeBindingMode") == "WaitForFirstConsumer";
}

Reading claim_settled(Host& host, const json& claim) {
    const std::string phase = text_field(claim, "/status/phase");
    const std::string name = name_of(claim);
    if (phase == "Bound") return {Value(true)};
    if (phase == "Lost") return never("claim {} has lost its volume", name);
    const auto waits = waits_for_first_pod(host, claim);
    if (!waits) return unknown(waits.error());
    return {Value(*waits), fmt::format("claim {} is not bound to a volume yet", name)};
}

Reading workload_settled(Host& host, const json& workload) {
    std::vector<std::string> what = {"replicasets,pods"};
    append(what, namespace_option(host, text_field(workload, "/metadata/namespace")));
    auto items = list_objects(host, what);
    if (!items) return unknown(items.error());
    if (is_told_by_revision(workload, *items)) {
        what.front() = "controllerrevisions";
        auto revisions = list_objects(host, what);
        if (!revisions) return unknown(revisions.error());
        for (auto& one : *revisions) items->push_back(std::move(one));
    }
    const Readiness verdict = judge(workload, *items, name_of(workload));
    return {Value(verdict.ready), verdict.why, verdict.permanent};
}

}  // namespace

static Reading object_settled(Host& host, const Arguments& arguments) {
    const auto handle = kubernetes::parse_handle(text_argument(arguments, 0));
    if (!handle) return mistaken(handle.error());
    const bool is_workload = !workload_kind(handle->written()).empty();
    const bool is_claim = kubernetes::type_name(handle->type) == "persistentvolumeclaim";
    // Of every other kind there is nothing that the cluster would have to catch up with.
    if (!is_workload && !is_claim) return {Value(true), {}, true};
    const auto object = get_object(host, handle->written(), handle->name_space);
    if (!object) return unknown(object.error());
    if (object->is_null()) return {Value(true), handle->written() + " does not exist"};
    return is_workload ? workload_settled(host, *object) : claim_settled(host, *object);
}

const Rows settled_rows([]() -> std::vector<Row> {
    return {
        // [handle]: bool
        reads("object-settled", object_settled).of_input(),
    };
});

}  // namespace migc::runtime::inline natives
