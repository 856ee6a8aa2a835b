#include "compiler/kubernetes/manifest.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/documents/yaml_tree.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"

namespace migc::kubernetes {
namespace {

// Far above what the cluster takes as one object (1.5 MiB), and small enough to be read at once.
constexpr std::uintmax_t largest_file = 16U << 20U;

using Documents = tl::expected<std::vector<Document>, std::string>;

// Splits where kubectl does: at a line that begins with three hyphens and holds at most a comment after them.
tl::expected<std::vector<std::string>, std::string> document_texts(std::string_view text) {
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

bool is_name(const std::string& text) {
    return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == ':';
    });
}

bool is_allowed(const Handle& handle) {
    return is_name(handle.type) && is_name(handle.name) &&
           (handle.name_space.empty() || is_name(handle.name_space));
}

tl::expected<Handle, std::string> handle_of(const nlohmann::json& declared) {
    const std::string kind = text_field(declared, "/kind");
    if (std::string why = why_no_object(declared); !why.empty()) return tl::unexpected(std::move(why));
    if (is_list(declared))
        return tl::unexpected("it is a " + kind + "; write its items as documents of their own");
    const std::string group = group_in(text_field(declared, "/apiVersion"));
    Handle handle = {lower_case(kind) + (is_own_group(group) ? "" : "." + group),
                     text_field(declared, "/metadata/namespace"), text_field(declared, "/metadata/name")};
    if (!is_allowed(handle))
        return tl::unexpected<std::string>("its kind, namespace or name is none that Kubernetes allows");
    return handle;
}

std::string at_line(std::string_view text, std::size_t offset, const std::string& why) {
    return fmt::format("line {}: {}", documents::line_number(text, offset), why);
}

// Nothing for a document without content.
tl::expected<std::vector<Document>, std::string> document(const std::string& text) {
    using Of = documents::YamlFault::Of;
    auto read = documents::read_yaml_text(text, documents::large_yaml);
    if (const auto fault = documents::first_fault(read.documents))
        return tl::unexpected(at_line(
            text, fault->span.begin,
            fault->of == Of::Duplicate ? fmt::format("the key `{}` stands twice in one mapping", fault->key)
                                       : fault->message));
    if (read.problem)
        return tl::unexpected(at_line(text, read.problem->offset, "it is no YAML: " + read.problem->message));
    if (read.documents.empty() || read.documents.front().kind == documents::YamlKind::Null)
        return std::vector<Document>{};
    auto declared = documents::to_json(read.documents.front(), documents::Scalars::Texts);
    const auto handle = handle_of(*declared);
    if (!handle) return tl::unexpected(handle.error());
    return std::vector<Document>{{*handle, std::move(*declared), text}};
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
    std::ranges::sort(files.manifests);
    std::ranges::sort(files.others);
    return files;
}

}  // namespace

std::string object_name(const std::string& written) {
    const auto slash = written.rfind('/');
    return slash == std::string::npos ? std::string() : written.substr(slash + 1);
}

std::string plain_handle(std::string_view written) {
    const auto first = written.find('/'), last = written.rfind('/');
    if (first == std::string_view::npos) return std::string(written);
    return type_name(written.substr(0, first)) + std::string(written.substr(last));
}

bool is_list(const nlohmann::json& document) {
    return text_field(document, "/kind").ends_with("List") && field(document, "/items").is_array();
}

std::string why_no_object(const nlohmann::json& document) {
    if (!document.is_object()) return "it is no mapping";
    if (text_field(document, "/kind").empty() || text_field(document, "/apiVersion").empty())
        return "it has no apiVersion or no kind";
    if (!is_list(document) && text_field(document, "/metadata/name").empty())
        return "it has no metadata.name; without one it could not be found again";
    return {};
}

bool is_manifest_name(const std::filesystem::path& file) {
    const std::string extension = file.extension().string();
    return file.stem() != "kustomization" &&
           (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

tl::expected<Handle, std::string> parse_handle(std::string_view text) {
    const auto first = text.find('/');
    const auto last = text.rfind('/');
    const bool has_namespace = first != last;
    const bool has_form =
        first != std::string_view::npos && (!has_namespace || text.find('/', first + 1) == last);
    Handle handle = {std::string(text.substr(0, first)),
                     has_namespace ? std::string(text.substr(first + 1, last - first - 1)) : std::string(),
                     std::string(text.substr(last + 1))};
    if (has_form && is_allowed(handle)) return handle;
    return tl::unexpected(
        fmt::format("`{}` is no object of a manifest (type/name or type/namespace/name)", text));
}

Documents parse_manifest(std::string_view text, const std::string& file) {
    const auto parts = document_texts(text);
    if (!parts) return tl::unexpected(fmt::format("{}: {}", file, parts.error()));
    std::vector<Document> documents;
    for (std::size_t i = 0; i < parts->size(); ++i) {
        auto one = document((*parts)[i]);
        if (!one) return tl::unexpected(fmt::format("{}, document {}: {}", file, i + 1, one.error()));
        std::move(one->begin(), one->end(), std::back_inserter(documents));
    }
    return documents;
}

namespace {

using Parsed = std::shared_ptr<const std::vector<Document>>;

// What tells that a file is as it was. Each write sets its time of change, so that one file in two versions
// has two of these, unless the second came within the clock's tick.
struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> stamp_of(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    return Stamp{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
                 static_cast<std::uint64_t>(status.st_size),
                 std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

bool is_older_than_a_tick(const Stamp& stamp) {
    constexpr std::int64_t tick_ns = 100'000'000;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::nanoseconds(now).count() - stamp.changed_ns > tick_ns;
}

// The manifests that this process has read: a run asks for each object of a folder several times.
class ReadBefore {
  public:
    tl::expected<Parsed, std::string> file(const std::filesystem::path& path) {
        const auto stamp = stamp_of(path);
        const std::lock_guard lock(mutex_);
        const auto known = files_.find(path.native());
        if (known != files_.end() && stamp && known->second.first == *stamp) return known->second.second;
        const auto text = read_text(path);
        if (!text) return tl::unexpected(text.error());
        auto own = parse_manifest(*text, path.filename().string());
        if (!own) return tl::unexpected(own.error());
        auto parsed = std::make_shared<const std::vector<Document>>(std::move(*own));
        if (stamp && is_older_than_a_tick(*stamp))
            files_[path.native()] = {*stamp, parsed};
        else
            files_.erase(path.native());
        return parsed;
    }

    // In which file of a manifest an object was found last; empty if it was not.
    std::filesystem::path place(const std::filesystem::path& manifest, const std::string& handle) {
        const std::lock_guard lock(mutex_);
        return places_[manifest.native()][handle];
    }
    void found(const std::filesystem::path& manifest, const std::string& handle,
               const std::filesystem::path& file) {
        const std::lock_guard lock(mutex_);
        places_[manifest.native()][handle] = file;
    }

  private:
    std::mutex mutex_;
    std::map<std::string, std::pair<Stamp, Parsed>> files_;
    std::map<std::string, std::map<std::string, std::filesystem::path>> places_;  // by manifest and handle
};

ReadBefore& read_before() {
    static ReadBefore all;
    return all;
}

const Document* of_handle(const std::vector<Document>& documents, const std::string& handle) {
    return first_of(documents, [&](const Document& one) { return one.handle.text() == handle; });
}

}  // namespace

Documents read_manifest(const std::filesystem::path& path) {
    const auto files = files_of(path);
    if (!files) return tl::unexpected(files.error());
    std::vector<Document> documents;
    std::set<std::string> seen;
    for (const auto& file : files->manifests) {
        const auto own = read_before().file(file);
        if (!own) return tl::unexpected(own.error());
        for (const Document& one : **own) {
            if (!seen.insert(one.handle.text()).second)
                return tl::unexpected(fmt::format("{} declares {} twice; only one of both can come to be",
                                                  file.filename().string(), one.handle.written()));
            read_before().found(path, one.handle.text(), file);
            documents.push_back(one);
        }
    }
    if (documents.empty()) return tl::unexpected(fmt::format("{} holds no object", path.string()));
    return documents;
}

tl::expected<std::optional<Document>, std::string> object_in_manifest(const std::filesystem::path& path,
                                                                      const std::string& handle) {
    if (const auto file = read_before().place(path, handle); !file.empty())
        if (const auto parsed = read_before().file(file))
            if (const Document* known = of_handle(**parsed, handle)) return *known;
    const auto all = read_manifest(path);
    if (!all) return tl::unexpected(all.error());
    const Document* found = of_handle(*all, handle);
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

tl::expected<std::vector<std::string>, std::string> files_beside_manifests(
    const std::filesystem::path& path) {
    auto files = files_of(path);
    if (!files) return tl::unexpected(files.error());
    return std::move(files->others);
}

}  // namespace migc::kubernetes
