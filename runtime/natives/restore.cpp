// The way back of an object that a run applied or deleted.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/withheld_values.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

struct Restore {
    Handle handle;
    json prior;    // null: there was none
    json applied;  // null: this run deleted it, or it is not known what was applied
    std::string resource_version;
    json now;            // null: there is none
    std::string values;  // of a Secret, those that it had before; empty: none were kept
};

// In a form of a Secret stand marks. The error: a value that is to come back was not kept.
tl::expected<json, std::string> opened(Host& host, const Restore& restore, json form) {
    if (!is_sealed(restore.prior)) return form;
    auto result = with_values(std::move(form), restore.values);
    if (result) conceal_values(host, field(*result, "/data"));
    return result;
}

std::vector<std::string> kubectl_arguments(Host& host, const Handle& handle,
                                           std::vector<std::string> arguments) {
    for (std::string& option : namespace_option(host, handle.name_space))
        arguments.push_back(std::move(option));
    return arguments;
}

// What somebody else wrote into the fields that this run made. An autoscaler's number of replicas is no sign
// of that.
std::vector<std::string> changed_since(const json& applied, const json& now) {
    if (applied.is_null()) return {};
    json restricted = now;
    restricted.merge_patch(applied);  // differs from `now` only in fields that `applied` has
    std::vector<std::string> fields = differing_fields(restricted, now);
    std::erase(fields, "/spec/replicas");
    return fields;
}

Answer held(const Handle& handle, const std::string& reason) {
    return refused(fmt::format("held: {} {}", handle.written(), reason));
}

constexpr const char* never_deleted =
    "was made by this run, but deleting it would destroy what it holds; if nothing in it is needed, delete it "
    "by hand";

Answer remove(Host& host, const Restore& restore) {
    if (restore.now.is_null()) return well(restore.handle.written() + " is already gone");
    if (holds_data(restore.handle)) return held(restore.handle, never_deleted);
    if (const auto fields = changed_since(restore.applied, restore.now); !fields.empty())
        return held(restore.handle,
                    fmt::format("was changed by somebody else since this run made it, at {}; deleting "
                                "it would lose that",
                                enumerate(fields)));
    return host.run("kubectl", kubectl_arguments(host, restore.handle,
                                                 {"delete", restore.handle.written(), "--ignore-not-found",
                                                  "--wait=true"}));
}

std::string what_is_lost(const Handle& handle) {
    if (handle.type == "service") return "its addresses and its identity are new ones";
    if (handle.type == "job") return "its identity is a new one, and it runs again";
    return "its identity is a new one; what stood beside its definition (status, events) is lost";
}

Answer create(Host& host, const Restore& restore) {
    if (!restore.applied.is_null())
        return held(restore.handle,
                    "was deleted by somebody else since this run changed it; making it again could "
                    "undo what that person meant");
    const auto object = opened(host, restore, restore.prior);
    if (!object) return held(restore.handle, "is gone, and " + object.error() + "; make it by hand");
    const auto collection = collection_of(host, restore.prior);
    if (!collection) return refused(collection.error());
    // Otherwise kubectl writes its own note of what was last applied over the one that was there.
    Answer answer = host.run("kubectl", {"create", "--raw", *collection + "?fieldManager=migc", "-f", "-"},
                             object->dump());
    if (answer.succeeded()) answer.errors += "\nWarning: " + what_is_lost(restore.handle);
    return answer;
}

// The resource version makes the cluster refuse the patch if somebody wrote after we looked.
Answer patch_back(Host& host, const Restore& restore) {
    if (restore.prior == restore.now) return well(restore.handle.written() + " is as it was before");
    if (restore.applied.is_null())
        return held(restore.handle, "is not as it was before, and what this run made of it is not known");
    WayBack way = way_back(restore.prior, restore.applied, restore.now);
    if (!way.taken.empty())
        return held(restore.handle,
                    fmt::format("was changed by somebody else since this run changed it, at {}; "
                                "restoring it would overwrite that",
                                enumerate(way.taken)));
    if (way.patch.empty()) return well(restore.handle.written() + " is as it was before");
    auto patch = opened(host, restore, std::move(way.patch));
    if (!patch)
        return held(restore.handle,
                    "had other secret values, and " + patch.error() + "; put them back by hand");
    way.patch = std::move(*patch);
    way.patch["metadata"]["resourceVersion"] = restore.resource_version;
    return host.run("kubectl",
                    kubectl_arguments(host, restore.handle,
                                      {"patch", restore.handle.written(), "--type=merge",
                                       "--field-manager=migc", "-p", way.patch.dump(), "-o", "json"}));
}

}  // namespace

Reading object_may_become(Host&, const Arguments& arguments) {
    const auto handle = parse_handle(text_argument(arguments, 0));
    if (!handle) return mistaken(handle.error());
    if (!holds_data(*handle) || !argument(arguments, 1).is_absent()) return {Value(true), {}, false};
    return {Value(false), fmt::format("{} {}", handle->written(), never_deleted), true};
}

Answer object_restore(Host& host, const Arguments& arguments) {
    const auto handle = parse_handle(text_argument(arguments, 0));
    if (!handle) return refused(handle.error());
    auto now = get_object(host, handle->written(), handle->name_space);
    if (!now) return refused(now.error());
    Restore restore = {*handle,
                       json_argument(arguments, 1),
                       json_argument(arguments, 2),
                       text_field(*now, "/metadata/resourceVersion"),
                       {},
                       text_argument(arguments, 3)};
    restore.now = live_form(std::move(*now), restore.applied.is_null() ? restore.prior : restore.applied);
    if (restore.prior.is_null()) return remove(host, restore);
    return restore.now.is_null() ? create(host, restore) : patch_back(host, restore);
}

std::string preview_object_restore(Host& host, const Arguments& arguments) {
    const auto handle = parse_handle(text_argument(arguments, 0));
    if (!handle) return {};
    const bool remove = argument(arguments, 1).is_absent();
    const std::vector<std::string> command =
        remove ? std::vector<std::string>{"delete", handle->written(), "--ignore-not-found", "--wait=true"}
               : std::vector<std::string>{"patch", handle->written(), "--type=merge", "-p",
                                          "'the fields that this run changed'"};
    return fmt::format("kubectl {}", fmt::join(kubectl_arguments(host, *handle, command), " "));
}

Answer object_make_again(Host& host, const Arguments& arguments) {
    return object_restore(
        host, {argument(arguments, 0), argument(arguments, 1), Value(Absent{}), argument(arguments, 2)});
}

std::string preview_object_make_again(Host& host, const Arguments& arguments) {
    const auto handle = parse_handle(text_argument(arguments, 0));
    return handle ? fmt::format("kubectl {}",
                                fmt::join(kubectl_arguments(host, *handle, {"create", "-f", "-"}), " "))
                  : std::string();
}

}  // namespace migc::runtime
