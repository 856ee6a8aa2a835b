// A simulated cluster: its objects, as the API server would show them, and the controllers that work on them.
#pragma once

#include <compare>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/text.hpp"
#include "runtime/tools/tools.hpp"
#include "runtime/world/json.hpp"
#include "runtime/world/managers.hpp"

namespace migc::runtime::inline world {

using kubernetes::Kind;
using kubernetes::Kinds;

constexpr Time never = std::numeric_limits<Time>::max();

// A regular expression that is searched for in a text; none matches everything.
using Pattern = std::shared_ptr<const re2::RE2>;
bool found_in(const Pattern& pattern, const std::string& text);

struct ObjectKey {
    std::string plural;
    std::string name_space;  // empty for what belongs to no namespace
    std::string name;
    friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// What must hold of a pod for a rule to apply to it.
struct PodCondition {
    Pattern image;
    std::string config_map;  // with `key` and `value`: what the pod read there when it started
    std::string key;
    Pattern value;
};

// When and how a pod fails.
struct FailRule {
    PodCondition when;
    std::string
        reason;  // as kubernetes calls it: ImagePullBackOff, CrashLoopBackOff, OOMKilled, NotReady, ...
    std::string message;
    std::int64_t after_ms = 0;      // how long it is ready first; 0: it never gets ready
    std::vector<std::string> logs;  // what it writes before it ends
};

// How a program ends that the world file describes.
struct ProgramEnding {
    int status = 0;
    std::string output;
    std::string errors;
    std::int64_t duration_ms = 0;
};

// What `kubectl exec` in a pod, or `kubectl run` of an image, answers to a command.
struct CommandAnswer : ProgramEnding {
    Pattern command;  // searched for in the command's words, joined by blanks
};

// How the pods of a workload behave.
struct Behaviour {
    std::int64_t start_ms = 3000;
    std::int64_t stop_ms = 1000;
    bool ready = true;
    std::vector<FailRule> fails;
    std::vector<std::string> reads;  // config maps read at the start, besides those that the template names
    std::vector<std::string> logs;   // written at each start
    std::string
        request_log;  // written for each request served; ${method}, ${path} and ${status} are filled in
    std::map<std::string, std::string> used;  // what `df` shows as used at a path; else the size of its files
    std::int64_t job_ms = 5000;               // of a cron job: how long a job takes, and how it ends
    int exit_code = 0;
    std::vector<CommandAnswer> answers;
    std::optional<std::string> cpu;  // what `kubectl top` shows; else the requests
    std::optional<std::string> memory;
};

enum class PodStage { Unscheduled, Creating, Blocked, Running, Ready, BackingOff, Ended };

struct LogLine {
    Time time = 0;
    std::string text;
};

// What a pod object does not show: where it stands between its events.
struct PodRecord {
    PodStage stage = PodStage::Unscheduled;
    std::int64_t sequence = 0;  // older pods have lower ones
    Time began = 0;             // of the stage
    Time next = never;          // when it goes on by itself
    std::int64_t restarts = 0;
    std::string reason;  // why it waits
    std::string message;
    std::string last_end;  // why the container ended last time; empty if it never did
    bool terminating = false;
    std::vector<LogLine> log;         // of the present container
    std::vector<LogLine> log_before;  // of the one before it
    Object seen = Object::object();   // the configuration that it read: config map -> data
};

class Cluster {
  public:
    explicit Cluster(std::string cluster_name);

    std::string name;
    std::string version = "v1.30.2";
    std::int64_t lag_ms = 200;  // how long the controllers take to notice a change
    Kinds kinds;
    std::vector<FailRule> fails;  // for every pod
    std::vector<CommandAnswer> answers;
    bool metrics = true;  // whether there is a metrics server
    std::map<ObjectKey, Behaviour> behaviours;
    // The files of workloads, by path: all pods of one have the same, as in a shared volume.
    std::map<ObjectKey, std::map<std::string, std::string>> files;
    std::map<ObjectKey, PodRecord> pods;
    std::map<ObjectKey, Time> wakes;  // when an object's controller has to look again
    // Who wrote the fields of an object, from the first write on that was not a controller's.
    std::map<ObjectKey, FieldManagers> managers;
    std::function<std::string(const std::string&)> image_digest;

    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] const Object* find(const ObjectKey& key) const;
    // Of one kind, in the order of their names; of every namespace if it is empty.
    [[nodiscard]] std::vector<ObjectKey> keys(const std::string& plural,
                                              const std::string& name_space = {}) const;
    // The same with the objects; none of the kind may be erased meanwhile.
    struct Objects {
        std::map<ObjectKey, Object>::const_iterator first, last;
        [[nodiscard]] auto begin() const { return first; }
        [[nodiscard]] auto end() const { return last; }
    };
    [[nodiscard]] Objects all(const std::string& plural, const std::string& name_space = {}) const {
        const ObjectKey behind =
            name_space.empty() ? ObjectKey{plural + '\0', "", ""} : ObjectKey{plural, name_space + '\0', ""};
        return {objects_.lower_bound({plural, name_space, ""}), objects_.lower_bound(behind)};
    }
    [[nodiscard]] const std::map<ObjectKey, Object>& objects() const { return objects_; }
    [[nodiscard]] bool has_namespace(const std::string& wanted) const {
        return find({"namespaces", "", wanted});
    }
    [[nodiscard]] const Behaviour& behaviour_of(const Object& pod) const;
    // The workload, or cron job, at the top of a pod's owners; the pod itself where there is none.
    [[nodiscard]] ObjectKey top_owner(const Object& pod) const;
    // Grows with every change.
    [[nodiscard]] std::int64_t resource_version() const { return resource_version_; }

    // Creates or replaces; keeps uid and status, counts the generation. Returns what is then stored.
    const Object& put(const ObjectKey& key, Object object, const Writer& writer = {});
    void set_status(const ObjectKey& key, Object status);
    // Somebody wrote `metadata.managedFields` himself: a new version of the object, and nothing else of it.
    void set_managers(const ObjectKey& key, const Object& shown);
    void erase(const ObjectKey& key);
    // Lets a pod end after its grace period.
    void terminate(const ObjectKey& pod);
    void record_event(const ObjectKey& about, const std::string& type, const std::string& reason,
                      const std::string& message);
    std::string unique(const std::string& purpose);  // another text each time, the same in each run

    // The time of the next thing that happens by itself; `never` if nothing does.
    [[nodiscard]] Time next() const;
    void advance(Time to);
    // Only before anything else: where the clock starts.
    void start_at(Time time) { now_ = time; }

  private:
    // Whether that changed who keeps what.
    bool note(const ObjectKey& key, const Object& before, const Object& after, const Writer& writer);
    void reconcile();
    // Runs the controller of those objects of a kind that have one to be looked at, in the order of their
    // names.
    void run(const char* plural, void (*controller)(Cluster&, const ObjectKey&));
    [[nodiscard]] bool has_work(const ObjectKey& key) const;
    void changed(const ObjectKey& key, const Object& object);
    void look_again_at(const char* plural, const std::string& name_space);
    void wake_controllers();

    std::map<ObjectKey, Object> objects_;
    std::set<ObjectKey> queue_;  // whose controllers have not seen yet what changed
    std::int64_t resource_version_ = 1000;
    std::int64_t counter_ = 0;
    Time now_ = 0;
    Time controllers_at_ = never;
    bool reconciling_ = false;
};

// More would make each step of the world slow, and no change plan gets clearer by them.
constexpr std::int64_t most_replicas = 200;

// The defaults that the API server writes into an object, as far as one sees them in a comparison.
void add_defaults(const Kind& kind, Object& object);
// The object in another of the versions in which its kind is served; an empty one changes nothing.
Object in_version(const Kind& kind, Object object, const std::string& version);
inline bool is_workload(const Kind& kind) {
    return kubernetes::is_workload(lower_case(kind.kind));
}
// Made by a controller from the objects that people write.
bool is_derived(const std::string& plural);
// Without what the server keeps: status, identity, versions.
Object as_written(Object object);
// The same as a person wrote it: without the revision that a controller notes on it, too.
Object written_by_people(Object object);
void drop_annotation(Object& metadata, const char* name);
// Its kind and its name, to which the rest is added.
Object head_of(const Cluster& cluster, const ObjectKey& key);
// The condition of that type; null where there is none.
const Object* condition_in(const Object& status, const std::string& type);
bool owned_by(const Object& object, const Object& owner);
Object owner_reference(const Object& owner);  // the list of the one owner
// The objects of one kind that are the owner's, or have these labels.
std::vector<ObjectKey> owned(const Cluster& cluster, const char* plural, const Object& owner);
std::vector<ObjectKey> pods_with(const Cluster& cluster, const std::string& name_space, const Object& labels);
// The pods of one owner that are not about to end, oldest first.
std::vector<ObjectKey> live_pods(const Cluster& cluster, const Object& owner);
bool is_ready(const Cluster& cluster, const ObjectKey& pod);
std::int64_t ready_count(const Cluster& cluster, const std::vector<ObjectKey>& pods);
// The API leaves zeros out.
void put_count(Object& status, const char* name, std::int64_t count);
// "50%" of a whole, or a number.
std::int64_t share_of(const Object& value, std::int64_t whole, bool upwards);
std::string template_hash(const Object& pod_template);
// The condition as the API shows it; keeps the transition time of the one before if the status is the same.
Object condition(const Cluster& cluster, const Object& old_status, const std::string& type, bool holds,
                 const std::string& reason, const std::string& message);

// The controllers. Each looks at what is wanted and what is there, and does the next step.
void run_deployment(Cluster& cluster, const ObjectKey& key);
void run_replica_set(Cluster& cluster, const ObjectKey& key);
void run_stateful_set(Cluster& cluster, const ObjectKey& key);
void run_daemon_set(Cluster& cluster, const ObjectKey& key);
void run_autoscaler(Cluster& cluster, const ObjectKey& key);
void run_claim(Cluster& cluster, const ObjectKey& key);
bool is_mounted(const Cluster& cluster, const ObjectKey& claim);
void run_service(Cluster& cluster, const ObjectKey& key);
void run_garbage_collector(Cluster& cluster);
void run_disruption_budget(Cluster& cluster, const ObjectKey& key);
// Whether the disruption budgets let a pod go now.
bool may_be_evicted(Cluster& cluster, const ObjectKey& pod);
// Keeps the template of a stateful or daemon set as a revision, once, and forgets the oldest.
void keep_revision(Cluster& cluster, const ObjectKey& set);
// Erases the oldest, beyond what the workload's limit says.
void forget_oldest(Cluster& cluster, const ObjectKey& workload, const std::vector<ObjectKey>& oldest_first);
constexpr const char* revision_annotation = "deployment.kubernetes.io/revision";
// As noted on a deployment or a replica set; 0 where it is not.
std::int64_t revision_of(const Object& object);
void run_job(Cluster& cluster, const ObjectKey& key);
bool is_of_job(const Object& pod);

// Pods.
void create_pod(Cluster& cluster, const ObjectKey& owner, const Object& pod_template,
                const std::string& pod_name, const Object& labels, const std::string& node = {});
void adopt_pod(Cluster& cluster, const ObjectKey& pod);  // begins the life of a pod object that was put
void run_pod(Cluster& cluster, const ObjectKey& pod);
bool applies(const PodCondition& condition, const Object& pod, const Object& seen);
Object status_of(const Cluster& cluster, const Object& pod, const PodRecord& record);
Object container_statuses(const Cluster& cluster, const Object& pod, const PodRecord& record);
std::vector<std::string> config_maps_read(const Cluster& cluster, const Object& pod);

// Nodes. The name of one that has room, or why none has.
struct Placement {
    std::string node;
    std::string refusal;
};
Placement place(const Cluster& cluster, const Object& pod);
struct Resources {
    double cpu = 0;
    double memory = 0;
};
Resources requested(const Object& pod);
double amount_of(const std::string& quantity);  // 0 where it is none
Object make_node(const std::string& node);
// Cordons or uncordons, with the taint that the API server adds.
void set_schedulable(Object& node, bool schedulable);
Object node_status(const Cluster& cluster, const std::string& cpu, const std::string& memory, bool ready);

}  // namespace migc::runtime::inline world
