// Where a stage passed. "staging" is a name: what it stands for depends on options, on migc.yaml and on the
// machine, so evidence says what it was.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace migc::trust {

struct Place {
    std::string environment;  // its name in migc.yaml
    std::string name_space;
    // The UID of the cluster's namespace kube-system; empty where no cluster is used, or it was not to be
    // had.
    std::string cluster;
    // What the cluster was called, for people: another machine calls it otherwise.
    std::string context;
    bool context_given = false;  // by --context, in place of what the environment says
    std::string workspace;       // terraform's; empty where none is used, or none is said
    // The SHA-256 of each other setting that the environment has, by its name: of what migc.yaml says of it,
    // and of the values of the script's parameters that it sets. No secrets, nor where they come from.
    std::map<std::string, std::string> settings;
};

nlohmann::json to_json(const Place& place);
// Nothing for what is no place, as of evidence from before there were any.
std::optional<Place> read_place(const nlohmann::json& json);

// Whether a stage passed in what its environment is now. The value: what could not be compared, as a part of
// a sentence; empty if everything was. The error: what differs, likewise.
tl::expected<std::string, std::string> same_place(const Place& then, const Place& now);

}  // namespace migc::trust
