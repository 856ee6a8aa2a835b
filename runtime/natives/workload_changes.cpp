// Changing workloads: each act is one patch, which the server takes only while the workload is as it was
// looked at.
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"
#include "runtime/trust/times.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr const char* restarted_at = "kubectl.kubernetes.io/restartedAt";

// The workload's name as kubectl wants it, if it was there when its version was captured.
tl::expected<std::string, std::string> changed_workload(Host& host, const Value& target,
                                                        const Value& version) {
    const auto name = workload_argument(host, target);
    if (!name) return tl::unexpected(name.error());
    if (version.is_absent()) return tl::unexpected(name->written + " does not exist");
    return name->written;
}

Planned image_command(Host& host, const Arguments& arguments) {
    const auto name = changed_workload(host, argument(arguments, 0), argument(arguments, 4));
    if (!name) return tl::unexpected(name.error());
    const std::string place = text_argument(arguments, 1);
    if (!is_pointer(place) || place.empty()) return tl::unexpected(*name + " has no such container");
    json patch;
    patch[json::json_pointer(place)] =
        json::array({json{{"name", text_argument(arguments, 2)}, {"image", text_argument(arguments, 3)}}});
    return versioned_patch(host, *name, "strategic", std::move(patch), text_argument(arguments, 4));
}

Planned restart_command(Host& host, const Arguments& arguments) {
    const auto name = changed_workload(host, argument(arguments, 0), argument(arguments, 2));
    if (!name) return tl::unexpected(name.error());
    if (workload_kind(*name).empty())
        return tl::unexpected(*name +
                              " is no deployment, stateful set or daemon set: it has no pods to restart");
    json patch;
    patch["spec"]["template"]["metadata"]["annotations"][restarted_at] = text_argument(arguments, 1);
    return versioned_patch(host, *name, "strategic", std::move(patch), text_argument(arguments, 2));
}

}  // namespace

static Answer image_set(Host& host, const Arguments& arguments) {
    const Planned command = image_command(host, arguments);
    return command ? host.run("kubectl", command->arguments, command->input) : refused(command.error());
}

// A runbook for the undo by hand cannot look at the workload: the usual list is shown then.
static Preview preview_image_set(Host& host, const Arguments& arguments) {
    Arguments shown = arguments;
    if (shown.size() > 1 && text_argument(shown, 1).starts_with('<'))
        shown[1] = Value("/spec/template/spec/containers");
    const Planned command = image_command(host, shown);
    return command ? shown_command(host, command->arguments) : Preview();
}

// The time is to the second, as kubectl writes it; within one and the same second a restart would change
// nothing.
static Reading restart_time(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 0));
    if (!name) return mistaken(name.error());
    const auto workload = get_object(host, name->written);
    if (!workload) return unknown(workload.error());
    if (field(*workload, "/spec/paused") == json(true))
        return mistaken(name->written + " is paused; resume its rollout first");
    const json& notes = field(pod_template(*workload), "/metadata/annotations");
    std::string time = trust::written_time(host.now());
    if (member(notes, restarted_at) == json(time)) time = trust::written_time(host.now() + 1000);
    return {Value(std::move(time))};
}

const Rows workload_changes_rows([]() -> std::vector<Row> {
    return {
        // [workload, place, container, image, version]
        writes("image-set", image_set, preview_image_set)
            .reaches({Reach::Of::Image, 0, "/spec/template", 2})
            .by_hand(image_by_hand),
        // [workload]: a time that it was not restarted at
        reads("restart-time", restart_time),
        // [workload, time, version]
        writes("pods-restart", restart_command)
            .reaches({Reach::Of::Field, 0, "/spec/template/metadata/annotations"})
            .by_hand(restart_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
