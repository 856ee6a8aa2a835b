#include "runtime/natives/server_side.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/managed_fields.hpp"
#include "runtime/natives/precondition.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

using Predicted = tl::expected<json, NotApplied>;

// An earlier migc called itself `migc` in each project.
constexpr const char* earlier_migc = "migc";

Takeover takeover_of(Host& host, const json& object) {
    return takeover_by(object, apply_manager(host), {earlier_migc, host.setting("manager")});
}

tl::unexpected<NotApplied> not_applied(std::string why, bool refused) {
    return tl::unexpected(NotApplied{std::move(why), refused});
}

tl::unexpected<NotApplied> not_applied(const Answer& answer) {
    return not_applied(complaint("kubectl", answer), is_refusal(answer));
}

// The command that applies it, without the tool's own arguments.
std::vector<std::string> apply_arguments(Host& host, const Handle& handle) {
    std::vector<std::string> arguments = {
        "apply", "--server-side", "--field-manager=" + apply_manager(host), "-o", "json", "-f", "-"};
    append(arguments, namespace_option(host, handle.name_space));
    return arguments;
}

// A patch of the object in the version of its kind in which it was read, which is on standard input.
std::vector<std::string> patch_arguments(Host& host, const Document& document, const json& now,
                                         const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"patch",
                                          versioned(document.handle, text_field(now, "/apiVersion"))};
    append(arguments, options);
    append(arguments, {"--field-manager=" + apply_manager(host), "-o", "json"});
    append(arguments, namespace_option(host, document.handle.name_space));
    return arguments;
}

Answer dry_run_of_apply(Host& host, const Document& document, bool take_over) {
    std::vector<std::string> arguments = apply_arguments(host, document.handle);
    append(arguments, {"--dry-run=server", "--show-managed-fields=true"});
    if (take_over) arguments.emplace_back("--force-conflicts");
    return host.run("kubectl", arguments, document.text);
}

// Whether it is only these managers who are in the way, by the server's own words.
bool conflicts_only_with(const Answer& answer, const std::vector<std::string>& managers) {
    static const re2::RE2 manager("conflicts? with \"([^\"]*)\"");
    re2::StringPiece rest(answer.errors);
    std::string name;
    bool any = false;
    while (re2::RE2::FindAndConsume(&rest, manager, &name)) {
        any = true;
        if (std::find(managers.begin(), managers.end(), name) == managers.end()) return false;
    }
    return any;
}

Predicted predicted_by(const Answer& answer) {
    if (!answer.succeeded()) return not_applied(answer);
    auto object = json::parse(answer.output, nullptr, false);
    if (answer.truncated || !object.is_object()) return not_applied("kubectl: the answer is not JSON", false);
    return object;
}

json without_books(json object) {
    for (const char* key : {"managedFields", "resourceVersion", "generation"}) object["metadata"].erase(key);
    return object;
}

// What is in no manifest any more goes together with who kept it, which no dry run of `apply` shows before it
// is taken over. What the server makes of an object without it (its defaults, admission) only the server
// knows.
Predicted without_dropped(Host& host, const Document& document, const Takeover& takeover, const json& now,
                          json object) {
    const json own = applied_fields(object, apply_manager(host));
    json after = object;
    if (!take_out(after, fields_without(takeover.fields, {own, takeover.others}), {own, takeover.others}))
        return object;
    const auto arguments =
        patch_arguments(host, document, now, {"--type=merge", "--patch-file=/dev/stdin", "--dry-run=server"});
    const json patch = merge_difference(without_books(now), without_books(after));
    return predicted_by(host.run("kubectl", arguments, patch.dump()));
}

// Fields that `kubectl apply` keeps and somebody has changed without it: that somebody is not overwritten.
std::string edited_by_hand(const Document& document, const Takeover& takeover, const json& now,
                           const json& after) {
    const json applied = json::parse(text_field(now, last_applied_note), nullptr, false);
    const auto fields = edited_fields(takeover.client_side, applied, now, after);
    if (fields.empty()) return {};
    return fmt::format(
        "somebody changed {} of {} since `kubectl apply` set it, and applying would overwrite that; "
        "write into the manifest what is to stay",
        enumerate(fields), document.handle.written());
}

std::string kept_by_stranger(const Document& document, const Takeover& takeover) {
    return fmt::format(
        "{} is kept by {} with client-side apply, and applying it on the server's side would take it "
        "over without asking; let that one apply it, or hand it over with `kubectl apply --server-side "
        "--force-conflicts`",
        document.handle.written(), takeover.stranger);
}

std::vector<std::string> hand_over_arguments(Host& host, const Document& document, const json& now) {
    return patch_arguments(host, document, now, {"--type=json", "--patch-file=/dev/stdin"});
}

// Only who keeps the fields is changed, and no field; refused if the object is not the one that was looked
// at.
Answer hand_over(Host& host, const Document& document, const Takeover& takeover, const json& now) {
    const json patch = {
        {{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", takeover.entries}},
        {{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", resource_version(now)}}};
    return write_object(host, hand_over_arguments(host, document, now), patch.dump());
}

// Whose fields are the project's from now on; what it wrote itself under another name needs no words.
std::string told_of_takeover(Host& host, const Document& document, const Takeover& takeover) {
    std::vector<std::string> from;
    for (const std::string& name : takeover.from)
        if (name == earlier_migc || name.starts_with("kubectl")) from.push_back(name);
    if (from.empty() || apply_manager(host) == earlier_migc) return {};
    return fmt::format("\nWarning: what {} kept of {} is kept by {} from now on", enumerate(from),
                       document.handle.written(), apply_manager(host));
}

Answer apply_to(Host& host, const Document& document, const std::string& version, const std::string& uid) {
    const auto text = with_precondition(document, version, uid);
    return text ? write_object(host, apply_arguments(host, document.handle), *text) : refused(text.error());
}

}  // namespace

std::string apply_manager(Host& host) {
    const std::string project = host.setting("project");
    return project.empty() ? "migc" : "migc:" + project;
}

// The server shows an object in the version of its kind that it prefers, unless it is asked for another.
Fetched managed_object(Host& host, const Document& document) {
    auto object = fetch_with_managers(host, document.handle, {});
    const std::string version = text_field(document.declared, "/apiVersion");
    if (!object || object->is_null() || text_field(*object, "/apiVersion") == version) return object;
    return fetch_with_managers(host, document.handle, version);
}

Predicted applied_object(Host& host, const Document& document, const json& now) {
    const Takeover takeover = takeover_of(host, now);
    if (!takeover.stranger.empty()) return not_applied(kept_by_stranger(document, takeover), true);
    Answer answer = dry_run_of_apply(host, document, false);
    if (!answer.succeeded() && conflicts_only_with(answer, takeover.from))
        answer = dry_run_of_apply(host, document, true);
    auto object = predicted_by(answer);
    if (!object || takeover.from.empty()) return object;
    object = without_dropped(host, document, takeover, now, std::move(*object));
    if (!object) return object;
    if (std::string why = edited_by_hand(document, takeover, now, *object); !why.empty())
        return not_applied(std::move(why), true);
    return object;
}

Preview shown_apply(Host& host, const Handle& handle, const std::string& manifest) {
    Preview apply = shown_command(host, apply_arguments(host, handle));
    apply.text += fmt::format(" < {} of {}", handle.written(), manifest);
    apply.commands.front().object = handle.written();
    return apply;
}

Preview shown_hand_over(Host& host, const Document& document) {
    const auto now = managed_object(host, document);
    if (!now || now->is_null()) return {};
    const Takeover takeover = takeover_of(host, *now);
    if (takeover.from.empty() || !takeover.stranger.empty()) return {};
    Preview patch = shown_command(host, hand_over_arguments(host, document, *now));
    patch.text += fmt::format(" < what {} keeps of {}, as kept by {}", enumerate(takeover.from),
                              document.handle.written(), apply_manager(host));
    return patch;
}

Answer apply_object(Host& host, const Document& document, const std::string& version) {
    if (version.empty()) return apply_to(host, document, version_of_none, "");
    const auto now = managed_object(host, document);
    if (!now) return refused(now.error());
    if (now->is_null() || resource_version(*now) != version) return modified_since_look(document.handle);
    const Takeover takeover = takeover_of(host, *now);
    if (!takeover.stranger.empty()) return refused(kept_by_stranger(document, takeover));
    const std::string uid = text_field(*now, "/metadata/uid");
    if (takeover.from.empty()) return apply_to(host, document, version, uid);
    const Answer taken = hand_over(host, document, takeover, *now);
    if (!taken.succeeded()) return taken;
    const auto after = json::parse(taken.output, nullptr, false);
    Answer answer = apply_to(host, document, resource_version(after), uid);
    if (answer.succeeded()) answer.errors += told_of_takeover(host, document, takeover);
    return answer;
}

}  // namespace migc::runtime::inline natives
