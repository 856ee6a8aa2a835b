// Patches that the server takes only while an object has the version that was looked at.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/kubernetes/formats.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {

// A key without a value is one that a selector is not to have.
using Labels = std::map<std::string, std::optional<std::string>>;
// "version=green,track=stable"; "version" alone takes the key away. The error: no labels.
tl::expected<Labels, std::string> parse_labels(const std::string& text);

using kubernetes::replica_range;
using kubernetes::ReplicaRange;

// A command of kubectl: its arguments after those that every command has, and what it reads.
struct KubectlCommand {
    std::vector<std::string> arguments;
    std::string input;
};

// A merge patch that the server takes only of the version that the object has, as all that it reads.
KubectlCommand merge_patch(Host& host, const std::string& written, const std::string& name_space,
                           const std::string& manager, nlohmann::json patch, const nlohmann::json& now);

// The name under which this run writes: who looks at an object sees which run changed it.
std::string field_manager(Host& host);

// "deployment/web" patched; `patch` is a JSON merge patch ("merge") or a strategic one ("strategic"), to
// which the version is added. A patch that is too long for an argument goes in on standard input.
KubectlCommand versioned_patch(Host& host, const std::string& written, const std::string& type,
                               nlohmann::json patch, const std::string& version);
// Operations (RFC 6902), to which one is added that puts the version in: the server then refuses the patch as
// a conflict, and says so, where a `test` would fail without a reason.
KubectlCommand versioned_operations(Host& host, const std::string& written, nlohmann::json operations,
                                    const std::string& version);

// A row for an action that is one command of kubectl, or the reason why there is none.
using Planned = tl::expected<KubectlCommand, std::string>;
Row writes(std::string_view name, Planned (*command)(Host&, const Arguments&));

}  // namespace migc::runtime::inline natives
