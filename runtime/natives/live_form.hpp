// Objects of the cluster as migc keeps and compares them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/trust/secret_digest.hpp"

namespace migc::runtime::inline natives {

// Without what the cluster keeps books with (status, managed fields, versions, uid, times) and without what
// it fills in by itself (addresses, ports, the bound volume), except where `declared` says it: then it is
// part of the change. So the form that the server predicts for an object is the form that it then has. The
// values of a Secret are replaced by marks (`kept_mark` and a digest) that tell whether they changed, and
// nothing else: the form is written into the journal. `declared` may be null; `scaled_elsewhere` says that an
// autoscaler writes the number of replicas.
nlohmann::json live_form(nlohmann::json object, const nlohmann::json& declared, bool scaled_elsewhere = false,
                         const trust::DigestKey& key = trust::open_key());
// The same with the digest key of the stage's project. The error: it is there and cannot be used.
Fetched live_form(Host& host, nlohmann::json object, const nlohmann::json& declared,
                  bool scaled_elsewhere = false);

// What stands before the digest of a secret's value, in place of the value.
extern const char* const kept_mark;
// The key under which this project makes the digests of secrets' values; see trust::digest_key.
tl::expected<trust::DigestKey, std::string> digest_key(Host& host);

// Whether the form belongs to a Secret, whose values cannot be put back from it.
bool is_sealed(const nlohmann::json& form);

// The merge patch (RFC 7386) that turns one JSON into the other; an empty object if they are the same.
nlohmann::json merge_difference(const nlohmann::json& from, const nlohmann::json& to);

// The way back to `prior` from what this run `applied`, given what is there now.
struct WayBack {
    nlohmann::json patch = nlohmann::json::object();  // touches only what differs between prior and applied
    std::vector<std::string> taken;                   // fields that somebody else has written since
};
// `is_theirs` says of a field, by its path, that somebody else has written it since, whatever it is by now;
// one that is neither as applied nor as before is theirs in any case.
WayBack way_back(const nlohmann::json& prior, const nlohmann::json& applied, const nlohmann::json& now,
                 const std::function<bool(const std::string&)>& is_theirs = {});

// The fields in which two forms differ, as paths: "/spec/replicas".
std::vector<std::string> differing_fields(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace migc::runtime::inline natives
