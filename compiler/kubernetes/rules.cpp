#include "compiler/kubernetes/rules.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "compiler/kubernetes/formats.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {

using nlohmann::json;

const json* at(const json& object, std::string_view pointer) {
    const json& found = field(object, std::string(pointer));
    return found.is_null() ? nullptr : &found;
}

std::string step_of(std::string_view key) {
    return "/" + pointer_token(key);
}

namespace {

Found invalid(const json& value, std::string_view why, std::string below = {}) {
    return Wrong{
        std::move(below),
        fmt::format("Invalid value: {}: {}", value.dump(-1, ' ', false, json::error_handler_t::replace), why),
        false};
}
Found expected(std::string_view type, std::string below = {}) {
    return Wrong{std::move(below), fmt::format("expected {}", type), true};
}

bool meets(const json& labels, const json& requirement) {
    const json* value = at(labels, step_of(text_field(requirement, "/key")));
    const std::string how = text_field(requirement, "/operator");
    if (how == "Exists") return value != nullptr;
    if (how == "DoesNotExist") return value == nullptr;
    const json* values = at(requirement, "/values");
    const bool among =
        value != nullptr && values != nullptr && std::ranges::find(*values, *value) != values->end();
    return how == "In" ? among : !among;
}
bool selects(const json& selector, const json& labels) {
    if (const json* wanted = at(selector, "/matchLabels"); wanted != nullptr && wanted->is_object())
        for (const auto& [key, value] : wanted->items())
            if (const json* has = at(labels, step_of(key)); has == nullptr || *has != value) return false;
    const json* expressions = at(selector, "/matchExpressions");
    return expressions == nullptr ||
           std::ranges::all_of(*expressions, [&](const json& one) { return meets(labels, one); });
}
}  // namespace

namespace rules {

Found a_map(const json& value, std::string_view) {
    return value.is_object() ? Found() : expected("map");
}
Found a_text(const json& value, std::string_view) {
    return value.is_string() ? Found() : expected("string");
}
Found a_flag(const json& value, std::string_view) {
    return value.is_boolean() ? Found() : expected("boolean");
}
Found a_list(const json& value, std::string_view) {
    return value.is_array() ? Found() : expected("list");
}
Found a_whole(const json& value, std::string_view) {
    if (value.is_number_integer()) return {};
    return value.is_number() ? expected("a whole number") : expected("numeric (int or float)");
}
Found maps(const json& value, std::string_view) {
    if (!value.is_array()) return expected("list");
    for (std::size_t i = 0; i < value.size(); ++i)
        if (!value[i].is_object()) return expected("map", fmt::format("/{}", i));
    return {};
}
Found texts(const json& value, std::string_view) {
    if (!value.is_object()) return expected("map");
    for (const auto& [key, one] : value.items())
        if (!one.is_string() && !one.is_null()) return expected("string", step_of(key));
    return {};
}
Found at_least(const json& value, std::string_view least) {
    if (Found wrong = a_whole(value, {})) return wrong;
    const std::int64_t bound = std::stoll(std::string(least));
    return value.get<std::int64_t>() < bound
               ? invalid(value, fmt::format("must be greater than or equal to {}", least))
               : Found();
}
Found port(const json& value, std::string_view) {
    if (Found wrong = a_whole(value, {})) return wrong;
    const auto number = value.get<std::int64_t>();
    return number < 1 || number > 65535 ? invalid(value, "must be between 1 and 65535, inclusive") : Found();
}
Found port_or_name(const json& value, std::string_view) {
    return value.is_string() ? Found() : port(value, {});
}
Found node_port(const json& value, std::string_view) {
    if (Found wrong = a_whole(value, {})) return wrong;
    const auto number = value.get<std::int64_t>();
    return number != 0 && (number < 30000 || number > 32767)
               ? invalid(value,
                         "provided port is not in the valid range. The range of valid ports is 30000-32767")
               : Found();
}
Found count_or_percent(const json& value, std::string_view) {
    if (!value.is_string()) return at_least(value, "0");
    const std::string text = value.get<std::string>();
    const bool fits =
        text.size() > 1 && text.back() == '%' && text.find_first_not_of("0123456789") == text.size() - 1;
    return fits ? Found()
                : invalid(value, "a valid percent string must be a numeric string followed by an ending '%'");
}
Found a_word(const json& value, std::string_view words) {
    if (!value.is_string()) return expected("string");
    if (listed(words, value.get<std::string>())) return {};
    return Wrong{"", fmt::format("Unsupported value: {}: supported values: {}", value.dump(), words), false};
}
Found dns_label(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    return is_dns_label(value.get<std::string>())
               ? Found()
               : invalid(
                     value,
                     "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character");
}
Found dns_name(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    return is_dns_name(value.get<std::string>())
               ? Found()
               : invalid(
                     value,
                     "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character");
}
Found host(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    const std::string text = value.get<std::string>();
    return dns_name(json(text.starts_with("*.") ? text.substr(2) : text), {});
}
Found service_name(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    const std::string text = value.get<std::string>();
    return is_dns_label(text) && text.front() >= 'a' && text.front() <= 'z'
               ? Found()
               : invalid(
                     value,
                     "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character");
}
Found port_name(const json& value, std::string_view) {
    if (Found wrong = dns_label(value, {})) return wrong;
    return value.get<std::string>().size() > 15 ? invalid(value, "must be no more than 15 characters")
                                                : Found();
}
Found labels(const json& value, std::string_view) {
    if (Found wrong = texts(value, {})) return wrong;
    for (const auto& [key, one] : value.items()) {
        if (!is_label_name(key))
            return invalid(
                json(key),
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character");
        if (one.is_string() && !is_label_value(one.get<std::string>()))
            return invalid(
                one,
                "a valid label must be an empty string or consist of at most 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                step_of(key));
    }
    return {};
}
Found annotations(const json& value, std::string_view) {
    if (Found wrong = texts(value, {})) return wrong;
    for (const auto& [key, one] : value.items())
        if (!is_label_name(lower_case(key)))
            return invalid(
                json(key),
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character");
    return {};
}
Found config_data(const json& value, std::string_view) {
    if (Found wrong = texts(value, {})) return wrong;
    for (const auto& [key, one] : value.items())
        if (!is_config_key(key))
            return invalid(json(key),
                           "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                           step_of(key));
    return {};
}
Found base64_data(const json& value, std::string_view) {
    if (Found wrong = config_data(value, {})) return wrong;
    for (const auto& [key, one] : value.items())
        if (one.is_string() && !from_base64(one.get<std::string>()))
            return Wrong{step_of(key), "illegal base64 data", true};
    return {};
}
Found quantity(const json& value, std::string_view) {
    if (!value.is_number() && !(value.is_string() && is_quantity(value.get<std::string>())))
        return Wrong{
            "", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            true};
    return amount_of(value) < 0 ? invalid(value, "must be greater than or equal to 0") : Found();
}
Found quantities(const json& value, std::string_view) {
    if (!value.is_object()) return expected("map");
    for (const auto& [name, one] : value.items())
        if (Found wrong = quantity(one, {})) return Wrong{step_of(name), wrong->why, wrong->is_type};
    return {};
}
Found schedule(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    return is_schedule(value.get<std::string>()) ? Found() : invalid(value, "expected exactly 5 fields");
}
Found cluster_address(const json& value, std::string_view) {
    if (!value.is_string()) return expected("string");
    const std::string text = value.get<std::string>();
    return text.empty() || text == "None" || is_address(text)
               ? Found()
               : invalid(value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

// --- of a map: which fields it must have, may have, and how they go together

Found has(const json& value, std::string_view words) {
    if (!value.is_object()) return {};
    for (const std::string& word : split(words, ' ')) {
        const json* one = at(value, "/" + word);
        if (one == nullptr || (one->is_string() && one->get<std::string>().empty()) ||
            ((one->is_array() || one->is_object()) && one->empty()))
            return Wrong{"/" + word, "Required value", false};
    }
    return {};
}
Found knows(const json& value, std::string_view words) {
    if (!value.is_object()) return {};
    for (const auto& [key, one] : value.items())
        if (!listed(words, key)) return Wrong{step_of(key), "field not declared in schema", true};
    return {};
}
// A list of maps, no two alike in the fields.
Found differ(const json& value, std::string_view words) {
    if (!value.is_array()) return {};
    std::set<std::string> seen;
    for (const json& one : value) {
        std::string key;
        for (const std::string& word : split(words, ' ')) {
            const json* field = one.is_object() ? at(one, "/" + word) : nullptr;
            key += (field != nullptr ? field->dump() : word == "protocol" ? "\"TCP\"" : "") + "\n";
        }
        if (!seen.insert(key).second)
            return Wrong{"", fmt::format("duplicate entries for key [{}]", words), true};
    }
    return {};
}
// Exactly one of the fields.
Found one_way(const json& value, std::string_view words) {
    if (!value.is_object()) return {};
    int ways = 0;
    for (const std::string& word : split(words, ' '))
        if (at(value, "/" + word) != nullptr && ++ways > 1)
            return Wrong{"/" + word, "Forbidden: may not specify more than 1 of " + std::string(words),
                         false};
    return ways == 0 ? Wrong{"", "Required value: must specify one of: " + std::string(words), false}
                     : Found();
}
Found requirement(const json& value, std::string_view) {
    const std::string how = text_field(value, "/operator");
    if (!listed("In NotIn Exists DoesNotExist", how))
        return invalid(json(how), "not a valid selector operator", "/operator");
    const json* values = at(value, "/values");
    const bool some = values != nullptr && !values->empty(), wanted = how == "In" || how == "NotIn";
    if (wanted && !some)
        return Wrong{"/values", "Required value: must be specified when `operator` is 'In' or 'NotIn'",
                     false};
    return !wanted && some
               ? Wrong{"/values",
                       "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'", false}
               : Found();
}

// A workload's selector is there, and finds its own pods.
Found own_pods(const json& spec, std::string_view) {
    const json* selector = at(spec, "/selector");
    const auto some = [&](const char* how) {
        const json* part = selector ? at(*selector, how) : nullptr;
        return part != nullptr && !part->empty();
    };
    if (!some("/matchLabels") && !some("/matchExpressions"))
        return Wrong{"/selector", "Required value", false};
    const json* labels = at(spec, "/template/metadata/labels");
    if (selects(*selector, labels != nullptr ? *labels : json::object())) return {};
    return invalid(labels != nullptr ? *labels : json(), "`selector` does not match template `labels`",
                   "/template/metadata/labels");
}
Found strategy(const json& value, std::string_view) {
    const std::string type = text_field(value, "/type");
    if (!type.empty() && type != "Recreate" && type != "RollingUpdate")
        return Wrong{
            "/type",
            fmt::format("Unsupported value: \"{}\": supported values: \"Recreate\", \"RollingUpdate\"", type),
            false};
    if (type == "Recreate" && at(value, "/rollingUpdate") != nullptr)
        return Wrong{"/rollingUpdate", "Forbidden: may not be specified when strategy `type` is 'Recreate'",
                     false};
    const auto is_none = [&](const char* pointer) {
        const json* room = at(value, pointer);
        return room != nullptr && (*room == 0 || *room == "0%");
    };
    return is_none("/rollingUpdate/maxSurge") && is_none("/rollingUpdate/maxUnavailable")
               ? invalid(json(0), "may not be 0 when `maxSurge` is 0", "/rollingUpdate/maxUnavailable")
               : Found();
}
Found deadline(const json& spec, std::string_view) {
    const std::int64_t deadline = int_field(spec, "/progressDeadlineSeconds", 600);
    return deadline >= 0 && deadline <= int_field(spec, "/minReadySeconds", 0)
               ? invalid(json(deadline), "must be greater than minReadySeconds", "/progressDeadlineSeconds")
               : Found();
}
Found variable(const json& value, std::string_view) {
    if (Found wrong = has(value, "name")) return wrong;
    const json* source = at(value, "/valueFrom");
    return source != nullptr && !text_field(value, "/value").empty()
               ? invalid(json(""), "may not be specified when `value` is not empty", "/valueFrom")
               : Found();
}
Found mounts(const json& spec, const json* claim_templates) {
    std::set<std::string> known;
    if (claim_templates != nullptr && claim_templates->is_array())
        for (const json& one : *claim_templates) known.insert(text_field(one, "/metadata/name"));
    if (const json* volumes = at(spec, "/volumes"); volumes != nullptr && volumes->is_array())
        for (const json& one : *volumes) known.insert(text_field(one, "/name"));
    for (const char* list : {"initContainers", "containers"}) {
        const json* containers = at(spec, fmt::format("/{}", list));
        for (std::size_t i = 0; containers != nullptr && containers->is_array() && i < containers->size();
             ++i) {
            const json* mounted = at((*containers)[i], "/volumeMounts");
            for (std::size_t k = 0; mounted != nullptr && mounted->is_array() && k < mounted->size(); ++k)
                if (const std::string name = text_field((*mounted)[k], "/name"); !known.contains(name))
                    return Wrong{fmt::format("/{}/{}/volumeMounts/{}/name", list, i, k),
                                 fmt::format("Not found: \"{}\"", name), false};
        }
    }
    return {};
}
Found requests(const json& resources, std::string_view) {
    const json *wanted = at(resources, "/requests"), *limits = at(resources, "/limits");
    if (wanted == nullptr || limits == nullptr || !wanted->is_object()) return {};
    for (const auto& [name, value] : wanted->items())
        if (const json* limit = at(*limits, step_of(name));
            limit != nullptr && amount_of(value) > amount_of(*limit))
            return invalid(value, fmt::format("must be less than or equal to {} limit", name), "/requests");
    return {};
}
Found toleration(const json& value, std::string_view) {
    return text_field(value, "/key").empty() && text_field(value, "/operator") != "Exists"
               ? invalid(
                     json(text_field(value, "/operator")),
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                     "/operator")
               : Found();
}
Found both_data(const json& object, std::string_view) {
    const json *data = at(object, "/data"), *binary = at(object, "/binaryData");
    if (data == nullptr || binary == nullptr || !data->is_object() || !binary->is_object()) return {};
    for (const auto& [key, value] : data->items())
        if (binary->contains(key))
            return invalid(json(key), "duplicate of key present in binaryData", "/data" + step_of(key));
    return {};
}
Found service_ports(const json& spec, std::string_view) {
    const json* ports = at(spec, "/ports");
    const bool needs =
        text_field(spec, "/clusterIP") != "None" && text_field(spec, "/type") != "ExternalName";
    if (ports == nullptr || ports->empty()) return needs ? Wrong{"/ports", "Required value", false} : Found();
    for (std::size_t i = 0; ports->is_array() && ports->size() > 1 && i < ports->size(); ++i)
        if (text_field((*ports)[i], "/name").empty())
            return Wrong{fmt::format("/ports/{}/name", i), "Required value", false};
    return {};
}
Found claimed(const json& spec, std::string_view) {
    const json* size = at(spec, "/resources/requests/storage");
    if (size == nullptr) return Wrong{"/resources/requests/storage", "Required value", false};
    return amount_of(*size) <= 0 ? invalid(*size, "must be greater than zero", "/resources/requests/storage")
                                 : Found();
}
Found autoscaler(const json& spec, std::string_view) {
    const std::int64_t least = int_field(spec, "/minReplicas", 1), most = int_field(spec, "/maxReplicas", 0);
    if (most < 1) return invalid(json(most), "must be greater than 0", "/maxReplicas");
    return most < least
               ? invalid(json(most), "must be greater than or equal to `minReplicas`", "/maxReplicas")
               : Found();
}
Found aims(const json& spec, std::string_view) {
    for (const char* field : {"/scaleTargetRef/kind", "/scaleTargetRef/name"})
        if (text_field(spec, field).empty()) return Wrong{field, "Required value", false};
    return {};
}
Found disruption(const json& spec, std::string_view) {
    return at(spec, "/minAvailable") != nullptr && at(spec, "/maxUnavailable") != nullptr
               ? Wrong{"", "Invalid value: minAvailable and maxUnavailable cannot be both set", false}
               : Found();
}
Found path(const json& value, std::string_view) {
    const std::string type = text_field(value, "/pathType"), text = text_field(value, "/path");
    if (type.empty()) return Wrong{"/pathType", "Required value: pathType must be specified", false};
    if (type != "ImplementationSpecific" && !text.starts_with('/'))
        return invalid(json(text), "must be an absolute path", "/path");
    const json* backend = at(value, "/backend");
    const bool leads =
        backend != nullptr && (at(*backend, "/service") != nullptr || at(*backend, "/resource") != nullptr);
    return leads ? Found() : invalid(json(""), "resource or service backend is required", "/backend");
}
Found routes(const json& spec, std::string_view) {
    const auto some = [&](const char* pointer) {
        const json* part = at(spec, pointer);
        return part != nullptr && !part->empty();
    };
    return some("/rules") || some("/defaultBackend")
               ? Found()
               : Wrong{"", "Invalid value: either `defaultBackend` or `rules` must be specified", false};
}
Found no_selector(const json& spec, std::string_view) {
    const json* own = at(spec, "/manualSelector");
    return at(spec, "/selector/matchLabels") != nullptr && (own == nullptr || *own != true) &&
                   at(spec, "/selector/matchLabels/controller-uid") == nullptr &&
                   at(spec, "/selector/matchLabels/batch.kubernetes.io~1controller-uid") == nullptr
               ? invalid(spec["selector"], "`selector` not auto-generated", "/selector")
               : Found();
}

}  // namespace rules

}  // namespace migc::kubernetes
