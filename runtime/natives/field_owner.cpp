#include "runtime/natives/field_owner.hpp"

#include <set>

#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

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
    if (!said.is_object() || said.empty() || !element.is_object()) return false;
    for (const auto& [key, value] : said.items())
        if (!element.contains(key) || element.at(key) != value) return false;
    return true;
}

const json* step_into(const json& fields, const json& value, const std::string& token) {
    if (!value.is_array()) {
        const auto found = fields.find("f:" + token);
        return found == fields.end() ? nullptr : &*found;
    }
    const json& element = field(value, "/" + token);
    for (const auto& [step, below] : fields.items())
        if (names(step, element, token)) return &below;
    return nullptr;
}

// Whether an entry's fields have this one, a part of it, or the whole to which it belongs.
bool has_field(const json& entry, const json& object, const std::string& pointer) {
    const json* fields = &field(entry, "/fieldsV1");
    const json* value = &object;
    for (std::size_t at = 0; at < pointer.size();) {
        const std::size_t end = std::min(pointer.find('/', at + 1), pointer.size());
        const std::string written = pointer.substr(at + 1, end - at - 1);
        if (!fields->is_object()) return false;
        // An owner of a map or a list that is one value for the server owns all that is in it.
        if (fields->empty() && at > 0) return true;
        fields = step_into(*fields, *value, value->is_array() ? written : unescaped(written));
        if (fields == nullptr) return false;
        value = &field(*value, "/" + written);
        at = end;
    }
    return true;
}

}  // namespace

std::string field_owner(const json& object, const std::string& pointer, const std::string& ours) {
    if (!is_pointer(pointer) || pointer.empty()) return {};
    std::set<std::string> owners;
    std::set<std::string> newest;
    std::string time;
    for (const json& entry : field(object, "/metadata/managedFields")) {
        const std::string manager = text_field(entry, "/manager");
        if (manager.empty() || !has_field(entry, object, pointer)) continue;
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

bool asks_for_writer(Host& host) {
    return host.setting("writers") == "yes";
}

std::string writer_of(Host& host, const json& object, const std::string& pointer) {
    return asks_for_writer(host) ? field_owner(object, pointer, host.setting("manager")) : "";
}

}  // namespace migc::runtime
