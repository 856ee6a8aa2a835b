// When a workload has rolled out, and when waiting for it cannot help any more.
#include "runtime/natives/rollout.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/tools/natives.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;

namespace {

json pods_with(const std::string& image) {
    return {{"metadata", {{"labels", {{"app", "x"}}}}},
            {"spec", {{"containers", json::array({json{{"name", "x"}, {"image", image}}})}}}};
}

json set_of(const std::string& kind, const std::string& image) {
    return {{"kind", kind},
            {"metadata", {{"name", "x"}, {"uid", "u1"}, {"generation", 3}}},
            {"spec", {{"replicas", 2}, {"template", pods_with(image)}}},
            {"status",
             {{"observedGeneration", 3},
              {"replicas", 2},
              {"readyReplicas", 2},
              {"availableReplicas", 2},
              {"updatedReplicas", 2},
              {"currentRevision", "x-new"},
              {"updateRevision", "x-new"},
              {"desiredNumberScheduled", 2},
              {"currentNumberScheduled", 2},
              {"updatedNumberScheduled", 2},
              {"numberReady", 2},
              {"numberAvailable", 2}}}};
}

json pod_of(const std::string& kind, const std::string& name, const std::string& hash,
            const json& more = {}) {
    json pod = {{"kind", "Pod"},
                {"metadata",
                 {{"name", name},
                  {"labels", {{"controller-revision-hash", hash}}},
                  {"ownerReferences", json::array({json{{"kind", kind}, {"name", "x"}, {"uid", "u1"}}})}}},
                {"status", {{"phase", "Running"}}}};
    if (!more.is_null()) pod.merge_patch(more);
    return pod;
}

json generation(const std::string& number) {
    return {{"metadata", {{"labels", {{"pod-template-generation", number}}}}}};
}

json broken() {
    const json waiting = {{"reason", "ImagePullBackOff"}, {"message", "Back-off pulling image"}};
    return {{"status",
             {{"phase", "Pending"},
              {"containerStatuses",
               json::array({json{{"name", "x"}, {"restartCount", 0}, {"state", {{"waiting", waiting}}}}})}}}};
}

json revision_of(const std::string& kind, const std::string& image, const std::string& hash, int number) {
    json pods = pods_with(image);
    pods["$patch"] = "replace";
    return {{"kind", "ControllerRevision"},
            {"metadata",
             {{"name", "x-" + hash},
              {"labels", {{"controller-revision-hash", hash}}},
              {"ownerReferences", json::array({json{{"kind", kind}, {"name", "x"}, {"uid", "u1"}}})}}},
            {"data", {{"spec", {{"template", pods}}}}},
            {"revision", number}};
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// kubectl that has these objects, by the words after `get`.
class FakeCluster : public Host {
  public:
    std::map<std::string, json> objects;
    std::map<std::string, std::string> settings = {{"namespace", "shop"}};
    std::vector<std::string> asked;

    Answer run(const std::string&, const std::vector<std::string>& arguments, const std::string&) override {
        asked.push_back(arguments.at(1));
        Answer answer;
        answer.ending = Ending::Exited;
        if (const auto found = objects.find(arguments.at(1)); found != objects.end())
            answer.output = found->second.dump();
        return answer;
    }
    Time now() override { return 0; }
    WakeReason sleep_until(Time) override { return WakeReason::Deadline; }
    std::string setting(std::string_view name) override { return settings[std::string(name)]; }
    std::string written(const ResourceRef& resource) override {
        return resource.name.find('/') == std::string::npos ? "deployment/" + resource.name : resource.name;
    }
    const project::Inventory& inventory() override { return inventory_; }
    std::string kind() override { return "live"; }

  private:
    project::Inventory inventory_;
};

constexpr const char* everything = "deployments,statefulsets,daemonsets,replicasets,pods";

Reading read(Host& host, const char* name, const std::string& workload) {
    const Value target(ResourceRef{"workload", workload});
    return find_native(name)->probe(host,
                                    {std::string_view(name) == "pods-ready" ? Value(List{target}) : target});
}

}  // namespace

TEST_CASE("a daemon set that went back in the middle of a rollout is told by its revision") {
    json set = set_of("DaemonSet", "x:1");
    set["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "3";
    // One pod never left the old revision, the other went to the new one and back.
    json items = json::array({set, pod_of("DaemonSet", "x-a", "old", generation("1")),
                              pod_of("DaemonSet", "x-b", "old", generation("3"))});
    CHECK(is_told_by_revision(set, items));
    CHECK_FALSE(judge(set, items, "x").ready);
    items.push_back(revision_of("DaemonSet", "x:2", "bad", 2));
    items.push_back(revision_of("DaemonSet", "x:1", "old", 3));
    CHECK(judge(set, items, "x").ready);
    // A pod of the revision that was left is old, whatever the others are.
    items[2] = pod_of("DaemonSet", "x-b", "bad", generation("2"));
    CHECK(holds(judge(set, items, "x").why, "1 old pod of x is still there"));
    const json calm = json::array({set, pod_of("DaemonSet", "x-a", "old", generation("3")),
                                   pod_of("DaemonSet", "x-b", "old", generation("3"))});
    CHECK_FALSE(is_told_by_revision(set, calm));
}

TEST_CASE("the revisions of a daemon set are asked for only where they are needed") {
    FakeCluster host;
    json set = set_of("DaemonSet", "x:1");
    set["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "3";
    host.objects[everything]["items"] =
        json::array({set, pod_of("DaemonSet", "x-a", "old", generation("1"))});
    host.objects["controllerrevisions"]["items"] = json::array({revision_of("DaemonSet", "x:1", "old", 3)});
    CHECK(same(read(host, "pods-ready", "daemonset/x").value, Value(true)));
    CHECK(host.asked == std::vector<std::string>{everything, "controllerrevisions"});
    host.asked.clear();
    host.objects[everything]["items"][1] = pod_of("DaemonSet", "x-a", "old", generation("3"));
    CHECK(same(read(host, "pods-ready", "daemonset/x").value, Value(true)));
    CHECK(host.asked == std::vector<std::string>{everything});
}

TEST_CASE(
    "a stateful set that is held up by a broken pod of the old revision says which to delete, at once") {
    json set = set_of("StatefulSet", "x:1");
    set["status"]["readyReplicas"] = 1;
    set["status"]["availableReplicas"] = 1;
    set["status"]["updatedReplicas"] = 1;
    const json items =
        json::array({pod_of("StatefulSet", "x-0", "x-new"), pod_of("StatefulSet", "x-1", "x-bad", broken())});
    const Readiness held_up = judge(set, items, "x");
    CHECK(held_up.permanent);
    CHECK(holds(held_up.why, "does not replace it: delete the pod x-1"));
    set["spec"]["podManagementPolicy"] = "Parallel";
    CHECK_FALSE(judge(set, items, "x").permanent);
    set["spec"].erase("podManagementPolicy");
    set["metadata"]["generation"] = 4;  // the controller has not seen the change yet
    CHECK_FALSE(judge(set, items, "x").permanent);
}

TEST_CASE("sets that replace no pod by themselves say so at once") {
    for (const char* kind : {"StatefulSet", "DaemonSet"}) {
        json set = set_of(kind, "x:2");
        set["spec"]["updateStrategy"]["type"] = "OnDelete";
        set["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "3";
        set["status"]["updatedReplicas"] = 0;
        set["status"]["updatedNumberScheduled"] = 0;
        set["status"]["currentRevision"] = "x-old";
        const json items = json::array(
            {pod_of(kind, "x-0", "x-old", generation("2")), pod_of(kind, "x-1", "x-old", generation("2"))});
        const Readiness verdict = judge(set, items, "x");
        INFO(kind << ": " << verdict.why);
        CHECK(verdict.permanent);
        CHECK(holds(verdict.why, "its update strategy is OnDelete): delete x-0, x-1"));
        set["spec"]["updateStrategy"]["type"] = "RollingUpdate";
        CHECK_FALSE(judge(set, items, "x").permanent);
    }
}

TEST_CASE("a cron job has nothing to wait for, if it is there") {
    FakeCluster host;
    host.objects[everything]["items"] = json::array();
    host.objects["namespace/shop"] = {{"kind", "Namespace"}, {"metadata", {{"name", "shop"}}}};
    host.objects["cronjob/night"] = {{"kind", "CronJob"}};
    for (const char* name : {"pods-ready", "rollout-complete"}) {
        CHECK(same(read(host, name, "cronjob/night").value, Value(true)));
        CHECK(same(read(host, name, "cronjob/day").value, Value(false)));
        CHECK(read(host, name, "job/once").permanent);
    }
}

TEST_CASE("what was there and is gone is not waited for; what was never there may come") {
    FakeCluster host;
    host.objects[everything]["items"] = json::array();
    host.objects["namespace/shop"] = {{"kind", "Namespace"}, {"metadata", {{"name", "shop"}}}};
    CHECK_FALSE(read(host, "pods-ready", "web").permanent);
    CHECK(read(host, "rollout-complete", "web").permanent);
    host.settings["changed-workloads"] = "deployment/other\ndeployment/web\n";
    CHECK(read(host, "pods-ready", "web").permanent);
    CHECK(holds(read(host, "pods-ready", "web").why, "deployment/web does not exist any more"));
    CHECK_FALSE(read(host, "pods-ready", "we").permanent);
    host.settings["changed-workloads"] = "";
    host.objects["namespace/shop"]["metadata"]["deletionTimestamp"] = "2026-01-10T01:00:00Z";
    CHECK(read(host, "pods-ready", "web").permanent);
    host.objects.erase("namespace/shop");
    CHECK(read(host, "pods-ready", "web").permanent);
    CHECK(holds(read(host, "pods-ready", "web").why, "there is no namespace shop"));
}
