// What can be wrong with the value of a field: what the rules of validation.cpp are made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc::kubernetes {

// What a rule finds: below the place that it looks at, and why.
struct Wrong {
    std::string below;
    std::string why;
    bool is_type = false;
};
using Found = std::optional<Wrong>;

// Of each: the value that is looked at, and the words that stand beside it in the table.
namespace rules {
Found a_map(const nlohmann::json& value, std::string_view words);
Found a_text(const nlohmann::json& value, std::string_view words);
Found a_flag(const nlohmann::json& value, std::string_view words);
Found a_list(const nlohmann::json& value, std::string_view words);
Found a_whole(const nlohmann::json& value, std::string_view words);
Found maps(const nlohmann::json& value, std::string_view words);
Found texts(const nlohmann::json& value, std::string_view words);
Found at_least(const nlohmann::json& value, std::string_view words);
Found port(const nlohmann::json& value, std::string_view words);
Found port_or_name(const nlohmann::json& value, std::string_view words);
Found node_port(const nlohmann::json& value, std::string_view words);
Found count_or_percent(const nlohmann::json& value, std::string_view words);
Found a_word(const nlohmann::json& value, std::string_view words);
Found dns_label(const nlohmann::json& value, std::string_view words);
Found dns_name(const nlohmann::json& value, std::string_view words);
Found host(const nlohmann::json& value, std::string_view words);
Found service_name(const nlohmann::json& value, std::string_view words);
Found port_name(const nlohmann::json& value, std::string_view words);
Found labels(const nlohmann::json& value, std::string_view words);
Found annotations(const nlohmann::json& value, std::string_view words);
Found config_data(const nlohmann::json& value, std::string_view words);
Found base64_data(const nlohmann::json& value, std::string_view words);
Found quantity(const nlohmann::json& value, std::string_view words);
Found quantities(const nlohmann::json& value, std::string_view words);
Found schedule(const nlohmann::json& value, std::string_view words);
Found cluster_address(const nlohmann::json& value, std::string_view words);
Found has(const nlohmann::json& value, std::string_view words);
Found knows(const nlohmann::json& value, std::string_view words);
Found differ(const nlohmann::json& value, std::string_view words);
Found one_way(const nlohmann::json& value, std::string_view words);
Found requirement(const nlohmann::json& value, std::string_view words);
Found own_pods(const nlohmann::json& value, std::string_view words);
Found strategy(const nlohmann::json& value, std::string_view words);
Found deadline(const nlohmann::json& value, std::string_view words);
Found variable(const nlohmann::json& value, std::string_view words);
Found requests(const nlohmann::json& value, std::string_view words);
Found toleration(const nlohmann::json& value, std::string_view words);
Found both_data(const nlohmann::json& value, std::string_view words);
Found service_ports(const nlohmann::json& value, std::string_view words);
Found claimed(const nlohmann::json& value, std::string_view words);
Found autoscaler(const nlohmann::json& value, std::string_view words);
Found aims(const nlohmann::json& value, std::string_view words);
Found disruption(const nlohmann::json& value, std::string_view words);
Found path(const nlohmann::json& value, std::string_view words);
Found routes(const nlohmann::json& value, std::string_view words);
Found no_selector(const nlohmann::json& value, std::string_view words);
// Each mount of a pod's containers is one of its volumes, or of a stateful set's claims (null without them).
Found mounts(const nlohmann::json& spec, const nlohmann::json* claim_templates);
}  // namespace rules

// The part at a JSON pointer; null where there is none, and for null.
const nlohmann::json* at(const nlohmann::json& object, std::string_view pointer);
// "/example.org~1rev" of "example.org/rev".
std::string step_of(std::string_view key);

}  // namespace migc::kubernetes
