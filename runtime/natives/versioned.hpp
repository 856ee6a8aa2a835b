// Patches that the server takes only while an object has the version that was looked at.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {

// A command of kubectl: its arguments after those that every command has, and what it reads.
struct KubectlCommand {
    std::vector<std::string> arguments;
    std::string input;
};

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

Answer run_kubectl(Host& host, const KubectlCommand& command);
// The whole command line, without what it reads; nothing where there is no command.
Preview shown_kubectl(Host& host, const tl::expected<KubectlCommand, std::string>& command);

// A row for an action that is one command of kubectl, or the reason why there is none.
using Planned = tl::expected<KubectlCommand, std::string>;
Row writes(std::string_view name, Planned (*command)(Host&, const Arguments&));

}  // namespace migc::runtime::inline natives
