#include "runtime/plan/commands.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

namespace migc::runtime::inline plans {
namespace {

// Options whose value may be a word of its own.
bool takes_a_word(const std::string& option) {
    static const std::set<std::string, std::less<>> with_value = {"--kubeconfig",
                                                                  "--context",
                                                                  "--cluster",
                                                                  "--user",
                                                                  "--namespace",
                                                                  "-n",
                                                                  "-o",
                                                                  "--output",
                                                                  "-l",
                                                                  "--selector",
                                                                  "-f",
                                                                  "--filename",
                                                                  "-p",
                                                                  "--patch",
                                                                  "--type",
                                                                  "--field-manager",
                                                                  "--container",
                                                                  "-c",
                                                                  "--request-timeout",
                                                                  "--patch-file",
                                                                  "--replicas",
                                                                  "--timeout",
                                                                  "--raw",
                                                                  "--subresource"};
    return with_value.contains(option);
}

// The long name of an option that has a short one.
std::string long_name(const std::string& option) {
    static const std::map<std::string, std::string, std::less<>> names = {
        {"-n", "--namespace"}, {"-o", "--output"}, {"-l", "--selector"},
        {"-f", "--filename"},  {"-p", "--patch"},  {"-A", "--all-namespaces"}};
    const auto found = names.find(option);
    return found == names.end() ? option : found->second;
}

void add_option(KubectlWords& call, const std::string& name, const std::string& value) {
    const std::string option = long_name(name);
    if (option == "--namespace") call.name_space = value;
    if (option == "--all-namespaces") call.everywhere = value != "false";
    call.options[option] = value;
}

}  // namespace

std::string KubectlWords::value(const std::string& option) const {
    const auto found = options.find(option);
    return found == options.end() ? std::string() : found->second;
}

std::vector<std::string> KubectlWords::targets() const {
    std::vector<std::string> found;
    std::vector<std::string> bare;
    for (const std::string& word : words) {
        if (word.find('=') != std::string::npos) continue;
        if (word.find('/') != std::string::npos)
            found.push_back(object_name_of(word));
        else
            bare.push_back(word);
    }
    const bool has_action = verb == "set" || verb == "rollout";  // `set image`, `rollout restart`
    if (has_action && !bare.empty()) bare.erase(bare.begin());
    for (std::size_t i = 1; i < bare.size() && bare.front().find(',') == std::string::npos; ++i)
        found.push_back(type_name(bare.front()) + "/" + bare[i]);
    return found;
}

KubectlWords parse_kubectl(const std::vector<std::string>& argv) {
    KubectlWords call;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word == "--") break;
        const std::size_t sign = word.find('=');
        if (word.size() > 1 && word.front() == '-') {
            if (word.starts_with("--") && sign != std::string::npos)
                add_option(call, word.substr(0, sign), word.substr(sign + 1));
            else if (takes_a_word(word) && i + 1 < argv.size())
                add_option(call, word, argv[++i]);
            else
                add_option(call, word, "");
        } else if (call.verb.empty()) {
            call.verb = word;
        } else {
            call.words.push_back(word);
        }
    }
    return call;
}

std::string type_name(std::string text) {
    text = text.substr(0, text.find('.'));
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    static const std::map<std::string, std::string, std::less<>> short_names = {
        {"deploy", "deployment"},
        {"sts", "statefulset"},
        {"ds", "daemonset"},
        {"rs", "replicaset"},
        {"po", "pod"},
        {"svc", "service"},
        {"ep", "endpoints"},
        {"cm", "configmap"},
        {"sa", "serviceaccount"},
        {"ev", "event"},
        {"no", "node"},
        {"quota", "resourcequota"},
        {"limits", "limitrange"},
        {"pvc", "persistentvolumeclaim"},
        {"pv", "persistentvolume"},
        {"sc", "storageclass"},
        {"ns", "namespace"},
        {"ing", "ingress"},
        {"netpol", "networkpolicy"},
        {"cj", "cronjob"},
        {"crd", "customresourcedefinition"},
        {"crds", "customresourcedefinition"},
        {"pdb", "poddisruptionbudget"},
        {"hpa", "horizontalpodautoscaler"}};
    if (const auto found = short_names.find(text); found != short_names.end()) return found->second;
    if (text.ends_with("ies")) return text.substr(0, text.size() - 3) + "y";
    if (text.ends_with("sses")) return text.substr(0, text.size() - 2);
    const bool plural =
        text.size() > 1 && text.ends_with('s') && !text.ends_with("ss") && text != "endpoints";
    return plural ? text.substr(0, text.size() - 1) : text;
}

std::string object_name_of(const std::string& text) {
    const std::size_t first = text.find('/'), last = text.rfind('/');
    if (first == std::string::npos) return text;
    return type_name(text.substr(0, first)) + text.substr(last);
}

bool is_cluster_wide(const std::string& type) {
    constexpr std::array<std::string_view, 11> types = {"node",
                                                        "namespace",
                                                        "persistentvolume",
                                                        "storageclass",
                                                        "clusterrole",
                                                        "clusterrolebinding",
                                                        "customresourcedefinition",
                                                        "priorityclass",
                                                        "ingressclass",
                                                        "validatingwebhookconfiguration",
                                                        "mutatingwebhookconfiguration"};
    return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_volatile(const std::string& type) {
    constexpr std::array<std::string_view, 10> types = {
        "pod", "event", "replicaset", "controllerrevision", "endpoints", "endpointslice",
        "job", "node",  "all",        "persistentvolume"};
    return std::find(types.begin(), types.end(), type) != types.end();
}

}  // namespace migc::runtime::inline plans
