#include "runtime/natives/live_objects.hpp"

#include <fmt/format.h>

#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/withheld_values.hpp"
#include "runtime/tools/identity.hpp"

namespace migc::runtime::inline natives {
namespace {

// An object that is not there is missing with its namespace, or without.
std::string missing(Host& host, const Handle& handle) {
    const std::string name_space = handle.name_space.empty() ? host.setting("namespace") : handle.name_space;
    const auto found = get_object(host, "namespace/" + name_space);
    if (found && found->is_null())
        return fmt::format("{} does not exist: there is no namespace {}", handle.written(), name_space);
    return handle.written() + " does not exist";
}

bool leads_to_values(const std::string& pointer) {
    return pointer.empty() || pointer.starts_with("/data") || pointer.starts_with("/stringData");
}

// Who makes this object, and would make it again: "ReplicaSet web-5c8".
std::string maker_of(const json& object) {
    for (const auto& owner : field(object, "/metadata/ownerReferences"))
        if (field(owner, "/controller") == json(true))
            return text_field(owner, "/kind") + " " + text_field(owner, "/name");
    return {};
}

// Why there would be no way back; empty if there is one.
std::string no_way_back(Host& host, const Handle& handle, const json& object) {
    if (kubernetes::type_name(handle.type) == "persistentvolumeclaim")
        return fmt::format("{} holds data that no undo brings back; `delete claim {}` says so",
                           handle.written(), handle.name);
    if (kubernetes::holds_data(handle.type))
        return handle.written() + " holds what no undo brings back; delete it by hand";
    if (is_secret_object(object) && host.setting("secrets-keeper").empty())
        return fmt::format(
            "{} holds secret values, which cannot be kept here ({}), so it could not be made again; delete it by hand",
            handle.written(), host.setting("secrets-obstacle"));
    if (const std::string maker = maker_of(object); !maker.empty())
        return fmt::format("{} is made by {}, which would make it again; change that one", handle.written(),
                           maker);
    return {};
}

// "/apis/apps/v1", "/api/v1".
std::string api_path(const json& object) {
    const std::string version = text_field(object, "/apiVersion");
    return (version.find('/') == std::string::npos ? "/api/" : "/apis/") + version;
}

}  // namespace

tl::expected<Handle, std::string> object_argument(Host& host, const Value& value) {
    const auto* resource = value.get_if<ResourceRef>();
    const bool written = resource != nullptr && resource->type != "object";
    auto handle = kubernetes::parse_handle(written ? host.written(*resource) : text_argument({value}, 0));
    if (!handle && written)
        return failure("`{}` is no name that Kubernetes allows", text_argument({value}, 0));
    if (!handle)
        return failure("`{}` names no object: write type/name, as \"configmap/settings\"",
                       text_argument({value}, 0));
    const std::string here = host.setting("namespace");
    if (!handle->name_space.empty() && !here.empty() && handle->name_space != here)
        return failure("{} is in namespace {}, but this stage acts in {}", handle->written(),
                       handle->name_space, here);
    return handle;
}

tl::expected<std::string, std::string> collection_of(Host& host, const json& object) {
    const std::string api = api_path(object);
    const Answer answer = host.run("kubectl", {"get", "--raw", api});
    if (!answer.succeeded()) return tl::unexpected(complaint("kubectl", answer));
    const auto known = json::parse(answer.output, nullptr, false);
    for (const auto& resource : field(known, "/resources")) {
        const std::string plural = text_field(resource, "/name");
        if (text_field(resource, "/kind") != text_field(object, "/kind") ||
            plural.find('/') != std::string::npos)
            continue;
        const std::string name_space = text_field(object, "/metadata/namespace");
        const std::string within = name_space.empty() ? "" : "/namespaces/" + name_space;
        return fmt::format("{}{}/{}", api, within, plural);
    }
    return failure("kubectl: the server does not say where it keeps objects of kind {}",
                   text_field(object, "/kind"));
}

Fetched fetch(Host& host, const Handle& handle) {
    return get_object(host, handle.written(), handle.name_space);
}

Fetched fetch_with_managers(Host& host, const Handle& handle, const std::string& api_version) {
    const std::string written = api_version.empty() ? handle.written() : versioned(handle, api_version);
    return get_object(host, written, handle.name_space, true);
}

std::string versioned(const Handle& handle, const std::string& api_version) {
    const auto slash = api_version.find('/');
    if (slash == std::string::npos) return handle.written();  // the core group has one version
    return fmt::format("{}.{}.{}/{}", handle.type.substr(0, handle.type.find('.')),
                       api_version.substr(slash + 1), api_version.substr(0, slash), handle.name);
}

Answer modified_since_look(const Handle& handle) {
    Answer answer = refused("{}: the object has been modified since it was looked at; nothing was written",
                            handle.written());
    answer.refused = true;
    return answer;
}

Answer write_object(Host& host, const std::vector<std::string>& arguments, const std::string& input) {
    Answer answer = host.run("kubectl", arguments, input);
    answer.refused = !answer.succeeded() && is_refusal(answer);
    if (answer.succeeded())
        answer.identity = text_field(json::parse(answer.output, nullptr, false), "/metadata/uid");
    return answer;
}

Preview shown_command(Host& host, const std::vector<std::string>& arguments, const std::string& input) {
    const auto argv = host.line_of("kubectl", arguments);
    return {input.empty() ? shown(argv) : fmt::format("{} <<< {}", shown(argv), shown({input})), {{argv}}};
}

std::string finalizers_shown(const json& object) {
    std::vector<std::string> names;
    for (const auto& name : field(object, "/metadata/finalizers"))
        if (name.is_string()) names.push_back(name);
    if (names.empty()) return {};
    return fmt::format("its finalizer{} {} {} it", names.size() == 1 ? "" : "s", enumerate(names),
                       names.size() == 1 ? "holds" : "hold");
}

namespace {

// The object that an argument names, null where there is none; else the reading that tells why it is not
// known.
struct NamedObject {
    Handle handle;
    json object;
};

tl::expected<NamedObject, Reading> named_object(Host& host, const Value& value) {
    const auto handle = object_argument(host, value);
    if (!handle) return tl::unexpected(mistaken(handle.error()));
    auto object = fetch(host, *handle);
    if (!object) return tl::unexpected(unknown(object.error()));
    return NamedObject{*handle, std::move(*object)};
}

}  // namespace

static Reading identity_of(Host& host, const Arguments& arguments) {
    const auto named = named_object(host, argument(arguments, 0));
    if (!named) return named.error();
    const auto& [handle, object] = *named;
    if (object.is_null()) return absent(missing(host, handle));
    return {Value(text_field(object, "/metadata/uid"))};
}

static Reading version_of(Host& host, const Arguments& arguments) {
    const auto named = named_object(host, argument(arguments, 0));
    if (!named) return named.error();
    const auto& [handle, object] = *named;
    if (object.is_null()) return absent(handle.written() + " does not exist");
    return {Value(resource_version(object))};
}

static Reading live_value(Host& host, const Arguments& arguments) {
    const auto handle = object_argument(host, argument(arguments, 0));
    if (!handle) return mistaken(handle.error());
    const std::string pointer = text_argument(arguments, 1);
    if (!is_pointer(pointer)) return mistaken("`{}` is no JSON pointer, such as /data/colour", pointer);
    const Reading refusal = mistaken(handle->written() + " is a secret: migc does not read its values");
    if (handle->type == "secret" && leads_to_values(pointer)) return refusal;
    auto object = fetch(host, *handle);
    if (!object) return unknown(object.error());
    if (object->is_null()) {
        Reading reading = absent(missing(host, *handle));
        reading.identity = gone;
        return reading;
    }
    // However it is called: secrets/creds.
    if (is_secret_object(*object) && leads_to_values(pointer)) return refusal;
    drop_noted_values(*object);
    const json& found = field(*object, pointer);
    Reading reading =
        found.is_null() ? absent("{} has no {}", handle->written(), pointer) : json_reading(found);
    reading.writer = writer_of(host, *object, pointer);
    return read_from(*object, std::move(reading));
}

static Reading definition_of(Host& host, const Arguments& arguments) {
    const auto named = named_object(host, argument(arguments, 0));
    if (!named) return named.error();
    const auto& [handle, object] = *named;
    if (object.is_null()) return absent(missing(host, handle));
    // Neither there nor gone: nobody can call it back, and it may stay like this for ever.
    if (is_being_deleted(object))
        return unknown("{} is being deleted; {}", handle.written(),
                       finalizers_shown(object).empty() ? "it is not gone yet" : finalizers_shown(object));
    auto form = live_form(host, object, {});
    if (!form) return mistaken(form.error());
    return read_from(object, as_it_is(std::move(*form)));
}

static Reading can_be_made_again(Host& host, const Arguments& arguments) {
    const auto named = named_object(host, argument(arguments, 0));
    if (!named) return named.error();
    const auto& [handle, object] = *named;
    if (object.is_null()) return {Value(true), missing(host, handle)};
    std::string why = no_way_back(host, handle, object);
    const bool can = why.empty();
    return {Value(can), std::move(why), !can};
}

const Rows live_objects_rows([]() -> std::vector<Row> {
    return {
        // [resource]: resource version, or absent
        reads("version-of", version_of).sees({"/metadata/resourceVersion"}),
        // [resource]: uid, or absent
        reads("identity-of", identity_of).sees({"/metadata/uid"}),
        // [object, pointer]: json, or absent
        reads("live-value", live_value).sees_pointer(1),
        // [object]: json, or absent
        reads("definition-of", definition_of).as_written(),
        // [object]: bool
        reads("can-be-made-again", can_be_made_again).sees({"/metadata/ownerReferences"}),
    };
});

}  // namespace migc::runtime::inline natives
