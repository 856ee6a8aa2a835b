#include "runtime/natives/written_by_hand.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/manifest.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/withheld_values.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

// The server itself refuses a JSON patch of which a test does not hold: so nothing of anybody else is lost,
// whoever types it, and whenever.
class TestedPatch {
  public:
    void test(const std::string& path, const json& value) {
        operations_.push_back({{"op", "test"}, {"path", path}, {"value", value}});
    }
    // From what is there to what was; null is nothing at all.
    void put_back(const std::string& path, const json& left, const json& prior) {
        if (!left.is_null()) test(path, left);
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
            put_back_fields(path + "/" + escaped_token(item.key()), member_of(left, item.key()),
                            member_of(prior, item.key()));
    }
    [[nodiscard]] bool empty() const { return operations_.empty(); }
    [[nodiscard]] std::string text() const { return operations_.dump(1) + "\n"; }

    static std::string escaped_token(const std::string& key) {
        std::string escaped;
        for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
        return escaped;
    }

  private:
    static json member_of(const json& object, const std::string& key) {
        return object.contains(key) ? object[key] : json();
    }
    json operations_ = json::array();
};

std::string field_manager(Host& host) {
    const std::string manager = host.setting("manager");
    return "--field-manager=" + (manager.empty() ? "migc" : manager);
}

std::vector<std::string> with_namespace(Host& host, const Handle& handle,
                                        std::vector<std::string> arguments) {
    for (std::string& option : namespace_option(host, handle.name_space))
        arguments.push_back(std::move(option));
    return arguments;
}

// `bash -e` stops where a subshell fails, and goes on where only a part of `a && b` does.
std::string together(const std::string& commands) {
    return "(" + commands + ")";
}

void type_patch(Host& host, const Handle& handle, const TestedPatch& patch, HandWork& work) {
    work.type(
        work.command("kubectl", with_namespace(host, handle,
                                               {"patch", handle.written(), "--type=json", field_manager(host),
                                                "--patch-file", work.file("json", patch.text())})));
}

// Only as long as it is still what this run made: a patch of tests changes nothing.
void type_deletion(Host& host, const Handle& handle, const json& made, HandWork& work) {
    TestedPatch patch;
    const json fields = made.flatten();
    for (const auto& [path, value] : fields.items())
        if (!value.is_null() && path != "/spec/replicas") patch.test(path, value);
    const std::string test =
        work.command("kubectl", with_namespace(host, handle,
                                               {"patch", handle.written(), "--type=json", "--dry-run=server",
                                                "--patch-file", work.file("json", patch.text())}));
    const std::string removal =
        work.command("kubectl", with_namespace(host, handle, {"delete", handle.written(), "--wait=true"}));
    work.type(together(test + " && " + removal));
}

// The server's own address for a kind, as it spells those of Kubernetes itself; a resource that somebody
// defined may be spelled otherwise.
std::optional<std::string> address_of(const json& object, const std::string& name_space) {
    const std::string version = text_field(object, "/apiVersion"), kind = text_field(object, "/kind");
    const bool own = version.find('/') == std::string::npos ||
                     version.find(".k8s.io/") != std::string::npos || version.starts_with("apps/") ||
                     version.starts_with("batch/") || version.starts_with("autoscaling/") ||
                     version.starts_with("policy/");
    if (!own || kind.empty()) return std::nullopt;
    std::string plural;
    std::transform(kind.begin(), kind.end(), std::back_inserter(plural),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (plural.ends_with("ss"))
        plural += "es";
    else if (plural.ends_with("y"))
        plural.replace(plural.size() - 1, 1, "ies");
    else if (!plural.ends_with("s"))
        plural += "s";
    const std::string within = name_space.empty() ? "" : "/namespaces/" + name_space;
    return (version.find('/') == std::string::npos ? "/api/" : "/apis/") + version + within + "/" + plural;
}

// `kubectl create` would write its own note of what was last applied over the one that was there.
void type_creation(Host& host, const Handle& handle, const json& prior, HandWork& work) {
    const bool noted =
        !text_field(prior, "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration").empty();
    const auto address = noted ? address_of(prior, text_field(prior, "/metadata/namespace")) : std::nullopt;
    const std::string file = work.file("json", prior.dump(1) + "\n");
    work.type(address ? work.command("kubectl", {"create", "--raw", *address, "-f", file})
                      : work.command("kubectl", with_namespace(host, handle,
                                                               {"create", field_manager(host), "-f", file})));
}

std::string keys_shown(const json& left, const json& prior) {
    std::vector<std::string> keys;
    const json& present = field(left, "/data");
    for (const auto& item : field(prior, "/data").items())
        if (!present.is_object() || !present.contains(item.key()) || present[item.key()] != item.value())
            keys.push_back(item.key());
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
    if (prior.is_null() && holds_data(handle)) {
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

// [manifest, handle, prior or absent, applied or absent, ..]
bool object_restore_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = parse_handle(text_argument(arguments, 1));
    return handle &&
           restore_by_hand(host, *handle, json_argument(arguments, 2), json_argument(arguments, 3), work);
}

// [object, prior, ..]
bool object_make_again_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = object_argument(host, argument(arguments, 0));
    return handle && restore_by_hand(host, *handle, json_argument(arguments, 1), json(), work);
}

json as_plain_json(const Value& value) {
    if (value.is_absent()) return {};
    if (const auto* data = value.get_if<Json>()) return **data;
    if (const auto* number = value.get_if<std::int64_t>()) return *number;
    if (const auto* truth = value.get_if<bool>()) return *truth;
    if (const auto* items = value.get_if<List>()) {
        json list = json::array();
        for (const Value& item : *items) list.push_back(as_plain_json(item));
        return list;
    }
    return show(value);
}

// [object, pointer, value or absent]
bool object_patch_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto handle = object_argument(host, argument(arguments, 0));
    const std::string pointer = text_argument(arguments, 1);
    if (!handle || !is_pointer(pointer)) return false;
    const json left = as_plain_json(work.left());
    const json prior = as_plain_json(argument(arguments, 2));
    if (left.is_null() && prior.is_null()) return false;
    TestedPatch patch;
    patch.put_back(pointer, left, prior);
    type_patch(host, *handle, patch, work);
    return true;
}

// "version=green,track=stable"; a key without a value is not selected by.
std::vector<std::pair<std::string, std::optional<std::string>>> labels_in(const std::string& text) {
    std::vector<std::pair<std::string, std::optional<std::string>>> labels;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string one = text.substr(begin, end - begin);
        const auto equals = one.find('=');
        if (!one.empty())
            labels.emplace_back(one.substr(0, equals), equals == std::string::npos
                                                           ? std::nullopt
                                                           : std::optional(one.substr(equals + 1)));
        begin = end + 1;
    }
    return labels;
}

json label_of(const std::string& text, const std::string& key) {
    for (const auto& [name, value] : labels_in(text))
        if (name == key) return value ? json(*value) : json();
    return {};
}

// [service, labels]
bool service_switch_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* service = argument(arguments, 0).get_if<ResourceRef>();
    const auto handle = service != nullptr ? parse_handle(host.written(*service))
                                           : tl::expected<Handle, std::string>(tl::unexpected(std::string()));
    if (!handle) return false;
    const std::string left = show(work.left());
    TestedPatch patch;
    for (const auto& [key, value] : labels_in(text_argument(arguments, 1)))
        patch.put_back_fields("/spec/selector/" + TestedPatch::escaped_token(key), label_of(left, key),
                              value ? json(*value) : json());
    if (patch.empty()) return false;
    type_patch(host, *handle, patch, work);
    return true;
}

std::optional<std::pair<std::int64_t, std::int64_t>> range_in(const std::string& text) {
    const auto dots = text.find("..");
    if (dots == std::string::npos) return std::nullopt;
    const auto number = [](const std::string& digits) {
        const bool fine = !digits.empty() && digits.size() < 10 &&
                          digits.find_first_not_of("0123456789") == std::string::npos;
        return fine ? std::optional<std::int64_t>(std::stoll(digits)) : std::nullopt;
    };
    const auto least = number(text.substr(0, dots)), most = number(text.substr(dots + 2));
    if (!least || !most) return std::nullopt;
    return std::pair(*least, *most);
}

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
    return fmt::format("\"$({})\"", find);
}

// [workload or its autoscaler, range]
bool autoscaling_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto prior = range_in(text_argument(arguments, 1)), left = range_in(show(work.left()));
    const std::string name = autoscaler_word(host, argument(arguments, 0), work);
    if (name.empty() || !prior || !left) return false;
    TestedPatch patch;
    patch.put_back_fields("/spec/minReplicas", left->first, prior->first);
    patch.put_back_fields("/spec/maxReplicas", left->second, prior->second);
    if (patch.empty()) return false;
    work.type(fmt::format("{} {} --type=json {} --patch-file {}", work.command("kubectl", {"patch", "hpa"}),
                          name, field_manager(host), shell_word(work.file("json", patch.text()))));
    return true;
}

// [node, whether new pods may come]
bool schedulable_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* node = argument(arguments, 0).get_if<ResourceRef>();
    if (node == nullptr) return false;
    work.type(
        work.command("kubectl", {bool_argument(arguments, 1) ? "uncordon" : "cordon", host.written(*node)}));
    return true;
}

// [workload, ..]
bool restart_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* workload = argument(arguments, 0).get_if<ResourceRef>();
    if (workload == nullptr) return false;
    work.type(work.command("kubectl", {"rollout", "restart", host.written(*workload)}));
    return true;
}

// [workload, place, container, image, ..]; only as long as it runs the image that this run has set.
bool image_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const auto* workload = argument(arguments, 0).get_if<ResourceRef>();
    const std::string container = text_argument(arguments, 2), image = text_argument(arguments, 3);
    const Value left = work.left();
    if (workload == nullptr || container.empty() || image.empty()) return false;
    const std::string written = host.written(*workload);
    std::string check;
    if (!left.is_absent())
        check = fmt::format(
            "[ \"$({})\" = {} ] && ",
            work.command("kubectl", {"get", written, "-o",
                                     fmt::format("jsonpath={{..containers[?(@.name==\"{0}\")].image}}"
                                                 "{{..initContainers[?(@.name==\"{0}\")].image}}",
                                                 container)}),
            shell_word(show(left)));
    work.type(together(check + work.command("kubectl", {"set", "image", written, container + "=" + image})));
    return true;
}

std::string checked_file(const std::string& path, const std::string& digest) {
    const std::string content = digest.substr(0, digest.find(' '));
    return fmt::format("echo {} | sha256sum --check --status", shell_word(content + "  " + path));
}

// [file, copy, digest of what is there now]
bool put_back_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const std::filesystem::path root = host.setting("root");
    const std::string path = (root / text_argument(arguments, 0)).string();
    const json copy = json_argument(arguments, 1);
    const std::string now = text_argument(arguments, 2);
    const std::string check = now.empty() ? "" : checked_file(path, now) + " && ";
    if (copy.is_null() || field(copy, "/missing-folders").is_number_integer()) {
        std::string line = check + "rm -- " + shell_word(path);
        std::filesystem::path folder = std::filesystem::path(path).parent_path();
        for (std::int64_t i = int_field(copy, "/missing-folders"); i > 0; --i, folder = folder.parent_path())
            line += " && rmdir -- " + shell_word(folder.string());
        work.type(together(line));
        return true;
    }
    const json& text = field(copy, "/text");
    const std::string mode = fmt::format("{:o}", int_field(copy, "/mode", 0644));
    if (text.is_string()) {
        const std::string kept = shell_word(work.file("copy", text.get<std::string>()));
        work.type(together(fmt::format("{}cp -- {} {} && chmod {} {}", check, kept, shell_word(path), mode,
                                       shell_word(path))));
    } else {
        const std::string kept = shell_word(work.file("base64", text_field(copy, "/base64") + "\n"));
        work.type(together(fmt::format("{}base64 --decode {} > {} && chmod {} {}", check, kept,
                                       shell_word(path), mode, shell_word(path))));
    }
    return true;
}

// [file, what was kept of it]
bool kept_back_by_hand(Host&, const Arguments& arguments, HandWork& work) {
    const std::string file = shell_word(text_argument(arguments, 0)),
                      kept = shell_word(text_argument(arguments, 1));
    work.type(fmt::format("if [ -e {1} ]; then cp -- {1} {0}; else rm -f -- {0}; fi", file, kept));
    return true;
}

}  // namespace

std::string shell_word(std::string_view word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
    const bool odd = std::any_of(word.begin(), word.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    std::string quoted = odd ? "$'" : "'";
    for (const char c : word) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '\'')
            quoted += odd ? "\\'" : "'\\''";
        else if (odd && c == '\\')
            quoted += "\\\\";
        else if (code < 0x20 || code == 0x7f)
            quoted += fmt::format("\\x{:02x}", code);
        else
            quoted += c;
    }
    return quoted + "'";
}

ByHand find_by_hand(std::string_view native) {
    constexpr std::array<std::pair<std::string_view, ByHand>, 10> table = {{
        {"object-restore", object_restore_by_hand},
        {"object-make-again", object_make_again_by_hand},
        {"object-patch", object_patch_by_hand},
        {"service-switch", service_switch_by_hand},
        {"autoscaling-set", autoscaling_by_hand},
        {"image-set", image_by_hand},
        {"pods-restart", restart_by_hand},
        {"node-set-schedulable", schedulable_by_hand},
        {"put-back", put_back_by_hand},
        {"write-kept-back", kept_back_by_hand},
    }};
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.first == native; });
    return found == table.end() ? nullptr : found->second;
}

}  // namespace migc::runtime
