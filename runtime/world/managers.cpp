#include "runtime/world/managers.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/support/text.hpp"

namespace migc::runtime::inline world {
namespace {

using Path = std::vector<std::string>;
using Leaves = std::map<Path, Object>;

// These maps are one value for the server: who writes one key of them writes all.
bool is_atomic(const std::string& field) {
    return field == "selector" || field == "nodeSelector" || field == "matchLabels";
}

bool is_books(const Path& path) {
    if (path.size() == 1) return path[0] == "f:apiVersion" || path[0] == "f:kind" || path[0] == "f:status";
    return path.size() == 2 && path[0] == "f:metadata" &&
           listed(
               "f:name f:namespace f:uid f:generation f:resourceVersion f:creationTimestamp f:selfLink "
               "f:managedFields",
               path[1]);
}

Path below(Path path, const std::string& step) {
    path.push_back(step);
    return path;
}

bool has_named_items(const Object& list, const char* key) {
    return key != nullptr && list.is_array() && !list.empty() &&
           std::ranges::all_of(list, [&](const Object& item) { return item.contains(key); });
}

void collect(const Object& value, const std::string& field, const Path& path, Leaves& leaves) {
    if (is_books(path)) return;
    if (const char* key = merge_key(field); has_named_items(value, key)) {
        for (const Object& item : value) {
            const Path one = below(path, "k:" + Object{{key, item[key]}}.dump());
            leaves[below(one, ".")] = Object();
            collect(item, {}, one, leaves);
        }
        return;
    }
    if (!value.is_object() || value.empty() || (is_atomic(field) && path.size() > 1)) {
        leaves[path] = value;
        return;
    }
    for (const auto& [name, one] : value.items()) collect(one, name, below(path, "f:" + name), leaves);
}

Leaves leaves_of(const Object& object) {
    Leaves leaves;
    if (object.is_object() && !object.empty()) collect(object, {}, {}, leaves);
    return leaves;
}

// `.spec.template.spec.containers[name="web"].image`
std::string field_shown(const Path& path) {
    std::string text;
    for (const std::string& step : path) {
        if (step.starts_with("f:")) text += "." + step.substr(2);
        if (!step.starts_with("k:")) continue;
        std::vector<std::string> parts;
        const Object keys = Object::parse(step.substr(2));
        for (const auto& [key, value] : keys.items()) parts.push_back(key + "=" + value.dump());
        text += fmt::format("[{}]", fmt::join(parts, ","));
    }
    return text;
}

// The item of a list that a step such as `k:{"name":"web"}` leads to.
Object* item_of(Object& list, const std::string& step) {
    if (!list.is_array() || !step.starts_with("k:")) return nullptr;
    const Object keys = Object::parse(step.substr(2), nullptr, false);
    for (Object& item : list)
        if (has_labels(item, keys)) return &item;
    return nullptr;
}

// Takes a field out, and what holds nothing any more without it.
void take_out(Object& object, const Path& path, std::size_t at) {
    const std::string& step = path[at];
    const bool is_field = step.starts_with("f:");
    const std::string name = step.substr(std::min<std::size_t>(2, step.size()));
    if (is_field && !(object.is_object() && object.contains(name))) return;
    Object* below = is_field ? &object[name] : item_of(object, step);
    if (below == nullptr) return;
    const bool last = at + 1 == path.size() || path[at + 1] == ".";
    if (!last) take_out(*below, path, at + 1);
    if (!last && !below->empty()) return;
    if (is_field)
        object.erase(name);
    else
        object.erase(static_cast<std::size_t>(below - &object[0]));
}

// Whether one of the fields is this one, or a part of it.
bool keeps_below(const std::set<Path>& fields, Path path) {
    if (path.back() == ".") path.pop_back();
    const auto found = fields.lower_bound(path);
    return found != fields.end() && found->size() >= path.size() &&
           std::equal(path.begin(), path.end(), found->begin());
}

void collect_fields(const Object& node, const Path& path, std::set<Path>& fields) {
    if (node.empty() && !path.empty()) fields.insert(path);
    for (const auto& [step, inner] : node.items()) {
        // Of a map or a list as a whole there is no entry here; of an item of a list there is one.
        if (step == "." && !(path.empty() || path.back().starts_with("k:"))) continue;
        collect_fields(inner, below(path, step), fields);
    }
}

}  // namespace

const char* merge_key(const std::string& field) {
    if (listed("containers initContainers volumes env imagePullSecrets", field)) return "name";
    if (field == "volumeMounts") return "mountPath";
    return nullptr;
}

bool FieldManagers::Entry::is_of(const Writer& writer) const {
    return manager == writer.manager && subresource == writer.subresource &&
           applies == (writer.applied != nullptr);
}

FieldManagers::Entry& FieldManagers::entry_of(const Writer& writer) {
    const auto found =
        std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.is_of(writer); });
    if (found != entries_.end()) return *found;
    return entries_.emplace_back(
        Entry{writer.manager, writer.subresource, writer.applied != nullptr, {}, {}});
}

void FieldManagers::note(const Object& before, const Object& after, const Writer& writer,
                         const std::string& time) {
    const Leaves was = leaves_of(before);
    const Leaves is = leaves_of(after);
    std::set<Path> changed;
    for (const auto& [path, value] : is)
        if (const auto old = was.find(path); old == was.end() || old->second != value) changed.insert(path);
    for (Entry& entry : entries_)
        std::erase_if(entry.fields, [&](const Path& path) {
            const bool gone = was.contains(path) && !is.contains(path);
            return gone || (!entry.is_of(writer) && changed.contains(path));
        });
    if (writer.applied != nullptr || !changed.empty()) {
        Entry& entry = entry_of(writer);
        std::set<Path> fields = writer.applied ? std::set<Path>() : entry.fields;
        if (writer.applied == nullptr) fields.insert(changed.begin(), changed.end());
        for (const auto& [path, value] : leaves_of(writer.applied ? *writer.applied : Object()))
            fields.insert(path);
        if (fields != entry.fields || !changed.empty()) entry.time = time;
        entry.fields = std::move(fields);
    }
    std::erase_if(entries_, [](const Entry& entry) { return entry.fields.empty(); });
}

Object FieldManagers::shown(const std::string& api_version) const {
    Object list = Object::array();
    for (const Entry& entry : entries_) {
        Object fields = Object::object();
        for (const Path& path : entry.fields) {
            Object* at = &fields;
            for (const std::string& step : path) {
                at = &(*at)[step];
                if (at->is_null()) *at = Object::object();
            }
        }
        Object one = {{"apiVersion", api_version},
                      {"fieldsType", "FieldsV1"},
                      {"fieldsV1", std::move(fields)},
                      {"manager", entry.manager},
                      {"operation", entry.applies ? "Apply" : "Update"}};
        // As the real server does: of what `scale` has written it keeps no time.
        if (entry.subresource != "scale") one["time"] = entry.time;
        if (!entry.subresource.empty()) one["subresource"] = entry.subresource;
        list.push_back(std::move(one));
    }
    return list;
}

Object FieldManagers::without_dropped(Object live, const Object& applied, const std::string& manager) const {
    const Leaves now = leaves_of(applied);
    for (const Entry& entry : entries_) {
        if (entry.manager != manager || !entry.applies) continue;
        for (const Path& path : entry.fields) {
            const bool kept = std::ranges::any_of(entries_, [&](const Entry& other) {
                return &other != &entry && keeps_below(other.fields, path);
            });
            if (!now.contains(path) && !kept) take_out(live, path, 0);
        }
    }
    return live;
}

void FieldManagers::assign(const Object& shown) {
    entries_.clear();
    for (const Object& one : shown) {
        Entry entry{text_at(one, "/manager"),
                    text_at(one, "/subresource"),
                    text_at(one, "/operation") == "Apply",
                    text_at(one, "/time"),
                    {}};
        collect_fields(object_at(one, "/fieldsV1"), {}, entry.fields);
        if (!entry.fields.empty()) entries_.push_back(std::move(entry));
    }
}

bool FieldManagers::same_fields(const FieldManagers& other) const {
    return std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
                      [](const Entry& a, const Entry& b) {
                          return a.manager == b.manager && a.subresource == b.subresource &&
                                 a.applies == b.applies && a.fields == b.fields;
                      });
}

std::string FieldManagers::conflicts(const Object& live, const Object& applied, const std::string& manager,
                                     const std::string& api_version) const {
    const Leaves has = leaves_of(live);
    std::map<std::string, std::vector<std::string>> by_manager;
    std::size_t count = 0;
    for (const auto& [path, value] : leaves_of(applied)) {
        const auto now = has.find(path);
        if (now == has.end() || now->second == value) continue;
        for (const Entry& entry : entries_) {
            if ((entry.manager == manager && entry.applies) || !entry.fields.contains(path)) continue;
            std::string who = fmt::format("\"{}\"", entry.manager);
            if (!entry.subresource.empty()) who += fmt::format(" with subresource \"{}\"", entry.subresource);
            if (!entry.applies) who += " using " + api_version;
            by_manager[who].push_back(field_shown(path));
            ++count;
        }
    }
    if (count == 0) return {};
    if (count == 1)
        return fmt::format("Apply failed with 1 conflict: conflict with {}: {}", by_manager.begin()->first,
                           by_manager.begin()->second.front());
    std::vector<std::string> parts;
    for (const auto& [who, fields] : by_manager)
        parts.push_back(fmt::format("conflicts with {}:\n- {}", who, fmt::join(fields, "\n- ")));
    return fmt::format("Apply failed with {} conflicts: {}", count, fmt::join(parts, "\n"));
}

}  // namespace migc::runtime::inline world
