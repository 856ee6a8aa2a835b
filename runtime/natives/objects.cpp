// The objects of a manifest in the cluster: as they are, as the manifest would make them, applying one.
#include <fmt/format.h>

#include "compiler/kubernetes/manifest.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/server_side.hpp"

namespace migc::runtime::inline natives {
namespace {

// Whether an autoscaler writes the number of replicas; asked only where it matters.
tl::expected<bool, std::string> is_scaled_elsewhere(Host& host, const Document& document) {
    const std::string kind = text_field(document.declared, "/kind");
    if (kind != "Deployment" && kind != "StatefulSet") return false;
    if (!field(document.declared, "/spec/replicas").is_null()) return false;
    std::vector<std::string> what = {"hpa"};
    append(what, namespace_option(host, document.handle.name_space));
    const auto autoscalers = list_objects(host, what);
    if (!autoscalers) return tl::unexpected(autoscalers.error());
    return !autoscaler_in(*autoscalers, kind, document.handle.name).empty();
}

// Annotations that the manifest does not set and the server's dry run changes: admission or a controller
// writes them at each change, with a value that nobody can tell before.
void drop_moving_notes(const Document& document, const json& before, json& after) {
    const json declared = field(document.declared, "/metadata/annotations");
    const json was = field(before, "/metadata/annotations");
    const json is = field(after, "/metadata/annotations");
    for (const auto& [name, value] : is.items()) {
        if (declared.contains(name) || (was.contains(name) && was[name] == value)) continue;
        json& annotations = after["metadata"]["annotations"];
        if (was.contains(name))
            annotations[name] = was[name];
        else
            annotations.erase(name);
        if (annotations.empty()) after["metadata"].erase("annotations");
    }
}

}  // namespace

Fetched live_object(Host& host, const Document& document, json object) {
    if (object.is_null()) return object;
    const auto scaled_elsewhere = is_scaled_elsewhere(host, document);
    if (!scaled_elsewhere) return tl::unexpected(scaled_elsewhere.error());
    return live_form(host, std::move(object), document.declared, *scaled_elsewhere);
}

tl::expected<Document, std::string> document_of(Host& host, const Arguments& arguments) {
    const std::string wanted = text_argument(arguments, 1);
    const auto object =
        kubernetes::object_in_manifest(path_in_project(host, text_argument(arguments, 0)), wanted);
    if (!object) return tl::unexpected(object.error());
    if (!*object) return failure("{} does not declare {}", text_argument(arguments, 0), wanted);
    const std::string name_space = (*object)->handle.name_space, here = host.setting("namespace");
    // As kubectl itself refuses it: a stage acts in its own namespace only.
    if (!name_space.empty() && !here.empty() && name_space != here)
        return failure(
            "{} says namespace {}, but this stage acts in {}; take the namespace out of the manifest", wanted,
            name_space, here);
    return **object;
}

static Reading objects_of_manifest(Host& host, const Arguments& arguments) {
    const auto documents = kubernetes::read_manifest(path_in_project(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (const Document& one : *documents) handles.emplace_back(one.handle.text());
    return {Value(std::move(handles))};
}

static Reading files_left_aside(Host& host, const Arguments& arguments) {
    const auto names = kubernetes::files_beside_manifests(path_in_project(host, text_argument(arguments, 0)));
    if (!names) return mistaken(names.error());
    return names->empty() ? absent() : Reading{list_of(*names)};
}

// Last first: what stands on another object goes before that one.
static Reading objects_to_delete(Host& host, const Arguments& arguments) {
    const auto documents = kubernetes::read_manifest(path_in_project(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (auto one = documents->rbegin(); one != documents->rend(); ++one)
        if (!kubernetes::is_left_standing(one->handle.type))
            handles.emplace_back(ResourceRef{"object", one->handle.text()});
    return {Value(std::move(handles))};
}

static Reading objects_left_standing(Host& host, const Arguments& arguments) {
    const auto documents = kubernetes::read_manifest(path_in_project(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (const Document& one : *documents)
        if (kubernetes::is_left_standing(one.handle.type)) handles.emplace_back(one.handle.text());
    return handles.empty() ? absent() : Reading{Value(std::move(handles))};
}

namespace {

// An object that a manifest declares, as it is in the cluster; what stands in the way of it is a reading
// already.
struct Declared {
    Document document;
    json object;
};

tl::expected<Declared, Reading> declared_object(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    if (!document) return tl::unexpected(mistaken(document.error()));
    auto object = managed_object(host, *document);
    if (!object) return tl::unexpected(unknown(object.error()));
    if (object->is_null()) return tl::unexpected(absent(document->handle.written() + " does not exist"));
    return Declared{*document, std::move(*object)};
}

}  // namespace

static Reading object_version(Host& host, const Arguments& arguments) {
    const auto found = declared_object(host, arguments);
    if (!found) return found.error();
    return {Value(resource_version(found->object))};
}

static Reading object_live(Host& host, const Arguments& arguments) {
    const auto found = declared_object(host, arguments);
    if (!found) return found.error();
    auto form = live_object(host, found->document, found->object);
    if (!form) return unknown(form.error());
    return read_from(found->object, as_it_is(std::move(*form)));
}

// What `apply` would leave, defaults and admission included: the server itself says it.
static Reading object_wanted(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    if (!document) return mistaken(document.error());
    const auto now = managed_object(host, *document);
    if (!now) return unknown(now.error());
    auto object = applied_object(host, *document, *now);
    if (!object) return not_known(object.error().why, object.error().refused);
    drop_moving_notes(*document, *now, *object);
    auto form = live_object(host, *document, std::move(*object));
    if (!form) return unknown(form.error());
    return as_it_is(std::move(*form));
}

// What the server says of the first object that it does not take; unknown if it is not the server that
// speaks.
static Reading apply_accepted(Host& host, const Arguments& arguments) {
    const auto documents = kubernetes::read_manifest(path_in_project(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    for (const Document& one : *documents) {
        const auto document = document_of(host, {argument(arguments, 0), Value(one.handle.text())});
        if (!document) return mistaken(document.error());
        const auto now = managed_object(host, *document);
        if (!now) return unknown(now.error());
        const auto object = applied_object(host, *document, *now);
        if (object) continue;
        std::string why = fmt::format("{}: {}", one.handle.written(), object.error().why);
        return object.error().refused ? never(std::move(why)) : unknown(std::move(why));
    }
    return {Value(true)};
}

static Answer object_apply(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    return document ? apply_object(host, *document, text_argument(arguments, 2)) : refused(document.error());
}

static Preview preview_object_apply(Host& host, const Arguments& arguments) {
    const auto handle = kubernetes::parse_handle(text_argument(arguments, 1));
    if (!handle) return {};
    Preview apply = shown_apply(host, *handle, text_argument(arguments, 0));
    const auto document = document_of(host, arguments);
    Preview all = document ? shown_hand_over(host, *document) : Preview();
    if (all.text.empty()) return apply;
    all.text += "; " + apply.text;
    all.commands.push_back(std::move(apply.commands.front()));
    return all;
}

const Rows objects_rows([]() -> std::vector<Row> {
    return {
        // [path]: list of handles
        reads("objects-of-manifest", objects_of_manifest).of_input(),
        // [path]: list of names, or absent
        reads("files-left-aside", files_left_aside).of_input(),
        // [path]: list of objects
        reads("objects-to-delete", objects_to_delete).of_input(),
        // [path]: list of handles, or absent
        reads("objects-left-standing", objects_left_standing).of_input(),
        // [path]: bool
        reads("apply-accepted", apply_accepted).of_input().sees({"/metadata/annotations"}).as_written(),
        // [path, handle]: json, or absent
        reads("object-live", object_live).of_input().as_written(),
        // [path, handle]: version, or absent
        reads("object-version", object_version).of_input(),
        // [path, handle]: json
        reads("object-wanted", object_wanted).of_input().sees({"/metadata/annotations"}).as_written(),
        // [path, handle, version or absent]
        does("object-apply", object_apply, preview_object_apply)
            .of_input()
            .reaches({Reach::Of::AppliedObject, 1}),
    };
});

}  // namespace migc::runtime::inline natives
