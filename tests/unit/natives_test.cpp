#include "runtime/natives/natives.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "compiler/kubernetes/image_name.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "runtime/natives/capacity.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/managed_fields.hpp"
#include "runtime/natives/plan.hpp"
#include "runtime/natives/precondition.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/rollout.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::kubernetes;
using namespace migc::runtime;
using namespace fakes;
using nlohmann::json;

namespace {

Value workload(const std::string& name) {
    return Value(ResourceRef{"workload", name});
}
Value as_value(const json& value) {
    return Value(std::make_shared<const json>(value));
}
bool truth(const Reading& reading) {
    return same(reading.value, Value(true));
}
bool falsehood(const Reading& reading) {
    return same(reading.value, Value(false));
}

json list(const json& items) {
    return {{"kind", "List"}, {"items", items}};
}

json deployment(const std::string& name, int wanted, int ready) {
    return {{"kind", "Deployment"},
            {"metadata", {{"name", name}, {"generation", 2}, {"namespace", "web"}}},
            {"spec",
             {{"replicas", wanted},
              {"selector", {{"matchLabels", {{"app", name}}}}},
              {"template", {{"spec", {{"containers", {{{"name", "main"}, {"image", "web:1"}}}}}}}}}},
            {"status",
             {{"observedGeneration", 2},
              {"replicas", wanted},
              {"updatedReplicas", wanted},
              {"readyReplicas", ready},
              {"availableReplicas", ready}}}};
}

json replica_set(const std::string& owner, const std::string& hash, int revision) {
    return {{"kind", "ReplicaSet"},
            {"metadata",
             {{"name", owner + "-" + hash},
              {"annotations", {{"deployment.kubernetes.io/revision", std::to_string(revision)}}},
              {"ownerReferences", {{{"kind", "Deployment"}, {"name", owner}}}}}}};
}

json pod(const std::string& replica_set_name, const std::string& suffix,
         const json& container_status = json::object()) {
    return {{"kind", "Pod"},
            {"metadata",
             {{"name", replica_set_name + "-" + suffix},
              {"ownerReferences", {{{"kind", "ReplicaSet"}, {"name", replica_set_name}}}}}},
            {"status", {{"phase", "Running"}, {"containerStatuses", {container_status}}}}};
}

json waiting(const std::string& reason, int restarts = 0) {
    return {{"name", "main"},
            {"restartCount", restarts},
            {"state", {{"waiting", {{"reason", reason}, {"message", "m"}}}}}};
}

class Folder {
  public:
    Folder() : path(std::filesystem::temp_directory_path() / ("migc-natives-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((path / name).parent_path());
        std::ofstream(path / name, std::ios::binary) << text;
        return (path / name).string();
    }
    std::filesystem::path path;
};

class WorkingFolder {
  public:
    explicit WorkingFolder(const std::filesystem::path& path) { std::filesystem::current_path(path); }
    ~WorkingFolder() { std::filesystem::current_path(before_); }
    WorkingFolder(const WorkingFolder&) = delete;
    WorkingFolder& operator=(const WorkingFolder&) = delete;

  private:
    std::filesystem::path before_ = std::filesystem::current_path();
};

const char* const redis_manifest = R"(# cache
apiVersion: apps/v1
kind: Deployment
metadata: {name: redis, namespace: monadic-pipeline}
spec: {replicas: 1}
--- # the service
apiVersion: v1
kind: Service
metadata:
  name: redis-service
---
# nothing but a comment
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: redis-tls
)";

}  // namespace

TEST_CASE("every native has a name of its own and does one thing") {
    for (const NativeEntry& entry : all_natives()) {
        INFO(entry.name);
        CHECK((entry.probe != nullptr) != (entry.action != nullptr));
        CHECK(find_native(entry.name) == &entry);
        CHECK((entry.action == nullptr || entry.preview != nullptr));
    }
    CHECK(find_native("no-such-native") == nullptr);
}

TEST_CASE("no native crashes on missing arguments or on answers that are garbage") {
    const Folder folder;
    const WorkingFolder inside(folder.path);  // some natives make files where their arguments say
    const std::string manifest = folder.write("a.yaml", redis_manifest);
    const std::vector<std::string> answers = {
        "",
        "garbage",
        "[]",
        "{}",
        "null",
        "4",
        R"({"items":[1,null,"x",[],{}]})",
        R"({"items":[{"kind":"Deployment","spec":7,"metadata":[]}],"spec":[]})",
        R"({"kind":"Pod","metadata":"x","status":{"containerStatuses":7}})"};
    const std::vector<List> arguments = {{},
                                         {Value(Absent{})},
                                         {workload("web"), Value(Absent{})},
                                         {Value(std::int64_t{3}), workload("web")},
                                         {Value(manifest), Value("deployment/monadic-pipeline/redis")},
                                         {Value("deployment/redis"), as_value(json::object())},
                                         {Value("http:x"), Value("a"), Value(std::int64_t{2})},
                                         {Value("x/y:1"), Value("sha256:1")}};
    for (const std::string& answer : answers)
        for (const List& list_of_arguments : arguments)
            for (const NativeEntry& entry : all_natives()) {
                FakeHost host;
                host.settings["root"] = folder.path.string();
                host.say("", printed(answer));
                INFO(entry.name << " with " << answer);
                if (entry.probe) CHECK_NOTHROW(entry.probe(host, list_of_arguments));
                if (entry.action) CHECK_NOTHROW(entry.action(host, list_of_arguments));
                if (entry.preview) CHECK_NOTHROW(entry.preview(host, list_of_arguments));
            }
}

TEST_CASE("a tool that fails makes every probe unknown, never false or absent") {
    const Folder folder;
    const std::string manifest = folder.write("a.yaml", redis_manifest);
    const Value handle("deployment/monadic-pipeline/redis");
    const std::vector<std::pair<const char*, List>> probes = {
        {"pods-ready", {}},
        {"rollout-complete", {workload("web")}},
        {"restarts", {workload("web")}},
        {"oom-kills", {workload("web")}},
        {"configuration-of", {workload("web")}},
        {"seen-configuration", {workload("web")}},
        {"image-of", {workload("web")}},
        {"container-of", {workload("web")}},
        {"autoscaler-of", {workload("web")}},
        {"node-count-ready", {}},
        {"capacity-for", {Value(std::int64_t{1}), workload("web")}},
        {"object-live", {Value(manifest), handle}},
        {"object-wanted", {Value(manifest), handle}},
        {"object-settled", {handle}},
        {"terraform-valid", {}},
        {"plan-count", {Value("p"), Value("adds")}},
        {"plan-mirrors", {Value("p"), Value("q")}},
        {"planned-facts", {Value("p")}},
        {"present-facts", {Value("p")}},
        {"terraform-output-digest", {Value("x")}},
        {"image-content", {Value("cr.example.org/web:1"), Value("sha256:1")}},
        {"pinned-image", {Value("cr.example.org/web:1"), Value("sha256:1")}},
        {"expect-plan", {Value("p"), Value(std::int64_t{1})}},
        {"plan-touches-only", {Value("p"), Value(List{})}},
        {"terraform-state", {Value("/serial")}},
        {"terraform-output", {Value("x")}},
        {"image-digest", {Value("cr.example.org/web:1")}},
    };
    for (const auto& [name, arguments] : probes) {
        FakeHost host;
        host.settings["namespace"] = "monadic-pipeline";
        host.say("", failed("Unable to connect to the server: dial tcp: i/o timeout"));
        const Reading reading = read(host, name, arguments);
        INFO(name);
        CHECK(reading.value.is_unknown());
        CHECK(reading.why.find("i/o timeout") != std::string::npos);
    }
}

TEST_CASE("pods are ready only when all are new, ready and available") {
    FakeHost host;
    json object = deployment("web", 4, 4);
    json items = {object, replica_set("web", "7f", 2), pod("web-7f", "a")};
    SECTION("ready") {
        host.say("get", list(items));
        const Reading reading = read(host, "pods-ready", {Value(List{workload("web")})});
        CHECK(truth(reading));
        CHECK(reading.why == "4 of 4 pods of web are ready");
        CHECK(host.commands.front() ==
              "kubectl get deployments,statefulsets,daemonsets,replicasets,pods -o json");
    }
    SECTION("the controller has not seen the change") {
        items[0]["metadata"]["generation"] = 3;
        host.say("get", list(items));
        CHECK(falsehood(read(host, "rollout-complete", {workload("web")})));
    }
    SECTION("two of four, and why") {
        items[0] = deployment("web", 4, 2);
        items.push_back(pod("web-7f", "b", waiting("ImagePullBackOff")));
        host.say("get", list(items));
        const Reading reading = read(host, "pods-ready", {});
        CHECK(falsehood(reading));
        CHECK(reading.why == "2 of 4 pods of web are ready; web-7f-b: ImagePullBackOff: m");
        CHECK(reading.permanent);
    }
    SECTION("an old pod is left") {
        items.push_back(replica_set("web", "6c", 1));
        items.push_back(pod("web-6c", "x"));
        host.say("get", list(items));
        const Reading reading = read(host, "pods-ready", {});
        CHECK(falsehood(reading));
        CHECK(reading.why == "1 old pod of web is still there");
    }
    SECTION("a pod is ending") {
        items.push_back(pod("web-7f", "z"));
        items.back()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
        host.say("get", list(items));
        CHECK(read(host, "pods-ready", {}).why == "1 pod of web is still ending");
    }
    SECTION("an evicted pod does not count") {
        items.push_back(pod("web-7f", "z"));
        items.back()["status"]["phase"] = "Failed";
        host.say("get", list(items));
        CHECK(truth(read(host, "pods-ready", {})));
    }
    SECTION("none is ready where none was asked for") {
        items[0] = deployment("web", 0, 0);
        host.say("get", list(items));
        CHECK(truth(read(host, "pods-ready", {})));
    }
    SECTION("a workload whose name begins with the other's is another one") {
        items.push_back(deployment("web-api", 1, 0));
        items.push_back(pod("web-api-7f", "x", waiting("ImagePullBackOff")));
        host.say("get", list(items));
        CHECK(truth(read(host, "pods-ready", {Value(List{workload("web")})})));
    }
    SECTION("a workload that does not exist") {
        host.say("get", list(items));
        const Reading reading = read(host, "pods-ready", {Value(List{workload("other")})});
        CHECK(falsehood(reading));
        CHECK(reading.why == "deployment/other does not exist");
    }
    SECTION("nothing in the namespace") {
        host.say("get", list(json::array()));
        CHECK(read(host, "pods-ready", {}).why == "there is no workload in namespace web");
    }
}

TEST_CASE("a crash loop is hopeless from the third restart on, and not because of the old version") {
    const auto judged = [](const json& status, const char* owner) {
        const json items = {replica_set("web", "7f", 2), replica_set("web", "6c", 1),
                            pod(owner, "b", status)};
        return judge(deployment("web", 2, 1), items, "web");
    };
    CHECK_FALSE(judged(waiting("CrashLoopBackOff", 2), "web-7f").permanent);
    CHECK(judged(waiting("CrashLoopBackOff", 3), "web-7f").permanent);
    CHECK_FALSE(judged(waiting("CrashLoopBackOff", 9), "web-6c").permanent);
    CHECK_FALSE(judged(waiting("ContainerCreating"), "web-7f").permanent);
    CHECK_FALSE(judged(waiting("CreateContainerConfigError"), "web-7f").permanent);
}

TEST_CASE("pods that a quota refuses are hopeless unless others go away") {
    json newest = replica_set("web", "7f", 2);
    newest["spec"]["replicas"] = 4;
    newest["status"] = {
        {"replicas", 2},
        {"conditions", {{{"type", "ReplicaFailure"}, {"status", "True"}, {"message", "exceeded quota: q"}}}}};
    json items = {newest, pod("web-7f", "a")};
    const Readiness refused = judge(deployment("web", 4, 2), items, "web");
    CHECK(refused.permanent);
    CHECK(refused.why == "2 of 4 pods of web are ready; no more pods can be made: exceeded quota: q");
    items.push_back(pod("web-7f", "b"));
    items.back()["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    CHECK_FALSE(judge(deployment("web", 4, 2), items, "web").permanent);
}

TEST_CASE("workloads as a cluster describes them") {
    const auto ready = [](const char* name) {
        std::ifstream file("tests/unit/fixtures/kubernetes/" + std::string(name) + ".json");
        std::stringstream text;
        text << file.rdbuf();
        FakeHost host;
        host.say("get", printed(text.str()));
        return read(host, "pods-ready", {Value(List{workload("webapi")})});
    };
    CHECK(truth(ready("ready")));
    CHECK(ready("ready").why == "2 of 2 pods of webapi are ready");
    const Reading rolling = ready("rolling");
    CHECK(falsehood(rolling));
    CHECK_FALSE(rolling.permanent);
    CHECK(rolling.why ==
          "1 of 2 pods of webapi are of the new version; 2 old pods of webapi are still there");
    for (const auto& [name, part] :
         {std::pair{"image-pull-back-off", "ImagePullBackOff: Back-off pulling image"},
          std::pair{"crash-loop", "CrashLoopBackOff: container webapi ended 4 times"},
          std::pair{"quota", "no more pods can be made: pods \"webapi-7585fffc88"}}) {
        const Reading stuck = ready(name);
        INFO(stuck.why);
        CHECK(falsehood(stuck));
        CHECK(stuck.permanent);
        CHECK(stuck.why.find(part) != std::string::npos);
    }
}

TEST_CASE("stateful sets and daemon sets") {
    json set = {{"kind", "StatefulSet"},
                {"metadata", {{"name", "db"}, {"generation", 1}}},
                {"spec", {{"replicas", 2}}},
                {"status",
                 {{"observedGeneration", 1},
                  {"replicas", 2},
                  {"readyReplicas", 2},
                  {"currentRevision", "a"},
                  {"updateRevision", "a"}}}};
    CHECK(judge(set, json::array(), "db").ready);
    set["status"]["updateRevision"] = "b";
    set["status"]["updatedReplicas"] = 1;
    CHECK(judge(set, json::array(), "db").why == "1 of 2 pods of db are of the new version");
    json daemons = {{"kind", "DaemonSet"},
                    {"metadata", {{"name", "agent"}, {"generation", 1}}},
                    {"status", {{"observedGeneration", 1}, {"desiredNumberScheduled", 0}}}};
    CHECK(judge(daemons, json::array(), "agent").why == "no node takes a pod of agent");
}

TEST_CASE("restarts and memory kills are summed over the workload's own pods") {
    FakeHost host;
    json status = {
        {"name", "main"}, {"restartCount", 3}, {"lastState", {{"terminated", {{"reason", "OOMKilled"}}}}}};
    host.say("get deployment/web", deployment("web", 2, 2));
    host.say("get pods -l app=web",
             list({pod("web-7f", "a", status), pod("web-7f", "b", status), pod("other-7f", "c", status)}));
    CHECK(same(read(host, "restarts", {workload("web")}).value, Value(std::int64_t{6})));
    const Reading kills = read(host, "oom-kills", {workload("web")});
    CHECK(same(kills.value, Value(std::int64_t{2})));
    CHECK(kills.why == "web-7f-a: 1, web-7f-b: 1");
    FakeHost empty;
    empty.say("get", printed(""));
    CHECK(read(empty, "restarts", {workload("web")}).value.is_absent());
}

TEST_CASE("the configuration of a workload is the content of its ConfigMaps and the version of its Secrets") {
    json object = deployment("web", 1, 1);
    object["spec"]["template"]["spec"] = {
        {"containers", {{{"name", "main"}, {"envFrom", {{{"configMapRef", {{"name", "one"}}}}}}}}},
        {"volumes", {{{"secret", {{"secretName", "two"}}}}}}};
    const auto digest = [&](const char* data, const char* secret_version, const char* config_version) {
        FakeHost host;
        host.say("get deployment/web", object);
        host.say("get configmap/one",
                 json{{"metadata", {{"resourceVersion", config_version}}}, {"data", {{"k", data}}}});
        host.say("get secret/two", json{{"metadata", {{"uid", "u"}, {"resourceVersion", secret_version}}},
                                        {"data", {{"k", "canary"}}}});
        return show(read(host, "configuration-of", {workload("web")}).value);
    };
    CHECK(digest("a", "1", "1") == digest("a", "1", "2"));
    CHECK(digest("a", "1", "1") != digest("b", "1", "1"));
    CHECK(digest("a", "1", "1") != digest("a", "2", "1"));
    FakeHost host;
    host.say("get", printed(""));
    CHECK(read(host, "configuration-of", {workload("web")}).value.is_absent());
}

TEST_CASE("a restart changes the configuration that was seen") {
    json object = deployment("web", 1, 1);
    FakeHost before;
    before.say("get", object);
    object["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
        "2026-01-01T00:00:00Z";
    FakeHost after;
    after.say("get", object);
    CHECK_FALSE(same(read(before, "seen-configuration", {workload("web")}).value,
                     read(after, "seen-configuration", {workload("web")}).value));
}

TEST_CASE("the image of the only container, or of the named one") {
    json object = deployment("web", 1, 1);
    FakeHost one;
    one.say("get", object);
    CHECK(show(read(one, "image-of", {workload("web"), Value(Absent{})}).value) == "web:1");
    CHECK(show(read(one, "container-of", {workload("web")}).value) == "main");
    object["spec"]["template"]["spec"]["containers"].push_back({{"name", "side"}, {"image", "side:2"}});
    FakeHost two;
    two.say("get", object);
    const Reading unnamed = read(two, "image-of", {workload("web"), Value(Absent{})});
    CHECK(unnamed.value.is_unknown());
    CHECK(unnamed.why == "name the container: main, side");
    CHECK(unnamed.permanent);
    CHECK(show(read(two, "image-of", {workload("web"), Value("side")}).value) == "side:2");
    CHECK(read(two, "image-of", {workload("web"), Value("none")}).value.is_absent());
}

TEST_CASE("the autoscaler of a workload") {
    FakeHost host;
    host.say("get hpa", list({{{"metadata", {{"name", "h"}}},
                               {"spec", {{"scaleTargetRef", {{"kind", "Deployment"}, {"name", "web"}}}}}}}));
    CHECK(show(read(host, "autoscaler-of", {workload("web")}).value) == "h");
    CHECK(read(host, "autoscaler-of", {workload("api")}).value.is_absent());
}

namespace {

json node(const std::string& name, const char* cpu, const char* memory) {
    return {{"metadata", {{"name", name}}},
            {"spec", json::object()},
            {"status",
             {{"allocatable", {{"cpu", cpu}, {"memory", memory}, {"pods", "10"}}},
              {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}};
}

json requesting(const char* cpu, const char* memory) {
    return {
        {"spec", {{"containers", {{{"resources", {{"requests", {{"cpu", cpu}, {"memory", memory}}}}}}}}}}};
}

}  // namespace

TEST_CASE("capacity is what is allocatable less what running pods request") {
    json object = deployment("web", 2, 2);
    object["spec"]["template"] = requesting("500m", "512Mi");
    json running = requesting("1", "1Gi");
    running["spec"]["nodeName"] = "one";
    json nodes = {node("one", "2", "4Gi"), node("two", "1", "4Gi")};
    const auto capacity = [&](std::int64_t count, const json& quotas = json::array()) {
        FakeHost host;
        host.say("get deployment/web", object);
        host.say("get nodes", list(nodes));
        host.say("get pods --all-namespaces", list(json::array({running})));
        host.say("get resourcequotas", list(quotas));
        return read(host, "capacity-for", {Value(count), workload("web")});
    };
    CHECK(truth(capacity(4)));
    CHECK(falsehood(capacity(5)));
    CHECK(capacity(5).why == "4 of 5 more pods fit on 2 of 2 nodes; each requests cpu 0.5, memory 512Mi");
    SECTION("cordoned, unready and tainted nodes take none") {
        nodes[1]["spec"]["unschedulable"] = true;
        CHECK(falsehood(capacity(4)));
        nodes[1]["spec"] = {{"taints", {{{"key", "gpu"}, {"value", "yes"}, {"effect", "NoSchedule"}}}}};
        CHECK(falsehood(capacity(4)));
        object["spec"]["template"]["spec"]["tolerations"] = {{{"key", "gpu"}, {"operator", "Exists"}}};
        CHECK(truth(capacity(4)));
        nodes[1]["status"]["conditions"][0]["status"] = "Unknown";
        CHECK(falsehood(capacity(4)));
    }
    SECTION("a pod that has ended takes no room") {
        running["status"]["phase"] = "Succeeded";
        CHECK(truth(capacity(6)));
    }
    SECTION("a quota") {
        const json quota = {{"metadata", {{"name", "q"}}},
                            {"status", {{"hard", {{"pods", "4"}}}, {"used", {{"pods", "2"}}}}}};
        CHECK(truth(capacity(2, json::array({quota}))));
        CHECK(capacity(3, json::array({quota})).why == "quota q allows 4 of pods, and 2 are used");
    }
    SECTION("rules that are not weighed make it unknown, but never hide that there is no room") {
        object["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
              ["requiredDuringSchedulingIgnoredDuringExecution"] = {1};
        CHECK(capacity(4).value.is_unknown());
        CHECK(falsehood(capacity(5)));
    }
}

TEST_CASE("requests count init containers by their peak") {
    json pod_spec = requesting("100m", "1Mi");
    pod_spec["spec"]["initContainers"] = {
        {{"resources", {{"requests", {{"cpu", "1"}}}}}},
        {{"restartPolicy", "Always"}, {"resources", {{"limits", {{"memory", "3Mi"}}}}}}};
    const auto requests = requests_of(pod_spec);
    REQUIRE(requests);
    CHECK(requests->at("cpu") == Approx(1));
    CHECK(requests->at("memory") == Approx(4 * 1024 * 1024));
    CHECK_FALSE(requests_of(requesting("much", "1Mi")));
}

TEST_CASE("the objects of a manifest keep their order and their namespace") {
    const Folder folder;
    FakeHost host;
    const Reading reading =
        read(host, "objects-of-manifest", {Value(folder.write("redis.yaml", redis_manifest))});
    CHECK(show(reading.value) ==
          show(Value(List{Value("deployment/monadic-pipeline/redis"), Value("service/redis-service"),
                          Value("certificate.cert-manager.io/redis-tls")})));
}

TEST_CASE("a folder's manifests come in order of their names") {
    const Folder folder;
    folder.write("b.yaml", "{apiVersion: v1, kind: Service, metadata: {name: b}}");
    folder.write("a.json", R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})");
    folder.write("notes.txt", "no manifest");
    const auto documents = read_manifest(folder.path);
    REQUIRE(documents);
    REQUIRE(documents->size() == 2);
    CHECK(documents->at(0).handle.text() == "configmap/a");
    folder.write("c.yaml", "{apiVersion: v1, kind: Service, metadata: {name: b}}");
    CHECK(read_manifest(folder.path).error() ==
          "c.yaml declares service/b twice; only one of both can come to be");
}

TEST_CASE("manifests that cannot be applied object by object are refused with the reason") {
    const auto error = [](const char* text) { return parse_manifest(text, "x.yaml").error(); };
    CHECK(error("kind: Pod\n") == "x.yaml, document 1: it has no apiVersion or no kind");
    CHECK(error("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}").find("metadata.name") !=
          std::string::npos);
    CHECK(error("apiVersion: v1\nkind: List\nitems: []").find("documents of their own") != std::string::npos);
    CHECK(error("apiVersion: v1\nkind: Pod\nmetadata: {name: --all}").find("Kubernetes allows") !=
          std::string::npos);
    CHECK(error("- a\n").find("no mapping") != std::string::npos);
    CHECK(error("a: [\n").find("document 1") != std::string::npos);
    CHECK(error("--- text\n").find("between documents") != std::string::npos);
    CHECK(parse_handle("deployment/web"));
    CHECK_FALSE(parse_handle("deployment"));
    CHECK_FALSE(parse_handle("a/b/c/d"));
    CHECK_FALSE(parse_handle("deployment/--all"));
    std::string deep(100'000, '[');
    CHECK_FALSE(parse_manifest(deep, "x.yaml"));
    // What two readers could understand differently.
    const std::string head = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    CHECK(error((head + "data: &x { a: 1 }\nmore: *x\n").c_str()).find("line 5: aliases are not allowed") !=
          std::string::npos);
    CHECK(
        error((head + "data:\n  a: 1\n  b: 2\n  a: 3\n").c_str()).find("line 7: the key `a` stands twice") !=
        std::string::npos);
    CHECK(parse_manifest(head + "data: { a: 1, b: { a: 2 }, c: [{ a: 1 }, { a: 2 }] }\n", "x.yaml"));
}

namespace {

json kept_by(const std::string& manager, const char* operation, const json& fields,
             const char* version = "v1") {
    return {{"manager", manager},       {"operation", operation}, {"apiVersion", version},
            {"fieldsType", "FieldsV1"}, {"fieldsV1", fields},     {"time", "2026-01-10T01:00:00Z"}};
}

// The configmap c of version 7, with one field by each of these managers.
json settings(const json& data, const json& managers) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata",
             {{"name", "c"},
              {"namespace", "web"},
              {"uid", "u1"},
              {"resourceVersion", "7"},
              {"managedFields", managers}}},
            {"data", data}};
}

constexpr const char* settings_manifest =
    "# settings\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata: {a: \"2\"}\n";
const json field_a = {{"f:data", {{"f:a", json::object()}}}};
const json field_b = {{"f:data", {{"f:b", json::object()}}}};
const json note_of_kubectl = {
    {"f:annotations", {{"f:kubectl.kubernetes.io/last-applied-configuration", json::object()}}}};

json client_side(const json& live, const json& applied) {
    const json fields = {{"f:data", {{"f:a", json::object()}, {"f:b", json::object()}}},
                         {"f:metadata", note_of_kubectl}};
    json object = settings(live, json::array({kept_by("kubectl-client-side-apply", "Update", fields)}));
    object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json{{"data", applied}}.dump();
    return object;
}

// What the server says would be if the project took what kubectl keeps.
json by_force(const json& data) {
    json object = client_side(data, {{"a", "1"}, {"b", "1"}});
    object["metadata"]["managedFields"] = json::array({kept_by("migc:shop", "Apply", field_a)});
    return object;
}

}  // namespace

TEST_CASE("an object is applied alone, as the project, to the very object that was looked at") {
    const Folder folder;
    const Value manifest(folder.write("redis.yaml", redis_manifest));
    const Value map(folder.write("map.yaml", settings_manifest));
    FakeHost host;
    host.settings["project"] = "shop";
    SECTION("alone, in its own namespace") {
        host.say("get", printed(""));
        host.say("apply", json::object());
        const Value redis("deployment/monadic-pipeline/redis");
        const Answer elsewhere = act(host, "object-apply", {manifest, redis, Value(Absent{})});
        CHECK_FALSE(elsewhere.succeeded());
        CHECK(elsewhere.errors.find("this stage acts in web") != std::string::npos);
        host.settings["namespace"] = "monadic-pipeline";
        CHECK(act(host, "object-apply", {manifest, redis, Value(Absent{})}).succeeded());
        CHECK(host.commands.back() == "kubectl apply --server-side --field-manager=migc:shop -o json -f -");
        CHECK(host.inputs.back().find("kind: Service") == std::string::npos);
    }
    SECTION("where there was none, only if there still is none") {
        host.say("apply", json::object());
        CHECK(act(host, "object-apply", {map, Value("configmap/c"), Value(Absent{})}).succeeded());
        CHECK(
            host.inputs.back() ==
            "# settings\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  \"resourceVersion\": \"1\"\n  name: c\n"
            "data: {a: \"2\"}\n");
    }
    SECTION("where there was one, only to that version of that one") {
        host.say("get", settings({{"a", "1"}}, json::array({kept_by("migc:shop", "Apply", field_a)})));
        host.say("apply", json::object());
        CHECK(act(host, "object-apply", {map, Value("configmap/c"), Value("7")}).succeeded());
        CHECK(host.inputs.back().find("\"resourceVersion\": \"7\"\n  \"uid\": \"u1\"\n") !=
              std::string::npos);
        const Answer changed = act(host, "object-apply", {map, Value("configmap/c"), Value("6")});
        CHECK(changed.errors.find("the object has been modified since it was looked at") !=
              std::string::npos);
        CHECK(host.commands.back().find("get") != std::string::npos);  // and nothing was written
    }
    SECTION("what the server refuses is marked as refused, and nothing else is") {
        host.say("apply",
                 failed("error: Operation cannot be fulfilled on configmaps \"c\": the object has been "
                        "modified; please apply your changes to the latest version and try again"));
        CHECK(act(host, "object-apply", {map, Value("configmap/c"), Value(Absent{})}).refused);
        FakeHost cut_off;
        cut_off.say("apply", failed("error: unexpected EOF"));
        CHECK_FALSE(act(cut_off, "object-apply", {map, Value("configmap/c"), Value(Absent{})}).refused);
    }
    SECTION("not what the manifest does not declare") {
        CHECK_FALSE(
            act(host, "object-apply", {manifest, Value("service/other"), Value(Absent{})}).succeeded());
        CHECK(host.commands.empty());
    }
}

TEST_CASE("a version is put into a manifest's metadata however that is written, and into nothing else") {
    const auto document = [](const std::string& text) { return parse_manifest(text, "x.yaml")->front(); };
    const std::string head = "apiVersion: v1\nkind: ConfigMap\n";
    for (const std::string& text :
         {head + "metadata: {name: c, labels: {metadata: x}}\n", head + "metadata:\n    name: c\n",
          std::string(
              R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"metadata":"{"}})"),
          "\xEF\xBB\xBF" + head + "metadata: {name: c}\n",
          head + "data: {metadata: \"{name: c}\"}\nmetadata: {name: c}\n",
          head + "metadata: # its name\n  # is\n  name: c\n  labels:\n    a: b\n",
          "metadata: {name: c}\r\n" + head}) {
        INFO(text);
        const auto with = with_precondition(document(text), "7", "u1");
        REQUIRE(with);
        const Document changed = document(*with);
        CHECK(changed.declared["metadata"]["resourceVersion"] == "7");
        CHECK(changed.declared["metadata"]["uid"] == "u1");
        json rest = changed.declared;
        rest["metadata"].erase("resourceVersion");
        rest["metadata"].erase("uid");
        CHECK(rest == document(text).declared);
    }
    const Document exported = document(head + "metadata: {name: c, resourceVersion: \"7\", uid: u1}\n");
    CHECK(with_precondition(exported, "7", "u1") == exported.text);
    CHECK(with_precondition(exported, "8", "u1").error().find("a manifest leaves it out") !=
          std::string::npos);
    CHECK_FALSE(with_precondition(exported, version_of_none, ""));
    CHECK(with_precondition(document(head + "metadata: !!map {name: c}\n"), "7", "u1")
              .error()
              .find("as a plain mapping") != std::string::npos);
}

TEST_CASE("nothing is taken over from others, and what an earlier migc or kubectl kept is, once") {
    const Folder folder;
    const Value map(folder.write("map.yaml", settings_manifest));
    const Value name("configmap/c");
    FakeHost host;
    host.settings["project"] = "shop";
    const auto ran = [&](const std::string& part) {
        return std::count_if(host.commands.begin(), host.commands.end(),
                             [&](const std::string& one) { return one.find(part) != std::string::npos; });
    };
    SECTION("another project's") {
        host.say("get", settings({{"a", "1"}}, json::array({kept_by("migc:bakery", "Apply", field_a)})));
        host.say("apply",
                 failed("error: Apply failed with 1 conflict: conflict with \"migc:bakery\": .data.a"));
        const Reading wanted = read(host, "object-wanted", {map, name});
        CHECK(wanted.permanent);
        CHECK(wanted.why.find("migc:bakery") != std::string::npos);
        CHECK(wanted.why.find(".data.a") != std::string::npos);
        CHECK(ran("--force-conflicts") == 0);
    }
    SECTION("a person's, beside an earlier migc's") {
        host.say("get", settings({{"a", "1"}}, json::array({kept_by("migc", "Apply", field_a)})));
        host.say("apply", failed("Apply failed with 2 conflicts: conflicts with \"migc\":\n- .data.a\n"
                                 "conflicts with \"kubectl-edit\" using v1:\n- .data.b"));
        CHECK(read(host, "object-wanted", {map, name}).permanent);
        CHECK(ran("--force-conflicts") == 0);
    }
    SECTION("an earlier migc's: who keeps it first, then the object, and it is said") {
        const json old =
            settings({{"a", "1"}, {"b", "1"}},
                     {kept_by("migc", "Apply", field_a), kept_by("migc", "Update", field_b),
                      kept_by("kubectl-edit", "Update", {{"f:data", {{"f:x", json::object()}}}})});
        json taken = old;
        taken["metadata"]["resourceVersion"] = "8";
        host.say("get", old);
        host.say("patch configmap/c --type=json", taken);
        host.say("apply", json::object());
        const Answer answer = act(host, "object-apply", {map, name, Value("7")});
        REQUIRE(answer.succeeded());
        CHECK(answer.errors.find("what migc kept of configmap/c is kept by migc:shop from now on") !=
              std::string::npos);
        REQUIRE(host.commands.size() == 3);
        const json patch = json::parse(host.inputs[1]);
        CHECK(patch[1] == json({{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", "7"}}));
        REQUIRE(patch[0]["value"].size() == 2);
        CHECK(patch[0]["value"][0]["manager"] == "kubectl-edit");
        CHECK(patch[0]["value"][1]["manager"] == "migc:shop");
        CHECK(patch[0]["value"][1]["operation"] == "Apply");
        CHECK(patch[0]["value"][1]["fieldsV1"] ==
              json({{"f:data", {{"f:a", json::object()}, {"f:b", json::object()}}}}));
        CHECK(host.inputs[2].find("\"resourceVersion\": \"8\"") != std::string::npos);
        CHECK(host.commands[2].find("--force-conflicts") == std::string::npos);
    }
    SECTION("kubectl's: what nobody has changed since") {
        host.say("get", client_side({{"a", "1"}, {"b", "1"}}, {{"a", "1"}, {"b", "1"}}));
        // What is in no manifest any more goes with it, as the server says.
        host.say("patch configmap/c --type=merge", settings({{"a", "2"}}, json::array()));
        host.say("--force-conflicts", by_force({{"a", "2"}, {"b", "1"}}));
        host.say("apply", failed("error: Apply failed with 1 conflict: conflict with "
                                 "\"kubectl-client-side-apply\" using v1: .data.a"));
        const Reading wanted = read(host, "object-wanted", {map, name});
        REQUIRE_FALSE(wanted.value.is_unknown());
        CHECK(field(json::parse(show(wanted.value)), "/data") == json({{"a", "2"}}));
        CHECK(json::parse(host.inputs.back()) == json({{"data", {{"a", "2"}, {"b", nullptr}}}}));
    }
    SECTION("kubectl's: not what somebody has changed since under the same name") {
        host.say("get", client_side({{"a", "by hand"}, {"b", "1"}}, {{"a", "1"}, {"b", "1"}}));
        host.say("patch configmap/c --type=merge", settings({{"a", "2"}}, json::array()));
        host.say("--force-conflicts", by_force({{"a", "2"}, {"b", "1"}}));
        host.say("apply", failed("error: Apply failed with 1 conflict: conflict with "
                                 "\"kubectl-client-side-apply\" using v1: .data.a"));
        const Reading wanted = read(host, "object-wanted", {map, name});
        CHECK(wanted.permanent);
        CHECK(wanted.why.find("somebody changed .data.a of configmap/c since `kubectl apply` set it") !=
              std::string::npos);
    }
    SECTION("an agent's that applies on the client's side: kubectl would take it over without a word") {
        json object = client_side({{"a", "1"}}, {{"a", "1"}});
        object["metadata"]["managedFields"][0]["manager"] = "argocd-controller";
        host.say("get", object);
        host.say("apply", json::object());
        CHECK(read(host, "object-wanted", {map, name}).why.find("argocd-controller") != std::string::npos);
        CHECK_FALSE(act(host, "object-apply", {map, name, Value("7")}).succeeded());
        CHECK(ran("apply") == 0);
    }
}

TEST_CASE("who keeps which field") {
    const json object = {
        {"spec",
         {{"replicas", 2},
          {"template",
           {{"spec",
             {{"containers",
               {{{"name", "web"}, {"image", "web:1"}}, {{"name", "side"}, {"image", "x:1"}}}}}}}}}},
        {"metadata",
         {{"managedFields",
           {kept_by("kubectl", "Update", {{"f:spec", {{"f:replicas", json::object()}}}}),
            kept_by("helm", "Update",
                    json::parse(R"({"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":
                                    {".":{},"f:image":{},"f:name":{}}}}}}})"))}}}}};
    json after = object;
    CHECK(take_out(after, takeover_by(object, "migc:shop", {"helm"}).fields, {}));
    CHECK(after["spec"]["template"]["spec"]["containers"].size() == 1);
    // An item that somebody keeps a field of stays, with that field.
    after = object;
    const json image = json::parse(
        R"({"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{"f:image":{}}}}}}})");
    take_out(after, takeover_by(object, "migc:shop", {"helm"}).fields, {image});
    CHECK(after["spec"]["template"]["spec"]["containers"][0] == json({{"image", "web:1"}}));
}

TEST_CASE("an object is read in the manifest's version of its kind") {
    const Folder folder;
    const Value manifest(
        folder.write("hpa.yaml",
                     "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n"
                     "spec: {maxReplicas: 3}\n"));
    FakeHost host;
    host.say("get horizontalpodautoscaler.v1.autoscaling/h", json{{"apiVersion", "autoscaling/v1"},
                                                                  {"kind", "HorizontalPodAutoscaler"},
                                                                  {"metadata", {{"name", "h"}}}});
    host.say("get horizontalpodautoscaler/h", json{{"apiVersion", "autoscaling/v2"},
                                                   {"kind", "HorizontalPodAutoscaler"},
                                                   {"metadata", {{"name", "h"}}}});
    const Reading live = read(host, "object-live", {manifest, Value("horizontalpodautoscaler/h")});
    CHECK(json::parse(show(live.value))["apiVersion"] == "autoscaling/v1");
}

TEST_CASE("an annotation that the server changes with each change is no part of what is wanted") {
    const Folder folder;
    const Value map(folder.write("map.yaml", settings_manifest));
    FakeHost host;
    json now = settings({{"a", "1"}}, json::array({kept_by("migc", "Apply", field_a)}));
    now["metadata"]["annotations"] = {{"seen", "1"}, {"mine", "x"}};
    json after = settings({{"a", "2"}}, json::array({kept_by("migc", "Apply", field_a)}));
    after["metadata"]["annotations"] = {{"seen", "2"}, {"new", "2"}, {"mine", "x"}};
    host.say("get", now);
    host.say("apply", after);
    const json wanted = json::parse(show(read(host, "object-wanted", {map, Value("configmap/c")}).value));
    CHECK(wanted["metadata"]["annotations"] == json({{"seen", "1"}, {"mine", "x"}}));
    CHECK(wanted["data"]["a"] == "2");
}

TEST_CASE("the form of an object leaves out what the cluster assigns, unless it is declared") {
    const json object = {
        {"kind", "Service"},
        {"metadata",
         {{"name", "s"}, {"uid", "u"}, {"resourceVersion", "7"}, {"managedFields", json::array()}}},
        {"spec", {{"clusterIP", "10.0.0.7"}, {"ports", {{{"port", 80}, {"nodePort", 30080}}}}}},
        {"status", json::object()}};
    CHECK(
        live_form(object, json()) ==
        json({{"kind", "Service"}, {"metadata", {{"name", "s"}}}, {"spec", {{"ports", {{{"port", 80}}}}}}}));
    const json declared = {{"spec", {{"clusterIP", "10.0.0.7"}, {"ports", {{{"nodePort", "30080"}}}}}}};
    CHECK(live_form(object, declared)["spec"] == object["spec"]);
    json scaled = deployment("web", 3, 3);
    CHECK(live_form(scaled, json(), false)["spec"]["replicas"] == 3);
    CHECK_FALSE(live_form(scaled, json(), true)["spec"].contains("replicas"));
}

TEST_CASE("a field that somebody edited is named, also below an element of a list") {
    const json image = {{"f:image", json::object()}};
    const json fields = {{"f:spec", {{"f:containers", {{R"(k:{"name":"web"})", image}}}}}};
    const auto object = [](const char* tag) {
        return json{{"spec", {{"containers", {{{"name", "web"}, {"image", tag}}}}}}};
    };
    CHECK(edited_fields(fields, object("web:1"), object("web:hand"), object("web:2")) ==
          std::vector<std::string>{R"(.spec.containers[name="web"].image)"});
    CHECK(edited_fields(fields, object("web:1"), object("web:1"), object("web:2")).empty());
}

TEST_CASE("a secret's values are kept under the project's own key, as its form is") {
    const Folder home;
    ::setenv("XDG_CONFIG_HOME", (home.path / "config").c_str(), 1);
    FakeHost host;
    host.settings["project"] = "shop";
    const json secret = {{"apiVersion", "v1"},
                         {"kind", "Secret"},
                         {"metadata", {{"name", "creds"}, {"namespace", "web"}}},
                         {"data", {{"password", "b2xk"}}}};
    host.say("get", secret);
    const auto prior = live_form(host, secret, {});
    REQUIRE(prior);
    const Reading values = read(host, "secret-values", {Value("secret/creds"), as_value(*prior)});
    ::unsetenv("XDG_CONFIG_HOME");
    INFO(values.why);
    CHECK_FALSE(values.value.is_unknown());
    CHECK_FALSE(values.value.is_absent());
}

TEST_CASE("the values of a secret are in no form, and no two of them look the same") {
    const auto form = [](const std::string& value, const trust::DigestKey& key = trust::open_key()) {
        return live_form({{"kind", "Secret"},
                          {"metadata",
                           {{"name", "creds"},
                            {"annotations", {{"kubectl.kubernetes.io/last-applied-configuration", value}}}}},
                          {"data", {{"password", value}}}},
                         json(), false, key);
    };
    CHECK(form("Y2FuYXJ5").dump().find("Y2FuYXJ5") == std::string::npos);
    CHECK(form("Y2FuYXJ5") == form("Y2FuYXJ5"));
    CHECK(form("Y2FuYXJ5") != form("b3RoZXI="));
    // Two values of which 16 bits of a digest were the same, so that a rotation was taken for no change.
    CHECK(form("b2xkLXBhc3N3b3Jk") != form("bmV3LXBhc3N3b3JkLTEyOTIw"));
    trust::DigestKey key;
    key.bytes.fill(7);
    CHECK(form("Y2FuYXJ5", key) != form("Y2FuYXJ5"));
    CHECK(form("Y2FuYXJ5")["data"]["password"].get<std::string>().starts_with(kept_mark));
}

TEST_CASE("the way back touches only what the run changed") {
    const json prior = {{"data", {{"a", "1"}, {"b", "1"}}}, {"metadata", {{"labels", {{"x", "y"}}}}}};
    const json applied = {{"data", {{"a", "2"}, {"b", "1"}, {"new", "1"}}},
                          {"metadata", {{"labels", {{"x", "y"}}}}}};
    SECTION("as applied") {
        const WayBack way = way_back(prior, applied, applied);
        CHECK(way.taken.empty());
        CHECK(way.patch == json({{"data", {{"a", "1"}, {"new", nullptr}}}}));
    }
    SECTION("what somebody else added elsewhere stays") {
        json now = applied;
        now["data"]["theirs"] = "1";
        now["data"]["b"] = "theirs";
        const WayBack way = way_back(prior, applied, now);
        CHECK(way.taken.empty());
        CHECK(way.patch == json({{"data", {{"a", "1"}, {"new", nullptr}}}}));
    }
    SECTION("what somebody else changed is not overwritten") {
        json now = applied;
        now["data"]["a"] = "theirs";
        CHECK(way_back(prior, applied, now).taken == std::vector<std::string>{"/data/a"});
    }
    SECTION("what is back already is left alone") {
        CHECK(way_back(prior, applied, prior).patch.empty());
    }
    SECTION("a list is replaced whole") {
        const WayBack way = way_back({{"l", {1, 2}}}, {{"l", {1, 3}}}, {{"l", {1, 3}}});
        CHECK(way.patch == json({{"l", {1, 2}}}));
    }
    SECTION("the patch does what it is for") {
        json now = applied;
        now.merge_patch(way_back(prior, applied, now).patch);
        CHECK(now == prior);
    }
}

namespace {

struct Restoring {
    Folder folder;
    Value manifest = Value(folder.write("map.yaml", settings_manifest));
    Value handle = Value("configmap/c");
    json prior = {{"kind", "ConfigMap"}, {"metadata", {{"name", "c"}}}, {"data", {{"a", "1"}}}};
    json applied = {{"kind", "ConfigMap"}, {"metadata", {{"name", "c"}}}, {"data", {{"a", "2"}}}};
    json live = settings({{"a", "2"}}, json::array());
    FakeHost host;

    Restoring() {
        host.settings["project"] = "shop";
        host.say("get --raw", json{{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
        host.say("patch", json::object());
        host.say("delete", printed("deleted"));
    }
    void there_is(const json& object) {
        host.say("get", object.is_null() ? printed("") : printed(object.dump()));
    }
    Answer restore(const json& to) {
        return act(
            host, "object-restore",
            {manifest, handle, to.is_null() ? Value(Absent{}) : as_value(to), as_value(applied), Value("7")});
    }
    // The same before anything is done: whether it may become that, and what it would be.
    Reading may_become(const json& to) {
        return read(host, "object-may-become",
                    {handle, to.is_null() ? Value(Absent{}) : as_value(to), manifest, as_value(applied)});
    }
    json restored(const json& to) {
        return json_argument(
            {read(host, "object-restored",
                  {manifest, handle, to.is_null() ? Value(Absent{}) : as_value(to), as_value(applied)})
                 .value},
            0);
    }
    [[nodiscard]] bool wrote() const {
        return std::any_of(host.commands.begin(), host.commands.end(), [](const std::string& one) {
            return one.find("patch") != std::string::npos || one.find("delete") != std::string::npos;
        });
    }
};

}  // namespace

TEST_CASE("an object is restored by a patch, a deletion or not at all") {
    Restoring r;
    SECTION("patched, on standard input, and only that version") {
        r.there_is(r.live);
        CHECK(truth(r.may_become(r.prior)));
        CHECK(r.restored(r.prior)["data"] == r.prior["data"]);
        CHECK(r.restore(r.prior).succeeded());
        CHECK(
            r.host.commands.back() ==
            "kubectl patch configmap/c --type=merge --field-manager=migc:shop --patch-file=/dev/stdin -o json");
        CHECK(r.host.inputs.back() == R"({"data":{"a":"1"},"metadata":{"resourceVersion":"7"}})");
    }
    SECTION("an object of any size") {
        const std::string large(300'000, 'x');
        r.prior["data"]["large"] = large;
        r.applied["data"]["large"] = "small";
        r.live["data"]["large"] = "small";
        r.there_is(r.live);
        CHECK(r.restore(r.prior).succeeded());
        CHECK(r.host.commands.back().size() < 1000);
        CHECK(json::parse(r.host.inputs.back())["data"]["large"] == large);
    }
    SECTION("held because somebody else changed all of it") {
        r.live["data"]["a"] = "3";
        r.there_is(r.live);
        CHECK(falsehood(r.may_become(r.prior)));
        CHECK(r.may_become(r.prior).why.find("configmap/c keeps /data/a") != std::string::npos);
        const Answer answer = r.restore(r.prior);
        CHECK(answer.held.starts_with("configmap/c keeps /data/a"));
        CHECK_FALSE(r.wrote());
    }
    SECTION("what is still this run's goes back, and the rest is held by its name") {
        for (json* one : {&r.prior, &r.applied, &r.live}) (*one)["data"]["replicas"] = "1";
        r.applied["data"]["replicas"] = "2";
        r.live["data"]["replicas"] = "5";
        r.there_is(r.live);
        CHECK(truth(r.may_become(r.prior)));
        CHECK(r.restored(r.prior)["data"] == json({{"a", "1"}, {"replicas", "5"}}));
        const Answer answer = r.restore(r.prior);
        CHECK(answer.succeeded());
        CHECK(answer.held.starts_with("configmap/c keeps /data/replicas: somebody else"));
        CHECK(r.host.inputs.back() == R"({"data":{"a":"1"},"metadata":{"resourceVersion":"7"}})");
        // Once more, as after a crash: there is nothing left that may be put back.
        FakeHost again;
        r.live["data"]["a"] = "1";
        again.say("get", r.live);
        CHECK(falsehood(read(again, "object-may-become",
                             {r.handle, as_value(r.prior), r.manifest, as_value(r.applied)})));
    }
    SECTION(
        "held where somebody else has written the same value since, though nothing else is to be seen of it") {
        const char* operation = GENERATE("Apply", "Update");
        json managers = json::array({kept_by("kubectl-edit", operation, field_a)});
        if (operation == std::string("Apply")) managers.push_back(kept_by("migc:shop", "Apply", field_a));
        r.live["metadata"]["managedFields"] = managers;
        r.there_is(r.live);
        CHECK(falsehood(r.may_become(r.prior)));
        CHECK(r.restore(r.prior).held.starts_with("configmap/c keeps /data/a: somebody else has written"));
        CHECK(falsehood(r.may_become(json())));
        CHECK(r.may_become(json()).why.find("deleting it would lose that") != std::string::npos);
        CHECK_FALSE(r.wrote());
        // What another step of this run writes it writes by these names.
        r.host.settings["own-writers"] = "kubectl\nkubectl-edit\n";
        CHECK(truth(r.may_become(r.prior)));
    }
    SECTION("not deleted where somebody else has applied all of it, too") {
        r.live["metadata"]["managedFields"] =
            json::array({kept_by("migc:shop", "Apply", field_a), kept_by("colleague", "Apply", field_a)});
        r.there_is(r.live);
        CHECK(r.may_become(json()).why.find("colleague has applied it since") != std::string::npos);
        CHECK_FALSE(r.restore(json()).succeeded());
        CHECK_FALSE(r.wrote());
    }
    SECTION("nothing is written to another version than the one that was captured") {
        r.live["metadata"]["resourceVersion"] = "8";
        r.there_is(r.live);
        CHECK_FALSE(r.restore(r.prior).succeeded());
        CHECK_FALSE(r.wrote());
    }
    SECTION("deleted, because this run made it: that one, in that version") {
        r.host.say("get configmap/c", r.live);
        CHECK(r.restored(json()).is_null());
        FakeHost host;
        host.say("get --raw", json{{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
        host.say("get configmap/c -o json --ignore-not-found --show", r.live);
        host.say("get configmap/c", printed(""));
        host.say("delete", printed("deleted"));
        CHECK(act(host, "object-restore",
                  {r.manifest, r.handle, Value(Absent{}), as_value(r.applied), Value("7")})
                  .succeeded());
        const auto deletion =
            std::find_if(host.commands.begin(), host.commands.end(), [](const std::string& one) {
                return one == "kubectl delete --raw /api/v1/namespaces/web/configmaps/c -f -";
            });
        REQUIRE(deletion != host.commands.end());
        const json options =
            json::parse(host.inputs[static_cast<std::size_t>(deletion - host.commands.begin())]);
        CHECK(options["preconditions"] == json({{"uid", "u1"}, {"resourceVersion", "7"}}));
    }
    SECTION("not deleted, because somebody else has changed it since") {
        r.live["data"]["a"] = "3";
        r.there_is(r.live);
        CHECK(falsehood(r.may_become(json())));
        CHECK_FALSE(r.restore(json()).succeeded());
        CHECK_FALSE(r.wrote());
    }
    SECTION("a claim is never deleted") {
        r.manifest = Value(r.folder.write(
            "claim.yaml", "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\n"));
        r.handle = Value("persistentvolumeclaim/c");
        r.there_is({{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}, {"metadata", {{"name", "c"}}}});
        CHECK(falsehood(r.may_become(json())));
        CHECK_FALSE(r.wrote());
    }
    SECTION("already gone") {
        r.there_is(json());
        CHECK(truth(r.may_become(json())));
        CHECK(r.restored(json()).is_null());
    }
    SECTION("not made again if somebody else deleted it") {
        r.there_is(json());
        CHECK(falsehood(r.may_become(r.prior)));
    }
    SECTION("nothing is done where the cluster cannot be read") {
        r.host.say("get", failed("Forbidden"));
        CHECK(r.may_become(json()).value.is_unknown());
        CHECK_FALSE(r.restore(json()).succeeded());
        CHECK_FALSE(r.wrote());
    }
}

TEST_CASE("an object that this run deleted is made again, unless somebody else has made one") {
    FakeHost host;
    const json prior = {
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "c"}, {"namespace", "web"}}}};
    host.settings["project"] = "shop";
    host.say("get --raw", json{{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
    host.say("create", printed("created"));
    const Value target(ResourceRef{"object", "configmap/c"});
    CHECK(act(host, "object-make-again", {target, as_value(prior)}).succeeded());
    CHECK(host.commands.back() ==
          "kubectl create --raw /api/v1/namespaces/web/configmaps?fieldManager=migc:shop -f -");
    CHECK(json::parse(host.inputs.back()) == prior);
    FakeHost taken;
    taken.say("get --raw", json{{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
    taken.say("create", failed("Error from server (AlreadyExists): configmaps \"c\" already exists"));
    CHECK(act(taken, "object-make-again", {target, as_value(prior)}).refused);
}

TEST_CASE("a claim is settled when it is bound, or waits for its first pod") {
    const auto settled = [](const char* phase, const char* mode) {
        FakeHost host;
        host.say("get persistentvolumeclaim/c", json{{"metadata", {{"name", "c"}}},
                                                     {"spec", {{"storageClassName", "s"}}},
                                                     {"status", {{"phase", phase}}}});
        host.say("get storageclass/s", json{{"volumeBindingMode", mode}});
        return read(host, "object-settled", {Value("persistentvolumeclaim/c")});
    };
    CHECK(truth(settled("Bound", "Immediate")));
    CHECK(truth(settled("Pending", "WaitForFirstConsumer")));
    CHECK(falsehood(settled("Pending", "Immediate")));
    CHECK(settled("Lost", "Immediate").permanent);
}

TEST_CASE("terraform plans") {
    const json plan = {{"format_version", "1.2"},
                       {"resource_changes",
                        {{{"address", "module.k.pool[0]"}, {"change", {{"actions", {"create"}}}}},
                         {{"address", "module.k.pool[1]"}, {"change", {{"actions", {"delete", "create"}}}}},
                         {{"address", "a.b"}, {"change", {{"actions", {"update"}}}}},
                         {{"address", "a.c"}, {"change", {{"actions", {"no-op"}}}}},
                         {{"address", "data.d"}, {"change", {{"actions", {"read"}}}}}}}};
    FakeHost host;
    host.say("terraform show -json p", plan);
    const auto expected = [&](std::int64_t a, std::int64_t c, std::int64_t d) {
        return read(host, "expect-plan", {Value("p"), Value(a), Value(c), Value(d)});
    };
    CHECK(truth(expected(2, 1, 1)));
    CHECK(expected(2, 0, 0).why ==
          "the plan has 2 to add, 1 to change, 1 to destroy, expected were 2 to add, 0 to change, 0 to "
          "destroy: "
          "add module.k.pool[0], replace module.k.pool[1], change a.b");
    CHECK(expected(2, 0, 0).permanent);
    const auto touches = [&](const List& addresses) {
        return read(host, "plan-touches-only", {Value("p"), Value(addresses)});
    };
    CHECK(truth(touches({Value("module.k.pool"), Value("a.b")})));
    CHECK(touches({Value("module.k")}).why == "the plan would also change a.b");
    CHECK(falsehood(touches({Value("module.k.poo"), Value("a.b")})));
    CHECK(same(read(host, "plan-count", {Value("p"), Value("adds")}).value, Value(std::int64_t{2})));
    CHECK(same(read(host, "plan-count", {Value("p"), Value("destroys")}).value, Value(std::int64_t{1})));
    CHECK_FALSE(summarize({{"format_version", "1.2"}, {"errored", true}}));
}

TEST_CASE("a sensitive output is no value") {
    FakeHost host;
    host.say("terraform output -json",
             json{{"a", {{"value", "x"}}}, {"b", {{"value", "canary"}, {"sensitive", true}}}});
    CHECK(show(read(host, "terraform-output", {Value("a")}).value) == "x");
    const Reading secret = read(host, "terraform-output", {Value("b")});
    CHECK(secret.value.is_unknown());
    CHECK(secret.why.find("canary") == std::string::npos);
}

TEST_CASE("names of images") {
    const auto url = [](const char* text) { return parse_image(text)->manifest_url(); };
    CHECK(url("redis") == "https://registry-1.docker.io/v2/library/redis/manifests/latest");
    CHECK(url("team/web:2") == "https://registry-1.docker.io/v2/team/web/manifests/2");
    CHECK(url("127.0.0.1:5000/web:2") == "http://127.0.0.1:5000/v2/web/manifests/2");
    CHECK(url("cr.example.org/a/b@sha256:12") == "https://cr.example.org/v2/a/b/manifests/sha256:12");
    CHECK(parse_image("redis:7")->at_digest("sha256:1") == "docker.io/library/redis@sha256:1");
    CHECK_FALSE(parse_image("--all"));
    CHECK_FALSE(parse_image("a b"));
    CHECK_FALSE(parse_image(""));
}

TEST_CASE("the digest of a tag, from the registry or where it wants credentials from docker") {
    const auto digest = [](Answer curl, Answer docker) {
        FakeHost host;
        host.say("curl", std::move(curl));
        host.say("docker", std::move(docker));
        return read(host, "image-digest", {Value("cr.example.org/web:1")});
    };
    CHECK(show(digest(printed("HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:1\r\n\r\n"), failed(""))
                   .value) == "sha256:1");
    CHECK(digest(printed("HTTP/1.1 404 Not Found\r\n\r\n"), failed("")).value.is_absent());
    CHECK(digest(printed("HTTP/1.1 500 No\r\n\r\n"), failed("")).value.is_unknown());
    const Answer closed = printed("HTTP/1.1 401 Unauthorized\r\n\r\n");
    CHECK(show(digest(closed, printed(R"({"Descriptor":{"digest":"sha256:2"}})")).value) == "sha256:2");
    CHECK(digest(closed, printed("[]")).value.is_unknown());
    CHECK(digest(closed, failed("no such manifest: cr.example.org/web:1")).value.is_absent());
    CHECK(digest(failed("curl: (7) refused", 7), failed("no such manifest")).value.is_unknown());
    CHECK(
        digest(failed("curl: (6) Could not resolve host", 6), failed("no such manifest")).value.is_absent());
    CHECK(digest(closed, failed("unauthorized: authentication required")).value.is_unknown());
}

TEST_CASE("a tag is moved by putting the very manifest") {
    FakeHost host;
    host.say("--request PUT", printed("HTTP/1.1 201 Created\r\n\r\n"));
    host.say("--head ", printed("HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:1\r\n\r\n"));
    host.say("curl", printed("HTTP/1.1 200 OK\r\nContent-Type: application/x\r\n\r\n{ \"bytes\":  1}\n"));
    CHECK(act(host, "registry-retag", {Value("cr.example.org/web:1"), Value("sha256:7"), Value("sha256:1")})
              .succeeded());
    CHECK(host.commands.front().ends_with("https://cr.example.org/v2/web/manifests/sha256:7"));
    CHECK(host.commands.back().ends_with("https://cr.example.org/v2/web/manifests/1"));
    CHECK(host.inputs.back() == R"(data-binary = "{ \"bytes\":  1}\n")"
                                "\n");
}

TEST_CASE("a script succeeds, does not, or cannot be run") {
    FakeHost host;
    host.say("good.sh a 4", printed(""));
    host.say("bad.sh", failed("disk is full\n", 3));
    CHECK(truth(
        read(host, "script-succeeds", {Value("good.sh"), Value(List{Value("a"), Value(std::int64_t{4})})})));
    const Reading bad = read(host, "script-succeeds", {Value("bad.sh")});
    CHECK(falsehood(bad));
    CHECK(bad.why == "bad.sh: disk is full (exit code 3)");
    CHECK(read(host, "script-succeeds", {Value("none.sh")}).value.is_unknown());
}

TEST_CASE("what a tool says is told on one line, without colours and frames") {
    FakeHost host;
    host.say("terraform", failed("Warning: x\n\x1b[31m\u2577\x1b[0m\n\x1b[31m\u2502\x1b[0m \x1b[1mError: "
                                 "\x1b[0mno such\n  plan\n"));
    CHECK(read(host, "plan-count", {Value("p"), Value("adds")}).why == "terraform: Error: no such plan");
}
