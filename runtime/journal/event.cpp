#include "runtime/journal/event.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>

namespace migc::runtime::inline journal {

namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, 18> names = {
    "run-begun",    "run-resumed", "stage-begun", "step-begun",   "waiting",    "noted",
    "intent",       "outcome",     "checked",     "stage-failed", "undo-begun", "undo-intent",
    "undo-outcome", "resolved",    "stage-ended", "lock-broken",  "adopted",    "run-ended"};

using Type = nlohmann::json::value_t;

bool is(const nlohmann::json& value, Type type) {
    return value.type() == type || (type == Type::number_integer && value.type() == Type::number_unsigned);
}

bool all_are(const nlohmann::json& values, Type type) {
    return std::all_of(values.begin(), values.end(),
                       [&](const nlohmann::json& one) { return is(one, type); });
}

std::optional<Type> type_of(const std::string& key) {
    static const std::map<std::string, Type> types = [] {
        std::map<std::string, Type> all;
        const auto add = [&](Type type, std::initializer_list<const char*> keys) {
            for (const char* one : keys) all.emplace(one, type);
        };
        add(Type::string,
            {"stage",  "step",        "text",    "name",      "kind",    "verb",    "part",
             "result", "message",     "reason",  "action",    "verdict", "because", "by",
             "run",    "script",      "title",   "mode",      "world",   "digest",  "run_digest",
             "why",    "environment", "context", "namespace", "command", "state",   "lock"});
        add(Type::boolean,
            {"failure_block", "settled", "acted", "baseline", "undo_start", "own_undo", "protected"});
        add(Type::number_integer, {"exit_code", "took_ms"});
        add(Type::array, {"workloads", "standing", "decide", "changes", "environments", "approvals"});
        add(Type::object, {"arguments", "captures", "scope", "before", "declared", "observed", "settings",
                           "parameters", "stages", "place"});
        return all;
    }();
    const auto found = types.find(key);
    return found == types.end() ? std::nullopt : std::optional(found->second);
}

bool well_formed(const std::string& key, const nlohmann::json& value) {
    const auto type = type_of(key);
    if (type && !is(value, *type)) return false;
    if (type == Type::array || key == "settings") return all_are(value, Type::string);
    return true;
}

// What stands behind the name of a `noted`.
bool is_noted(const nlohmann::json& body) {
    const auto value = body.find("value");
    if (value == body.end()) return false;
    const std::string kind = body.value("kind", "");
    if (kind == "decision") return value->is_boolean();
    if (kind == "soaked") return value->is_number_integer();
    return kind != "captures" || value->is_object();
}

static_assert(names.size() == static_cast<std::size_t>(EventKind::RunEnded) + 1);

}  // namespace

std::string name(EventKind kind) {
    return std::string(names.at(static_cast<std::size_t>(kind)));
}

bool parse(const std::string& name, EventKind& kind) {
    const auto found = std::find(names.begin(), names.end(), name);
    const bool known = found != names.end();
    kind = known ? static_cast<EventKind>(found - names.begin()) : EventKind::RunBegun;
    return known;
}

bool well_formed(const Event& event) {
    if (!event.body.is_object()) return false;
    for (const auto& [key, value] : event.body.items())
        if (!well_formed(key, value)) return false;
    return event.kind != EventKind::Noted || is_noted(event.body);
}

}  // namespace migc::runtime::inline journal
