// The types of the fields that the simulated cluster works with, as the API server checks them.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

struct Shape {
    const char* name;
    bool (*fits)(const Object&);
};

namespace shape {
constexpr Shape map{"a map", [](const Object& value) { return value.is_object(); }};
constexpr Shape texts{"a map of texts", [](const Object& value) {
                          return value.is_object() && std::ranges::all_of(value, &Object::is_string);
                      }};
constexpr Shape whole{"a whole number", [](const Object& value) { return value.is_number_integer(); }};
constexpr Shape text{"a text", [](const Object& value) { return value.is_string(); }};
constexpr Shape maps{"a list of maps", [](const Object& value) {
                         return value.is_array() && std::ranges::all_of(value, &Object::is_object);
                     }};
}  // namespace shape

struct Field {
    const char* pointer;
    Shape shape;
};

constexpr Field every_object[] = {{"/metadata", shape::map},
                                  {"/metadata/labels", shape::texts},
                                  {"/metadata/annotations", shape::texts},
                                  {"/metadata/ownerReferences", shape::maps}};
constexpr Field workload[] = {{"/spec", shape::map},
                              {"/spec/replicas", shape::whole},
                              {"/spec/progressDeadlineSeconds", shape::whole},
                              {"/spec/revisionHistoryLimit", shape::whole},
                              {"/spec/selector", shape::map},
                              {"/spec/selector/matchLabels", shape::texts},
                              {"/spec/strategy", shape::map},
                              {"/spec/strategy/rollingUpdate", shape::map},
                              {"/spec/template", shape::map},
                              {"/spec/template/metadata", shape::map},
                              {"/spec/template/metadata/labels", shape::texts},
                              {"/spec/template/metadata/annotations", shape::texts}};
constexpr Field pod_spec[] = {
    {"", shape::map},          {"/containers", shape::maps},  {"/initContainers", shape::maps},
    {"/volumes", shape::maps}, {"/tolerations", shape::maps}, {"/nodeSelector", shape::texts},
    {"/nodeName", shape::text}};
constexpr Field container[] = {{"/name", shape::text},     {"/image", shape::text},
                               {"/resources", shape::map}, {"/resources/requests", shape::map},
                               {"/env", shape::maps},      {"/envFrom", shape::maps}};
constexpr Field service[] = {
    {"/spec", shape::map}, {"/spec/selector", shape::texts}, {"/spec/ports", shape::maps}};
constexpr Field config_map[] = {{"/data", shape::texts}};
constexpr Field others[] = {{"/spec", shape::map}};

template <std::size_t count>
std::string misfit(const Object& object, const Field (&fields)[count], const std::string& at = {}) {
    for (const Field& field : fields) {
        const Object* value = part(object, field.pointer);
        if (value && !field.shape.fits(*value))
            return fmt::format("{}{} must be {}", at, field.pointer, field.shape.name);
    }
    return {};
}

std::string misfit_of_pod_spec(const Object& object, const char* pointer) {
    const Object* spec = part(object, pointer);
    if (!spec) return {};
    std::string wrong = misfit(*spec, pod_spec, pointer);
    for (const char* list : {"/containers", "/initContainers"})
        for (const Object& one : list_at(*spec, list))
            if (wrong.empty()) wrong = misfit(one, container, pointer + std::string(list));
    return wrong;
}

}  // namespace

Object without_nulls(const Object& object) {
    if (!object.is_object() && !object.is_array()) return object;
    Object result = object;
    for (auto at = result.begin(); at != result.end();) {
        if (object.is_object() && at->is_null()) {
            at = result.erase(at);
            continue;
        }
        *at = without_nulls(*at);
        ++at;
    }
    return result;
}

std::string misfit_of(const Kind& kind, const Object& object) {
    std::string wrong = misfit(object, every_object);
    if (!wrong.empty()) return wrong;
    if (is_workload(kind) || kind.plural == "replicasets") {
        wrong = misfit(object, workload);
        return wrong.empty() ? misfit_of_pod_spec(object, "/spec/template/spec") : wrong;
    }
    if (kind.plural == "pods") return misfit_of_pod_spec(object, "/spec");
    if (kind.plural == "services") return misfit(object, service);
    if (kind.plural == "configmaps") return misfit(object, config_map);
    return misfit(object, others);
}

}  // namespace migc::runtime::inline world
