#include "runtime/natives/field_owner.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "runtime/natives/reading.hpp"
#include "runtime/natives/server_side.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

std::string unescaped(std::string token) {
    for (const auto& [written, meant] : {std::pair{"~1", '/'}, std::pair{"~0", '~'}})
        for (std::size_t at = token.find(written); at != std::string::npos; at = token.find(written, at + 1))
            token.replace(at, 2, 1, meant);
    return token;
}

// Whether `k:{"name":"web"}` or `v:"a"` is how fieldsV1 names this element of a list.
bool names(const std::string& step, const json& element, const std::string& index) {
    if (step == "i:" + index) return true;
    if (!step.starts_with("k:") && !step.starts_with("v:")) return false;
    const json said = json::parse(step.substr(2), nullptr, false);
    if (step.starts_with("v:")) return said == element;
    if (!said.is_object() || said.empty()) return false;
    for (const auto& [key, value] : said.items())
        if (member(element, key) != value) return false;
    return true;
}

const json* step_into(const json& fields, const json& value, const std::string& token) {
    if (!value.is_array()) {
        const json& found = member(fields, "f:" + token);
        return found.is_null() ? nullptr : &found;
    }
    const json& element = field(value, "/" + token);
    for (const auto& [step, below] : fields.items())
        if (names(step, element, token)) return &below;
    return nullptr;
}

// Calls visit(fields, at) for what an entry has at each step of the pointer, from the second on; false ends
// it. Null where it has none of the field itself.
template <typename Visit>
const json* walk(const json& entry, const json& object, const std::string& pointer, const Visit& visit) {
    const json* fields = &field(entry, "/fieldsV1");
    const json* value = &object;
    for (std::size_t at = 0; at < pointer.size();) {
        const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
        const std::string written = pointer.substr(at + 1, end - at - 1);
        if (!fields->is_object()) return nullptr;
        if (at > 0 && !visit(*fields, at)) return fields;
        fields = step_into(*fields, *value, value->is_array() ? written : unescaped(written));
        if (fields == nullptr) return nullptr;
        value = &field(*value, "/" + written);
        at = end;
    }
    return fields->is_object() ? fields : nullptr;
}

// Whether the server keeps an owner of each part of this map or list, and not one of the whole.
bool is_owned_in_parts(const json& object, const std::string& pointer) {
    const json& entries = field(object, "/metadata/managedFields");
    return std::any_of(entries.begin(), entries.end(), [&](const json& entry) {
        const json* fields = walk(entry, object, pointer, [](const json&, std::size_t) { return true; });
        return fields != nullptr && !fields->empty();
    });
}

// What an entry has of this field and of what is below it; empty where it is the field itself, or the whole
// to which it belongs; null where it has none of it.
const json* kept_at(const json& entry, const json& object, const std::string& pointer) {
    bool has_parts_of_others = false;
    const json* found = walk(entry, object, pointer, [&](const json& fields, std::size_t at) {
        if (!fields.empty()) return true;
        // An owner of a map that is one value for the server owns all that is in it. Who owned a part once
        // that another has taken over keeps an empty map, too.
        has_parts_of_others = is_owned_in_parts(object, pointer.substr(0, at));
        return false;
    });
    return has_parts_of_others ? nullptr : found;
}

bool share_a_field(const json& some, const json& others) {
    if (some.empty() || others.empty()) return some.empty() && others.empty();
    return std::any_of(some.items().begin(), some.items().end(), [&](const auto& step) {
        const auto other = others.find(step.key());
        return step.key() != "." && other != others.end() && step.value().is_object() && other->is_object() &&
               share_a_field(step.value(), *other);
    });
}

}  // namespace

std::string field_owner(const json& object, const std::string& pointer, const std::string& ours) {
    if (!is_pointer(pointer) || pointer.empty()) return {};
    std::set<std::string> owners;
    std::set<std::string> newest;
    std::string time;
    for (const json& entry : field(object, "/metadata/managedFields")) {
        const std::string manager = text_field(entry, "/manager");
        if (manager.empty() || kept_at(entry, object, pointer) == nullptr) continue;
        owners.insert(manager);
        const std::string written = text_field(entry, "/time");
        if (written > time) newest.clear();
        if (written >= time) newest.insert(manager);
        time = std::max(time, written);
    }
    if (owners.size() == 1) return *owners.begin();
    const json& value = field(object, pointer);
    if (value.is_object() || value.is_array()) return newest.size() == 1 ? *newest.begin() : "";
    return !ours.empty() && owners.contains(ours) ? ours : "";
}

std::string other_writer(const json& object, const std::string& pointer,
                         const std::vector<std::string>& ours) {
    if (!is_pointer(pointer) || pointer.empty()) return {};
    std::vector<const json*> changed;
    std::map<std::string, const json*> others;
    std::string other, own_time, other_time;
    for (const json& entry : field(object, "/metadata/managedFields")) {
        const std::string manager = text_field(entry, "/manager");
        const json* kept = kept_at(entry, object, pointer);
        if (manager.empty() || kept == nullptr) continue;
        const std::string written = text_field(entry, "/time");
        if (std::find(ours.begin(), ours.end(), manager) != ours.end()) {
            own_time = std::max(own_time, written);
            // What is applied may be as it was; what is patched is kept only if that changed it.
            if (text_field(entry, "/operation") == "Update") changed.push_back(kept);
            continue;
        }
        if (kept->empty()) return manager;
        others[manager] = kept;
        if (written > other_time) std::tie(other, other_time) = std::tie(manager, written);
    }
    for (const auto& [manager, kept] : others)
        for (const json* own : changed)
            if (share_a_field(*own, *kept)) return manager;
    return other_time > own_time ? other : "";
}

std::string last_writer_of_all(const json& object, const std::string& pointer, const std::string& since) {
    std::string owner, own_time, other_time;
    for (const json& entry : field(object, "/metadata/managedFields")) {
        const std::string written = text_field(entry, "/time");
        if (const json* kept = kept_at(entry, object, pointer); kept != nullptr && kept->empty())
            owner = text_field(entry, "/manager"), own_time = written.empty() ? since : written;
        else if (!field(entry, "/fieldsV1/f:spec").is_null())
            other_time = std::max(other_time, written);
    }
    return own_time > other_time ? owner : "";
}

bool asks_for_writer(Host& host) {
    return !host.setting("writers").empty();
}

std::vector<std::string> own_writers(Host& host) {
    std::vector<std::string> names = {apply_manager(host), field_manager(host)};
    std::istringstream more(host.setting("own-writers"));
    for (std::string name; std::getline(more, name);) names.push_back(name);
    return names;
}

std::string writer_of(Host& host, const json& object, const std::string& pointer) {
    const std::string asked = host.setting("writers");
    if (asked == "others") {
        const std::string other = other_writer(object, pointer, own_writers(host));
        const std::string revision = host.setting("own-revision");
        if (!other.empty() || revision.empty()) return other;
        std::istringstream parts(revision);
        std::string generation, time, thing;
        parts >> generation >> time >> thing;
        const bool is_another = !thing.empty() && thing != text_field(object, "/metadata/uid");
        const bool is_same = generation == std::to_string(int_field(object, "/metadata/generation"));
        return time.empty() || is_another || is_same ? "" : last_writer_of_all(object, pointer, time);
    }
    return asked.empty() ? "" : field_owner(object, pointer, host.setting("manager"));
}

}  // namespace migc::runtime::inline natives
