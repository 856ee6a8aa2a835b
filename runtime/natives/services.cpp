// Services: what they select, and which pods get their requests.
#include <optional>
#include <set>

#include <fmt/format.h>

#include "compiler/ir/labels.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rollout.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

std::string written(const Labels& labels) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : labels) parts.push_back(value ? key + "=" + *value : key);
    return fmt::format("{}", fmt::join(parts, ","));
}

struct Service {
    std::string written;  // "service/web"
    json object;
    [[nodiscard]] const json& selector() const { return field(object, "/spec/selector"); }
    [[nodiscard]] std::string name() const { return name_of(object); }
};

std::string service_name(Host& host, const Value& value) {
    const auto* resource = value.get_if<ResourceRef>();
    return resource != nullptr ? host.written(*resource) : "service/" + show(value);
}

// The error, for people: it could not be read, or it is not there.
tl::expected<Service, std::string> service_argument(Host& host, const Value& value) {
    const std::string name = service_name(host, value);
    auto object = get_object(host, name);
    if (!object) return tl::unexpected(object.error());
    if (object->is_null()) return tl::unexpected(name + " does not exist");
    return Service{name, std::move(*object)};
}

Labels selector_with(const json& selector, const Labels& labels) {
    Labels result;
    for (const auto& [key, value] : selector.items())
        if (value.is_string()) result[key] = value.get<std::string>();
    for (const auto& [key, value] : labels) {
        if (value)
            result[key] = value;
        else
            result.erase(key);
    }
    return result;
}

bool is_ready_pod(const json& pod) {
    return holds(pod, "Ready") && !is_being_deleted(pod);
}

Fetched pods_selected(Host& host, const std::string& selector) {
    if (selector.empty()) return json::array();  // such a service selects nothing
    return list_objects(host, {"pods", "-l", selector});
}

std::set<std::string> ready_names(const json& pods) {
    std::set<std::string> names;
    for (const auto& pod : pods)
        if (is_ready_pod(pod)) names.insert(name_of(pod));
    return names;
}

// By pod, or by address where there is no pod behind it.
tl::expected<std::set<std::string>, std::string> ready_endpoints(Host& host, const Service& service) {
    const auto slices =
        list_objects(host, {"endpointslices", "-l", "kubernetes.io/service-name=" + service.name()});
    if (!slices) return tl::unexpected(slices.error());
    std::set<std::string> names;
    for (const auto& slice : *slices)
        for (const auto& endpoint : field(slice, "/endpoints")) {
            if (field(endpoint, "/conditions/ready") == json(false)) continue;
            const std::string pod = text_field(endpoint, "/targetRef/name");
            names.insert(pod.empty() ? text_field(endpoint, "/addresses/0") : pod);
        }
    return names;
}

std::string why_too_few(const json& pods, const std::string& selector) {
    if (pods.empty()) return fmt::format("there is no pod with {}", selector);
    for (const auto& pod : pods)
        if (const PodTrouble trouble = pod_trouble(pod); !trouble.text.empty())
            return fmt::format("{}: {}", name_of(pod), trouble.text);
    return fmt::format("none of its {} pods with {} is ready", pods.size(), selector);
}

json patch_of(const Labels& labels) {
    json selector = json::object();
    for (const auto& [key, value] : labels) selector[key] = value ? json(*value) : json();
    return {{"spec", {{"selector", selector}}}};
}

Planned switch_command(Host& host, const Arguments& arguments) {
    const auto labels = parse_labels(text_argument(arguments, 1));
    if (!labels) return tl::unexpected(labels.error());
    const std::string name = service_name(host, argument(arguments, 0));
    if (argument(arguments, 2).is_absent()) return tl::unexpected(name + " does not exist");
    return versioned_patch(host, name, "merge", patch_of(*labels), text_argument(arguments, 2));
}

}  // namespace

static Reading selector_of_service(Host& host, const Arguments& arguments) {
    const auto service = service_argument(host, argument(arguments, 0));
    if (!service) return unknown(service.error());
    const std::string key = text_argument(arguments, 1);
    const json& value = member(service->selector(), key);
    return value.is_null() ? absent("{} does not select by {}", service->written, key) : json_reading(value);
}

static Reading selection_like(Host& host, const Arguments& arguments) {
    auto labels = parse_labels(text_argument(arguments, 1));
    if (!labels) return mistaken(labels.error());
    const auto service = service_argument(host, argument(arguments, 0));
    if (!service) return unknown(service.error());
    if (service->selector().empty())
        return mistaken(service->written + " selects no pods: its endpoints are kept by somebody else");
    const Labels selector = selector_with(service->selector(), {});
    for (auto& [key, value] : *labels) {
        const auto found = selector.find(key);
        value = found == selector.end() ? std::nullopt : found->second;
    }
    return read_from(
        service->object,
        {Value(written(*labels)), {}, false, writer_of(host, service->object, "/spec/selector")});
}

// The way back of a switch may take a key away; nobody means that who writes a label without its value.
static Reading labels_complete(Host&, const Arguments& arguments) {
    const auto mistake = mistake_in_labels(text_argument(arguments, 0));
    return mistake ? mistaken(*mistake) : Reading{Value(true)};
}

static Reading ready_pods_behind(Host& host, const Arguments& arguments) {
    const auto labels = parse_labels(text_argument(arguments, 1));
    if (!labels) return mistaken(labels.error());
    const auto service = service_argument(host, argument(arguments, 0));
    if (!service) return unknown(service.error());
    const std::string selector = written(selector_with(service->selector(), *labels));
    const auto pods = pods_selected(host, selector);
    if (!pods) return unknown(pods.error());
    const auto count = static_cast<std::int64_t>(ready_names(*pods).size());
    return {Value(count), count > 0 ? "" : why_too_few(*pods, selector)};
}

static Reading endpoints_of(Host& host, const Arguments& arguments) {
    const auto service = service_argument(host, argument(arguments, 0));
    if (!service) return unknown(service.error());
    const auto ready = ready_endpoints(host, *service);
    if (!ready) return unknown(ready.error());
    return {Value(static_cast<std::int64_t>(ready->size()))};
}

static Reading service_settled(Host& host, const Arguments& arguments) {
    const std::string name = service_name(host, argument(arguments, 0));
    auto object = get_object(host, name);
    if (!object) return unknown(object.error());
    // One that was switched, and is gone, does not come back by waiting.
    if (object->is_null()) return mistaken(name + " does not exist");
    const Service service{name, std::move(*object)};
    const auto pods = pods_selected(host, written(selector_with(service.selector(), {})));
    if (!pods) return unknown(pods.error());
    const auto ready = ready_endpoints(host, service);
    if (!ready) return unknown(ready.error());
    const auto wanted = ready_names(*pods);
    return {Value(*ready == wanted),
            fmt::format("{} sends requests to {} of the {} ready pods that it selects", service.written,
                        ready->size(), wanted.size())};
}

const Rows services_rows([]() -> std::vector<Row> {
    return {
        // [service, key]: string, or absent
        reads("selector-of-service", selector_of_service).sees({"/spec/selector"}),
        // [service, labels]: labels
        reads("selection-like", selection_like).sees({"/spec/selector"}),
        // [labels]: true, or what is wrong with them
        reads("labels-complete", labels_complete),
        // [service, labels]: number
        reads("ready-pods-behind", ready_pods_behind).sees({"/spec/selector"}),
        // [service]: number
        reads("endpoints-of", endpoints_of),
        // [service]: bool
        reads("service-settled", service_settled),
        // [service, labels, version]
        writes("service-switch", switch_command)
            .reaches({Reach::Of::Selector, 0, "", 1})
            .by_hand(service_switch_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
