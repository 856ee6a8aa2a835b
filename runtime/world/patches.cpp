#include "runtime/world/patches.hpp"

#include <algorithm>

#include "runtime/world/managers.hpp"

namespace migc::runtime::inline world {
namespace {

Object* with_key(Object& list, const char* key, const Object& item) {
    if (!list.is_array() || !item.is_object() || !item.contains(key)) return nullptr;
    const auto found = std::ranges::find_if(list, [&](const Object& one) {
        return one.is_object() && one.contains(key) && one[key] == item[key];
    });
    return found == list.end() ? nullptr : &*found;
}

const Object* with_key(const Object& list, const char* key, const Object& item) {
    return with_key(const_cast<Object&>(list), key, item);
}

Object merged_list(const Object& live, const Object& before, const Object& applied, const char* key) {
    Object result = Object::array();
    for (const Object& item : live) {
        const Object* now = with_key(applied, key, item);
        const Object* then = with_key(before, key, item);
        if (now)
            result.push_back(merged(item, then ? *then : Object(), *now));
        else if (!then)
            result.push_back(item);
    }
    for (const Object& item : applied)
        if (!with_key(live, key, item)) result.push_back(item);
    return result;
}

// What a strategic patch says about itself: {"$patch": "replace"}.
std::string directive(const Object& patch) {
    return text_at(patch, "/$patch");
}

Object strategic(const Object& live, const Object& patch, const std::string& field);

Object strategic_list(const Object& live, const Object& patch, const char* key) {
    Object result = live.is_array() ? live : Object::array();
    for (const Object& item : patch)
        if (directive(item) == "replace") result = Object::array();
    for (const Object& item : patch) {
        if (directive(item) == "replace") continue;
        Object* found = with_key(result, key, item);
        if (directive(item) == "delete") {
            if (found != nullptr) result.erase(static_cast<std::size_t>(found - &result[0]));
        } else if (found != nullptr) {
            *found = strategic(*found, item, {});
        } else {
            result.push_back(strategic(Object::object(), item, {}));
        }
    }
    return result;
}

Object strategic(const Object& live, const Object& patch, const std::string& field) {
    if (patch.is_array()) {
        const char* key = merge_key(field);
        return key ? strategic_list(live, patch, key) : patch;
    }
    if (!patch.is_object()) return patch;
    Object result = live.is_object() && directive(patch) != "replace" ? live : Object::object();
    for (const auto& [name, value] : patch.items()) {
        if (name.starts_with("$")) continue;
        if (value.is_null())
            result.erase(name);
        else
            result[name] = strategic(result.contains(name) ? result[name] : Object(), value, name);
    }
    return result;
}

}  // namespace

Object merged(const Object& live, const Object& before, const Object& applied, const std::string& field) {
    if (applied.is_array() && live.is_array()) {
        const char* key = merge_key(field);
        return key ? merged_list(live, before, applied, key) : applied;
    }
    if (!applied.is_object() || !live.is_object()) return applied;
    Object result = live;
    if (before.is_object())
        for (const auto& [name, value] : before.items())
            if (!applied.contains(name)) result.erase(name);
    for (const auto& [name, value] : applied.items()) {
        const Object then = before.is_object() && before.contains(name) ? before[name] : Object();
        result[name] = live.contains(name) ? merged(live[name], then, value, name) : value;
    }
    return result;
}

tl::expected<Object, std::string> patched(const Object& live, const std::string& type,
                                          const std::string& text) {
    const Object patch = Object::parse(text, nullptr, false);
    if (type == "json") {
        if (!patch.is_array())
            return tl::unexpected("error: unable to parse \"" + text +
                                  "\": it is not a list of operations\n");
        try {
            return live.patch(patch);
        } catch (const Object::exception&) {
            return tl::unexpected<std::string>(
                "The request is invalid: the server rejected our request due to an error in our request\n");
        }
    }
    if (!patch.is_object())
        return tl::unexpected<std::string>("error: unable to parse the patch: it is not a JSON object\n");
    if (type == "strategic") return strategic(live, patch, {});
    Object object = live;
    object.merge_patch(patch);
    return object;
}

}  // namespace migc::runtime::inline world
