// Natives over objects of the cluster: patches, deletions, revisions, services, autoscalers, claims, nodes.
#include <deque>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "compiler/kubernetes/manifest.hpp"
#include "runtime/tools/error_text.hpp"
#include "runtime/tools/natives.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::kubernetes;
using namespace migc::runtime;
using namespace fakes;
using nlohmann::json;

namespace {

class FakeCluster : public FakeHost {
  public:
    FakeCluster() {
        settings = {{"namespace", "web"}};
        otherwise = printed("");  // with --ignore-not-found: it is not there
    }
    void fails(const std::string& part, const std::string& errors) { say(part, failed(errors)); }
    std::string written(const ResourceRef& resource) override {
        return FakeHost::written(
            {resource.type == "claim" ? "persistentvolumeclaim" : resource.type, resource.name});
    }
};

Value ref(const std::string& type, const std::string& name) {
    return Value(ResourceRef{type, name});
}
const Value settings = ref("object", "configmap/settings");
const Value web = ref("workload", "web");
const Value service = ref("service", "web");

json list(const json& items) {
    return {{"kind", "List"}, {"items", items}};
}
json config_map() {
    return {
        {"apiVersion", "v1"},
        {"kind", "ConfigMap"},
        {"metadata", {{"name", "settings"}, {"namespace", "web"}, {"uid", "u1"}, {"resourceVersion", "7"}}},
        {"data", {{"colour", "blue"}}}};
}
json template_of(const std::string& image) {
    return {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", {{"containers", {{{"image", image}}}}}}};
}
json deployment(const std::string& image) {
    return {{"kind", "Deployment"},
            {"metadata", {{"name", "web"}, {"uid", "d1"}}},
            {"spec", {{"replicas", 2}, {"template", template_of(image)}}}};
}
json replica_set(const std::string& image, const std::string& revision, const std::string& owner = "d1") {
    json pods = template_of(image);
    pods["metadata"]["labels"]["pod-template-hash"] = "h" + image;
    pods["metadata"]["creationTimestamp"] = nullptr;
    return {{"kind", "ReplicaSet"},
            {"metadata",
             {{"annotations", {{"deployment.kubernetes.io/revision", revision}}},
              {"ownerReferences", {{{"uid", owner}}}}}},
            {"spec", {{"template", pods}}}};
}
json pod(const std::string& name, bool ready, const std::string& node = "node-1") {
    return {{"kind", "Pod"},
            {"metadata", {{"name", name}, {"namespace", "web"}, {"labels", {{"app", "web"}}}}},
            {"spec", {{"nodeName", node}}},
            {"status", {{"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
}
bool is(const Reading& reading, const Value& value) {
    return same(reading.value, value);
}
bool says(const Reading& reading, const std::string& part) {
    return reading.why.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("What a tool said is told without warnings, quoted objects and lessons") {
    CHECK(last_words("The Deployment \"web\" is invalid: \n* spec.a: wrong\n* spec.b: wrong\n") ==
          "The Deployment \"web\" is invalid: * spec.a: wrong * spec.b: wrong");
    CHECK(last_words("first\nsecond\n") == "second");
    CHECK(last_words("").empty());
    CHECK(last_words(
              "The request is invalid: patch: Invalid value: \"{\\\"a\\\":{\\\"b\\\":1}}\": json: cannot") ==
          "The request is invalid: json: cannot");
    CHECK(last_words(
              "x: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"b\"}}: immutable") ==
          "x: immutable");
    CHECK(last_words(
              "error: 1 conflict: .data\nPlease review the fields above--they\n* If you\nSee https://x") ==
          "error: 1 conflict: .data");
    CHECK(without_warnings("Warning: a\nError: b\n") == "Error: b");
    CHECK(without_warnings("Warning: a\n") == "Warning: a");
    CHECK(warnings("Warning: a\nelse\nWarning: b") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("An object's name is a type and a name, in the stage's namespace") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    CHECK(is(read(host, "identity-of", {settings}), Value("u1")));
    CHECK(is(read(host, "identity-of", {ref("object", "configmap/web/settings")}), Value("u1")));
    for (const char* name : {"settings", "configmap/", "configmap/--all", "-f/x", "configmap/a b",
                             "configmap/$(x)", "configmap/other/settings", "a/b/c/d", ""}) {
        const Reading reading = read(host, "identity-of", {ref("object", name)});
        CHECK(reading.value.is_unknown());
        CHECK(reading.permanent);
    }
}

TEST_CASE("What is missing is missing with its namespace or without") {
    FakeCluster host;
    host.say("get namespace/web", std::deque<Answer>{printed("{\"kind\":\"Namespace\"}"), printed("")});
    const Reading without = read(host, "identity-of", {settings});
    CHECK(without.value.is_absent());
    CHECK(without.why == "configmap/settings does not exist");
    CHECK(says(read(host, "identity-of", {settings}), "there is no namespace web"));
    host.fails("get secret/word", "Error from server (Forbidden): secrets \"word\" is forbidden");
    CHECK(read(host, "identity-of", {ref("object", "secret/word")}).value.is_unknown());
}

TEST_CASE("A live value is read by pointer, and a secret's not at all") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    CHECK(is(read(host, "live-value", {settings, Value("/data/colour")}), Value("blue")));
    CHECK(read(host, "live-value", {settings, Value("/data/taste")}).value.is_absent());
    CHECK(read(host, "live-value", {settings, Value("data")}).permanent);
    for (const char* pointer : {"", "/data", "/data/word", "/stringData/word"})
        CHECK(read(host, "live-value", {ref("object", "secret/word"), Value(pointer)}).permanent);
    CHECK_FALSE(host.ran("secret"));
}

TEST_CASE("A patch changes one field, and only the object that was looked at") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    host.say("patch configmap/settings", config_map());
    const Value colour("/data/colour");
    CHECK(act(host, "object-patch", {settings, colour, Value("green"), Value("7")}).succeeded());
    CHECK(host.inputs.back() == R"({"data":{"colour":"green"},"metadata":{"resourceVersion":"7"}})");
    CHECK(host.ran("patch configmap/settings --type=merge --field-manager=migc --patch-file=/dev/stdin"));
    act(host, "object-patch", {settings, colour, Value(Absent{}), Value("7")});
    CHECK(host.inputs.back().find(R"("data":{"colour":null})") != std::string::npos);
    // What is shown is what is run, and can be typed.
    CHECK(
        preview(host, "object-patch", {settings, Value("/data/a b"), Value("it's")}) ==
        "kubectl patch configmap/settings --type=merge --field-manager=migc --patch-file=/dev/stdin -o json <<< "
        R"('{"data":{"a b":"it'\''s"},"metadata":{"resourceVersion":"7"}}')");
}

TEST_CASE("A patch of an object that somebody has changed since it was captured is not sent") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    host.say("patch configmap/settings", config_map());
    CHECK(is(read(host, "version-of", {settings}), Value("7")));
    for (const Value& version : {Value("6"), Value(Absent{})}) {
        const Answer answer =
            act(host, "object-patch", {settings, Value("/data/colour"), Value("green"), version});
        CHECK(answer.errors.find("the object has been modified since it was looked at") != std::string::npos);
    }
    CHECK_FALSE(host.ran("patch"));
    // Between the last look and the write only the server can tell.
    FakeCluster late;
    late.say("get configmap/settings", config_map());
    late.fails("patch",
               "Error from server (Conflict): Operation cannot be fulfilled on configmaps \"settings\"");
    CHECK(act(late, "object-patch", {settings, Value("/data/colour"), Value("green"), Value("7")}).refused);
}

TEST_CASE("A patch of a large object is no argument of the command") {
    FakeCluster host;
    json large = config_map();
    large["data"] = {{"a", std::string(300'000, 'a')}, {"b", "1"}};
    host.say("get configmap/settings", large);
    host.say("patch configmap/settings", large);
    const Value wanted(std::string(300'000, 'b'));
    CHECK(act(host, "object-patch", {settings, Value("/data/a"), wanted, Value("7")}).succeeded());
    CHECK(host.commands.back().size() < 1000);
    CHECK(host.inputs.back().size() > 300'000);
}

TEST_CASE("An element of a list takes its whole list along") {
    FakeCluster host;
    host.say("get deployment/web", deployment("web:1"));
    host.say("patch", deployment("web:2"));
    act(host, "object-patch",
        {ref("object", "deployment/web"), Value("/spec/template/spec/containers/0/image"), Value("web:2"),
         Value("")});
    CHECK(host.inputs.back().find(R"("containers":[{"image":"web:2"}])") != std::string::npos);
    CHECK_FALSE(act(host, "object-patch",
                    {ref("object", "deployment/web"), Value("/spec/template/spec/containers/9/image"),
                     Value("x"), Value("")})
                    .succeeded());
}

TEST_CASE("What the server writes is not patched") {
    FakeCluster host;
    for (const char* pointer : {"", "/metadata", "/metadata/uid", "/metadata/resourceVersion", "/status",
                                "/status/replicas", "/kind", "/metadata/managedFields/0"})
        CHECK(read(host, "accepted-value", {settings, Value(pointer), Value("x")}).permanent);
    CHECK(host.commands.empty());
}

TEST_CASE("A patch that the server refuses or drops is refused before anything is changed") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    host.say("--dry-run=server",
             {printed(config_map().dump()), failed("Error from server (Forbidden): no"), failed("no route")});
    CHECK(says(read(host, "accepted-value", {settings, Value("/data/new"), Value("x")}),
               "the server drops it"));
    CHECK(read(host, "accepted-value", {settings, Value("/data/new"), Value("x")}).permanent);
    CHECK_FALSE(read(host, "accepted-value", {settings, Value("/data/new"), Value("x")}).permanent);
}

TEST_CASE("A deletion meets exactly the object that was looked at, and waits until it is gone") {
    FakeCluster host;
    host.say("get configmap/settings",
             {printed(config_map().dump()), printed(config_map().dump()), printed("")});
    host.say("get --raw /api/v1", {{"resources",
                                    {{{"name", "configmaps/status"}, {"kind", "ConfigMap"}},
                                     {{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
    CHECK(act(host, "object-delete", {settings, Value("7")}).succeeded());
    CHECK(host.ran("delete --raw /api/v1/namespaces/web/configmaps/settings -f -"));
    const auto options = std::find_if(host.inputs.begin(), host.inputs.end(),
                                      [](const std::string& input) { return !input.empty(); });
    REQUIRE(options != host.inputs.end());
    CHECK(json::parse(*options)["preconditions"] == json({{"uid", "u1"}, {"resourceVersion", "7"}}));
}

TEST_CASE("An object that somebody has changed since it was captured is not deleted") {
    FakeCluster host;
    host.say("get configmap/settings", config_map());
    const Answer answer = act(host, "object-delete", {settings, Value("6")});
    CHECK(answer.errors.find("the object has been modified") != std::string::npos);
    CHECK_FALSE(host.ran("delete"));
    // The server's own word is a refusal; a deletion that was begun and does not end is none.
    FakeCluster late;
    late.say("get configmap/settings", config_map());
    late.say("get --raw /api/v1", {{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
    late.say("delete",
             {failed("Error from server (Conflict): the ResourceVersion in the precondition (7) does not "
                     "match the ResourceVersion in record (8)"),
              printed("{}")});
    CHECK(act(late, "object-delete", {settings, Value("7")}).refused);
    const Answer begun = act(late, "object-delete", {settings, Value("7")});
    CHECK_FALSE(begun.succeeded());
    CHECK_FALSE(begun.refused);
}

TEST_CASE("A finalizer that holds an object is named") {
    FakeCluster host;
    json held = config_map();
    held["metadata"]["finalizers"] = {"example.com/keep"};
    held["metadata"]["deletionTimestamp"] = "2026-01-10T01:00:00Z";
    host.say("get configmap/settings", held);
    host.say("get --raw /api/v1", {{"resources", {{{"name", "configmaps"}, {"kind", "ConfigMap"}}}}});
    const Answer answer = act(host, "object-delete", {settings, Value("7")});
    CHECK(answer.errors.find("its finalizer example.com/keep holds it") != std::string::npos);
    CHECK(read(host, "definition-of", {settings}).value.is_unknown());
}

TEST_CASE("What could not be made again is not deleted") {
    FakeCluster host;
    json owned = pod("web-1", true);
    owned["metadata"]["ownerReferences"] = {
        {{"kind", "ReplicaSet"}, {"name", "web-5c"}, {"controller", true}}};
    host.say("get pod/web-1", owned);
    host.say("get", config_map());
    CHECK(says(read(host, "can-be-made-again", {ref("object", "pod/web-1")}), "made by ReplicaSet web-5c"));
    for (const char* name :
         {"persistentvolumeclaim/data", "namespace/web", "customresourcedefinition/x", "persistentvolume/x",
          "pvc/data", "persistentvolumeclaims/data", "PersistentVolumeClaim/data", "ns/web", "namespaces/web",
          "pv/x", "persistentvolumes/x", "crd/x", "crds/x",
          "customresourcedefinitions.apiextensions.k8s.io/x"})
        CHECK(is(read(host, "can-be-made-again", {ref("object", name)}), Value(false)));
    CHECK(is(read(host, "can-be-made-again", {settings}), Value(true)));
}

TEST_CASE("Revisions are told apart by their pods, and named when going back") {
    FakeCluster host;
    host.say("get deployment/web", deployment("web:2"));
    host.say("get replicasets", list({replica_set("web:1", "3"), replica_set("web:2", "10"),
                                      replica_set("other:1", "4", "d2")}));
    CHECK(
        is(read(host, "revisions-of", {web}), Value(List{Value(std::int64_t{3}), Value(std::int64_t{10})})));
    CHECK(is(read(host, "revision-of", {web}), Value(std::int64_t{10})));
    CHECK(is(read(host, "template-at-revision", {web, Value(std::int64_t{10})}),
             read(host, "template-of", {web}).value));
    const Value before = read(host, "template-at-revision", {web, Value(Absent{})}).value;
    CHECK(is(read(host, "template-at-revision", {web, Value(std::int64_t{3})}), before));
    CHECK(says(read(host, "template-at-revision", {web, Value(std::int64_t{7})}),
               "has no revision 7; it has 3, 10"));
}

TEST_CASE("A service is switched by labels") {
    FakeCluster host;
    host.say("get service/web", {{"metadata", {{"name", "web"}, {"resourceVersion", "5"}}},
                                 {"spec", {{"selector", {{"app", "web"}, {"version", "blue"}}}}}});
    host.say("-l app=web,version=green", list({pod("a", true), pod("b", false)}));
    host.say("get pods", list(json::array()));
    CHECK(is(read(host, "selector-of-service", {service, Value("version")}), Value("blue")));
    CHECK(is(read(host, "selection-like", {service, Value("version=green,track=x")}),
             Value("track,version=blue")));
    CHECK(is(read(host, "ready-pods-behind", {service, Value("version=green")}), Value(std::int64_t{1})));
    CHECK(says(read(host, "ready-pods-behind", {service, Value("version=red")}),
               "no pod with app=web,version=red"));
    for (const char* labels : {"", "=x", "a b=c", "a=b,,c=d"})
        CHECK(read(host, "selection-like", {service, Value(labels)}).permanent);
}

TEST_CASE("A service has settled when its endpoints are the ready pods that it selects") {
    FakeCluster host;
    host.say("get service/web",
             {{"metadata", {{"name", "web"}}}, {"spec", {{"selector", {{"app", "web"}}}}}});
    host.say("get pods", list({pod("a", true), pod("b", true)}));
    const json a = {{"targetRef", {{"name", "a"}}}, {"conditions", {{"ready", true}}}};
    const json b = {{"targetRef", {{"name", "b"}}}, {"conditions", {{"ready", false}}}};
    host.say("get endpointslices", list({{{"endpoints", {a, b}}}}));
    CHECK(is(read(host, "endpoints-of", {service}), Value(std::int64_t{1})));
    CHECK(says(read(host, "service-settled", {service}), "1 of the 2 ready pods"));
}

TEST_CASE("An autoscaler's range is read, checked and set") {
    FakeCluster host;
    host.say("get hpa",
             list({{{"metadata", {{"name", "scaler"}, {"resourceVersion", "9"}}},
                    {"spec",
                     {{"scaleTargetRef", {{"kind", "Deployment"}, {"name", "web"}}},
                      {"minReplicas", 2},
                      {"maxReplicas", 6}}},
                    {"status",
                     {{"conditions",
                       {{{"type", "ScalingActive"}, {"status", "False"}, {"message", "no metrics"}}}}}}}}));
    host.say("get deployment/web", {{"kind", "Deployment"}, {"spec", {{"replicas", 1}}}});
    CHECK(is(read(host, "autoscaling-of", {web}), Value("2..6")));
    CHECK(read(host, "autoscaling-of", {ref("workload", "other")}).value.is_absent());
    CHECK(says(read(host, "autoscaling-settled", {web}), "autoscaler allows 2..6; no metrics"));
    CHECK(is(read(host, "version-of-autoscaler", {web}), Value("9")));
    CHECK(read(host, "version-of-autoscaler", {ref("workload", "other")}).value.is_absent());
    for (const char* range : {"", "3", "5..3", "0..3", "a..b", "2..", "2..6..9", "-1..3"})
        CHECK(read(host, "autoscaling-range", {Value(range)}).permanent);
}

TEST_CASE("A claim grows only where somebody lets it") {
    FakeCluster host;
    const auto claim = [](const char* asked, const char* has, const char* storage_class) {
        return json{
            {"spec",
             {{"storageClassName", storage_class}, {"resources", {{"requests", {{"storage", asked}}}}}}},
            {"status", {{"phase", "Bound"}, {"capacity", {{"storage", has}}}}}};
    };
    host.say("get persistentvolumeclaim/data", claim("2Gi", "1Gi", "fast"));
    host.say("get persistentvolumeclaim/fixed", claim("1Gi", "1Gi", "slow"));
    host.say("get storageclass/fast", {{"allowVolumeExpansion", true}});
    host.say("get storageclass/slow", {{"provisioner", "x"}});
    const Value size(*parse_quantity("3Gi"));
    CHECK(is(read(host, "claim-can-grow", {ref("claim", "data"), size}), Value(true)));
    CHECK(says(read(host, "claim-can-grow", {ref("claim", "fixed"), size}), "does not allow it"));
    CHECK(says(read(host, "claim-can-grow", {ref("claim", "data"), Value(*parse_quantity("1Gi"))}),
               "cannot shrink"));
    CHECK(says(read(host, "claim-has-grown", {ref("claim", "data")}), "has 1Gi of 2Gi"));
    CHECK(is(read(host, "claim-has-grown", {ref("claim", "fixed")}), Value(true)));
}

TEST_CASE("Facts of nodes are told by the node's name") {
    FakeCluster host;
    host.say("get nodes", list({{{"metadata", {{"name", "node-1"}, {"labels", {{"disk", "ssd"}}}}},
                                 {"spec",
                                  {{"taints",
                                    {{{"key", "a"}, {"value", "b"}, {"effect", "NoSchedule"}},
                                     {{"key", "c"}, {"effect", "NoExecute"}}}}}}}}));
    json busy = pod("a", true);
    busy["spec"]["containers"] = {{{"resources", {{"requests", {{"cpu", "250m"}, {"memory", "1Gi"}}}}}}};
    host.say("get pods", list(json::array({busy})));
    CHECK(is(read(host, "labels-of-nodes", {Value("/node-1/disk")}), Value("ssd")));
    CHECK(show(read(host, "taints-of-nodes", {}).value) == R"({"node-1":["a=b:NoSchedule","c:NoExecute"]})");
    CHECK(show(read(host, "requests-of-nodes", {Value("/node-1")}).value) ==
          R"({"cpu":"250m","memory":"1024Mi","pods":"1"})");
    CHECK(read(host, "labels-of-nodes", {Value("node-1")}).permanent);
}

TEST_CASE("A budget that lets no pod go is named, and for ever where waiting cannot help") {
    FakeCluster host;
    const auto budget = [](int healthy) {
        return list({{{"metadata", {{"name", "guard"}, {"namespace", "web"}}},
                      {"spec", {{"selector", {{"matchLabels", {{"app", "web"}}}}}}},
                      {"status",
                       {{"disruptionsAllowed", 0},
                        {"currentHealthy", healthy},
                        {"expectedPods", 2},
                        {"desiredHealthy", 2}}}}});
    };
    host.say("drain", {failed("error when evicting: global timeout reached: 20s")});
    host.say("get pods", list({pod("a", true), pod("b", true, "node-2")}));
    host.say("get poddisruptionbudgets",
             std::deque<Answer>{printed(budget(1).dump()), printed(budget(2).dump())});
    const Value node = ref("node", "node-1");
    const Answer answer = act(host, "node-evict", {node, Value(Duration{60'000}), Value(false)});
    CHECK(answer.errors.find("disruption budget web/guard lets none of its 2 pods go") != std::string::npos);
    CHECK(std::count_if(host.commands.begin(), host.commands.end(),
                        [](const std::string& one) { return one.find("drain") != std::string::npos; }) == 2);
    CHECK(read(host, "node-drained", {node}).permanent);
    CHECK(is(read(host, "node-drained", {ref("node", "node-3")}), Value(true)));
}

TEST_CASE("A refusal other than of time ends a drain at once") {
    FakeCluster host;
    host.say("drain", {failed("cannot delete Pods with local storage (use --delete-emptydir-data)")});
    const Answer answer =
        act(host, "node-evict", {ref("node", "node-1"), Value(Duration{60'000}), Value(false)});
    CHECK(answer.errors.find("local storage") != std::string::npos);
    CHECK(host.commands.size() == 1);
    act(host, "node-evict", {ref("node", "node-1"), Value(Duration{5'000}), Value(true)});
    CHECK(host.ran("drain node/node-1 --ignore-daemonsets --timeout=5s --delete-emptydir-data"));
}

TEST_CASE("A folder's manifests are told from what else is in it") {
    const auto folder = std::filesystem::temp_directory_path() / fmt::format("migc-objects-{}", ::getpid());
    std::filesystem::create_directories(folder / "base");
    const char* map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    std::ofstream(folder / "a.yaml") << map << "---\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\n";
    for (const char* other : {"README.md", "kustomization.yaml", ".gitignore"})
        std::ofstream(folder / other) << "x";
    FakeCluster host;
    const Value path(folder.string());
    CHECK(show(read(host, "files-left-aside", {path}).value) == "[README.md, base/, kustomization.yaml]");
    CHECK(read(host, "files-left-aside", {Value((folder / "a.yaml").string())}).value.is_absent());
    CHECK(show(read(host, "objects-to-delete", {path}).value) == "[configmap/a]");
    CHECK(show(read(host, "objects-left-standing", {path}).value) == "[secret/s]");
    host.say("--dry-run=server", {printed("{}"), failed("Error from server (Forbidden): quota"),
                                  printed("{}"), failed("connection refused")});
    CHECK(is(read(host, "apply-accepted", {path}), Value(false)));
    CHECK(read(host, "apply-accepted", {path}).value.is_unknown());
    std::filesystem::remove_all(folder);
}
