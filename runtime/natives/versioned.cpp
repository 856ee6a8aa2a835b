#include "runtime/natives/versioned.hpp"

#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

using nlohmann::json;

// The system takes 128 KiB in one argument; there is room for what people write, and for all else the input.
constexpr std::size_t longest_argument = std::size_t{32} << 10;

KubectlCommand patch_of(Host& host, const std::string& written, const std::string& type, std::string patch) {
    KubectlCommand command{{"patch", written, "--type=" + type, "--field-manager=" + field_manager(host)},
                           {}};
    if (patch.size() > longest_argument) {
        command.arguments.emplace_back("--patch-file=/dev/stdin");
        command.input = std::move(patch);
    } else {
        command.arguments.insert(command.arguments.end(), {"-p", std::move(patch)});
    }
    command.arguments.insert(command.arguments.end(), {"-o", "json"});
    return command;
}

}  // namespace

std::string field_manager(Host& host) {
    const std::string manager = host.setting("manager");
    return manager.empty() ? "migc" : manager;
}

KubectlCommand versioned_patch(Host& host, const std::string& written, const std::string& type, json patch,
                               const std::string& version) {
    patch["metadata"]["resourceVersion"] = version;
    return patch_of(host, written, type, patch.dump());
}

KubectlCommand versioned_operations(Host& host, const std::string& written, json operations,
                                    const std::string& version) {
    operations.insert(operations.begin(),
                      json{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", version}});
    return patch_of(host, written, "json", operations.dump());
}

Answer run_kubectl(Host& host, const KubectlCommand& command) {
    return host.run("kubectl", command.arguments, command.input);
}

Preview shown_kubectl(Host& host, const tl::expected<KubectlCommand, std::string>& command) {
    if (!command) return {};
    const auto argv = host.line_of("kubectl", command->arguments);
    return {shown(argv), {{argv}}};
}

Row writes(std::string_view name, Planned (*command)(Host&, const Arguments&)) {
    const auto action = [command](Host& host, const Arguments& arguments) {
        const Planned planned = command(host, arguments);
        return planned ? run_kubectl(host, *planned) : refused(planned.error());
    };
    return writes(name, action, [command](Host& host, const Arguments& arguments) {
        const Planned planned = command(host, arguments);
        return planned ? shown_kubectl(host, *planned) : std::string();
    });
}

}  // namespace migc::runtime::inline natives
