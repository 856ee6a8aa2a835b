#include "runtime/evaluate/effect.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "compiler/ir/compare.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::runtime::inline evaluation {
namespace {

using nlohmann::json;

const json* object_in(const Value& value) {
    const auto* data = value.get_if<Json>();
    return data != nullptr && *data && (*data)->is_object() ? data->get() : nullptr;
}

// To a server, a field that is missing and one that is null are the same.
const json& member(const json& object, const std::string& key) {
    static const json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

// Whether `now` is as `wanted` in every field in which `wanted` is not as `other`.
bool agrees(const json& wanted, const json& other, const json& now) {
    if (wanted == other) return true;
    const auto is_part = [](const json& value) { return value.is_object() || value.is_null(); };
    const bool leaf = !is_part(wanted) || !is_part(other) || (wanted.is_null() && !other.is_object()) ||
                      (wanted.empty() && other.empty());
    if (leaf) return now == wanted;
    const auto same_there = [&](const json& keys) {
        if (!keys.is_object()) return true;
        return std::all_of(keys.items().begin(), keys.items().end(), [&](const auto& item) {
            return agrees(member(wanted, item.key()), member(other, item.key()), member(now, item.key()));
        });
    };
    return same_there(wanted) && same_there(other);
}

std::string first_other(const json& before, const json& declared, const json& now) {
    for (const auto& [key, value] : now.items()) {
        const json &then = member(before, key), &wanted = member(declared, key);
        if (value == then || value == wanted) continue;
        const std::string here = "/" + pointer_token(key);
        if (!value.is_object() || (!then.is_object() && !wanted.is_object())) return here;
        if (const std::string below = first_other(then, wanted, value); !below.empty()) return here + below;
    }
    return {};
}

}  // namespace

std::string part_of_others(const Value& before, const Value& declared, const Value& now) {
    const json* found = object_in(now);
    const json *prior = object_in(before), *wanted = object_in(declared);
    if (found == nullptr || wanted == nullptr) return {};
    return first_other(prior == nullptr ? json() : *prior, *wanted, *found);
}

bool has_become(const Value& before, const Value& declared, const Value& now) {
    const json* wanted = object_in(declared);
    const json* found = object_in(now);
    if (wanted == nullptr || found == nullptr) return equal(declared, now);
    const json* prior = object_in(before);
    return agrees(*wanted, prior == nullptr ? json() : *prior, *found);
}

bool is_as_before(const Value& before, const Value& declared, const Value& now) {
    const json* prior = object_in(before);
    const json* found = object_in(now);
    const json* wanted = object_in(declared);
    if (prior == nullptr || found == nullptr || wanted == nullptr) return equal(before, now);
    return agrees(*prior, *wanted, *found);
}

}  // namespace migc::runtime::inline evaluation
