// One object of a manifest in the cluster: as it is, and applied on the server's side: under whose name, what
// would come of it, and doing it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/kubernetes.hpp"

namespace migc::runtime::inline natives {

// The field manager of all that this project applies: "migc:shop". Two projects have two, so that the server
// keeps one from overwriting the other.
std::string apply_manager(Host& host);

// The object that a native's first two arguments name: [path of the manifest, handle]. The error: the
// manifest does not declare it, or in a namespace in which the stage does not act.
tl::expected<Document, std::string> document_of(Host& host, const Arguments& arguments);

// The object of a manifest, as it was read, in the form in which it is compared and kept (see live_form).
// Null: there is none.
Fetched live_object(Host& host, const Document& document, nlohmann::json object);

// The object of a manifest as it is in the cluster, in the manifest's version of its kind, and with who keeps
// which field. Null: there is none.
Fetched managed_object(Host& host, const Document& document);

// The whole object that applying the manifest would leave, as the server says, given what is there now (null:
// nothing). The error says why it cannot be applied.
struct NotApplied {
    std::string why;
    bool refused =
        false;  // by the server, or since it would overwrite somebody's change: not by a network or a limit
};
tl::expected<nlohmann::json, NotApplied> applied_object(Host& host, const Document& document,
                                                        const nlohmann::json& now);

// Applies it to the object of that version, or only if there is none (an empty version). What an earlier migc
// or kubectl kept for the same people is taken over first; what others keep is never taken from them.
Answer apply_object(Host& host, const Document& document, const std::string& version);

// The command that applies it, as people read it.
Preview shown_apply(Host& host, const Handle& handle, const std::string& manifest);
// What `apply_object` runs before it on the object that is there now; "" if there is nothing to be taken
// over, or nobody can know that yet.
Preview shown_hand_over(Host& host, const Document& document);

}  // namespace migc::runtime::inline natives
