// Undoing by hand what a run did in a cluster: lines of kubectl with the same conditions as migc's own.
#include <algorithm>
#include <initializer_list>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/pod_path.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/versioned.hpp"
#include "runtime/natives/withheld_values.hpp"

namespace migc::runtime::inline natives {
namespace {

// The server itself refuses a JSON patch of which a test does not hold: so nothing of anybody else is lost,
// whoever types it, and whenever.
class TestedPatch {
  public:
    void test(const std::string& path, const json& value) {
        operations_.push_back({{"op", "test"}, {"path", path}, {"value", value}});
    }
    // From what is there to what was; null is nothing at all, also for a test.
    void put_back(const std::string& path, const json& left, const json& prior) {
        test(path, left);
        if (prior.is_null())
            operations_.push_back({{"op", "remove"}, {"path", path}});
        else
            operations_.push_back(
                {{"op", left.is_null() ? "add" : "replace"}, {"path", path}, {"value", prior}});
    }
    // Every field in which two forms differ; what a list holds goes as a whole.
    void put_back_fields(const std::string& path, const json& left, const json& prior) {
        if (left == prior) return;
        if (!left.is_object() || !prior.is_object()) return put_back(path, left, prior);
        json all = left;
        all.update(prior);
        for (const auto& item : all.items())
            put_back_fields(path + "/" + pointer_token(item.key()), member(left, item.key()),
                            member(prior, item.key()));
    }
    [[nodiscard]] bool empty() const { return operations_.empty(); }
    [[nodiscard]] std::string text() const { return operations_.dump(1) + "\n"; }

  private:
    json operations_ = json::array();
};

std::string manager_option(Host& host) {
    return "--field-manager=" + field_manager(host);
}

// A command of kubectl in the namespace of an object.
std::string command_for(Host& host, const Handle& handle, std::vector<std::string> arguments,
                        HandWork& work) {
    append(arguments, namespace_option(host, handle.name_space));
    return work.command("kubectl", arguments);
}

void type_patch(Host& host, const Handle& handle, const TestedPatch& patch, HandWork& work) {
    work.type(command_for(host, handle,
                          {"patch", handle.written(), "--type=json", manager_option(host), "--patch-file",
                           work.file("json", patch.text())},
                          work));
}

// The server's own address for a kind, as it spells those of Kubernetes itself; a resource that somebody
// defined may be spelled otherwise.
std::optional<std::string> address_of(const json& object, const std::string& name_space) {
    const std::string version = text_field(object, "/apiVersion"), kind = text_field(object, "/kind");
    if (!kubernetes::is_own_group(kubernetes::group_in(version)) || kind.empty()) return std::nullopt;
    const std::string within = name_space.empty() ? "" : "/namespaces/" + name_space;
    return (version.find('/') == std::string::npos ? "/api/" : "/apis/") + version + within + "/" +
           kubernetes::plural_of(kind);
}

// Only as long as it is still what this run made: a patch of tests changes nothing, and says which object it
// was that passed them. Nothing else is deleted.
void type_deletion(Host& host, const Handle& handle, const json& made, HandWork& work) {
    TestedPatch patch;
    const json fields = made.flatten();
    for (const auto& [path, value] : fields.items())
        if (!value.is_null() && path != "/spec/replicas") patch.test(path, value);
    const std::string test = command_for(
        host, handle,
        {"patch", handle.written(), "--type=json", "--dry-run=server", "--patch-file",
         work.file("json", patch.text()), "-o", "jsonpath={.metadata.uid} {.metadata.resourceVersion}"},
        work);
    const auto address = address_of(made, text_field(made, "/metadata/namespace"));
    if (!address) {
        const std::string removal =
            command_for(host, handle, {"delete", handle.written(), "--wait=true"}, work);
        return work.type(together(test + " && " + removal));
    }
    const std::string options =
        R"('{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background",)"
        R"("preconditions":{"uid":"%s","resourceVersion":"%s"}}')";
    const std::string removal =
        work.command("kubectl", {"delete", "--raw", *address + "/" + handle.name, "-f", "-"});
    const std::string gone =
        command_for(host, handle, {"wait", "--for=delete", handle.written(), "--timeout=2m"}, work);
    work.type(together(
        fmt::format("seen={} && printf {} $seen | {} && {}", printed_by(test), options, removal, gone)));
}

// `kubectl create` would write its own note of what was last applied over the one that was there.
void type_creation(Host& host, const Handle& handle, const json& prior, HandWork& work) {
    const bool noted =
        !text_field(prior, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration").empty();
    const auto address = noted ? address_of(prior, text_field(prior, "/metadata/namespace")) : std::nullopt;
    const std::string file = work.file("json", prior.dump(1) + "\n");
    work.type(address ? work.command("kubectl", {"create", "--raw", *address, "-f", file})
                      : command_for(host, handle, {"create", manager_option(host), "-f", file}, work));
}

std::string keys_shown(const json& left, const json& prior) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : field(prior, "/data").items())
        if (member(field(left, "/data"), key) != value) keys.push_back(key);
    return enumerate(keys, 20);
}

json without_values(json form) {
    if (!is_secret_object(form)) return form;
    form.erase("data");
    form.erase("stringData");
    return form;
}

// What cannot be typed, since it stands nowhere in clear.
void say_values(const Handle& handle, const json& left, const json& prior, HandWork& work) {
    const std::string keys = keys_shown(left, prior);
    if (!keys.empty())
        work.say(fmt::format("the values of {} that {} had before: {}", keys, handle.written(),
                             work.who_has_the_secret()));
}

bool restore_by_hand(Host& host, const Handle& handle, const json& prior, const json& applied,
                     HandWork& work) {
    if (prior.is_null() && kubernetes::holds_data(handle.type)) {
        work.say(handle.written() +
                 " was made by this run, and is left standing: deleting it would destroy what it holds");
        return true;
    }
    if (prior.is_null()) {
        if (applied.is_null()) return false;
        type_deletion(host, handle, without_values(applied), work);
        return true;
    }
    const bool secret = is_secret_object(prior);
    if (applied.is_null() && secret) {
        say_values(handle, json(), prior, work);
        work.say("with them it is made again; without them its definition is in " +
                 work.file("json", without_values(prior).dump(1) + "\n"));
        return true;
    }
    if (applied.is_null()) {
        type_creation(host, handle, prior, work);
        return true;
    }
    TestedPatch patch;
    patch.put_back_fields("", without_values(applied), without_values(prior));
    if (secret) say_values(handle, applied, prior, work);
    if (!patch.empty()) type_patch(host, handle, patch, work);
    return true;
}

}  // namespace

// [manifest, handle, prior or absent, applied or absent, ..]
bool object_restore_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = kubernetes::parse_handle(text_argument(arguments, 1));
    return handle &&
           restore_by_hand(host, *handle, json_argument(arguments, 2), json_argument(arguments, 3), work);
}

// [object, prior, ..]
bool object_make_again_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = object_argument(host, argument(arguments, 0));
    return handle && restore_by_hand(host, *handle, json_argument(arguments, 1), json(), work);
}

// [object, pointer, value or absent]
bool object_patch_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = object_argument(host, argument(arguments, 0));
    const std::string pointer = text_argument(arguments, 1);
    if (!handle || !is_pointer(pointer)) return false;
    const json left = as_json(work.left());
    const json prior = as_json(argument(arguments, 2));
    if (left == prior) return false;
    TestedPatch patch;
    patch.put_back(pointer, left, prior);
    type_patch(host, *handle, patch, work);
    return true;
}

// [service, labels]
bool service_switch_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* service = argument(arguments, 0).get_if<ResourceRef>();
    const auto handle = kubernetes::parse_handle(service != nullptr ? host.written(*service) : "");
    if (!handle) return false;
    const auto wanted = parse_labels(text_argument(arguments, 1));
    const Labels left = parse_labels(show(work.left())).value_or(Labels());
    if (!wanted) return false;
    TestedPatch patch;
    const auto value_in = [](const Labels& labels, const std::string& key) {
        const auto found = labels.find(key);
        return found != labels.end() && found->second ? json(*found->second) : json();
    };
    for (const auto& [key, value] : *wanted)
        patch.put_back_fields("/spec/selector/" + pointer_token(key), value_in(left, key),
                              value_in(*wanted, key));
    if (patch.empty()) return false;
    type_patch(host, *handle, patch, work);
    return true;
}

namespace {

// The command's word for the autoscaler: its name, where it was captured, else a command that asks for it.
std::string autoscaler_word(Host& host, const Value& workload, HandWork& work) {
    const Value name = work.captured("autoscaler");
    if (const auto* text = name.get_if<std::string>()) return shell_word(*text);
    const auto* resource = workload.get_if<ResourceRef>();
    if (resource == nullptr) return {};
    const std::string find = work.command(
        "kubectl", {"get", "hpa", "-o",
                    fmt::format("jsonpath={{.items[?(@.spec.scaleTargetRef.name==\"{}\")].metadata.name}}",
                                object_name(host.written(*resource)))});
    return printed_by(find);
}

}  // namespace

// [workload or its autoscaler, range]
bool autoscaling_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto prior = replica_range(text_argument(arguments, 1)), left = replica_range(show(work.left()));
    const std::string name = autoscaler_word(host, argument(arguments, 0), work);
    if (name.empty() || !prior || !left) return false;
    TestedPatch patch;
    patch.put_back_fields("/spec/minReplicas", left->least, prior->least);
    patch.put_back_fields("/spec/maxReplicas", left->most, prior->most);
    if (patch.empty()) return false;
    work.type(fmt::format("{} {} --type=json {} --patch-file {}", work.command("kubectl", {"patch", "hpa"}),
                          name, manager_option(host), shell_word(work.file("json", patch.text()))));
    return true;
}

// [node, whether new pods may come, ..]; a node that is in use has no such field.
bool schedulable_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* node = argument(arguments, 0).get_if<ResourceRef>();
    if (node == nullptr) return false;
    const bool usable = bool_argument(arguments, 1);
    TestedPatch patch;
    patch.put_back("/spec/unschedulable", usable ? json(true) : json(), usable ? json() : json(true));
    work.type(work.command("kubectl", {"patch", host.written(*node), "--type=json", manager_option(host),
                                       "--patch-file", work.file("json", patch.text())}));
    return true;
}

// [workload, ..]
bool restart_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* workload = argument(arguments, 0).get_if<ResourceRef>();
    if (workload == nullptr) return false;
    work.type(work.command("kubectl", {"rollout", "restart", host.written(*workload)}));
    return true;
}

namespace {

// The list of containers that `set image` has captured: "/spec/template/spec/containers".
std::string captured_place(HandWork& work) {
    const Value captured = work.captured("place");
    const auto* place = captured.get_if<std::string>();
    return place != nullptr && is_pointer(*place) && !place->empty() ? *place
                                                                     : "/spec/template/spec/containers";
}

// The words before a command in a container of a workload.
std::optional<std::vector<std::string>> exec_words(Host& host, const Value& workload,
                                                   const std::string& container, bool with_input) {
    const auto name = workload_argument(host, workload);
    if (!name) return std::nullopt;
    std::vector<std::string> words = {"exec", name->written};
    if (!container.empty()) append(words, {"-c", container});
    if (with_input) words.emplace_back("-i");
    words.emplace_back("--");
    return words;
}

}  // namespace

// [workload, place, container, image, ..]; only as long as it runs the image that this run has set, and has
// the version at which that was seen.
bool image_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* workload = argument(arguments, 0).get_if<ResourceRef>();
    const std::string container = text_argument(arguments, 2), image = text_argument(arguments, 3);
    const Value left = work.left();
    if (workload == nullptr || container.empty() || image.empty() || left.is_absent()) return false;
    if (container.find_first_of("\"\\") != std::string::npos) return false;
    const std::string written = host.written(*workload), place = captured_place(work);
    std::string dotted = place;
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    const std::string look = work.command(
        "kubectl", {"get", written, "-o",
                    fmt::format("jsonpath={{.metadata.resourceVersion}} {{{}[?(@.name==\"{}\")].image}}",
                                dotted, container)});
    json patch;
    patch[json::json_pointer(place)] = json::array({json{{"name", container}, {"image", image}}});
    const std::string rest = patch.dump().substr(1);
    const std::string act =
        work.command("kubectl", {"patch", written, "--type=strategic", manager_option(host), "-p"});
    work.type(
        together(fmt::format("seen={} && [ \"${{seen#* }}\" = {} ] && {} "
                             "'{{\"metadata\":{{\"resourceVersion\":\"'\"${{seen%% *}}\"'\"}},'{}",
                             printed_by(look), shell_word(show(left)), act, shell_word(rest))));
    return true;
}

// [workload, digest, ..]. The current template is always the newest revision, so what a step went back to has
// become the one after it: only as long as that is the newest.
bool roll_back_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* workload = argument(arguments, 0).get_if<ResourceRef>();
    const Value captured = work.captured("number");
    const auto* revision = captured.get_if<std::int64_t>();
    if (workload == nullptr || revision == nullptr) return false;
    const std::string written = host.written(*workload);
    const std::string act =
        work.command("kubectl", {"rollout", "undo", written, fmt::format("--to-revision={}", *revision)});
    if (workload_kind(written) == "Deployment") {
        const std::string newest = work.command(
            "kubectl",
            {"get", written, "-o", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}"});
        work.type(together(fmt::format("[ {} = {} ] && {}", printed_by(newest), *revision + 1, act)));
        return true;
    }
    work.say(fmt::format(
        "{} keeps no number of its revision; look whether its newest is still {}, and if so:", written,
        *revision + 1));
    work.say("  look: " + work.command("kubectl", {"rollout", "history", written}));
    work.say("  then: " + act);
    return true;
}

// [command, workload, container or absent]
bool execute_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto words = exec_words(host, argument(arguments, 1), text_argument(arguments, 2), false);
    if (!words) return false;
    std::vector<std::string> line = *words;
    append(line, words_of(list_argument(arguments, 0)));
    work.type(work.command("kubectl", line));
    return true;
}

// [archive, path, workload, container or absent]: the file that was kept, or none if none was there; only as
// long as there is what this run has put there.
bool pod_file_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto path = pod_path(text_argument(arguments, 1));
    const std::string container = text_argument(arguments, 3);
    const auto plain = exec_words(host, argument(arguments, 2), container, false);
    const auto fed = exec_words(host, argument(arguments, 2), container, true);
    const std::string left = show(work.left()), kind = "sha256:";
    if (!path || !plain || !fed || !left.starts_with(kind)) return false;
    const auto run = [&](std::vector<std::string> words, std::initializer_list<std::string> command) {
        words.insert(words.end(), command);
        return work.command("kubectl", words);
    };
    const std::string kept = shell_word(path_in_project(host, text_argument(arguments, 0)));
    work.type(together(fmt::format("[ {} = '{}  -' ] && if [ -e {} ]; then {} < {}; else {}; fi",
                                   printed_by(run(*plain, {"cat", *path}) + " | sha256sum"),
                                   left.substr(kind.size()), kept, run(*fed, {"tar", "xf", "-", "-C", "/"}),
                                   kept, run(*plain, {"rm", "-f", "--", *path}))));
    return true;
}

// [file, path, workload, container or absent, backup of what was there]
bool backup_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto words = exec_words(host, argument(arguments, 2), text_argument(arguments, 3), true);
    const std::string path = text_argument(arguments, 1);
    if (!words) return false;
    const std::string file = path_in_project(host, text_argument(arguments, 0)),
                      before = path_in_project(host, text_argument(arguments, 4));
    std::vector<std::string> line = *words;
    append(line, {"tar", "xf", "-", "-C", "/"});
    work.say(
        fmt::format("what {} held is in {}, what was put over it in {}; whatever was written there since "
                    "is overwritten",
                    path, before, file));
    work.type(work.command("kubectl", line) + " < " + shell_word(before));
    work.say("by hand: remove from the container what only the other brought: the names on the left of");
    work.say(fmt::format("  comm -23 <(tar tf {} | sort) <(tar tf {} | sort)", shell_word(file),
                         shell_word(before)));
    return true;
}

}  // namespace migc::runtime::inline natives
