// Claims of storage: whether one can grow, whether it has, and who uses it.
#include <fmt/format.h>

#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

std::string claim_written(Host& host, const Value& value) {
    const auto* resource = value.get_if<ResourceRef>();
    return resource != nullptr ? host.written(*resource) : "persistentvolumeclaim/" + show(value);
}

tl::expected<Quantity, std::string> size_at(const json& claim, const std::string& pointer) {
    const std::string text = text_field(claim, pointer);
    if (text.empty()) return Quantity{};
    return parse_quantity(text);
}

// Nothing is found: it can grow. Else why not.
tl::expected<std::string, std::string> class_obstacle(Host& host, const json& claim) {
    const std::string name = text_field(claim, "/spec/storageClassName");
    if (name.empty()) return std::string("it has no storage class, so nobody could let it grow");
    const auto storage_class = get_object(host, "storageclass/" + name);
    if (!storage_class) return tl::unexpected(storage_class.error());
    if (storage_class->is_null()) return fmt::format("its storage class {} does not exist", name);
    if (field(*storage_class, "/allowVolumeExpansion") == json(true)) return std::string();
    return fmt::format("its storage class {} does not allow it (allowVolumeExpansion)", name);
}

// What the cluster says it still has to do, or waits for.
std::string pending_resize(const json& claim) {
    for (const auto& one : field(claim, "/status/conditions")) {
        const std::string type = text_field(one, "/type");
        if (type == "FileSystemResizePending")
            return "its file system grows when a pod mounts it anew; restart its workload";
        if (type == "Resizing" || type == "ControllerResizeError" || type == "NodeResizeError")
            return type + (text_field(one, "/message").empty() ? "" : ": " + text_field(one, "/message"));
    }
    return {};
}

// No condition at all: nobody has taken the request up.
std::string waits_for(const json& claim) {
    std::string pending = pending_resize(claim);
    if (!pending.empty()) return pending;
    const std::string provisioner =
        text_field(claim, "/metadata/annotations/volume.kubernetes.io~1storage-provisioner");
    return fmt::format("it waits for the controller that resizes its volumes{}, which has not begun",
                       provisioner.empty() ? "" : " (" + provisioner + ")");
}

Planned grow_command(Host& host, const Arguments& arguments) {
    const std::string written = claim_written(host, argument(arguments, 0));
    if (argument(arguments, 2).is_absent()) return tl::unexpected(written + " does not exist");
    const json size = text_argument(arguments, 1);
    return versioned_patch(host, written, "merge",
                           {{"spec", {{"resources", {{"requests", {{"storage", size}}}}}}}},
                           text_argument(arguments, 2));
}

}  // namespace

static Reading claim_size_asked(Host& host, const Arguments& arguments) {
    const std::string written = claim_written(host, argument(arguments, 0));
    const auto claim = get_object(host, written);
    if (!claim) return unknown(claim.error());
    if (claim->is_null()) return absent(written + " does not exist");
    constexpr const char* place = "/spec/resources/requests/storage";
    const auto size = size_at(*claim, place);
    if (!size) return unknown("the size of {} cannot be read: {}", written, size.error());
    if (size->text.empty()) return absent(written + " asks for no storage");
    return read_from(*claim, {Value(*size), {}, false, writer_of(host, *claim, place)});
}

static Reading claim_can_grow(Host& host, const Arguments& arguments) {
    const std::string written = claim_written(host, argument(arguments, 0));
    const auto* size = argument(arguments, 1).get_if<Quantity>();
    const auto claim = get_object(host, written);
    if (!claim) return unknown(claim.error());
    if (claim->is_null()) return never(written + " does not exist");
    if (text_field(*claim, "/status/phase") != "Bound")
        return not_yet(written + " is not bound to a volume yet");
    const auto asked = size_at(*claim, "/spec/resources/requests/storage");
    if (!asked || size == nullptr) return unknown("the size of " + written + " cannot be read");
    if (size->amount < asked->amount)
        return never("a claim cannot shrink, and {} asks for {} already", written, asked->text);
    const auto obstacle = class_obstacle(host, *claim);
    if (!obstacle) return unknown(obstacle.error());
    if (!obstacle->empty()) return never("{} cannot grow: {}", written, *obstacle);
    return {Value(true)};
}

static Reading claim_has_grown(Host& host, const Arguments& arguments) {
    const std::string written = claim_written(host, argument(arguments, 0));
    const auto claim = get_object(host, written);
    if (!claim) return unknown(claim.error());
    if (claim->is_null()) return never(written + " does not exist");
    const auto asked = size_at(*claim, "/spec/resources/requests/storage");
    const auto has = size_at(*claim, "/status/capacity/storage");
    if (!asked || !has) return unknown("the size of " + written + " cannot be read");
    if (has->amount >= asked->amount && pending_resize(*claim).empty()) return {Value(true)};
    return not_yet("{} has {} of {}: {}", written, has->text, asked->text, waits_for(*claim));
}

static Reading claim_unused(Host& host, const Arguments& arguments) {
    const std::string name = object_name(claim_written(host, argument(arguments, 0)));
    const auto pods = list_objects(host, {"pods"});
    if (!pods) return unknown(pods.error());
    std::vector<std::string> users;
    for (const auto& pod : *pods)
        for (const auto& volume : field(pod, "/spec/volumes"))
            if (text_field(volume, "/persistentVolumeClaim/claimName") == name) users.push_back(name_of(pod));
    if (users.empty()) return {Value(true)};
    return not_yet("claim {} is used by {}; its workload has to stop first", name, enumerate(users));
}

const Rows claim_size_rows([]() -> std::vector<Row> {
    return {
        // [claim]: quantity, or absent
        reads("claim-size-asked", claim_size_asked),
        // [claim, size, version]
        writes("claim-grow", grow_command)
            .reaches({Reach::Of::FieldSet, 0, "/spec/resources/requests/storage", 1}),
        // [claim, size]: bool
        reads("claim-can-grow", claim_can_grow),
        // [claim]: bool
        reads("claim-has-grown", claim_has_grown),
        // [claim]: bool
        reads("claim-unused", claim_unused),
    };
});

}  // namespace migc::runtime::inline natives
