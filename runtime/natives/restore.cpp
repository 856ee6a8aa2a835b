// The way back of an object that a run applied or deleted.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/managed_fields.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/server_side.hpp"
#include "runtime/natives/versioned.hpp"
#include "runtime/natives/withheld_values.hpp"

namespace migc::runtime::inline natives {
namespace {

// What brings an object back, as far as it can be: at most one of patch, removal, and a reason why it stays.
struct Restoration {
    json patch = json::object();
    bool removed = false;
    std::string stays;
    std::vector<std::string>
        left;  // fields that are not put back, although the run changed them, and why not
};

constexpr const char* never_deleted =
    "was made by this run, but deleting it would destroy what it holds; if nothing in it is needed, delete it "
    "by hand";

// Whether it is with this that people write: a controller that takes notes on an object would take them
// again.
bool is_tool_of_people(const std::string& manager) {
    constexpr std::array tools = {"kubectl", "migc", "helm", "Terraform", "terraform", "Mozilla"};
    return std::any_of(tools.begin(), tools.end(),
                       [&](const char* tool) { return manager.starts_with(tool); });
}

// What somebody else wrote into an object that this run made: otherwise than it was made, or beside that. An
// autoscaler's number of replicas is no sign of that. `whole` has its managed fields.
std::vector<std::string> changed_since(const json& applied, const json& now, const json& whole,
                                       const std::vector<std::string>& ours) {
    if (applied.is_null()) return {};
    json restricted = now;
    restricted.merge_patch(applied);  // differs from `now` only in fields that `applied` has
    std::vector<std::string> fields = differing_fields(restricted, now);
    for (const std::string& added : differing_fields(applied, restricted))
        if (is_tool_of_people(field_owner(whole, added, {}))) fields.push_back(added);
    for (const std::string& declared : differing_fields(json::object(), applied))
        if (std::find(fields.begin(), fields.end(), declared) == fields.end() &&
            is_tool_of_people(other_writer(whole, declared, ours)))
            fields.push_back(declared);
    std::erase(fields, "/spec/replicas");
    return fields;
}

Restoration left_standing(std::string why) {
    Restoration result;
    result.stays = std::move(why);
    return result;
}

Restoration removal(const Handle& handle, const json& applied, const json& now, const json& whole,
                    const std::vector<std::string>& ours) {
    if (now.is_null()) return {};
    if (kubernetes::holds_data(handle.type)) return left_standing(never_deleted);
    // The object is theirs as well, though they wrote nothing else into it.
    if (const std::string other = other_applier(whole, ours.front()); !other.empty())
        return left_standing(fmt::format(
            "was made by this run, and {} has applied it since, too; deleting it would lose that", other));
    if (const auto fields = changed_since(applied, now, whole, ours); !fields.empty())
        return left_standing(fmt::format(
            "was changed by somebody else since this run made it, at {}; deleting it would lose that",
            enumerate(fields)));
    Restoration result;
    result.removed = true;
    return result;
}

// In a form of a Secret stand marks: without the values that were kept for the undo, nothing can be put back
// of them.
void leave_secret_values(const json& prior, bool values_kept, Restoration& restoration) {
    if (!is_sealed(prior) || values_kept) return;
    std::vector<std::string> keys;
    for (const char* part : {"data", "stringData"}) {
        for (const auto& [key, value] : field(restoration.patch, std::string("/") + part).items())
            keys.push_back(fmt::format("/{}/{}", part, key));
        restoration.patch.erase(part);
    }
    if (keys.empty()) return;
    restoration.left.push_back(
        fmt::format("keeps {}: it had another secret value, which was not kept; put it back by hand",
                    enumerate(keys, 10)));
}

// Only the fields that the run changed, and of these only the ones that are still as it left them.
Restoration restoration_of(const Handle& handle, const json& prior, const json& applied, const json& now,
                           const json& whole, bool values_kept, const std::vector<std::string>& ours) {
    if (prior.is_null()) return removal(handle, applied, now, whole, ours);
    if (now.is_null())
        return left_standing(
            "was deleted by somebody else since this run changed it; making it again could undo what that "
            "person meant");
    WayBack way = way_back(prior, applied, now,
                           [&](const std::string& path) { return !other_writer(whole, path, ours).empty(); });
    Restoration result;
    result.patch = std::move(way.patch);
    leave_secret_values(prior, values_kept, result);
    if (!way.taken.empty())
        result.left.push_back(fmt::format(
            "keeps {}: somebody else has written it since this run did, and putting it back would overwrite that",
            enumerate(way.taken, 10)));
    if (result.patch.empty() && !result.left.empty())
        return left_standing(fmt::format("{}", fmt::join(result.left, "; ")));
    return result;
}

Answer held(const Handle& handle, const std::string& reason) {
    return left_alone(fmt::format("{} {}", handle.written(), reason));
}

// [handle, prior, manifest, applied]: an object as it is now, and what can be put back of it.
struct ObjectLook {
    Document document;
    json prior;
    json applied;
    json now;                       // in the form in which `prior` and `applied` are
    json whole;                     // as the server shows it
    bool values_kept = false;       // of a Secret: those that it had before
    std::vector<std::string> ours;  // who is not somebody else; the first is the project
};

tl::expected<ObjectLook, std::string> look_at_object(Host& host, const Value& manifest, const Value& handle,
                                                     const json& prior, const json& applied,
                                                     bool values_kept) {
    auto document = document_of(host, {manifest, handle});
    if (!document) return tl::unexpected(document.error());
    auto whole = managed_object(host, *document);
    if (!whole) return tl::unexpected(whole.error());
    auto now = live_object(host, *document, *whole);
    if (!now) return tl::unexpected(now.error());
    return ObjectLook{std::move(*document), prior,       applied,          std::move(*now),
                      std::move(*whole),    values_kept, own_writers(host)};
}

Restoration restoration_of(const ObjectLook& seen) {
    return restoration_of(seen.document.handle, seen.prior, seen.applied, seen.now, seen.whole,
                          seen.values_kept, seen.ours);
}

KubectlCommand restoring_patch(Host& host, const ObjectLook& seen, const json& patch) {
    const Handle& handle = seen.document.handle;
    return merge_patch(host, versioned(handle, text_field(seen.whole, "/apiVersion")), handle.name_space,
                       apply_manager(host), patch, seen.whole);
}

// The resource version makes the cluster refuse the patch if somebody wrote after we looked. What is left is
// said even where the rest went well: the object is then not what it was.
Answer patch_back(Host& host, const ObjectLook& seen, const Restoration& restoration) {
    const KubectlCommand command = restoring_patch(host, seen, restoration.patch);
    Answer answer = write_object(host, command.arguments, command.input);
    if (answer.succeeded() && !restoration.left.empty())
        answer.held = fmt::format("{} {}", seen.document.handle.written(), fmt::join(restoration.left, "; "));
    return answer;
}

// Of [manifest, handle, prior, applied, ..].
tl::expected<ObjectLook, std::string> look_at_object(Host& host, const Arguments& arguments,
                                                     bool values_kept) {
    return look_at_object(host, argument(arguments, 0), argument(arguments, 1), json_argument(arguments, 2),
                          json_argument(arguments, 3), values_kept);
}

// The error: a value that is to come back was not kept.
tl::expected<json, std::string> opened(Host& host, const json& prior, json form, const std::string& values) {
    if (!is_sealed(prior)) return form;
    auto result = with_values(std::move(form), values);
    if (result) redact_values(host, field(*result, "/data"));
    return result;
}

std::string what_is_lost(const Handle& handle) {
    if (handle.type == "service") return "its addresses and its identity are new ones";
    if (handle.type == "job") return "its identity is a new one, and it runs again";
    return "its identity is a new one; what stood beside its definition (status, events) is lost";
}

// Otherwise kubectl writes its own note of what was last applied over the one that was there.
std::vector<std::string> creation(Host& host, const std::string& collection) {
    return {"create", "--raw", fmt::format("{}?fieldManager={}", collection, apply_manager(host)), "-f", "-"};
}

}  // namespace

// [handle, prior, manifest or absent, applied or absent, whether the values of a secret were kept]
static Reading object_may_become(Host& host, const Arguments& arguments) {
    const auto handle = kubernetes::parse_handle(text_argument(arguments, 0));
    if (!handle) return mistaken(handle.error());
    if (argument(arguments, 2).is_absent()) {
        if (!kubernetes::holds_data(handle->type) || !argument(arguments, 1).is_absent())
            return {Value(true)};
        return never("{} {}", handle->written(), never_deleted);
    }
    const auto seen =
        look_at_object(host, argument(arguments, 2), argument(arguments, 0), json_argument(arguments, 1),
                       json_argument(arguments, 3), bool_argument(arguments, 4));
    if (!seen) return unknown(seen.error());
    const Restoration restoration = restoration_of(*seen);
    if (restoration.stays.empty()) return {Value(true)};
    return never("{} {}", handle->written(), restoration.stays);
}

static Reading object_restored(Host& host, const Arguments& arguments) {
    auto seen = look_at_object(host, arguments, bool_argument(arguments, 4));
    if (!seen) return unknown(seen.error());
    const Restoration restoration = restoration_of(*seen);
    if (restoration.removed || seen->now.is_null()) return absent();
    seen->now.merge_patch(restoration.patch);
    return as_it_is(std::move(seen->now));
}

static Answer object_restore(Host& host, const Arguments& arguments) {
    const std::string values = text_argument(arguments, 5);
    const auto seen = look_at_object(host, arguments, !values.empty());
    if (!seen) return refused(seen.error());
    const Handle& handle = seen->document.handle;
    if (resource_version(seen->whole) != text_argument(arguments, 4)) return modified_since_look(handle);
    Restoration restoration = restoration_of(*seen);
    if (!restoration.stays.empty()) return held(handle, restoration.stays);
    if (restoration.removed) return delete_exactly(host, handle, seen->whole);
    if (restoration.patch.empty()) return well(handle.written() + " is as it was before");
    auto patch = opened(host, seen->prior, std::move(restoration.patch), values);
    if (!patch)
        return held(handle, "had other secret values, and " + patch.error() + "; put them back by hand");
    restoration.patch = std::move(*patch);
    return patch_back(host, *seen, restoration);
}

// Of a Secret's values only the marks are shown.
static Preview preview_object_restore(Host& host, const Arguments& arguments) {
    const auto seen = look_at_object(host, arguments, !argument(arguments, 5).is_absent());
    if (!seen) return {};
    const Restoration restoration = restoration_of(*seen);
    if (restoration.removed) return shown_deletion(host, seen->document.handle, seen->whole);
    if (restoration.patch.empty()) return {};
    const KubectlCommand command = restoring_patch(host, *seen, restoration.patch);
    return shown_command(host, command.arguments, command.input);
}

// The server refuses where somebody has made one of that name meanwhile.
static Answer object_make_again(Host& host, const Arguments& arguments) {
    const auto handle = object_argument(host, argument(arguments, 0));
    if (!handle) return refused(handle.error());
    const json prior = json_argument(arguments, 1);
    const auto object = opened(host, prior, prior, text_argument(arguments, 2));
    if (!object) return held(*handle, "is gone, and " + object.error() + "; make it by hand");
    const auto collection = collection_of(host, prior);
    if (!collection) return refused(collection.error());
    Answer answer = write_object(host, creation(host, *collection), object->dump());
    if (answer.succeeded()) answer.errors += "\nWarning: " + what_is_lost(*handle);
    return answer;
}

static Preview preview_object_make_again(Host& host, const Arguments& arguments) {
    const json prior = json_argument(arguments, 1);
    const auto collection = collection_of(host, prior);
    return collection ? shown_command(host, creation(host, *collection), prior.dump()) : Preview();
}

const Rows restore_rows([]() -> std::vector<Row> {
    return {
        // [handle, prior, path, applied]: bool
        reads("object-may-become", object_may_become).of_input(),
        // [path, handle, prior, applied]: json, or absent
        reads("object-restored", object_restored).of_input(),
        // [path, handle, prior, applied, version]
        does("object-restore", object_restore, preview_object_restore)
            .of_input()
            .reaches({Reach::Of::Field})
            .by_hand(object_restore_by_hand),
        // [object, prior]
        does("object-make-again", object_make_again, preview_object_make_again)
            .reaches({Reach::Of::Field})
            .by_hand(object_make_again_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
