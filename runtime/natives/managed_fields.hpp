// Who keeps which field of an object: `metadata.managedFields`, as the server shows it where it is asked for.
// A set of fields is one in the server's own form (FieldsV1): {"f:spec": {"f:replicas": {}}}.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace migc::runtime::inline natives {

// Where `kubectl apply` without --server-side notes what it was given.
constexpr const char* last_applied_note =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

// Which fields pass to a manager that applies an object, because those who kept them before applied it for
// the same people: an earlier migc, which called itself `migc` everywhere, and `kubectl apply` without
// --server-side.
struct Takeover {
    std::vector<std::string> from;  // the managers; empty: nothing is to be taken over
    nlohmann::json entries;         // `metadata.managedFields` afterwards
    nlohmann::json fields;          // what passes
    nlohmann::json others;          // what anybody else keeps
    nlohmann::json client_side;     // what `kubectl apply` without --server-side keeps
    // Somebody other than kubectl who applies it without --server-side; kubectl would take away what that one
    // keeps as soon as it applies anything. Empty: nobody does.
    std::string stranger;
};
// `own` are other names under which the same people wrote.
Takeover takeover_by(const nlohmann::json& object, const std::string& manager,
                     const std::vector<std::string>& own);

// Another manager that applied the object, as its `metadata.managedFields` says; "" if there is none.
std::string other_applier(const nlohmann::json& object, const std::string& manager);

// The fields that a manager applied, as an object's `metadata.managedFields` says.
nlohmann::json applied_fields(const nlohmann::json& object, const std::string& manager);

// What is in the first set and in none of the others.
nlohmann::json fields_without(const nlohmann::json& fields, const std::vector<nlohmann::json>& others);

// Takes those fields out of an object, with what is below them, unless somebody keeps something there.
// Whether anything was taken out.
bool take_out(nlohmann::json& object, const nlohmann::json& fields, const std::vector<nlohmann::json>& kept);

// The fields of a set that `after` has with another value than `live`, although somebody had changed them
// since they were applied as `applied` says, as the server names them: `.spec.replicas`.
std::vector<std::string> edited_fields(const nlohmann::json& fields, const nlohmann::json& applied,
                                       const nlohmann::json& live, const nlohmann::json& after);

}  // namespace migc::runtime::inline natives
