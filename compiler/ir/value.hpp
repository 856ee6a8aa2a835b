// Values: what literals denote and what probes answer. Shared by the compiler and the runtime.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

namespace migc {

// The thing asked for does not exist.
struct Absent {
    friend bool operator==(const Absent&, const Absent&) = default;
};

// It could not be found out (network, permission, garbage). Never equal to anything, never false.
struct Unknown {
    std::string reason;
};

struct Percent {
    double value = 0;  // 10% is 10
    friend auto operator<=>(const Percent&, const Percent&) = default;
};

struct Duration {
    std::int64_t milliseconds = 0;
    friend auto operator<=>(const Duration&, const Duration&) = default;
};

// An amount as Kubernetes writes it: 500m, 20Gi, 2. Compared by amount, shown as written.
struct Quantity {
    std::string text;
    double amount = 0;  // in units of one (bytes, cores)
};

// A named thing of a declared resource type: workload webapi, service web.
struct ResourceRef {
    std::string type;
    std::string name;
    friend bool operator==(const ResourceRef&, const ResourceRef&) = default;
};

struct Value;
using List = std::vector<Value>;
using Json = std::shared_ptr<const nlohmann::json>;

struct Value {
    using Variant = std::variant<Absent, Unknown, bool, std::int64_t, std::string, Percent, Duration,
                                 Quantity, ResourceRef, List, Json>;
    Variant data;

    Value() = default;
    template <typename T>
    requires(!std::same_as<std::remove_cvref_t<T>, Value>) Value(T&& value) : data(std::forward<T>(value)) {}

    template <typename T>
    [[nodiscard]] const T* get_if() const {
        return std::get_if<T>(&data);
    }
    [[nodiscard]] bool is_absent() const { return std::holds_alternative<Absent>(data); }
    [[nodiscard]] bool is_unknown() const { return std::holds_alternative<Unknown>(data); }
};

// Whether two values are the same state. An unknown equals nothing, not even itself.
// A JSON value equals a plain one that says the same (the JSON number 4 equals the int 4).
bool same(const Value& a, const Value& b);

// As shown to people and as put into strings and arguments: 4, 5m, 20Gi, webapi, absent.
std::string show(const Value& value);

// Both ways for the journal and for events; nothing is lost between them.
nlohmann::json to_json(const Value& value);
Value from_json(const nlohmann::json& json);

// A JSON scalar as a plain value (number to int, string, bool; null to absent), anything else as Json.
Value plain(const nlohmann::json& json);

// "90s", "5m", "1h30m", "250ms"; the error says what is wrong.
tl::expected<Duration, std::string> parse_duration(std::string_view text);
// "2m 5s", "1h 3m", "0.4s": how messages say how long something took or may take. A script writes `2m5s`.
std::string shown_duration(std::int64_t milliseconds);
// "500m", "20Gi", "2", "1.5G".
tl::expected<Quantity, std::string> parse_quantity(std::string_view text);

}  // namespace migc
