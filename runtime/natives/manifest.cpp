#include "runtime/natives/manifest.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "compiler/source/read_file.hpp"

namespace migc::runtime::inline natives {
namespace {

// Far above what the cluster takes as one object (1.5 MiB), and small enough to be read at once.
constexpr std::uintmax_t largest_file = 16U << 20U;

using Documents = tl::expected<std::vector<Document>, std::string>;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
        text.remove_prefix(1);
    return text;
}

// Splits where kubectl does: at a line that begins with three hyphens and holds at most a comment after them.
tl::expected<std::vector<std::string>, std::string> split(std::string_view text) {
    std::vector<std::string> parts(1);
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end);
        if (!line.starts_with("---")) {
            parts.back() += line;
            continue;
        }
        const std::string_view rest = trimmed(line.substr(3));
        if (!rest.empty() && rest.front() != '#')
            return tl::unexpected(
                fmt::format("`{}` is no line that kubectl takes between documents", trimmed(line)));
        parts.emplace_back();
    }
    return parts;
}

std::string scalar(const YAML::Node& node, const char* key) {
    const YAML::Node value = node.IsMap() ? node[key] : YAML::Node(YAML::NodeType::Undefined);
    return value.IsDefined() && value.IsScalar() ? value.Scalar() : std::string();
}

std::string small(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

// The groups of Kubernetes itself have no dot (apps, batch) or end in k8s.io; kubectl knows their kinds
// without.
std::string type_of(const std::string& api_version, const std::string& kind) {
    const auto slash = api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    const bool own = group.find('.') == std::string::npos || group.ends_with(".k8s.io");
    return small(kind) + (own ? "" : "." + group);
}

bool is_name(const std::string& text) {
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == ':';
    });
}

tl::expected<Handle, std::string> handle_of(const YAML::Node& node) {
    if (!node.IsMap()) return tl::unexpected<std::string>("it is no mapping");
    const std::string kind = scalar(node, "kind");
    const std::string api_version = scalar(node, "apiVersion");
    if (kind.empty() || api_version.empty())
        return tl::unexpected<std::string>("it has no apiVersion or no kind");
    if (kind.ends_with("List") && node["items"].IsDefined())
        return tl::unexpected("it is a " + kind + "; write its items as documents of their own");
    const Handle handle = {type_of(api_version, kind), scalar(node["metadata"], "namespace"),
                           scalar(node["metadata"], "name")};
    if (handle.name.empty())
        return tl::unexpected<std::string>(
            "it has no metadata.name; without one it could not be found again");
    if (!is_name(handle.type) || !is_name(handle.name) ||
        (!handle.name_space.empty() && !is_name(handle.name_space)))
        return tl::unexpected<std::string>("its kind, namespace or name is none that Kubernetes allows");
    return handle;
}

// An alias can make a small text a huge tree: so many nodes and no more.
nlohmann::json declared_fields(const YAML::Node& node, int& nodes_left) {
    if (--nodes_left < 0) throw YAML::Exception(YAML::Mark::null_mark(), "it has more than 1,000,000 fields");
    nlohmann::json result;
    if (node.IsScalar()) return node.Scalar();
    if (node.IsSequence()) result = nlohmann::json::array();
    if (node.IsMap()) result = nlohmann::json::object();
    for (const auto& item : node)
        if (node.IsMap())
            result[item.first.Scalar()] = declared_fields(item.second, nodes_left);
        else
            result.push_back(declared_fields(item, nodes_left));
    return result;
}

// Finds what two readers could understand differently: an alias, and a key that stands twice in a mapping.
class Strict final : public YAML::EventHandler {
  public:
    std::string problem;  // empty: there is none

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { value("", mark); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases are not allowed: write the value out");
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  const std::string& text) override {
        value(text, mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        value("", mark);
        open_.push_back({false, false, {}});
    }
    void OnSequenceEnd() override { open_.pop_back(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        value("", mark);
        open_.push_back({true, true, {}});
    }
    void OnMapEnd() override { open_.pop_back(); }

  private:
    struct Open {
        bool is_map;
        bool key_next;
        std::set<std::string> keys;
    };

    void value(const std::string& text, const YAML::Mark& mark) {
        if (open_.empty() || !open_.back().is_map) return;
        Open& map = open_.back();
        if (map.key_next && !map.keys.insert(text).second)
            refuse(mark, fmt::format("the key `{}` stands twice in one mapping", text));
        map.key_next = !map.key_next;
    }
    void refuse(const YAML::Mark& mark, const std::string& why) {
        if (problem.empty()) problem = fmt::format("line {}: {}", mark.line + 1, why);
    }

    std::vector<Open> open_;
};

std::string ambiguity(const std::string& text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Strict strict;
    while (strict.problem.empty() && parser.HandleNextDocument(strict)) {
    }
    return strict.problem;
}

// Nothing for a document without content.
tl::expected<std::vector<Document>, std::string> document(const std::string& text) {
    try {
        if (std::string why = ambiguity(text); !why.empty()) return tl::unexpected(std::move(why));
        const YAML::Node node = YAML::Load(text);
        if (!node.IsDefined() || node.IsNull()) return std::vector<Document>{};
        const auto handle = handle_of(node);
        if (!handle) return tl::unexpected(handle.error());
        int nodes_left = 1'000'000;
        return std::vector<Document>{{*handle, declared_fields(node, nodes_left), text}};
    } catch (const std::exception& problem) {
        return tl::unexpected<std::string>(problem.what());
    }
}

tl::expected<std::string, std::string> read_text(const std::filesystem::path& file) {
    return file_content(file, largest_file).map_error([&](const std::string& why) {
        return fmt::format("{} cannot be read: {}", file.string(), why);
    });
}

struct FolderFiles {
    std::vector<std::filesystem::path> manifests;
    std::vector<std::string> others;  // by name; a folder with a slash behind it
};

// A kustomization is no object of the cluster: it says how manifests are put together.
bool is_manifest_name(const std::filesystem::path& file) {
    const std::string extension = file.extension().string();
    return file.stem() != "kustomization" &&
           (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

tl::expected<FolderFiles, std::string> files_of(const std::filesystem::path& path) {
    std::error_code error;
    FolderFiles files;
    if (!std::filesystem::is_directory(path, error)) {
        files.manifests = {path};
        return files;
    }
    for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (entry->is_directory())
            files.others.push_back(name + "/");
        else if (is_manifest_name(entry->path()))
            files.manifests.push_back(entry->path());
        else if (!name.starts_with('.'))
            files.others.push_back(name);
    }
    if (error) return tl::unexpected(fmt::format("{} cannot be read: {}", path.string(), error.message()));
    std::sort(files.manifests.begin(), files.manifests.end());
    std::sort(files.others.begin(), files.others.end());
    return files;
}

}  // namespace

tl::expected<Handle, std::string> parse_handle(std::string_view text) {
    const auto first = text.find('/');
    const auto last = text.rfind('/');
    const bool has_namespace = first != last;
    if (first == std::string_view::npos || (has_namespace && text.find('/', first + 1) != last))
        return tl::unexpected(
            fmt::format("`{}` is no object of a manifest (type/name or type/namespace/name)", text));
    const Handle handle = {
        std::string(text.substr(0, first)),
        has_namespace ? std::string(text.substr(first + 1, last - first - 1)) : std::string(),
        std::string(text.substr(last + 1))};
    if (!is_name(handle.type) || !is_name(handle.name) ||
        (!handle.name_space.empty() && !is_name(handle.name_space)))
        return tl::unexpected(
            fmt::format("`{}` is no object of a manifest (type/name or type/namespace/name)", text));
    return handle;
}

Documents parse_manifest(std::string_view text, const std::string& file) {
    const auto parts = split(text);
    if (!parts) return tl::unexpected(fmt::format("{}: {}", file, parts.error()));
    std::vector<Document> documents;
    for (std::size_t i = 0; i < parts->size(); ++i) {
        auto one = document((*parts)[i]);
        if (!one) return tl::unexpected(fmt::format("{}, document {}: {}", file, i + 1, one.error()));
        std::move(one->begin(), one->end(), std::back_inserter(documents));
    }
    return documents;
}

Documents read_manifest(const std::filesystem::path& path) {
    const auto files = files_of(path);
    if (!files) return tl::unexpected(files.error());
    std::vector<Document> documents;
    std::set<std::string> seen;
    for (const auto& file : files->manifests) {
        const auto text = read_text(file);
        if (!text) return tl::unexpected(text.error());
        auto own = parse_manifest(*text, file.filename().string());
        if (!own) return own;
        for (Document& one : *own) {
            if (!seen.insert(one.handle.text()).second)
                return tl::unexpected(fmt::format("{} declares {} twice; only one of both can come to be",
                                                  file.filename().string(), one.handle.written()));
            documents.push_back(std::move(one));
        }
    }
    if (documents.empty()) return tl::unexpected(fmt::format("{} holds no object", path.string()));
    return documents;
}

tl::expected<std::vector<std::string>, std::string> files_beside_manifests(
    const std::filesystem::path& path) {
    auto files = files_of(path);
    if (!files) return tl::unexpected(files.error());
    return std::move(files->others);
}

}  // namespace migc::runtime::inline natives
