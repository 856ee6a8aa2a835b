#include "runtime/natives/live_form.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {

const char* const kept_mark = "kept by the cluster only, mark ";

namespace {

bool has(const json& object, const std::string& pointer) {
    return !field(object, pointer).is_null();
}

void drop(json& object, const std::string& parent, const std::string& key) {
    const json::json_pointer path(parent);
    if (object.contains(path) && object[path].is_object()) object[path].erase(key);
}

void drop_if_empty(json& object, const std::string& parent, const std::string& key) {
    if (field(object, parent + "/" + key).empty()) drop(object, parent, key);
}

// Annotations by which controllers of Kubernetes itself take notes.
bool is_note(const std::string& annotation) {
    constexpr std::array domains = {"deployment.kubernetes.io/",
                                    "pv.kubernetes.io/",
                                    "volume.kubernetes.io/",
                                    "volume.beta.kubernetes.io/",
                                    "autoscaling.alpha.kubernetes.io/",
                                    "deprecated.daemonset.template.generation"};
    return std::any_of(domains.begin(), domains.end(),
                       [&](const char* domain) { return annotation.starts_with(domain); });
}

void drop_notes(json& object, const json& declared) {
    std::vector<std::string> notes;
    for (const auto& item : field(object, "/metadata/annotations").items())
        if (is_note(item.key()) && !field(declared, "/metadata/annotations").contains(item.key()))
            notes.push_back(item.key());
    for (const std::string& note : notes) drop(object, "/metadata/annotations", note);
}

void drop_books(json& object) {
    drop(object, "", "status");
    for (const char* key : {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp",
                            "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"})
        drop(object, "/metadata", key);
}

void drop_unless_declared(json& object, const json& declared, const std::string& parent,
                          const std::string& key) {
    if (!has(declared, parent + "/" + key)) drop(object, parent, key);
}

// The cluster numbers the ports that are not numbered.
void drop_node_ports(json& service, const json& declared) {
    for (const auto& port : field(declared, "/spec/ports"))
        if (has(port, "/nodePort")) return;
    if (!field(service, "/spec/ports").is_array()) return;
    for (json& port : service["spec"]["ports"]) drop(port, "", "nodePort");
}

// A job's selector and the labels for it hold the uid that the job gets when it is made.
void drop_job_identity(json& job, const json& declared) {
    drop_unless_declared(job, declared, "/spec", "selector");
    for (const char* key : {"controller-uid", "job-name", "batch.kubernetes.io~1controller-uid",
                            "batch.kubernetes.io~1job-name"})
        for (const char* labels : {"/metadata/labels", "/spec/template/metadata/labels"}) {
            std::string name = key;
            if (const auto tilde = name.find("~1"); tilde != std::string::npos) name.replace(tilde, 2, "/");
            if (!has(declared, std::string(labels) + "/" + key)) drop(job, labels, name);
        }
    drop_if_empty(job, "/metadata", "labels");
    drop_if_empty(job, "/spec/template/metadata", "labels");
}

void drop_assigned(json& object, const json& declared) {
    const std::string kind = text_field(object, "/kind");
    drop_unless_declared(object, declared, "/metadata", "finalizers");
    if (kind == "Service") {
        for (const char* key : {"clusterIP", "clusterIPs", "healthCheckNodePort"})
            if (field(object, std::string("/spec/") + key) != json("None"))
                drop_unless_declared(object, declared, "/spec", key);
        drop_node_ports(object, declared);
    }
    if (kind == "PersistentVolumeClaim") drop_unless_declared(object, declared, "/spec", "volumeName");
    if (kind == "Job") drop_job_identity(object, declared);
}

// The digest of each value in its place: see trust::secret_digest.
void seal(json& secret, const trust::DigestKey& key) {
    const std::string place = text_field(secret, "/metadata/namespace") + "/" + name_of(secret) + "/";
    for (const char* part : {"data", "stringData"}) {
        if (!secret.contains(part) || !secret[part].is_object()) continue;
        for (auto& [name, value] : secret[part].items())
            value = kept_mark + trust::secret_digest(key, place + name, value.dump());
    }
    drop(secret, "/metadata/annotations", "kubectl.kubernetes.io/last-applied-configuration");
}

std::set<std::string> keys_of(const json& a, const json& b) {
    std::set<std::string> keys;
    for (const json* one : {&a, &b})
        if (one->is_object())
            for (const auto& item : one->items()) keys.insert(item.key());
    return keys;
}

bool is_part(const json& value) {
    return value.is_object() || value.is_null();
}

bool is_identity(const std::string& path) {
    return path == "/metadata/name" || path == "/metadata/namespace" || path == "/kind" ||
           path == "/apiVersion";
}

std::string below(const std::string& path, const std::string& key) {
    return path + "/" + pointer_token(key);
}

void collect(const json& a, const json& b, const std::string& path, std::vector<std::string>& fields) {
    if (a == b || is_identity(path)) return;
    if (!is_part(a) || !is_part(b)) return fields.push_back(path);
    for (const std::string& key : keys_of(a, b))
        collect(member(a, key), member(b, key), below(path, key), fields);
}

// The same, and into lists of one length.
void collect_leaves(const json& a, const json& b, const std::string& path, std::vector<std::string>& fields) {
    std::vector<std::string> found;
    collect(a, b, path, found);
    for (std::string& one : found) {
        const json::json_pointer place(one.substr(path.size()));
        const json none;
        const json& left = a.contains(place) ? a.at(place) : none;
        const json& right = b.contains(place) ? b.at(place) : none;
        if (!left.is_array() || !right.is_array() || left.size() != right.size() || left.empty())
            fields.push_back(std::move(one));
        else
            for (std::size_t i = 0; i < left.size(); ++i)
                collect_leaves(left[i], right[i], fmt::format("{}/{}", one, i), fields);
    }
}

using IsTheirs = std::function<bool(const std::string&)>;

bool has_theirs(const json& prior, const json& applied, const std::string& path, const IsTheirs& is_theirs) {
    std::vector<std::string> fields;
    if (is_theirs) collect_leaves(prior, applied, path, fields);
    return std::any_of(fields.begin(), fields.end(), is_theirs);
}

// The patch for one field and what is below it; null if nothing is to be put back there.
std::optional<json> back(const json& prior, const json& applied, const json& now, const std::string& path,
                         const IsTheirs& is_theirs, std::vector<std::string>& taken) {
    if (prior == applied || now == prior || is_identity(path)) return std::nullopt;
    if (now == applied && !path.empty() && !has_theirs(prior, applied, path, is_theirs))
        return merge_difference(now, prior);
    if (!is_part(prior) || !is_part(applied) || !is_part(now) || now.is_null()) {
        taken.push_back(path);
        return std::nullopt;
    }
    json patch = json::object();
    for (const std::string& key : keys_of(prior, applied))
        if (auto part = back(member(prior, key), member(applied, key), member(now, key), below(path, key),
                             is_theirs, taken))
            patch[key] = std::move(*part);
    if (patch.empty()) return std::nullopt;
    return patch;
}

}  // namespace

json live_form(json object, const json& declared, bool scaled_elsewhere, const trust::DigestKey& key) {
    if (!object.is_object()) return object;
    drop_books(object);
    drop_notes(object, declared);
    drop_assigned(object, declared);
    if (scaled_elsewhere) drop_unless_declared(object, declared, "/spec", "replicas");
    if (text_field(object, "/kind") == "Secret") seal(object, key);
    drop_if_empty(object, "/metadata", "annotations");
    return object;
}

Fetched live_form(Host& host, json object, const json& declared, bool scaled_elsewhere) {
    if (text_field(object, "/kind") != "Secret")
        return live_form(std::move(object), declared, scaled_elsewhere);
    const auto key = digest_key(host);
    if (!key) return tl::unexpected(key.error());
    return live_form(std::move(object), declared, scaled_elsewhere, *key);
}

// What is not live leaves nothing behind in anybody's home, and says the same each time.
tl::expected<trust::DigestKey, std::string> digest_key(Host& host) {
    if (host.kind() != "live") return trust::open_key();
    return trust::digest_key(host.setting("project"));
}

bool is_sealed(const json& form) {
    return text_field(form, "/kind") == "Secret";
}

json merge_difference(const json& from, const json& to) {
    if (!from.is_object() || !to.is_object()) return to;
    json patch = json::object();
    for (const std::string& key : keys_of(from, to)) {
        const json& was = member(from, key);
        const json& becomes = member(to, key);
        if (was != becomes) patch[key] = merge_difference(was, becomes);
    }
    return patch;
}

WayBack way_back(const json& prior, const json& applied, const json& now,
                 const std::function<bool(const std::string&)>& is_theirs) {
    WayBack result;
    if (auto patch = back(prior, applied, now, "", is_theirs, result.taken)) result.patch = std::move(*patch);
    return result;
}

std::vector<std::string> differing_fields(const json& a, const json& b) {
    std::vector<std::string> fields;
    collect(a, b, "", fields);
    return fields;
}

}  // namespace migc::runtime::inline natives
