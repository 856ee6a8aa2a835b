// Who wrote which field of an object last, as the API server keeps it in `metadata.managedFields`.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/world/json.hpp"

namespace migc::runtime::inline world {

// Whose write it is. Whatever has no other writer is written by a controller.
struct Writer {
    std::string manager = "kube-controller-manager";
    std::string subresource = {};
    const Object* applied = nullptr;  // by server-side apply: what was applied; else null
};

// The key by which the server tells the items of a list field apart ("name" of containers); null where the
// list is one value.
const char* merge_key(const std::string& field);

class FieldManagers {
  public:
    // The object has become `after`: what changed in it belongs to the writer from now on, and what the
    // writer applied.
    void note(const Object& before, const Object& after, const Writer& writer, const std::string& time);
    // As `metadata.managedFields` shows it.
    [[nodiscard]] Object shown(const std::string& api_version) const;
    // The fields that `manager` would take from others if it applied this, as the server words it:
    // `Apply failed with 1 conflict: conflict with "a" using v1: .data.x`. Empty if there are none.
    [[nodiscard]] std::string conflicts(const Object& live, const Object& applied, const std::string& manager,
                                        const std::string& api_version) const;
    // The object without what `manager` applied before and does not apply now, unless others keep it too.
    [[nodiscard]] Object without_dropped(Object live, const Object& applied,
                                         const std::string& manager) const;
    // As somebody has written it into `metadata.managedFields`.
    void assign(const Object& shown);
    // Whether the same managers have the same fields, whenever they wrote them.
    [[nodiscard]] bool same_fields(const FieldManagers& other) const;
    [[nodiscard]] bool empty() const { return entries_.empty(); }

  private:
    // The steps of fieldsV1 from the top: "f:spec", "f:containers", `k:{"name":"web"}`, "f:image".
    using Path = std::vector<std::string>;
    struct Entry {
        std::string manager;
        std::string subresource;
        bool applies = false;
        std::string time;
        std::set<Path> fields;

        [[nodiscard]] bool is_of(const Writer& writer) const;
    };

    Entry& entry_of(const Writer& writer);

    std::vector<Entry> entries_;
};

}  // namespace migc::runtime::inline world
