#include "runtime/natives/managed_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr const char* last_applied_step = "f:kubectl.kubernetes.io/last-applied-configuration";

// A node without children stands for the field itself, as does its member ".".
bool is_member(const json& node) {
    return node.is_object() && (node.empty() || node.contains("."));
}

void add_fields(json& all, const json& fields) {
    if (!fields.is_object()) return;
    if (!all.is_object()) {
        all = fields;
        return;
    }
    const bool member = is_member(all) || is_member(fields);
    for (const auto& [step, node] : fields.items()) add_fields(all[step], node);
    if (member && !all.empty()) all["."] = json::object();
}

bool has_these_keys(const json& item, const json& keys) {
    return item.is_object() && std::all_of(keys.items().begin(), keys.items().end(), [&](const auto& key) {
               const auto found = item.find(key.key());
               return found == item.end() ? key.key() == "protocol" : *found == key.value();
           });
}

// The part of a value that a step of FieldsV1 leads to; null if there is none.
template <typename Json>
Json* part_at(Json& value, const std::string& step) {
    const std::string name = step.size() > 2 ? step.substr(2) : "";
    if (step.starts_with("f:")) {
        const auto found = value.is_object() ? value.find(name) : value.end();
        return found != value.end() ? &*found : nullptr;
    }
    if (!value.is_array()) return nullptr;
    const json wanted = json::parse(name, nullptr, false);
    for (auto& item : value)
        if (step.starts_with("k:") ? has_these_keys(item, wanted) : step.starts_with("v:") && item == wanted)
            return &item;
    return nullptr;
}

// The part is one of the value's own.
void erase_part(json& value, const std::string& step, const json* part) {
    if (value.is_object())
        value.erase(step.substr(2));
    else
        value.erase(static_cast<std::size_t>(part - &value[0]));
}

// Whether the value itself is to go; what is below it has gone already.
bool prune_fields(json& value, const json& fields, const json& kept, bool& changed) {
    for (const auto& [step, node] : fields.items()) {
        if (step == ".") continue;
        json* part = part_at(value, step);
        if (part == nullptr || !prune_fields(*part, node, member(kept, step), changed)) continue;
        erase_part(value, step, part);
        changed = true;
    }
    return is_member(fields) && kept.is_null();
}

json set_difference(const json& fields, const json& other) {
    if (other.is_null()) return fields;
    json result;
    for (const auto& [step, node] : fields.items()) {
        if (step == ".") continue;
        json rest = set_difference(node, member(other, step));
        if (!rest.is_null()) result[step] = std::move(rest);
    }
    if (is_member(fields) && !is_member(other)) {
        if (result.is_null())
            result = json::object();
        else
            result["."] = json::object();
    }
    return result;
}

// A number is written in several ways: 1000m is 1.
bool means_the_same(const json& a, const json& b) {
    if (a == b) return true;
    const auto text = [](const json& value) {
        return value.is_string()   ? value.get<std::string>()
               : value.is_number() ? value.dump()
                                   : std::string();
    };
    const auto one = parse_quantity(text(a));
    const auto other = parse_quantity(text(b));
    return one && other && one->amount == other->amount;
}

std::string step_shown(const std::string& step) {
    if (step.starts_with("f:")) return "." + step.substr(2);
    if (!step.starts_with("k:")) return fmt::format("[={}]", step.substr(2));
    std::vector<std::string> keys;
    const json named = json::parse(step.substr(2), nullptr, false);
    for (const auto& [key, value] : named.items()) keys.push_back(key + "=" + value.dump());
    return fmt::format("[{}]", fmt::join(keys, ","));
}

const json* value_below(const json* value, const std::string& step) {
    return value == nullptr ? nullptr : part_at(*value, step);
}

bool differ_there(const json* a, const json* b) {
    return (a == nullptr) != (b == nullptr) || (a != nullptr && !means_the_same(*a, *b));
}

void find_edited(const json& fields, const std::string& shown, const json* applied, const json* live,
                 const json* after, std::vector<std::string>& found) {
    if (fields.empty() && differ_there(live, after) && differ_there(live, applied)) found.push_back(shown);
    for (const auto& [step, node] : fields.items())
        if (step != ".")
            find_edited(node, shown + step_shown(step), value_below(applied, step), value_below(live, step),
                        value_below(after, step), found);
}

bool is_by_apply(const json& entry) {
    return text_field(entry, "/operation") == "Apply";
}

bool keeps_note_of_kubectl(const json& entry) {
    const json& annotations = member(member(member(entry, "fieldsV1"), "f:metadata"), "f:annotations");
    return !is_by_apply(entry) && !member(annotations, last_applied_step).is_null();
}

// The fields of a set that a value has; null if there are none.
json fields_had(const json& fields, const json* value) {
    if (value == nullptr) return {};
    json result;
    for (const auto& [step, node] : fields.items()) {
        if (step == ".") continue;
        json had = fields_had(node, part_at(*value, step));
        if (!had.is_null()) result[step] = std::move(had);
    }
    if (!is_member(fields)) return result;
    if (result.is_null()) return json::object();
    result["."] = json::object();
    return result;
}

// What somebody applied of what `kubectl apply` keeps: the server ascribes its own defaults to it as well,
// and those must not go only because no manifest says them. kubectl's note stays as it is, and nobody keeps
// it.
json really_applied(json fields, const json& applied) {
    const json::json_pointer metadata("/f:metadata");
    const json::json_pointer annotations("/f:metadata/f:annotations");
    if (fields.contains(annotations)) {
        json& set = fields[annotations];
        set.erase(last_applied_step);
        set.erase(".");
        if (set.empty()) fields[metadata].erase("f:annotations");
        if (fields[metadata].empty()) fields.erase("f:metadata");
    }
    json had = fields_had(fields, &applied);
    return had.is_null() ? json::object() : had;
}

// "migc:shop:2026-01-10-1" of "migc:shop": a single run of the project. Of no project there is no part.
bool is_part_of(const std::string& name, const std::string& manager) {
    return manager.find(':') != std::string::npos && name.starts_with(manager + ":");
}

// One entry of `metadata.managedFields` goes over into the manager's own.
void pass_over(Takeover& takeover, json& own, const json& entry, const std::string& manager,
               const json& applied) {
    const bool client_side = keeps_note_of_kubectl(entry);
    const json fields = client_side ? really_applied(entry["fieldsV1"], applied) : entry["fieldsV1"];
    const std::string name = text_field(entry, "/manager");
    if (std::find(takeover.from.begin(), takeover.from.end(), name) == takeover.from.end())
        takeover.from.push_back(name);
    if (fields.empty()) return;
    add_fields(takeover.fields, fields);
    if (client_side) add_fields(takeover.client_side, fields);
    if (own.is_null()) {
        own = entry;
        own["manager"] = manager;
        own["operation"] = "Apply";
        own["fieldsV1"] = fields;
    } else if (own["apiVersion"] == entry["apiVersion"]) {
        // Fields that were kept under another version are named otherwise; kubectl itself lets go of those.
        add_fields(own["fieldsV1"], fields);
    }
}

}  // namespace

Takeover takeover_by(const json& object, const std::string& manager,
                     const std::vector<std::string>& own_names) {
    Takeover takeover;
    takeover.entries = json::array();
    json own;
    std::vector<json> passing;
    for (const auto& entry : field(object, "/metadata/managedFields")) {
        const std::string name = text_field(entry, "/manager");
        const bool whole = text_field(entry, "/subresource").empty() && member(entry, "fieldsV1").is_object();
        const bool client_side = whole && keeps_note_of_kubectl(entry);
        if (client_side && !name.starts_with("kubectl")) takeover.stranger = name;
        if (whole && name == manager && is_by_apply(entry)) {
            own = entry;
        } else if (whole && (client_side || name == manager || is_part_of(name, manager) ||
                             std::find(own_names.begin(), own_names.end(), name) != own_names.end())) {
            passing.push_back(entry);
        } else {
            takeover.entries.push_back(entry);
            add_fields(takeover.others, member(entry, "fieldsV1"));
        }
    }
    const json applied = json::parse(text_field(object, last_applied_note), nullptr, false);
    for (const json& entry : passing) pass_over(takeover, own, entry, manager, applied);
    if (!own.is_null()) takeover.entries.push_back(std::move(own));
    return takeover;
}

std::string other_applier(const json& object, const std::string& manager) {
    for (const auto& entry : field(object, "/metadata/managedFields"))
        if (is_by_apply(entry) && text_field(entry, "/subresource").empty() &&
            text_field(entry, "/manager") != manager)
            return text_field(entry, "/manager");
    return {};
}

json applied_fields(const json& object, const std::string& manager) {
    for (const auto& entry : field(object, "/metadata/managedFields"))
        if (text_field(entry, "/manager") == manager && is_by_apply(entry)) return member(entry, "fieldsV1");
    return json::object();
}

json fields_without(const json& fields, const std::vector<json>& others) {
    json rest = fields;
    for (const json& other : others)
        if (!rest.is_null()) rest = set_difference(rest, other);
    return rest;
}

bool take_out(json& object, const json& fields, const std::vector<json>& kept) {
    json all;
    for (const json& one : kept) add_fields(all, one);
    bool changed = false;
    if (fields.is_object()) prune_fields(object, fields, all, changed);
    return changed;
}

std::vector<std::string> edited_fields(const json& fields, const json& applied, const json& live,
                                       const json& after) {
    std::vector<std::string> found;
    if (fields.is_object() && !fields.empty()) find_edited(fields, "", &applied, &live, &after, found);
    return found;
}

}  // namespace migc::runtime::inline natives
