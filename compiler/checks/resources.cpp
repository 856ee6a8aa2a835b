#include "compiler/checks/resources.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/checks/timeline.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

std::vector<std::string> split_at_any(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

// "prod" is production, "stage" is staging.
bool abbreviates(const std::string& word, const std::string& environment) {
    if (word == environment) return true;
    return word.size() >= 3 && word.size() < environment.size() &&
           (environment.starts_with(word) || (word == "stage" && environment == "staging"));
}

// By a folder, or a part of the file's name: k8s/production/web.yaml, web.prod.yaml, web-production.yaml.
bool path_names(const std::string& file, const std::string& environment) {
    auto folders = split_at_any(file, "/");
    const std::string name = folders.empty() ? "" : folders.back();
    if (!folders.empty()) folders.pop_back();
    for (const std::string& part : split_at_any(name, ".")) folders.push_back(part);
    const auto words = split_at_any(name, ".-_");
    return std::ranges::any_of(folders,
                               [&](const std::string& part) { return abbreviates(part, environment); }) ||
           std::ranges::find(words, environment) != words.end();
}

}  // namespace

ResourceKey ResourceKey::object(std::string_view handle) {
    return {kubernetes::plain_handle(handle),
            handle.find('/') == std::string_view::npos ? Of::Other : Of::Object};
}

std::string ResourceKey::type() const {
    return of == Of::Object ? text.substr(0, text.find('/')) : "";
}

std::string ResourceKey::name() const {
    const bool is_alone = of == Of::Terraform || of == Of::Other;
    return is_alone ? text : text.substr(text.find(of == Of::Object ? '/' : ' ') + 1);
}

bool holds_data(const ResourceKey& thing) {
    return kubernetes::holds_data(thing.type());
}

bool is_live(const ResourceKey& thing) {
    return thing.of != ResourceKey::Of::File && thing.of != ResourceKey::Of::Image;
}

std::string in_words(const std::set<ResourceKey>& things) {
    constexpr std::size_t most = 4;
    const auto end = std::next(things.begin(), static_cast<std::ptrdiff_t>(std::min(things.size(), most)));
    std::string text = fmt::format("{}", fmt::join(things.begin(), end, ", "));
    return things.size() > most ? fmt::format("{} and {} more", text, things.size() - most) : text;
}

std::optional<std::size_t> file_in(const ir::Probe& probe) {
    if (probe.role.role == ir::Role::Value) return 1;
    return probe.role.role == ir::Role::Content ? std::optional<std::size_t>(0) : std::nullopt;
}

ResourceKey Resources::thing(const ResourceRef& resource) const {
    const auto& names = resource.type == "service" ? inventory_.services : inventory_.workloads;
    const bool has_alias = resource.type == "service" || resource.type == "workload";
    if (const auto alias = names.find(resource.name); has_alias && alias != names.end())
        return ResourceKey::object(alias->second);
    if (resource.type == "object" || resource.name.find('/') != std::string::npos)
        return ResourceKey::object(resource.name);
    const auto* type =
        first_of(program_.resource_types, [&](const ir::ResourceType& t) { return t.name == resource.type; });
    constexpr std::string_view slot = "${name}";
    if (type != nullptr)
        if (const auto at = type->written_as.find(slot); at != std::string::npos) {
            std::string written = type->written_as;
            return ResourceKey::object(written.replace(at, slot.size(), resource.name));
        }
    return {fmt::format("{} {}", resource.type, resource.name), ResourceKey::Of::Other};
}

std::set<ResourceKey> Resources::things_of(const ir::Probe& probe,
                                           const std::vector<std::optional<Value>>& arguments,
                                           const std::vector<std::optional<Value>>& role) const {
    const bool by_handle = semantics::names_by_handle(probe.role.role);
    const bool may_be = probe.role.role == ir::Role::Permanence || probe.role.role == ir::Role::Version;
    const auto* handle = by_handle || may_be ? text_in(role, 0) : nullptr;
    if (handle != nullptr) return {ResourceKey::object(*handle)};
    std::set<ResourceKey> things;
    if (by_handle) return things;
    if (const auto file = file_in(probe)) add_things(things, ir::TypeKind::Path, role.at(*file));
    for (std::size_t i = 0; i < arguments.size() && i < probe.parameters.size(); ++i)
        add_things(things, probe.parameters[i].type.kind, arguments[i]);
    return things;
}

void Resources::add_things(std::set<ResourceKey>& things, ir::TypeKind type,
                           const std::optional<Value>& argument) const {
    if (type == ir::TypeKind::Plan) things.insert(ResourceKey::terraform());
    if (!argument) return;
    if (const auto* list = argument->get_if<List>())
        for (const Value& item : *list)
            if (const auto* resource = item.get_if<ResourceRef>()) things.insert(thing(*resource));
    if (const auto* resource = argument->get_if<ResourceRef>()) things.insert(thing(*resource));
    const auto* text = argument->get_if<std::string>();
    if (text == nullptr) return;
    if (type == ir::TypeKind::Path)
        things.insert(ResourceKey::file(std::filesystem::path(*text).lexically_normal().generic_string()));
    if (type == ir::TypeKind::Url) things.insert(ResourceKey::url(*text));
    if (type == ir::TypeKind::Image) things.insert(ResourceKey::image(*text));
}

const Object* Resources::applied(const std::string& path, const ResourceKey& thing,
                                 const std::string& environment) {
    Applied& applied = applied_[path];
    if (applied.files.empty()) {
        applied.files = manifests_.files_of(path);
        for (const Object* object : manifests_.of(path)) applied.objects.emplace(object->thing, object);
    }
    if (applied.environments.insert(environment).second)
        for (const std::string& file : applied.files) appliers_[file].insert(environment);
    const auto found = applied.objects.find(thing);
    return found == applied.objects.end() ? nullptr : found->second;
}

const std::set<std::string>& Resources::named_by(const std::string& file) const {
    const auto [entry, is_new] = named_.try_emplace(file);
    if (is_new)
        for (const auto& environment : inventory_.environments)
            if (path_names(file, environment.name)) entry->second.insert(environment.name);
    return entry->second;
}

bool Resources::is_of(const Object& object, const std::string& environment) const {
    const auto applied = appliers_.find(object.file);
    if (applied != appliers_.end() && applied->second.contains(environment)) return true;
    const auto& named = named_by(object.file);
    if (!named.empty()) return named.contains(environment);
    if (applied != appliers_.end()) return false;
    // Where no manifest has the environment's own namespace, namespaces do not tell environments apart.
    const auto* own = inventory_.environment(environment);
    const std::string name_space = text_field(object.json, "/metadata/namespace");
    if (name_space.empty() || own == nullptr || !own->name_space || name_space == *own->name_space)
        return true;
    const auto& all = inventory_.environments;
    const bool is_anothers =
        std::ranges::any_of(all, [&](const auto& one) { return one.name_space == name_space; });
    return !is_anothers || !namespaces().contains(*own->name_space);
}

const std::set<std::string>& Resources::namespaces() const {
    if (!namespaces_) {
        namespaces_.emplace();
        for (const Object* object : manifests_.all())
            if (std::string name = text_field(object->json, "/metadata/namespace"); !name.empty())
                namespaces_->insert(std::move(name));
    }
    return *namespaces_;
}

Manifests::Objects Resources::of_environment(const Manifests::Objects& objects,
                                             const std::string& environment) const {
    Manifests::Objects found;
    for (const Object* object : objects)
        if (is_of(*object, environment)) found.push_back(object);
    return found;
}

}  // namespace migc::checks
