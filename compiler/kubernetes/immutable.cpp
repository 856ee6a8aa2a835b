// Fields that are set when an object is made, and never again.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/kubernetes/rules.hpp"
#include "compiler/kubernetes/validation.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

using nlohmann::json;

struct Fixed {
    std::string_view plurals;
    std::string_view pointer;
    std::string_view why;
    std::string_view otherwise = {};  // as JSON: what it is where it is not written
    bool may_be_given_later = false;
};
constexpr std::string_view once = "field is immutable";
constexpr std::string_view of_set =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
constexpr std::string_view of_claim =
    "spec is immutable after creation except resources.requests for bound claims";
constexpr bool later = true;
constexpr Fixed fixed[] = {
    {"deployments daemonsets replicasets", "/spec/selector", once},
    {"statefulsets", "/spec/selector", of_set},
    {"statefulsets", "/spec/serviceName", of_set, "\"\""},
    {"statefulsets", "/spec/podManagementPolicy", of_set, "\"OrderedReady\""},
    {"statefulsets", "/spec/volumeClaimTemplates", of_set},
    {"statefulsets", "/spec/revisionHistoryLimit", of_set, "10"},
    {"jobs", "/spec/completions", once, "1"},
    {"jobs", "/spec/selector", once, "", later},
    {"jobs", "/spec/template", once},
    {"secrets", "/type", once, "\"Opaque\""},
    {"services", "/spec/clusterIP", "may not change once set"},
    {"persistentvolumeclaims", "/spec/accessModes", of_claim},
    {"persistentvolumeclaims", "/spec/volumeMode", of_claim, "\"Filesystem\""},
    {"persistentvolumeclaims", "/spec/volumeName", of_claim, "", later},
    {"persistentvolumeclaims", "/spec/storageClassName", of_claim, "", later},
    {"persistentvolumeclaims", "/spec/selector", of_claim},
    {"persistentvolumeclaims", "/spec/dataSource", of_claim},
    {"storageclasses", "/provisioner", once},
    {"storageclasses", "/parameters", once},
    {"storageclasses", "/reclaimPolicy", once, "\"Delete\""},
    {"storageclasses", "/volumeBindingMode", once, "\"Immediate\""},
    {"rolebindings clusterrolebindings", "/roleRef", "cannot change roleRef"},
    {"priorityclasses", "/value", once},
};

json value_of(const json& object, const Fixed& field) {
    if (const json* value = at(object, field.pointer)) return *value;
    return field.otherwise.empty() ? json() : json::parse(field.otherwise);
}

// A manifest leaves out what the cluster itself has filled in.
bool is_change(const Fixed& field, const json& before, const json& after) {
    const json was = value_of(before, field), is = value_of(after, field);
    if (was == is || (field.may_be_given_later && (was.is_null() || is.is_null()))) return false;
    // A service has an address before anybody writes it down.
    return field.pointer != "/spec/clusterIP" || !is.is_null();
}

json data_of(const json& object) {
    json result = json::object();
    for (const char* part : {"data", "binaryData", "stringData"})
        if (object.contains(part)) result[part] = object[part];
    return result;
}

}  // namespace

std::vector<Refusal> refusals_of_change(std::string_view plural, const json& before, const json& after) {
    std::vector<Refusal> result;
    if (const json* frozen = at(before, "/immutable"); frozen != nullptr && *frozen == true) {
        const std::string why = "Forbidden: field is immutable when `immutable` is set";
        if (const json* still = at(after, "/immutable"); still == nullptr || *still != true)
            result.push_back({"/immutable", why});
        if (data_of(before) != data_of(after)) result.push_back({"/data", why});
    }
    for (const Fixed& one : fixed) {
        if (!listed(one.plurals, plural)) continue;
        if (is_change(one, before, after))
            result.push_back({std::string(one.pointer), fmt::format("Invalid value: {}", one.why)});
    }
    return result;
}

std::string why_immutable(std::string_view plural, std::string_view pointer) {
    for (const Fixed& one : fixed) {
        if (listed(one.plurals, plural) && pointer_holds(one.pointer, pointer)) return std::string(one.why);
    }
    return {};
}

bool is_the_servers(std::string_view pointer) {
    constexpr std::string_view fields =
        "/status /kind /apiVersion /metadata/name /metadata/namespace /metadata/uid /metadata/resourceVersion "
        "/metadata/generation /metadata/creationTimestamp /metadata/deletionTimestamp "
        "/metadata/deletionGracePeriodSeconds /metadata/managedFields /metadata/selfLink "
        "/metadata/annotations/deployment.kubernetes.io~1revision";
    if (pointer.empty() || pointer == "/metadata") return true;
    const std::vector<std::string> all = split(std::string(fields), ' ');
    return std::ranges::any_of(all, [&](const std::string& one) { return pointer_holds(one, pointer); });
}

}  // namespace migc::kubernetes
