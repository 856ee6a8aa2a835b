// How names, labels, quantities and schedules of Kubernetes are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc::kubernetes {

bool is_dns_label(std::string_view text);    // "web-1"
bool is_dns_name(std::string_view text);     // "web.example.org", in small letters
bool is_label_value(std::string_view text);  // also an empty one
bool is_label_name(std::string_view text);   // "example.org/rev"
bool is_config_key(std::string_view text);   // "app.settings_1.json"
bool is_quantity(std::string_view text);     // "1500m", "2Gi", "1e3"
bool is_schedule(std::string_view text);  // "5 2 * * *", "@daily": the number of fields, not what is in them
bool is_address(std::string_view text);   // of IP version 4, or probably of 6

// Between which numbers an autoscaler chooses.
struct ReplicaRange {
    std::int64_t least = 1;
    std::int64_t most = 1;
    [[nodiscard]] std::string text() const;
};
// "2..6"; nothing for anything else.
std::optional<ReplicaRange> replica_range(std::string_view text);
// Why no autoscaler can choose in it; empty if one can.
std::string why_no_range(std::string_view text);

// A quantity in units of one: 1.5 of "1500m"; 0 of what is none.
double amount_of(const nlohmann::json& quantity);

}  // namespace migc::kubernetes
