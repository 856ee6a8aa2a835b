#include "compiler/kubernetes/validation.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

using nlohmann::json;

// ------------------------------------------------------------------ texts

constexpr std::string_view digits = "0123456789";
constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view large_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_one_of(char c, std::initializer_list<std::string_view> sets) {
    return std::ranges::any_of(sets,
                               [&](std::string_view set) { return set.find(c) != std::string_view::npos; });
}
bool is_alphanumeric(char c) {
    return is_one_of(c, {digits, small_letters, large_letters});
}

// "web-1": small letters, digits and `-`, neither at the beginning nor at the end.
bool is_dns_label(std::string_view text) {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::ranges::all_of(text, [](char c) {
               return is_one_of(c, {digits, small_letters, "-"});
           });
}
bool is_dns_name(std::string_view text) {
    return text.size() <= 253 && std::ranges::all_of(split(text, '.'), is_dns_label);
}
// The value of a label, and the last part of its name.
bool is_label_text(std::string_view text) {
    return text.size() <= 63 &&
           (text.empty() || (is_alphanumeric(text.front()) && is_alphanumeric(text.back()))) &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, {"-_."}); });
}
bool is_label_name(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
    return !name.empty() && is_label_text(name) &&
           (slash == std::string_view::npos || is_dns_name(text.substr(0, slash)));
}
bool is_config_key(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text != "." && !text.starts_with("..") &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || is_one_of(c, {"-_."}); });
}

// "1500m", "2Gi", "1e3".
bool is_quantity(std::string_view text) {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view before = text.substr(0, number), unit = text.substr(number);
    if (before.find_first_of(digits) == std::string_view::npos || std::ranges::count(before, '.') > 1)
        return false;
    if (unit.size() > 1 && (unit[0] == 'e' || unit[0] == 'E')) {
        const std::string_view exponent = unit.substr(unit[1] == '-' || unit[1] == '+' ? 2 : 1);
        return !exponent.empty() && exponent.find_first_not_of(digits) == std::string_view::npos;
    }
    return unit.empty() || listed("n u m k M G T P E Ki Mi Gi Ti Pi Ei", unit);
}

// In units of one; the text must be a quantity.
double amount(const json& value) {
    if (value.is_number()) return value.get<double>();
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    std::size_t used = 0;
    double number = 0;
    try {
        number = std::stod(text, &used);
    } catch (const std::exception&) {
        return 0;
    }
    constexpr std::array<std::pair<std::string_view, double>, 15> units = {{{"n", 1e-9},
                                                                            {"u", 1e-6},
                                                                            {"m", 1e-3},
                                                                            {"k", 1e3},
                                                                            {"M", 1e6},
                                                                            {"G", 1e9},
                                                                            {"T", 1e12},
                                                                            {"P", 1e15},
                                                                            {"E", 1e18},
                                                                            {"Ki", 0x1p10},
                                                                            {"Mi", 0x1p20},
                                                                            {"Gi", 0x1p30},
                                                                            {"Ti", 0x1p40},
                                                                            {"Pi", 0x1p50},
                                                                            {"Ei", 0x1p60}}};
    for (const auto& [unit, factor] : units)
        if (text.substr(used) == unit) return number * factor;
    return number;
}

bool is_schedule(std::string_view text) {
    if (text.starts_with('@')) return text.size() > 1;
    std::vector<std::string> fields = split(text, ' ');
    std::erase(fields, "");
    if (!fields.empty() && (fields[0].starts_with("TZ=") || fields[0].starts_with("CRON_TZ=")))
        fields.erase(fields.begin());
    return fields.size() == 5;
}

bool is_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return true;  // version 6
    const auto parts = split(text, '.');
    return parts.size() == 4 && std::ranges::all_of(parts, [](const std::string& part) {
               return !part.empty() && part.size() <= 3 &&
                      part.find_first_not_of(digits) == std::string::npos;
           });
}

// ------------------------------------------------------------------ rules

// What a rule finds: below the place that it looks at, and why.
struct Wrong {
    std::string below;
    std::string why;
    bool is_type = false;
};
using Found = std::optional<Wrong>;

Found invalid(const json& value, std::string_view why, std::string below = {}) {
    return Wrong{
        std::move(below),
        fmt::format("Invalid value: {}: {}", value.dump(-1, ' ', false, json::error_handler_t::replace), why),
        false};
}
Found expected(std::string_view type, std::string below = {}) {
    return Wrong{std::move(below), fmt::format("expected {}", type), true};
}

const json* at(const json& object, std::string_view pointer) {
    const json::json_pointer where{std::string(pointer)};
    return object.contains(where) && !object.at(where).is_null() ? &object.at(where) : nullptr;
}
std::string text_of(const json& object, std::string_view pointer) {
    const json* value = at(object, pointer);
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}
std::int64_t number_of(const json& object, std::string_view pointer, std::int64_t otherwise) {
    const json* value = at(object, pointer);
    return value != nullptr && value->is_number_integer() ? value->get<std::int64_t>() : otherwise;
}
std::string escaped(std::string_view key) {
    std::string result;
    for (const char c : key) result += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return "/" + result;
}

// Of each rule: the value that is looked at, and the words that stand beside it in the table.
using Check = Found (*)(const json& value, std::string_view words);

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
        if (!one.is_string() && !one.is_null()) return expected("string", escaped(key));
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
        text.size() > 1 && text.back() == '%' && text.find_first_not_of(digits) == text.size() - 1;
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
    return is_dns_label(text) && is_one_of(text.front(), {small_letters})
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
        if (one.is_string() && !is_label_text(one.get<std::string>()))
            return invalid(
                one,
                "a valid label must be an empty string or consist of at most 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                escaped(key));
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
                           escaped(key));
    return {};
}
Found base64_data(const json& value, std::string_view) {
    if (Found wrong = config_data(value, {})) return wrong;
    for (const auto& [key, one] : value.items())
        if (one.is_string() && !from_base64(one.get<std::string>()))
            return Wrong{escaped(key), "illegal base64 data", true};
    return {};
}
Found quantity(const json& value, std::string_view) {
    if (!value.is_number() && !(value.is_string() && is_quantity(value.get<std::string>())))
        return Wrong{
            "", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            true};
    return amount(value) < 0 ? invalid(value, "must be greater than or equal to 0") : Found();
}
Found quantities(const json& value, std::string_view) {
    if (!value.is_object()) return expected("map");
    for (const auto& [name, one] : value.items())
        if (Found wrong = quantity(one, {})) return Wrong{escaped(name), wrong->why, wrong->is_type};
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
        if (!listed(words, key)) return Wrong{escaped(key), "field not declared in schema", true};
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
    const std::string how = text_of(value, "/operator");
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

bool meets(const json& labels, const json& requirement) {
    const json* value = at(labels, escaped(text_of(requirement, "/key")));
    const std::string how = text_of(requirement, "/operator");
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
            if (const json* has = at(labels, escaped(key)); has == nullptr || *has != value) return false;
    const json* expressions = at(selector, "/matchExpressions");
    return expressions == nullptr ||
           std::ranges::all_of(*expressions, [&](const json& one) { return meets(labels, one); });
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
    const std::string type = text_of(value, "/type");
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
    const std::int64_t deadline = number_of(spec, "/progressDeadlineSeconds", 600);
    return deadline >= 0 && deadline <= number_of(spec, "/minReadySeconds", 0)
               ? invalid(json(deadline), "must be greater than minReadySeconds", "/progressDeadlineSeconds")
               : Found();
}
Found variable(const json& value, std::string_view) {
    if (Found wrong = has(value, "name")) return wrong;
    const json* source = at(value, "/valueFrom");
    return source != nullptr && !text_of(value, "/value").empty()
               ? invalid(json(""), "may not be specified when `value` is not empty", "/valueFrom")
               : Found();
}
Found mounts(const json& spec, std::string_view) {
    std::set<std::string> known;
    if (const json* volumes = at(spec, "/volumes"); volumes != nullptr && volumes->is_array())
        for (const json& one : *volumes) known.insert(text_of(one, "/name"));
    for (const char* list : {"initContainers", "containers"}) {
        const json* containers = at(spec, fmt::format("/{}", list));
        for (std::size_t i = 0; containers != nullptr && containers->is_array() && i < containers->size();
             ++i) {
            const json* mounted = at((*containers)[i], "/volumeMounts");
            for (std::size_t k = 0; mounted != nullptr && mounted->is_array() && k < mounted->size(); ++k)
                if (const std::string name = text_of((*mounted)[k], "/name"); !known.contains(name))
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
        if (const json* limit = at(*limits, escaped(name));
            limit != nullptr && amount(value) > amount(*limit))
            return invalid(value, fmt::format("must be less than or equal to {} limit", name), "/requests");
    return {};
}
Found toleration(const json& value, std::string_view) {
    return text_of(value, "/key").empty() && text_of(value, "/operator") != "Exists"
               ? invalid(
                     json(text_of(value, "/operator")),
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                     "/operator")
               : Found();
}
Found both_data(const json& object, std::string_view) {
    const json *data = at(object, "/data"), *binary = at(object, "/binaryData");
    if (data == nullptr || binary == nullptr || !data->is_object() || !binary->is_object()) return {};
    for (const auto& [key, value] : data->items())
        if (binary->contains(key))
            return invalid(json(key), "duplicate of key present in binaryData", "/data" + escaped(key));
    return {};
}
Found service_ports(const json& spec, std::string_view) {
    const json* ports = at(spec, "/ports");
    const bool needs = text_of(spec, "/clusterIP") != "None" && text_of(spec, "/type") != "ExternalName";
    if (ports == nullptr || ports->empty()) return needs ? Wrong{"/ports", "Required value", false} : Found();
    for (std::size_t i = 0; ports->size() > 1 && i < ports->size(); ++i)
        if (text_of((*ports)[i], "/name").empty())
            return Wrong{fmt::format("/ports/{}/name", i), "Required value", false};
    return {};
}
Found claimed(const json& spec, std::string_view) {
    const json* size = at(spec, "/resources/requests/storage");
    if (size == nullptr) return Wrong{"/resources/requests/storage", "Required value", false};
    return amount(*size) <= 0 ? invalid(*size, "must be greater than zero", "/resources/requests/storage")
                              : Found();
}
Found autoscaler(const json& spec, std::string_view) {
    const std::int64_t least = number_of(spec, "/minReplicas", 1), most = number_of(spec, "/maxReplicas", 0);
    if (most < 1) return invalid(json(most), "must be greater than 0", "/maxReplicas");
    return most < least
               ? invalid(json(most), "must be greater than or equal to `minReplicas`", "/maxReplicas")
               : Found();
}
Found aims(const json& spec, std::string_view) {
    for (const char* field : {"/scaleTargetRef/kind", "/scaleTargetRef/name"})
        if (text_of(spec, field).empty()) return Wrong{field, "Required value", false};
    return {};
}
Found disruption(const json& spec, std::string_view) {
    return at(spec, "/minAvailable") != nullptr && at(spec, "/maxUnavailable") != nullptr
               ? Wrong{"", "Invalid value: minAvailable and maxUnavailable cannot be both set", false}
               : Found();
}
Found path(const json& value, std::string_view) {
    const std::string type = text_of(value, "/pathType"), text = text_of(value, "/path");
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

struct Rule {
    std::string_view path;  // `*`: each item of a list, each value of a map
    Check check;
    std::string_view words = "";
};

constexpr Rule of_every_object[] = {{"/metadata", a_map},
                                    {"/metadata/labels", labels},
                                    {"/metadata/annotations", annotations},
                                    {"/metadata/ownerReferences", maps},
                                    {"/metadata/finalizers", a_list}};
constexpr Rule of_workloads[] = {{"/spec", a_map},
                                 {"/spec/replicas", at_least, "0"},
                                 {"/spec/minReadySeconds", at_least, "0"},
                                 {"/spec/revisionHistoryLimit", at_least, "0"},
                                 {"/spec/selector", a_map},
                                 {"/spec/selector/matchLabels", labels},
                                 {"/spec/selector/matchExpressions", maps},
                                 {"/spec/selector/matchExpressions/*", requirement},
                                 {"/spec/template", a_map},
                                 {"/spec/template/metadata", a_map},
                                 {"/spec/template/metadata/labels", labels},
                                 {"/spec/template/metadata/annotations", annotations},
                                 {"/spec/template/spec/restartPolicy", a_word, "Always"},
                                 {"/spec", own_pods}};
constexpr Rule of_deployments[] = {{"/spec/progressDeadlineSeconds", at_least, "0"},
                                   {"/spec/paused", a_flag},
                                   {"/spec/strategy", a_map},
                                   {"/spec/strategy/rollingUpdate", a_map},
                                   {"/spec/strategy/rollingUpdate/maxSurge", count_or_percent},
                                   {"/spec/strategy/rollingUpdate/maxUnavailable", count_or_percent},
                                   {"/spec/strategy", strategy},
                                   {"/spec", deadline}};
constexpr Rule of_sets[] = {{"/spec/serviceName", a_text},
                            {"/spec/updateStrategy/type", a_word, "RollingUpdate OnDelete"},
                            {"/spec/podManagementPolicy", a_word, "OrderedReady Parallel"},
                            {"/spec/volumeClaimTemplates", maps},
                            {"/spec/volumeClaimTemplates/*/spec", claimed}};
constexpr Rule of_daemons[] = {{"/spec/updateStrategy/type", a_word, "RollingUpdate OnDelete"}};
constexpr Rule of_pods[] = {  // below the pod's spec
    {"", a_map},
    {"/containers", maps},
    {"/initContainers", maps},
    {"/volumes", maps},
    {"/tolerations", maps},
    {"/nodeSelector", texts},
    {"/nodeName", a_text},
    {"/serviceAccountName", a_text},
    {"/priorityClassName", a_text},
    {"/hostNetwork", a_flag},
    {"/terminationGracePeriodSeconds", a_whole},
    {"/activeDeadlineSeconds", at_least, "1"},
    {"/imagePullSecrets", maps},
    {"/volumes/*", has, "name"},
    {"/volumes", differ, "name"},
    {"/volumes/*/configMap/items", maps},
    {"/volumes/*/persistentVolumeClaim", has, "claimName"},
    {"/containers", differ, "name"},
    {"/tolerations/*", toleration},
    {"", has, "containers"},
    {"", mounts}};
constexpr Rule of_containers[] = {  // below each
    {"/name", a_text},
    {"/image", a_text},
    {"", has, "name"},
    {"/name", dns_label},
    {"", has, "image"},
    {"/command", a_list},
    {"/args", a_list},
    {"/command/*", a_text},
    {"/args/*", a_text},
    {"/workingDir", a_text},
    {"/imagePullPolicy", a_word, "Always IfNotPresent Never"},
    {"/env", maps},
    {"/env/*/name", a_text},
    {"/env/*/value", a_text},
    {"/env/*", variable},
    {"/env/*/valueFrom/configMapKeyRef", has, "key"},
    {"/env/*/valueFrom/secretKeyRef", has, "key"},
    {"/env/*/valueFrom/fieldRef", has, "fieldPath"},
    {"/envFrom", maps},
    {"/envFrom/*", one_way, "configMapRef secretRef"},
    {"/envFrom/*/configMapRef", has, "name"},
    {"/envFrom/*/secretRef", has, "name"},
    {"/ports", maps},
    {"/ports/*/containerPort", port},
    {"/ports/*", has, "containerPort"},
    {"/ports/*/name", port_name},
    {"/ports/*/protocol", a_word, "SCTP TCP UDP"},
    {"/resources", a_map},
    {"/resources/requests", quantities},
    {"/resources/limits", quantities},
    {"/resources", requests},
    {"/volumeMounts", maps},
    {"/volumeMounts/*", has, "name mountPath"},
    {"/volumeMounts", differ, "mountPath"}};
constexpr Rule of_probes[] = {  // below each of a container
    {"", a_map},
    {"", one_way, "exec httpGet tcpSocket grpc"},
    {"/httpGet", has, "port"},
    {"/httpGet/port", port_or_name},
    {"/tcpSocket", has, "port"},
    {"/tcpSocket/port", port_or_name},
    {"/periodSeconds", at_least, "0"},
    {"/timeoutSeconds", at_least, "0"},
    {"/failureThreshold", at_least, "0"},
    {"/initialDelaySeconds", at_least, "0"},
    {"/successThreshold", at_least, "0"}};
constexpr Rule of_jobs[] = {{"/completions", at_least, "0"},
                            {"/parallelism", at_least, "0"},
                            {"/backoffLimit", at_least, "0"},
                            {"/activeDeadlineSeconds", at_least, "0"},
                            {"/ttlSecondsAfterFinished", at_least, "0"},
                            {"", no_selector},
                            {"/template/spec", has, "restartPolicy"},
                            {"/template/spec/restartPolicy", a_word, "OnFailure Never"}};
constexpr Rule of_cron_jobs[] = {{"/spec/schedule", schedule},
                                 {"/spec", has, "schedule"},
                                 {"/spec/suspend", a_flag},
                                 {"/spec/concurrencyPolicy", a_word, "Allow Forbid Replace"},
                                 {"/spec/startingDeadlineSeconds", at_least, "0"},
                                 {"/spec/successfulJobsHistoryLimit", at_least, "0"},
                                 {"/spec/failedJobsHistoryLimit", at_least, "0"}};
constexpr Rule of_services[] = {{"/metadata/name", service_name},
                                {"/spec", a_map},
                                {"/spec/type", a_word, "ClusterIP ExternalName LoadBalancer NodePort"},
                                {"/spec/selector", labels},
                                {"/spec/ports", maps},
                                {"/spec/ports/*/port", port},
                                {"/spec/ports/*", has, "port"},
                                {"/spec/ports/*/name", dns_label},
                                {"/spec/ports/*/nodePort", node_port},
                                {"/spec/ports/*/protocol", a_word, "SCTP TCP UDP"},
                                {"/spec/ports", differ, "port protocol"},
                                {"/spec/clusterIP", cluster_address},
                                {"/spec", service_ports}};
constexpr Rule of_config_maps[] = {
    {"/data", config_data}, {"/binaryData", base64_data}, {"/immutable", a_flag}, {"", both_data}};
constexpr Rule of_secrets[] = {
    {"/data", base64_data}, {"/stringData", config_data}, {"/immutable", a_flag}, {"/type", a_text}};
constexpr Rule of_claims[] = {
    {"/spec", a_map},
    {"/spec/resources/requests", quantities},
    {"/spec/accessModes", a_list},
    {"/spec/accessModes/*", a_word, "ReadOnlyMany ReadWriteMany ReadWriteOnce ReadWriteOncePod"},
    {"/spec", claimed},
    {"/spec", has, "accessModes"}};
constexpr Rule of_autoscalers[] = {{"/spec", a_map},
                                   {"/spec/minReplicas", at_least, "1"},
                                   {"/spec/maxReplicas", a_whole},
                                   {"/spec/scaleTargetRef", a_map},
                                   {"/spec", aims},
                                   {"/spec/metrics", maps},
                                   {"/spec/metrics/*/resource/target/averageUtilization", at_least, "1"},
                                   {"/spec", autoscaler}};
constexpr Rule of_budgets[] = {{"/spec", a_map},
                               {"/spec/minAvailable", count_or_percent},
                               {"/spec/maxUnavailable", count_or_percent},
                               {"/spec/selector/matchLabels", labels},
                               {"/spec", disruption}};
constexpr Rule of_ingresses[] = {
    {"/spec", a_map},
    {"/spec/rules", maps},
    {"/spec/rules/*/host", host},
    {"/spec/rules/*/http/paths", maps},
    {"/spec/rules/*/http/paths/*/pathType", a_word, "Exact ImplementationSpecific Prefix"},
    {"/spec/rules/*/http/paths/*", path},
    {"/spec", routes}};
constexpr Rule of_others[] = {{"/spec", a_map}};

constexpr std::string_view pod_fields =
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname "
    "imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName "
    "schedulingGates securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes";
constexpr Rule fields_of_pods[] = {{"", knows, pod_fields}};
constexpr Rule fields_of_containers[] = {
    {"", knows,
     "args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy securityContext startupProbe stdin stdinOnce "
     "terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"},
    {"/resources", knows, "claims limits requests"},
    {"/env/*", knows, "name value valueFrom"}};

struct Known {
    std::string_view plurals;
    std::string_view fields;  // of its spec
};
constexpr Known fields_of_specs[] = {
    {"deployments",
     "minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector strategy template"},
    {"statefulsets",
     "minReadySeconds ordinals persistentVolumeClaimRetentionPolicy podManagementPolicy replicas revisionHistoryLimit selector serviceName template updateStrategy volumeClaimTemplates"},
    {"daemonsets", "minReadySeconds revisionHistoryLimit selector template updateStrategy"},
    {"replicasets", "minReadySeconds replicas selector template"},
    {"cronjobs",
     "concurrencyPolicy failedJobsHistoryLimit jobTemplate schedule startingDeadlineSeconds successfulJobsHistoryLimit suspend timeZone"},
    {"horizontalpodautoscalers",
     "behavior maxReplicas metrics minReplicas scaleTargetRef targetCPUUtilizationPercentage"},
    {"poddisruptionbudgets", "maxUnavailable minAvailable selector unhealthyPodEvictionPolicy"},
    {"persistentvolumeclaims",
     "accessModes dataSource dataSourceRef resources selector storageClassName volumeAttributesClassName volumeMode volumeName"}};

// Where a kind has the specification of its pods.
std::string_view pods_of(std::string_view plural) {
    if (plural == "pods") return "/spec";
    if (plural == "cronjobs") return "/spec/jobTemplate/spec/template/spec";
    return listed("deployments statefulsets daemonsets replicasets jobs", plural) ? "/spec/template/spec"
                                                                                  : "";
}
constexpr std::string_view pods_that_stay = "deployments statefulsets daemonsets replicasets";

// ------------------------------------------------------------------ going through them

class Validation {
  public:
    explicit Validation(const json& object) : object_(object) {}

    template <std::size_t count>
    void apply(const Rule (&rules)[count], const std::string& base = {}) {
        const json* from = base.empty() ? &object_ : at(object_, base);
        for (const Rule& rule : rules)
            if (from != nullptr)
                visit(*from, rule.path, base,
                      [&](const json& value, const std::string& pointer) { look(rule, value, pointer); });
    }
    void look(const Rule& rule, const json& value, const std::string& pointer) {
        if (auto wrong = rule.check(value, rule.words))
            result_.push_back({pointer + wrong->below, wrong->why, wrong->is_type});
    }
    // Of another type, nothing else is looked at: further rules take the types as right.
    [[nodiscard]] std::vector<Refusal> result() {
        const auto is_type = [](const Refusal& one) { return one.is_type; };
        if (std::ranges::any_of(result_, is_type)) std::erase_if(result_, std::not_fn(is_type));
        return std::move(result_);
    }

  private:
    template <typename Visit>
    static void visit(const json& value, std::string_view path, const std::string& pointer,
                      const Visit& found) {
        if (value.is_null()) return;
        if (path.empty()) return found(value, pointer);
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::string_view step = path.substr(0, end), rest = path.substr(end);
        if (step != "*") {
            if (const auto one = value.is_object() ? value.find(step) : value.end(); one != value.end())
                visit(*one, rest, pointer + escaped(step), found);
            return;
        }
        for (const auto& [key, one] : value.items()) visit(one, rest, pointer + escaped(key), found);
    }

    const json& object_;
    std::vector<Refusal> result_;
};

constexpr std::array containers_of = {"/containers", "/initContainers"};

template <typename Visit>
void each_container(const json& object, const std::string& pods, const Visit& visit) {
    for (const char* list : containers_of) {
        const json* containers = at(object, pods + list);
        for (std::size_t i = 0; containers != nullptr && containers->is_array() && i < containers->size();
             ++i)
            if ((*containers)[i].is_object()) visit(fmt::format("{}{}/{}", pods, list, i));
    }
}

void pods(Validation& validation, const json& object, const std::string& spec) {
    validation.apply(of_pods, spec);
    each_container(object, spec, [&](const std::string& container) {
        validation.apply(of_containers, container);
        for (const char* probe : {"/readinessProbe", "/livenessProbe", "/startupProbe"})
            validation.apply(of_probes, container + probe);
    });
}

void by_kind(Validation& validation, std::string_view plural) {
    if (listed(pods_that_stay, plural)) validation.apply(of_workloads);
    if (plural == "deployments")
        validation.apply(of_deployments);
    else if (plural == "statefulsets")
        validation.apply(of_sets);
    else if (plural == "daemonsets")
        validation.apply(of_daemons);
    else if (plural == "jobs")
        validation.apply(of_jobs, "/spec");
    else if (plural == "cronjobs")
        validation.apply(of_cron_jobs), validation.apply(of_jobs, "/spec/jobTemplate/spec");
    else if (plural == "services")
        validation.apply(of_services);
    else if (plural == "configmaps")
        validation.apply(of_config_maps);
    else if (plural == "secrets")
        validation.apply(of_secrets);
    else if (plural == "persistentvolumeclaims")
        validation.apply(of_claims);
    else if (plural == "horizontalpodautoscalers")
        validation.apply(of_autoscalers);
    else if (plural == "poddisruptionbudgets")
        validation.apply(of_budgets);
    else if (plural == "ingresses")
        validation.apply(of_ingresses);
    else
        validation.apply(of_others);
}

void unknown_fields(Validation& validation, const json& object, std::string_view plural,
                    const std::string& spec) {
    for (const Known& known : fields_of_specs)
        if (listed(known.plurals, plural))
            if (const json* own = at(object, "/spec"))
                validation.look({"", knows, known.fields}, *own, "/spec");
    if (spec.empty()) return;
    validation.apply(fields_of_pods, spec);
    each_container(object, spec,
                   [&](const std::string& container) { validation.apply(fields_of_containers, container); });
}

// Names of roles may have a `:`; what a definition adds has rules of its own.
constexpr std::string_view with_dns_names =
    "deployments statefulsets daemonsets replicasets pods configmaps secrets serviceaccounts persistentvolumeclaims persistentvolumes storageclasses horizontalpodautoscalers "
    "poddisruptionbudgets ingresses networkpolicies jobs cronjobs resourcequotas limitranges endpoints priorityclasses";

// ------------------------------------------------------------------ changes

struct Fixed {
    std::string_view plurals;
    std::string_view pointer;
    std::string_view why;
    std::string_view otherwise = "";  // as JSON: what it is where it is not written
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

std::string Refusal::field() const {
    std::string result;
    for (const std::string& part :
         split(std::string_view(pointer).substr(std::min<std::size_t>(1, pointer.size())), '/')) {
        const bool is_index = !part.empty() && part.find_first_not_of(digits) == std::string::npos;
        if (is_index)
            result += "[" + part + "]";
        else
            result += (result.empty() ? "" : ".") + part;
    }
    return result;
}

std::vector<Refusal> refusals_of(std::string_view plural, const json& object, bool all_fields) {
    if (!object.is_object()) return {};
    const bool without_spec = !listed("configmaps secrets", plural) && at(object, "/spec") == nullptr;
    json completed;  // what is missing in an empty spec is missing without one
    if (without_spec) (completed = object)["spec"] = json::object();
    const json& looked_at = without_spec ? completed : object;
    Validation validation(looked_at);
    validation.apply(of_every_object);
    if (listed(with_dns_names, plural))
        if (const json* name = at(looked_at, "/metadata/name"))
            validation.look({"", dns_name}, *name, "/metadata/name");
    by_kind(validation, plural);
    const std::string spec(pods_of(plural));
    if (!spec.empty()) {
        pods(validation, looked_at, spec);
        if (at(looked_at, spec) == nullptr) validation.look({"", has, "containers"}, json::object(), spec);
    }
    if (all_fields) unknown_fields(validation, looked_at, plural, spec);
    return validation.result();
}

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
        const bool within = pointer == one.pointer ||
                            (pointer.starts_with(one.pointer) && pointer[one.pointer.size()] == '/');
        if (listed(one.plurals, plural) && within) return std::string(one.why);
    }
    return {};
}

}  // namespace migc::kubernetes
