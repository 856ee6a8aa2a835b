#include "runtime/plan/commands.hpp"

#include <string_view>

#include "compiler/support/text.hpp"

namespace migc::runtime::inline plans {
namespace {

// Options whose value may be a word of its own.
constexpr std::string_view with_value =
    "--kubeconfig --context --cluster --user --namespace -n -o --output -l --selector -f --filename -p "
    "--patch --type --field-manager --container -c --request-timeout --patch-file --replicas --timeout "
    "--raw --subresource";
// Of which controllers make and change objects all the time.
constexpr std::string_view volatile_types =
    "pod event replicaset controllerrevision endpoints endpointslice job node all persistentvolume";

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
            found.push_back(kubernetes::plain_handle(word));
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
            else if (listed(with_value, word) && i + 1 < argv.size())
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

bool is_volatile(const std::string& type) {
    return listed(volatile_types, type);
}

}  // namespace migc::runtime::inline plans
