#include "runtime/trust/place.hpp"

#include <fmt/format.h>

#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::trust {
namespace {

using nlohmann::json;

std::string shown(const std::string& name) {
    return name.empty() ? "none" : escaped(name);
}

std::string called(const Place& place) {
    if (place.context.empty()) return {};
    return fmt::format(", context {}{}", escaped(place.context), place.context_given ? " of --context" : "");
}

// Where neither side knows a UID, a cluster that the environment itself names is taken for that one: one that
// an option named is not.
tl::expected<std::string, std::string> same_cluster(const Place& then, const Place& now) {
    if (then.cluster == now.cluster && !now.cluster.empty()) return "";
    if (!then.cluster.empty() && !now.cluster.empty())
        return failure("in another cluster (kube-system had the UID {}{}) than {} is (UID {}{})",
                       escaped(then.cluster), called(then), escaped(now.environment), escaped(now.cluster),
                       called(now));
    if (!now.cluster.empty())
        return failure(
            "in a cluster{} that could not be told from another one: the namespace "
            "kube-system could not be read there",
            called(then));
    if (then.context_given)
        return failure(
            "in context {} of --context, and whether that is {}'s cluster cannot be "
            "found out from here; `cluster-uid` in migc.yaml says which that is",
            escaped(then.context), escaped(now.environment));
    if (then.context.empty()) return "";  // none is used
    return "which cluster it was cannot be compared from here; `cluster-uid` in migc.yaml says which one it is";
}

// The names of the settings that differ.
std::string other_settings(const Place& then, const Place& now) {
    const auto in = [](const Place& place, const std::string& name) {
        const auto found = place.settings.find(name);
        return found == place.settings.end() ? std::nullopt : std::optional(found->second);
    };
    auto all = then.settings;
    all.insert(now.settings.begin(), now.settings.end());
    std::string list;
    for (const auto& [name, digest] : all)
        if (in(then, name) != in(now, name)) list += (list.empty() ? "" : ", ") + escaped(name);
    return list;
}

}  // namespace

json to_json(const Place& place) {
    return {{"environment", place.environment},
            {"namespace", place.name_space},
            {"cluster", place.cluster},
            {"context", place.context},
            {"context_given", place.context_given},
            {"workspace", place.workspace},
            {"settings", place.settings}};
}

std::optional<Place> read_place(const json& json) {
    if (!json.is_object()) return std::nullopt;
    Place place{text_of(json, "environment"),
                text_of(json, "namespace"),
                text_of(json, "cluster"),
                text_of(json, "context"),
                false,
                text_of(json, "workspace"),
                {}};
    const auto given = json.find("context_given"), settings = json.find("settings");
    if (place.environment.empty() || given == json.end() || !given->is_boolean() || settings == json.end() ||
        !settings->is_object())
        return std::nullopt;
    place.context_given = given->get<bool>();
    for (const auto& [name, digest] : settings->items())
        place.settings[name] = text_of(*settings, name.c_str());
    return place;
}

tl::expected<std::string, std::string> same_place(const Place& then, const Place& now) {
    if (then.environment != now.environment)
        return failure("in the environment {}, and it is about {} here", escaped(then.environment),
                       escaped(now.environment));
    auto cluster = same_cluster(then, now);
    if (!cluster) return cluster;
    if (then.name_space != now.name_space)
        return failure("in the namespace {}, and {} is the namespace {}", shown(then.name_space),
                       escaped(now.environment), shown(now.name_space));
    if (!now.workspace.empty() && then.workspace != now.workspace)
        return failure("in terraform's workspace {}, and {} is {}", shown(then.workspace),
                       escaped(now.environment), shown(now.workspace));
    if (const std::string names = other_settings(then, now); !names.empty())
        return failure("with other settings than {} has in migc.yaml: {}", escaped(now.environment), names);
    return cluster;
}

}  // namespace migc::trust
