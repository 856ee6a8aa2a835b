#include "runtime/world/cluster.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"

namespace migc::runtime::inline world {
namespace {

// Generations count changes of what is wanted, never of labels and annotations.
bool wants_the_same(const Object& a, const Object& b) {
    Object left = as_written(a);
    Object right = as_written(b);
    left.erase("metadata");
    right.erase("metadata");
    return left == right;
}

// The one that owns it, the one that owns that one, and so on; what a user wrote may own itself.
template <typename Visit>
void for_each_owner(const Cluster& cluster, const std::string& name_space, const Object& owned, Visit visit) {
    constexpr int most = 10;
    const Object* object = &owned;
    for (int i = 0; i < most && object != nullptr; ++i) {
        const Object* reference = part(*object, "/metadata/ownerReferences/0");
        const Kind* kind = reference ? cluster.kinds.of_kind(text_at(*reference, "/kind")) : nullptr;
        if (kind == nullptr) return;
        const ObjectKey owner{kind->plural, name_space, text_at(*reference, "/name")};
        visit(owner);
        object = cluster.find(owner);
    }
}

}  // namespace

bool found_in(const Pattern& pattern, const std::string& text) {
    return !pattern || re2::RE2::PartialMatch(text, *pattern);
}

Cluster::Cluster(std::string cluster_name)
    : name(std::move(cluster_name)),
      image_digest([](const std::string& image) { return "sha256:" + sha256(image); }) {}

const Object* Cluster::find(const ObjectKey& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : &found->second;
}

std::vector<ObjectKey> Cluster::keys(const std::string& plural, const std::string& name_space) const {
    std::vector<ObjectKey> found;
    for (const auto& [key, object] : all(plural, name_space)) found.push_back(key);
    return found;
}

ObjectKey Cluster::top_owner(const Object& pod) const {
    const std::string name_space = text_at(pod, "/metadata/namespace");
    ObjectKey top{"pods", name_space, text_at(pod, "/metadata/name")};
    for_each_owner(*this, name_space, pod, [&](const ObjectKey& owner) { top = owner; });
    return top;
}

const Behaviour& Cluster::behaviour_of(const Object& pod) const {
    static const Behaviour usual;
    const auto found = behaviours.find(top_owner(pod));
    return found == behaviours.end() ? usual : found->second;
}

std::string Cluster::unique(const std::string& purpose) {
    return fmt::format("{}/{}/{}", name, purpose, ++counter_);
}

// What a controller writes into an object that nobody else has written is not kept: pods change all the time.
bool Cluster::note(const ObjectKey& key, const Object& before, const Object& after, const Writer& writer) {
    static const std::string controller = Writer{}.manager;
    const auto found = managers.find(key);
    if (found == managers.end() && writer.manager == controller) return false;
    FieldManagers& kept = managers[key];
    const FieldManagers old = kept;
    kept.note(before, after, writer, timestamp(now_));
    return !kept.same_fields(old);
}

const Object& Cluster::put(const ObjectKey& key, Object object, const Writer& writer) {
    const Kind* kind = kinds.by_plural(key.plural);
    const auto old = objects_.find(key);
    object.erase("status");
    Object& metadata = object["metadata"];
    if (old == objects_.end()) {
        note(key, Object(), object, writer);
        metadata["uid"] = uuid(unique(key.plural + key.name));
        metadata["creationTimestamp"] = timestamp(now_);
        if (kind && kind->has_generation) metadata["generation"] = 1;
    } else {
        for (const char* kept : {"uid", "creationTimestamp", "generation"})
            if (old->second["metadata"].contains(kept)) metadata[kept] = old->second["metadata"][kept];
        if (old->second.contains("status")) object["status"] = old->second["status"];
        const bool others = note(key, old->second, object, writer);
        if (as_written(object) == as_written(old->second)) {
            if (others) old->second["metadata"]["resourceVersion"] = std::to_string(++resource_version_);
            return old->second;
        }
        if (kind && kind->has_generation && !wants_the_same(object, old->second))
            metadata["generation"] = number_at(object, "/metadata/generation", 1) + 1;
    }
    metadata["resourceVersion"] = std::to_string(++resource_version_);
    if (old != objects_.end()) changed(key, old->second);
    changed(key, object);
    return objects_[key] = std::move(object);
}

void Cluster::set_status(const ObjectKey& key, Object status) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    if (found->second.contains("status") && found->second["status"] == status) return;
    found->second["status"] = std::move(status);
    found->second["metadata"]["resourceVersion"] = std::to_string(++resource_version_);
    changed(key, found->second);
}

void Cluster::set_managers(const ObjectKey& key, const Object& shown) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    managers[key].assign(shown);
    found->second["metadata"]["resourceVersion"] = std::to_string(++resource_version_);
}

void Cluster::erase(const ObjectKey& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    changed(key, found->second);
    objects_.erase(found);
    pods.erase(key);
    wakes.erase(key);
    managers.erase(key);
    ++resource_version_;
}

void Cluster::terminate(const ObjectKey& pod) {
    PodRecord& record = pods[pod];
    const auto found = objects_.find(pod);
    if (record.terminating || found == objects_.end()) return;
    record.terminating = true;
    record.next = now_ + behaviour_of(found->second).stop_ms;
    found->second["metadata"]["deletionTimestamp"] = timestamp(now_ + 30'000);
    found->second["metadata"]["deletionGracePeriodSeconds"] = 30;
    found->second["metadata"]["resourceVersion"] = std::to_string(++resource_version_);
    record_event(pod, "Normal", "Killing", "Stopping container");
    changed(pod, found->second);
}

void Cluster::record_event(const ObjectKey& about, const std::string& type, const std::string& reason,
                           const std::string& message) {
    const Kind* kind = kinds.by_plural(about.plural);
    const std::string name_space = about.name_space.empty() ? "default" : about.name_space;
    const ObjectKey key{"events", name_space, about.name + "." + sha256(unique("event")).substr(0, 16)};
    const std::string time = timestamp(now_);
    Object event = head_of(*this, key);
    event.update(
        {{"type", type},
         {"reason", reason},
         {"message", message},
         {"count", 1},
         {"firstTimestamp", time},
         {"lastTimestamp", time},
         {"involvedObject",
          {{"kind", kind ? kind->kind : ""}, {"name", about.name}, {"namespace", about.name_space}}}});
    event["metadata"]["uid"] = uuid(key.name);
    event["metadata"]["creationTimestamp"] = time;
    event["metadata"]["resourceVersion"] = std::to_string(++resource_version_);
    objects_[key] = std::move(event);
}

Time Cluster::next() const {
    Time soonest = controllers_at_;
    for (const auto& [key, record] : pods) soonest = std::min(soonest, record.next);
    for (const auto& [key, time] : wakes) soonest = std::min(soonest, time);
    return soonest;
}

void Cluster::advance(Time to) {
    while (next() != never && next() <= to) {
        now_ = std::max(now_, next());
        const std::int64_t before = resource_version_;
        std::vector<ObjectKey> due;
        for (const auto& [key, record] : pods)
            if (record.next <= now_) due.push_back(key);
        for (const ObjectKey& key : due) run_pod(*this, key);
        const bool woken = std::erase_if(wakes, [&](const auto& wake) {
                               if (wake.second > now_) return false;
                               queue_.insert(wake.first);
                               return true;
                           }) > 0;
        if (woken || controllers_at_ <= now_ || resource_version_ != before) reconcile();
    }
    now_ = std::max(now_, to);
}

void Cluster::reconcile() {
    reconciling_ = true;
    controllers_at_ = never;
    constexpr int enough = 100;  // a rollout takes one pass per step
    for (int pass = 0; pass < enough; ++pass) {
        const std::int64_t before = resource_version_;
        run("horizontalpodautoscalers", run_autoscaler);
        run("deployments", run_deployment);
        run("statefulsets", run_stateful_set);
        run("daemonsets", run_daemon_set);
        run_garbage_collector(*this);
        run("replicasets", run_replica_set);
        run("jobs", run_job);
        run("pods", run_pod);
        run("persistentvolumeclaims", run_claim);
        run("services", run_service);
        run("poddisruptionbudgets", run_disruption_budget);
        if (resource_version_ == before) break;
    }
    reconciling_ = false;
}

// Where nothing changed of all that a controller looks at it has nothing to do: see `changed`.
bool Cluster::has_work(const ObjectKey& key) const {
    if (queue_.contains(key)) return true;
    const Object& object = objects_.at(key);
    if (key.plural == "pods") {
        const auto record = pods.find(key);
        return record != pods.end() &&
               (record->second.stage == PodStage::Unscheduled || record->second.next <= now_);
    }
    // It waits for a quota, or for the pods that mount it.
    return (key.plural == "replicasets" && part(object, "/status/conditions")) ||
           (key.plural == "persistentvolumeclaims" && part(object, "/metadata/deletionTimestamp"));
}

void Cluster::run(const char* plural, void (*controller)(Cluster&, const ObjectKey&)) {
    std::vector<ObjectKey> due;
    for (const auto& [key, object] : all(plural))
        if (has_work(key)) due.push_back(key);
    for (const ObjectKey& key : due) {
        queue_.erase(key);
        if (find(key)) controller(*this, key);
    }
}

void Cluster::look_again_at(const char* plural, const std::string& name_space) {
    for (const ObjectKey& key : keys(plural, name_space)) queue_.insert(key);
}

// Its own controller looks at it, those of its owners, and those that look at all objects of its kind.
void Cluster::changed(const ObjectKey& key, const Object& object) {
    static constexpr std::pair<const char*, const char*> lookers[] = {
        {"pods", "poddisruptionbudgets"},
        {"replicasets", "poddisruptionbudgets"},
        {"statefulsets", "poddisruptionbudgets"},
        {"deployments", "horizontalpodautoscalers"},
        {"replicasets", "horizontalpodautoscalers"},
        {"statefulsets", "horizontalpodautoscalers"},
        {"endpoints", "services"},
        {"nodes", "daemonsets"},
        {"storageclasses", "persistentvolumeclaims"},
    };
    queue_.insert(key);
    for_each_owner(*this, key.name_space, object, [&](const ObjectKey& owner) { queue_.insert(owner); });
    for (const auto& [looked_at, looker] : lookers)
        if (key.plural == looked_at) look_again_at(looker, key.name_space);
    if (key.plural == "pods")
        for (const auto& [service_key, service] : all("services", key.name_space))
            if (has_labels(object_at(object, "/metadata/labels"), object_at(service, "/spec/selector")))
                queue_.insert(service_key);
    wake_controllers();
}

void Cluster::wake_controllers() {
    if (!reconciling_) controllers_at_ = std::min(controllers_at_, now_ + lag_ms);
}

bool is_derived(const std::string& plural) {
    return listed("pods replicasets controllerrevisions events endpoints endpointslices", plural);
}

Object as_written(Object object) {
    object.erase("status");
    if (object.contains("metadata"))
        for (const char* kept :
             {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"})
            object["metadata"].erase(kept);
    return object;
}

Object written_by_people(Object object) {
    object = as_written(std::move(object));
    if (object.contains("metadata")) drop_annotation(object["metadata"], revision_annotation);
    return object;
}

void drop_annotation(Object& metadata, const char* name) {
    if (!part(metadata, "/annotations") || !metadata["annotations"].is_object()) return;
    metadata["annotations"].erase(name);
    if (metadata["annotations"].empty()) metadata.erase("annotations");
}

Object head_of(const Cluster& cluster, const ObjectKey& key) {
    const Kind& kind = *cluster.kinds.by_plural(key.plural);
    Object object = {
        {"apiVersion", kind.api_version()}, {"kind", kind.kind}, {"metadata", {{"name", key.name}}}};
    if (!key.name_space.empty()) object["metadata"]["namespace"] = key.name_space;
    return object;
}

const Object* condition_in(const Object& status, const std::string& type) {
    for (const Object& one : list_at(status, "/conditions"))
        if (text_at(one, "/type") == type) return &one;
    return nullptr;
}

bool owned_by(const Object& object, const Object& owner) {
    const std::string uid = text_at(owner, "/metadata/uid");
    return !uid.empty() && text_at(object, "/metadata/ownerReferences/0/uid") == uid;
}

std::vector<ObjectKey> owned(const Cluster& cluster, const char* plural, const Object& owner) {
    std::vector<ObjectKey> found;
    for (const auto& [key, object] : cluster.all(plural, text_at(owner, "/metadata/namespace")))
        if (owned_by(object, owner)) found.push_back(key);
    return found;
}

std::vector<ObjectKey> pods_with(const Cluster& cluster, const std::string& name_space,
                                 const Object& labels) {
    std::vector<ObjectKey> found;
    for (const auto& [key, pod] : cluster.all("pods", name_space))
        if (has_labels(object_at(pod, "/metadata/labels"), labels)) found.push_back(key);
    return found;
}

Object owner_reference(const Object& owner) {
    return Object::array({Object{{"apiVersion", owner["apiVersion"]},
                                 {"kind", owner["kind"]},
                                 {"name", owner["metadata"]["name"]},
                                 {"uid", owner["metadata"]["uid"]},
                                 {"controller", true},
                                 {"blockOwnerDeletion", true}}});
}

std::vector<ObjectKey> live_pods(const Cluster& cluster, const Object& owner) {
    std::vector<ObjectKey> found = owned(cluster, "pods", owner);
    std::erase_if(found, [&](const ObjectKey& key) {
        const auto record = cluster.pods.find(key);
        return record == cluster.pods.end() || record->second.terminating;
    });
    std::ranges::sort(found, {}, [&](const ObjectKey& key) { return cluster.pods.at(key).sequence; });
    return found;
}

bool is_ready(const Cluster& cluster, const ObjectKey& pod) {
    const auto record = cluster.pods.find(pod);
    return record != cluster.pods.end() && record->second.stage == PodStage::Ready &&
           !record->second.terminating;
}

std::int64_t ready_count(const Cluster& cluster, const std::vector<ObjectKey>& pods) {
    return std::ranges::count_if(pods, [&](const ObjectKey& pod) { return is_ready(cluster, pod); });
}

void put_count(Object& status, const char* name, std::int64_t count) {
    if (count > 0) status[name] = count;
}

std::int64_t share_of(const Object& value, std::int64_t whole, bool upwards) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    const std::string text = value.is_string() ? value.get<std::string>() : "0";
    const double number = std::atof(text.c_str());
    const double exact = text.ends_with('%') ? static_cast<double>(whole) * number / 100.0 : number;
    return static_cast<std::int64_t>(upwards ? std::ceil(exact) : std::floor(exact));
}

std::string template_hash(const Object& pod_template) {
    return name_suffix(printed(pod_template, -1), 10);
}

Object condition(const Cluster& cluster, const Object& old_status, const std::string& type, bool holds,
                 const std::string& reason, const std::string& message) {
    const std::string status = holds ? "True" : "False";
    std::string since = timestamp(cluster.now());
    if (const Object* old = condition_in(old_status, type); old && text_at(*old, "/status") == status)
        since = text_at(*old, "/lastTransitionTime", since);
    Object result = {{"type", type}, {"status", status}, {"lastTransitionTime", since}};
    if (!reason.empty()) result["reason"] = reason;
    if (!message.empty()) result["message"] = message;
    return result;
}

}  // namespace migc::runtime::inline world
