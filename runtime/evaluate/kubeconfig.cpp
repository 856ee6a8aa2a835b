#include "runtime/evaluate/kubeconfig.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/project/user_config.hpp"
#include "compiler/project/yaml.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"

namespace migc::runtime::inline evaluation {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_kubeconfig = std::uintmax_t{4} << 20;

// Whether every reader of YAML reads the same in it, so that it can be searched.
bool is_plain_yaml(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= 0x20 && c < 0x7F && c != '\\' && c != '!') || c == '\n' || c == '\r' || c == '\t';
    });
}

// Whether it may make kubectl run a program, or hand a file on.
bool may_run_programs(const std::string& text) {
    constexpr std::array words = {"exec", "auth-provider", "tokenfile"};
    const std::string folded = lower_case(text);
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return folded.find(word) != std::string::npos; });
}

bool names_a_file(const std::string& key) {
    constexpr std::array keys = {"client-certificate", "client-key", "certificate-authority"};
    return std::find(keys.begin(), keys.end(), lower_case(key)) != keys.end();
}

// Wherever in the tree: kubectl looks in fewer places.
void add_named_files(const project::YamlNode& node, std::vector<std::string>& files) {
    for (const project::YamlNode& child : node.children) add_named_files(child, files);
    for (const project::YamlEntry& entry : node.entries) {
        if (names_a_file(entry.key.text)) files.push_back(entry.value.text);
        add_named_files(entry.value, files);
    }
}

// How often such a key is written, comments apart.
std::size_t mentions(const std::string& text) {
    static const RE2 comment(R"((?m)^[ \t]*#.*$)");
    static const RE2 key(R"((?i)(client-certificate|client-key|certificate-authority)["']?\s*(?::|\n\s*:))");
    std::string left = text;
    RE2::GlobalReplace(&left, comment, "");
    re2::StringPiece rest(left);
    std::size_t count = 0;
    while (RE2::FindAndConsume(&rest, key)) ++count;
    return count;
}

// Nothing if they cannot be told: what is not read as a plain tree may be read otherwise by kubectl.
std::optional<std::vector<std::string>> named_files(const fs::path& kubeconfig, std::string text) {
    const std::size_t mentioned = mentions(text);
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId id = sources.add(kubeconfig.string(), std::move(text));
    const auto tree = project::read_yaml(id, sources, diagnostics);
    std::vector<std::string> files;
    if (tree) add_named_files(*tree, files);
    if (mentioned == 0 && files.empty()) return files;
    if (!tree || !diagnostics.empty() || mentioned > files.size()) return std::nullopt;
    return files;
}

// Empty if kubectl may open it. One that is not there it will miss by itself.
std::string why_not_opened(const fs::path& file, const fs::path& root) {
    const fs::path whole = file.lexically_normal();
    if (project::is_outside_file(whole, root)) return {};
    const auto own = project_path(root, whole);
    if (!own) return own.error();
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(*own, ignored))) return {};
    const auto regular = project_file(root, whole);
    return regular ? std::string() : regular.error();
}

}  // namespace

std::vector<fs::path> kubeconfigs_of_project(const fs::path& root) {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value != nullptr ? value : "");
    };
    std::string all = variable("KUBECONFIG");
    if (const std::string home = variable("HOME"); all.empty() && !home.empty()) all = home + "/.kube/config";
    std::vector<fs::path> found;
    for (const std::string& name : split(all, ':')) {
        const fs::path one = root / name;  // a relative one is read there
        std::error_code ignored;
        if (!name.empty() && fs::exists(one, ignored) && project::lies_in_project(one, root))
            found.push_back(one.lexically_normal());
    }
    return found;
}

std::string kubeconfig_reaches_out(const fs::path& kubeconfig, const fs::path& root, Kubectl work) {
    if (work == Kubectl::OnlyReadsIt) return {};
    auto text = read_file(kubeconfig, largest_kubeconfig);
    std::error_code ignored;
    if (!text) return fs::exists(kubeconfig, ignored) ? kubeconfig_runs : "";
    if (!is_plain_yaml(*text) || (work == Kubectl::AsksServer && may_run_programs(*text)))
        return kubeconfig_runs;
    const auto files = named_files(kubeconfig, std::move(*text));
    if (!files) return fmt::format("{}names files in a way that cannot be read for certain", own_kubeconfig);
    for (const std::string& file : *files) {
        if (file.empty()) continue;
        const std::string why = why_not_opened(kubeconfig.parent_path() / file, root);
        if (!why.empty())
            return fmt::format(
                "{}names the file {}: {}; `outside-files` in {} allows one that lies elsewhere",
                own_kubeconfig, escaped(file), why, (project::user_folder() / "config.yaml").string());
    }
    return {};
}

}  // namespace migc::runtime::inline evaluation
