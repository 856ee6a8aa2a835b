// The objects of a manifest in the cluster: as they are, as the manifest would make them, applying one.
#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/manifest.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

std::filesystem::path whole_path(Host& host, const std::string& path) {
    return std::filesystem::path(host.setting("root")) / path;  // a whole path stays as it is
}

tl::expected<Document, std::string> document_of(Host& host, const Arguments& arguments) {
    const auto documents = read_manifest(whole_path(host, text_argument(arguments, 0)));
    if (!documents) return tl::unexpected(documents.error());
    const std::string wanted = text_argument(arguments, 1);
    const std::string here = host.setting("namespace");
    for (const Document& one : *documents) {
        if (one.handle.text() != wanted) continue;
        // As kubectl itself refuses it: a stage acts in its own namespace only.
        if (!one.handle.name_space.empty() && !here.empty() && one.handle.name_space != here)
            return tl::unexpected(fmt::format(
                "{} says namespace {}, but this stage acts in {}; take the namespace out of the manifest",
                wanted, one.handle.name_space, here));
        return one;
    }
    return tl::unexpected(fmt::format("{} does not declare {}", text_argument(arguments, 0), wanted));
}

// Whether this is how the object has been kept so far. kubectl would turn it over to the server's side on the
// way, which takes fields away that no dry run shows; so it stays with what it is used to.
bool is_kept_by_kubectl_apply(const json& object) {
    return !text_field(object, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")
                .empty();
}

std::vector<std::string> apply_arguments(Host& host, const Handle& handle, bool server_side) {
    std::vector<std::string> arguments = {"apply"};
    if (server_side) arguments.insert(arguments.end(), {"--server-side", "--field-manager=migc"});
    arguments.insert(arguments.end(), {"-o", "json", "-f", "-"});
    for (std::string& option : namespace_option(host, handle.name_space))
        arguments.push_back(std::move(option));
    return arguments;
}

// Whether the fields that are in the way are only those that an undo of migc has put back: the server tells
// that from applying, and keeps them for another manager of the same name.
bool conflicts_with_own_undo_only(const Answer& answer) {
    static const re2::RE2 manager("conflicts? with \"([^\"]*)\"");
    re2::StringPiece rest(answer.errors);
    std::string name;
    bool any = false;
    while (re2::RE2::FindAndConsume(&rest, manager, &name)) {
        any = true;
        if (name != "migc") return false;
    }
    return any;
}

// Fields that others manage are never taken over.
Answer apply(Host& host, const Document& document, bool dry_run) {
    const auto now = get_object(host, document.handle.written(), document.handle.name_space);
    if (!now) return refused(now.error());
    std::vector<std::string> arguments =
        apply_arguments(host, document.handle, !is_kept_by_kubectl_apply(*now));
    if (dry_run) arguments.emplace_back("--dry-run=server");
    Answer answer = host.run("kubectl", arguments, document.text);
    if (answer.succeeded() || !conflicts_with_own_undo_only(answer)) return answer;
    arguments.emplace_back("--force-conflicts");
    return host.run("kubectl", arguments, document.text);
}

// Whether an autoscaler writes the number of replicas; asked only where it matters.
tl::expected<bool, std::string> is_scaled_elsewhere(Host& host, const Document& document) {
    const std::string kind = text_field(document.declared, "/kind");
    if (kind != "Deployment" && kind != "StatefulSet") return false;
    if (!field(document.declared, "/spec/replicas").is_null()) return false;
    std::vector<std::string> what = {"hpa"};
    for (std::string& option : namespace_option(host, document.handle.name_space))
        what.push_back(std::move(option));
    const auto autoscalers = list_objects(host, what);
    if (!autoscalers) return tl::unexpected(autoscalers.error());
    return !autoscaler_in(*autoscalers, kind, document.handle.name).empty();
}

Fetched live_object(Host& host, const Document& document) {
    auto object = get_object(host, document.handle.written(), document.handle.name_space);
    if (!object || object->is_null()) return object;
    const auto scaled_elsewhere = is_scaled_elsewhere(host, document);
    if (!scaled_elsewhere) return tl::unexpected(scaled_elsewhere.error());
    return live_form(std::move(*object), document.declared, *scaled_elsewhere);
}

Fetched predicted_object(Host& host, const Document& document) {
    const Answer answer = apply(host, document, true);
    if (!answer.succeeded()) return tl::unexpected(complaint("kubectl", answer));
    auto object = json::parse(answer.output, nullptr, false);
    if (!object.is_object()) return tl::unexpected<std::string>("kubectl: the answer is not JSON");
    const auto scaled_elsewhere = is_scaled_elsewhere(host, document);
    if (!scaled_elsewhere) return tl::unexpected(scaled_elsewhere.error());
    return live_form(std::move(object), document.declared, *scaled_elsewhere);
}

// What nobody could make again as it was.
bool is_left_standing(const Handle& handle) {
    return holds_data(handle) || handle.type == "secret";
}

Reading form_reading(json form) {
    return {Value(std::make_shared<const json>(std::move(form))), {}, false};
}

}  // namespace

Reading objects_of_manifest(Host& host, const Arguments& arguments) {
    const auto documents = read_manifest(whole_path(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (const Document& one : *documents) handles.emplace_back(one.handle.text());
    return {Value(std::move(handles)), {}, false};
}

Reading files_left_aside(Host& host, const Arguments& arguments) {
    const auto names = files_beside_manifests(whole_path(host, text_argument(arguments, 0)));
    if (!names) return mistaken(names.error());
    if (names->empty()) return absent();
    return {Value(List(names->begin(), names->end())), {}, false};
}

// Last first: what stands on another object goes before that one.
Reading objects_to_delete(Host& host, const Arguments& arguments) {
    const auto documents = read_manifest(whole_path(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (auto one = documents->rbegin(); one != documents->rend(); ++one)
        if (!is_left_standing(one->handle)) handles.emplace_back(ResourceRef{"object", one->handle.text()});
    return {Value(std::move(handles)), {}, false};
}

Reading objects_left_standing(Host& host, const Arguments& arguments) {
    const auto documents = read_manifest(whole_path(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    List handles;
    for (const Document& one : *documents)
        if (is_left_standing(one.handle)) handles.emplace_back(one.handle.text());
    return handles.empty() ? absent() : Reading{Value(std::move(handles)), {}, false};
}

Reading object_live(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    if (!document) return mistaken(document.error());
    auto object = live_object(host, *document);
    if (!object) return unknown(object.error());
    if (object->is_null()) return absent(document->handle.written() + " does not exist");
    return form_reading(std::move(*object));
}

// What `apply` would leave, defaults and admission included: the server itself says it.
Reading object_wanted(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    if (!document) return mistaken(document.error());
    auto object = predicted_object(host, *document);
    if (!object) return unknown(object.error());
    return form_reading(std::move(*object));
}

// What the server says of the first object that it does not take; unknown if it is not the server that
// speaks.
Reading apply_accepted(Host& host, const Arguments& arguments) {
    const auto documents = read_manifest(whole_path(host, text_argument(arguments, 0)));
    if (!documents) return mistaken(documents.error());
    for (const Document& one : *documents) {
        const auto document = document_of(host, {argument(arguments, 0), Value(one.handle.text())});
        if (!document) return mistaken(document.error());
        const Answer answer = apply(host, *document, true);
        if (answer.succeeded()) continue;
        std::string why = fmt::format("{}: {}", one.handle.written(), complaint("kubectl", answer));
        return is_refusal(answer) ? Reading{Value(false), std::move(why), true} : unknown(std::move(why));
    }
    return {Value(true), {}, false};
}

Answer object_apply(Host& host, const Arguments& arguments) {
    const auto document = document_of(host, arguments);
    return document ? apply(host, *document, false) : refused(document.error());
}

std::string preview_object_apply(Host& host, const Arguments& arguments) {
    const auto handle = parse_handle(text_argument(arguments, 1));
    if (!handle) return {};
    return fmt::format("kubectl {} < {} of {}", fmt::join(apply_arguments(host, *handle, true), " "),
                       handle->written(), text_argument(arguments, 0));
}

}  // namespace migc::runtime
