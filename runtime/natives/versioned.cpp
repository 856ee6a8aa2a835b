#include "runtime/natives/versioned.hpp"

#include "compiler/support/text.hpp"
#include "runtime/natives/live_objects.hpp"

namespace migc::runtime::inline natives {
namespace {

// The system takes 128 KiB in one argument; there is room for what people write, and for all else the input.
constexpr std::size_t longest_argument = std::size_t{32} << 10;

KubectlCommand patch_of(Host& host, const std::string& written, const std::string& type, std::string patch) {
    KubectlCommand command{{"patch", written, "--type=" + type, "--field-manager=" + field_manager(host)},
                           {}};
    if (patch.size() > longest_argument) {
        command.arguments.emplace_back("--patch-file=/dev/stdin");
        command.input = std::move(patch);
    } else {
        append(command.arguments, {"-p", std::move(patch)});
    }
    append(command.arguments, {"-o", "json"});
    return command;
}

}  // namespace

tl::expected<Labels, std::string> parse_labels(const std::string& text) {
    Labels labels;
    for (const std::string& one : split(text, ',')) {
        const std::size_t sign = one.find('=');
        const std::string key = one.substr(0, sign);
        if (key.empty() || one.find_first_of(" \t\n") != std::string::npos)
            return failure("`{}` is no label, such as version=green", text);
        labels[key] = sign == std::string::npos ? std::nullopt : std::optional(one.substr(sign + 1));
    }
    return labels;
}

KubectlCommand merge_patch(Host& host, const std::string& written, const std::string& name_space,
                           const std::string& manager, json patch, const json& now) {
    patch["metadata"]["resourceVersion"] = resource_version(now);
    KubectlCommand command = {{"patch", written, "--type=merge", "--field-manager=" + manager,
                               "--patch-file=/dev/stdin", "-o", "json"},
                              patch.dump()};
    append(command.arguments, namespace_option(host, name_space));
    return command;
}

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

Row writes(std::string_view name, Planned (*command)(Host&, const Arguments&)) {
    const auto action = [command](Host& host, const Arguments& arguments) {
        const Planned planned = command(host, arguments);
        return planned ? host.run("kubectl", planned->arguments, planned->input) : refused(planned.error());
    };
    return writes(name, action, [command](Host& host, const Arguments& arguments) {
        const Planned planned = command(host, arguments);
        return planned ? shown_command(host, planned->arguments) : Preview();
    });
}

}  // namespace migc::runtime::inline natives
