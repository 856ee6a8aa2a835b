#include "compiler/checks/manifests.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "compiler/checks/timeline.hpp"
#include "compiler/documents/document.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_files = 500;
constexpr const char* usual_folders[] = {"k8s", "kubernetes", "manifests", "deploy"};

bool is_manifest(const fs::path& path) {
    const std::string ending = path.extension().string();
    return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

std::optional<std::string> content(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > documents::size_limit) return {};
    std::ifstream stream(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    return stream ? std::optional(std::move(text)) : std::nullopt;
}

// A file of one document reads as that; one of several as their list.
std::vector<json> documents_of(const std::string& text, documents::Format format) {
    std::vector<json> result;
    const auto whole = documents::read(text, format, "");
    if (!whole || !whole->value) return result;
    if (!whole->value->is_array()) return {*whole->value};
    for (const json& one : *whole->value) result.push_back(one);
    return result;
}

std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (at->is_regular_file(error) && is_manifest(at->path())) found.push_back(at->path());
        if (found.size() == most_files) break;
    }
    std::sort(found.begin(), found.end());
    return found;
}

// Whether a pod template names a ConfigMap or Secret anywhere a pod reads one from.
bool reads(const json& part, const std::string& kind, const std::string& name) {
    static const std::map<std::string, std::vector<std::pair<std::string, std::string>>> references = {
        {"configmap", {{"configMapRef", "name"}, {"configMapKeyRef", "name"}, {"configMap", "name"}}},
        {"secret", {{"secretRef", "name"}, {"secretKeyRef", "name"}, {"secret", "secretName"}}},
    };
    const auto wanted = references.find(kind);
    if (wanted == references.end()) return false;
    if (part.is_object())
        for (const auto& [key, field] : wanted->second)
            if (part.contains(key) && part[key].is_object() && part[key].value(field, json()) == name)
                return true;
    return part.is_structured() &&
           std::any_of(part.begin(), part.end(), [&](const json& inner) { return reads(inner, kind, name); });
}

// As one would type it where migc was started.
std::string shown(const fs::path& path) {
    std::error_code error;
    const fs::path relative = fs::proximate(path, error);
    return error ? path.string() : relative.string();
}

}  // namespace

std::string text_at(const json& object, const char* pointer) {
    const json::json_pointer place(pointer);
    return object.contains(place) && object[place].is_string() ? object[place].get<std::string>() : "";
}

const std::vector<Object>& Manifests::file(const fs::path& full) const {
    const std::string name = full.lexically_relative(root_).generic_string();
    const auto [entry, is_new] = files_.try_emplace(name);
    if (!is_new) return entry->second;
    const auto format = documents::format_of(name);
    auto text = format && is_manifest(full) ? content(full) : std::nullopt;
    if (!text) return entry->second;
    std::size_t number = 0;
    for (json& document : documents_of(*text, *format)) {
        const std::string kind = document.is_object() ? text_at(document, "/kind") : "";
        const std::string object = kind.empty() ? "" : text_at(document, "/metadata/name");
        if (!object.empty())
            entry->second.push_back(
                {object_thing(fmt::format("{}/{}", kind, object)), name, std::move(document), number});
        ++number;
    }
    texts_[name] = {std::nullopt, std::move(*text)};
    return entry->second;
}

std::vector<const Object*> Manifests::of(const std::string& path) const {
    std::error_code error;
    const fs::path full = (root_ / path).lexically_normal();
    std::vector<const Object*> found;
    for (const fs::path& one :
         fs::is_directory(full, error) ? files_below(full) : std::vector<fs::path>{full})
        for (const Object& object : file(one)) found.push_back(&object);
    return found;
}

const std::vector<const Object*>& Manifests::all() const {
    if (all_) return *all_;
    std::error_code error;
    for (const char* folder : usual_folders)
        if (fs::is_directory(root_ / folder, error))
            for (const fs::path& one : files_below(root_ / folder)) file(one);
    all_.emplace();
    for (const auto& [name, objects] : files_)
        for (const Object& object : objects) all_->push_back(&object);
    return *all_;
}

const std::vector<const Object*>& Manifests::declaring(const std::string& thing) const {
    static const std::vector<const Object*> none;
    if (!by_name_) {
        by_name_.emplace();
        for (const Object* object : all()) (*by_name_)[object->thing].push_back(object);
    }
    const auto found = by_name_->find(thing);
    return found == by_name_->end() ? none : found->second;
}

std::vector<const Object*> Manifests::readers(const std::string& thing) const {
    const auto slash = thing.find('/');
    std::vector<const Object*> found;
    if (slash == std::string::npos) return found;
    for (const Object* object : all()) {
        static const json::json_pointer pods("/spec/template/spec");
        if (object->json.contains(pods) &&
            reads(object->json[pods], thing.substr(0, slash), thing.substr(slash + 1)))
            found.push_back(object);
    }
    return found;
}

Span Manifests::span(const Object& object, const std::string& pointer) const {
    auto& [id, text] = texts_.at(object.file);
    if (!id) id = sources_.add(shown(root_ / object.file), text);
    const auto format = documents::format_of(object.file);
    const bool several = file(root_ / object.file).size() > 1 || object.document > 0;
    const auto found =
        documents::read(text, *format, several ? fmt::format("/{}{}", object.document, pointer) : pointer);
    if (!found || !found->value) return {*id, 0, 0};
    const std::size_t end = std::min(found->range.end, documents::line_end(text, found->range.begin));
    return {*id, static_cast<std::uint32_t>(found->range.begin), static_cast<std::uint32_t>(end)};
}

}  // namespace migc::checks
