// The types of the fields that the simulated cluster works with, as the API server checks them.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

enum class Shape { Map, Texts, Whole, Text, Maps };

struct Field {
    const char* pointer;
    Shape shape;
};

constexpr Field every_object[] = {{"/metadata", Shape::Map},
                                  {"/metadata/labels", Shape::Texts},
                                  {"/metadata/annotations", Shape::Texts},
                                  {"/metadata/ownerReferences", Shape::Maps}};
constexpr Field workload[] = {{"/spec", Shape::Map},
                              {"/spec/replicas", Shape::Whole},
                              {"/spec/progressDeadlineSeconds", Shape::Whole},
                              {"/spec/revisionHistoryLimit", Shape::Whole},
                              {"/spec/selector", Shape::Map},
                              {"/spec/selector/matchLabels", Shape::Texts},
                              {"/spec/strategy", Shape::Map},
                              {"/spec/strategy/rollingUpdate", Shape::Map},
                              {"/spec/template", Shape::Map},
                              {"/spec/template/metadata", Shape::Map},
                              {"/spec/template/metadata/labels", Shape::Texts},
                              {"/spec/template/metadata/annotations", Shape::Texts}};
constexpr Field pod_spec[] = {
    {"", Shape::Map},          {"/containers", Shape::Maps},  {"/initContainers", Shape::Maps},
    {"/volumes", Shape::Maps}, {"/tolerations", Shape::Maps}, {"/nodeSelector", Shape::Texts},
    {"/nodeName", Shape::Text}};
constexpr Field container[] = {{"/name", Shape::Text},     {"/image", Shape::Text},
                               {"/resources", Shape::Map}, {"/resources/requests", Shape::Map},
                               {"/env", Shape::Maps},      {"/envFrom", Shape::Maps}};
constexpr Field service[] = {
    {"/spec", Shape::Map}, {"/spec/selector", Shape::Texts}, {"/spec/ports", Shape::Maps}};
constexpr Field config_map[] = {{"/data", Shape::Texts}};
constexpr Field others[] = {{"/spec", Shape::Map}};

bool has_shape(const Object& value, Shape shape) {
    const auto all = [&](auto holds) { return std::ranges::all_of(value, holds); };
    switch (shape) {
        case Shape::Map:
            return value.is_object();
        case Shape::Texts:
            return value.is_object() && all([](const Object& one) { return one.is_string(); });
        case Shape::Whole:
            return value.is_number_integer();
        case Shape::Text:
            return value.is_string();
        case Shape::Maps:
            return value.is_array() && all([](const Object& one) { return one.is_object(); });
    }
    return false;
}

const char* name_of(Shape shape) {
    switch (shape) {
        case Shape::Map:
            return "a map";
        case Shape::Texts:
            return "a map of texts";
        case Shape::Whole:
            return "a whole number";
        case Shape::Text:
            return "a text";
        case Shape::Maps:
            break;
    }
    return "a list of maps";
}

template <std::size_t count>
std::string misfit(const Object& object, const Field (&fields)[count], const std::string& at = {}) {
    for (const Field& field : fields) {
        const Object* value = part(object, field.pointer);
        if (value && !has_shape(*value, field.shape))
            return fmt::format("{}{} must be {}", at, field.pointer, name_of(field.shape));
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
