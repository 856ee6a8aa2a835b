#include "runtime/world/world.hpp"

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

constexpr const char* shop = R"(
contexts: { staging: main, other: second }
current-context: staging
clusters:
  main:
    nodes: { n1: {cpu: 2, memory: 4Gi}, n2: {cpu: 2, memory: 4Gi} }
    answers: [{command: "^redis-cli ping", output: "PONG\n"}]
    namespaces:
      shop:
        configmaps: { settings: { Endpoint: "http://good", Other: x } }
        claims: { data: { size: 20Gi, expandable: true }, fixed: { size: 1Gi } }
        workloads:
          web:
            image: shop/web:1
            replicas: 2
            requests: { cpu: 500m, memory: 256Mi }
            start-delay: 8s
            reads: [configmap/settings]
            logs: [one, two, three]
            usage: { cpu: 100m, memory: 128Mi }
            fails:
              - { image: "bad", reason: ImagePullBackOff }
              - { image: "leaky", reason: OOMKilled, after: 60s }
              - { configmap: settings, key: Endpoint, value: "wrong", reason: CrashLoopBackOff }
          store: { kind: statefulset, replicas: 2, image: "shop/store:1", mounts: { /data: data } }
          agent: { kind: daemonset, image: "shop/agent:1" }
          canary: { image: "shop/web:2", replicas: 1, labels: { app: canary, tier: front } }
        services:
          web: { port: 80 }
          front: { port: 80, selector: { tier: front } }
        autoscalers: { canary: { min: 1, max: 3 } }
      small:
        quota: { pods: 3 }
        workloads: { tight: { image: "a:1", replicas: 2 } }
  second: { nodes: 1 }
web:
  - { url: "http://web/health", inside-only: true, body: "ok", latency: 20ms,
      when: [{ image: ":2$", status: 500 }] }
  - { url: "https://shop.example.com/", service: web, context: staging, namespace: shop }
  - { url: "https://hooks.example.com/x", method: POST }
  - { url: "https://slow.example.com/", latency: 30s }
programs:
  scripts/check.sh: { output: "fine\n", duration: 2s }
  scripts/fail.sh: { status: 3, errors: "no\n" }
registry: { "shop/web:1": web one }
terraform:
  terraform:
    variables: { node_count: 2 }
    duration: 10m
    resources:
      - { address: cloud_node.pool, count-from: node_count, nodes-of: second, attributes: { size: small } }
      - { address: cloud_volume.data, attributes: { size: { matching: '"data"\s*\n\s*size\s*=\s*(\d+)', default: 50 } } }
    outputs: { kubeconfig: { value: secret, sensitive: true }, nodes: { variable: node_count } }
)";

struct Loaded {
    SourceMap sources;
    Diagnostics diagnostics;
    std::unique_ptr<World> world;
    std::string error;

    explicit Loaded(std::string text) {
        const FileId file = sources.add("world.yaml", std::move(text));
        auto result = load_world(file, sources, diagnostics);
        if (result)
            world = std::move(*result);
        else
            error = result.error();
    }
};

std::unique_ptr<World> make(const std::string& text = shop) {
    Loaded loaded(text);
    for (const Diagnostic& one : loaded.diagnostics.all())
        UNSCOPED_INFO(loaded.sources.location(one.span) << " " << one.message);
    REQUIRE(loaded.world);
    return std::move(loaded.world);
}

CommandLine command(const std::string& tool, const Words& arguments, const std::string& input = {}) {
    CommandLine line;
    line.tool = tool;
    line.argv = {tool};
    line.argv.insert(line.argv.end(), arguments.begin(), arguments.end());
    line.input = input;
    return line;
}

CommandLine kubectl(const Words& arguments, const std::string& input = {},
                    const std::string& name_space = "shop") {
    Words all{"--context", "staging", "--namespace", name_space};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return command("kubectl", all, input);
}

json get(World& world, const std::string& what, const std::string& name_space = "shop") {
    const Answer answer = world.run(kubectl({"get", what, "-o", "json"}, "", name_space));
    INFO(answer.errors);
    REQUIRE(answer.succeeded());
    return json::parse(answer.output);
}

Answer must(World& world, const CommandLine& line) {
    const Answer answer = world.run(line);
    INFO(shown(line.argv) << "\n" << answer.output << answer.errors << answer.reason);
    REQUIRE(answer.succeeded());
    return answer;
}

void rest(World& world, std::int64_t milliseconds = 60'000) {
    world.sleep_until(world.now() + milliseconds);
}

json apply_object(World& world, const json& object, const std::string& name_space = "shop") {
    return json::parse(
        must(world, kubectl({"apply", "--server-side", "--field-manager=migc", "-o", "json", "-f", "-"},
                            object.dump(), name_space))
            .output);
}

int ready(World& world, const std::string& workload) {
    return get(world, workload)["status"].value("readyReplicas", 0);
}

}  // namespace

TEST_CASE("a world begins at rest, at its clock") {
    auto world = make();
    CHECK(world->now() == 1768006800000);
    CHECK(world->kind() == "simulated");
    CHECK_FALSE(world->concurrent());
    const json web = get(*world, "deployment/web");
    CHECK(web["spec"]["replicas"] == 2);
    CHECK(web["metadata"]["generation"] == web["status"]["observedGeneration"]);
    CHECK(web["status"]["replicas"] == 2);
    CHECK(web["status"]["updatedReplicas"] == 2);
    CHECK(web["status"]["readyReplicas"] == 2);
    CHECK(web["status"]["availableReplicas"] == 2);
    CHECK_FALSE(web["status"].contains("unavailableReplicas"));
    CHECK(ready(*world, "statefulset/store") == 2);
    CHECK(get(*world, "daemonset/agent")["status"]["numberReady"] == 2);
    CHECK(get(*world, "pods")["items"].size() == 7);
    CHECK(get(*world, "endpoints/web")["subsets"][0]["addresses"].size() == 2);
    CHECK(get(*world, "endpointslices")["items"].size() == 2);
}

TEST_CASE("the clock leaps, and a command costs a little") {
    auto world = make();
    const Time begun = world->now();
    must(*world, kubectl({"get", "pods", "-o", "json"}));
    CHECK(world->now() == begun + 120);
    CHECK(world->sleep_until(begun + 3'600'000) == WakeReason::Deadline);
    CHECK(world->now() == begun + 3'600'000);
    CHECK(world->sleep_until(begun) == WakeReason::Deadline);
    CHECK(world->now() == begun + 3'600'000);
}

TEST_CASE("scaling takes the start delay, and scaling back restores the state") {
    auto world = make();
    const std::string before = world->state();
    const Answer answer =
        must(*world, kubectl({"scale", "deployment/web", "--replicas=4", "--current-replicas=2"}));
    CHECK(answer.output == "deployment.apps/web scaled\n");
    json web = get(*world, "deployment/web");
    CHECK(web["spec"]["replicas"] == 4);
    CHECK(web["status"]["observedGeneration"] < web["metadata"]["generation"]);
    rest(*world, 5'000);
    CHECK(ready(*world, "deployment/web") == 2);
    rest(*world, 5'000);
    CHECK(ready(*world, "deployment/web") == 4);
    CHECK(world->state() != before);
    must(*world, kubectl({"scale", "deployment/web", "--replicas=2", "--current-replicas=4"}));
    rest(*world);
    CHECK(world->state() == before);
    CHECK(world->acted().size() == 2);
}

TEST_CASE("scale keeps kubectl's precondition and its refusals") {
    auto world = make();
    const Answer answer =
        world->run(kubectl({"scale", "deployment/web", "--replicas=4", "--current-replicas=3"}));
    CHECK(answer.status == 1);
    CHECK(answer.errors == "error: Expected replicas to be 3, was 2\n");
    CHECK(world->run(kubectl({"scale", "deployment/nope", "--replicas=4"})).errors ==
          "error: no objects passed to scale deployments.apps \"nope\" not found\n");
    CHECK(world->run(kubectl({"scale", "deployment/web", "--replicas=many"})).status == 1);
    CHECK(world->run(kubectl({"scale", "deployment/web", "--replicas=100000"})).status == not_modelled);
    CHECK(world->run(kubectl({"scale", "statefulset/store", "--replicas=3"})).output ==
          "statefulset.apps/store scaled\n");
    rest(*world);
    CHECK(ready(*world, "statefulset/store") == 3);
    CHECK(world->acted().size() == 1);
}

TEST_CASE("what is absent, unknown or not modelled is answered as such") {
    auto world = make();
    Answer answer = world->run(kubectl({"get", "deployment/nope", "-o", "json", "--ignore-not-found"}));
    CHECK(answer.succeeded());
    CHECK(answer.output.empty());
    answer = world->run(kubectl({"get", "deployment/nope", "-o", "json"}));
    CHECK(answer.status == 1);
    CHECK(answer.errors == "Error from server (NotFound): deployments.apps \"nope\" not found\n");
    CHECK(world->run(kubectl({"get", "gizmos", "-o", "json"})).errors ==
          "error: the server doesn't have a resource type \"gizmos\"\n");
    answer = world->run(kubectl({"frobnicate"}));
    CHECK(answer.status == not_modelled);
    CHECK(answer.errors == "the simulated world does not model: kubectl frobnicate\n");
    CHECK(world->run(kubectl({"get", "pods", "--chunk-size=5", "-o", "json"})).status == not_modelled);
    CHECK(world->run(command("kubectl", {"--context", "x", "--namespace", "y", "get", "pods", "-o", "json"}))
              .errors == "error: context \"x\" does not exist\n");
    CHECK(world->run(command("helm", {"upgrade"})).status == not_modelled);
    CHECK(world->run(CommandLine{}).status == not_modelled);
}

TEST_CASE("contexts and versions") {
    auto world = make();
    CHECK(must(*world, command("kubectl", {"config", "get-contexts", "-o", "name"})).output ==
          "other\nstaging\n");
    CHECK(must(*world, command("kubectl", {"config", "current-context"})).output == "staging\n");
    const json version = json::parse(must(*world, kubectl({"version", "-o", "json"})).output);
    CHECK(version["serverVersion"]["gitVersion"] == "v1.30.2");
    CHECK(must(*world, kubectl({"auth", "can-i", "patch", "deployments"})).output == "yes\n");
    CHECK(get(*world, "namespace/kube-system")["metadata"]["uid"].get<std::string>().size() == 36);
    CHECK(must(*world, kubectl({"get", "--raw", "/readyz"})).output == "ok");
}

TEST_CASE("lists: several types, selectors, names") {
    auto world = make();
    const json all = get(*world, "deployments,statefulsets,daemonsets,replicasets,pods");
    CHECK(all["kind"] == "List");
    CHECK(all["items"].size() == 2 + 1 + 1 + 2 + 7);
    const Answer chosen = must(*world, kubectl({"get", "pods", "-o", "json", "-l", "app=web"}));
    CHECK(json::parse(chosen.output)["items"].size() == 2);
    CHECK(must(*world, kubectl({"get", "deploy", "-o", "name"})).output ==
          "deployment.apps/canary\ndeployment.apps/web\n");
    CHECK(world->run(kubectl({"get", "pods", "-o", "json", "-l", "app in (a,b)"})).status == not_modelled);
    CHECK(get(*world, "nodes")["items"].size() == 2);
    CHECK(get(*world, "pods", "nowhere")["items"].empty());
}

TEST_CASE("a restart rolls the pods over without falling below what is wanted") {
    auto world = make();
    const std::string before = world->state();
    CHECK(must(*world, kubectl({"rollout", "restart", "deployment/web"})).output ==
          "deployment.apps/web restarted\n");
    const auto again = world->run(kubectl({"rollout", "restart", "deployment/web"}));
    CHECK(again.status == 1);
    CHECK(get(*world, "deployment/web")["spec"]["template"]["metadata"]["annotations"].contains(
        "kubectl.kubernetes.io/restartedAt"));
    for (int i = 0; i < 60; ++i) {
        rest(*world, 500);
        CHECK(ready(*world, "deployment/web") >= 2);
    }
    const json web = get(*world, "deployment/web");
    CHECK(web["status"]["updatedReplicas"] == 2);
    CHECK(web["status"]["replicas"] == 2);
    CHECK(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2");
    CHECK(get(*world, "replicasets")["items"].size() == 3);
    CHECK(world->state() == before);
    must(*world, kubectl({"rollout", "restart", "daemonset/agent"}));
    must(*world, kubectl({"rollout", "restart", "statefulset/store"}));
    rest(*world);
    CHECK(get(*world, "daemonset/agent")["status"]["updatedNumberScheduled"] == 2);
    CHECK(get(*world, "statefulset/store")["status"]["updatedReplicas"] == 2);
    CHECK(world->state() == before);
}

TEST_CASE("the surge of a rollout is a share of the replicas or a number of pods") {
    const auto surging = [](const std::string& surge) {
        auto world = make(
            "contexts: [staging]\nclusters: { staging: { namespaces: { shop: { workloads: { web: { image: "
            "\"a:1\", replicas: 4, max-unavailable: 0, max-surge: " +
            surge + " } } } } } }\n");
        must(*world, kubectl({"rollout", "restart", "deployment/web"}));
        rest(*world, 1000);
        return get(*world, "deployment/web")["status"].value("updatedReplicas", 0);
    };
    CHECK(surging("50%") == 2);
    CHECK(surging("3") == 3);
}

TEST_CASE("an image that cannot be pulled is seen, and the captured image brings the state back") {
    auto world = make();
    const std::string before = world->state();
    must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:bad"}));
    rest(*world);
    const json web = get(*world, "deployment/web");
    CHECK(web["status"]["readyReplicas"] == 2);
    CHECK(web["status"]["updatedReplicas"] == 1);
    CHECK(web["status"]["unavailableReplicas"] == 1);
    bool seen = false;
    const json pods = get(*world, "pods");
    for (const json& pod : pods["items"])
        for (const json& status : pod["status"]["containerStatuses"])
            seen = seen ||
                   status["state"].value("waiting", json::object()).value("reason", "") == "ImagePullBackOff";
    CHECK(seen);
    rest(*world, 700'000);
    CHECK(get(*world, "deployment/web")["status"]["conditions"][1]["reason"] == "ProgressDeadlineExceeded");
    CHECK(must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:1"})).output ==
          "deployment.apps/web image updated\n");
    rest(*world);
    CHECK(world->state() == before);
    CHECK(world->run(kubectl({"set", "image", "deployment/web", "nope=x"})).errors ==
          "error: unable to find container named \"nope\"\n");
}

TEST_CASE("rollout undo goes to a revision") {
    auto world = make();
    const std::string before = world->state();
    must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:2"}));
    rest(*world);
    CHECK(must(*world, kubectl({"rollout", "undo", "deployment/web", "--to-revision=1"})).output ==
          "deployment.apps/web rolled back\n");
    rest(*world);
    CHECK(world->state() == before);
    CHECK(get(*world, "deployment/web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] ==
          "3");
    CHECK(world->run(kubectl({"rollout", "undo", "deployment/web", "--to-revision=9"})).errors ==
          "error: unable to find specified revision 9 in history\n");
}

TEST_CASE("pods read their configuration when they start") {
    auto world = make();
    const std::string before = world->state();
    json settings = get(*world, "configmap/settings");
    settings["data"]["Endpoint"] = "http://wrong";
    must(*world, kubectl({"patch", "configmap/settings", "--type=merge", "-p",
                          R"({"data":{"Endpoint":"http://wrong"}})", "-o", "json"}));
    rest(*world);
    CHECK(ready(*world, "deployment/web") == 2);
    must(*world, kubectl({"rollout", "restart", "deployment/web"}));
    rest(*world, 300'000);
    CHECK(get(*world, "deployment/web")["status"]["updatedReplicas"] == 1);
    std::int64_t restarts = 0;
    const json pods = get(*world, "pods");
    for (const json& pod : pods["items"])
        restarts += pod["status"]["containerStatuses"][0]["restartCount"].get<std::int64_t>();
    CHECK(restarts >= 3);
    must(*world, kubectl({"patch", "configmap/settings", "--type=merge", "-p",
                          R"({"data":{"Endpoint":"http://good"}})", "-o", "json"}));
    must(*world, kubectl({"rollout", "restart", "deployment/web"}));
    rest(*world, 600'000);
    CHECK(ready(*world, "deployment/web") == 2);
    CHECK(world->state() == before);
}

TEST_CASE("a leak is killed again and again") {
    auto world = make();
    must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:leaky"}));
    rest(*world, 600'000);
    json worst;
    const json pods = get(*world, "pods");
    for (const json& pod : pods["items"]) {
        const json& status = pod["status"]["containerStatuses"][0];
        if (status["image"] == "shop/web:leaky") worst = status;
    }
    CHECK(worst["restartCount"] > 2);
    CHECK(worst["lastState"]["terminated"]["reason"] == "OOMKilled");
    CHECK(worst["lastState"]["terminated"]["exitCode"] == 137);
}

TEST_CASE("pods that fit on no node stay pending") {
    auto world = make();
    must(*world, kubectl({"scale", "deployment/web", "--replicas=20"}));
    rest(*world);
    const json web = get(*world, "deployment/web");
    CHECK(web["status"]["readyReplicas"] == 8);
    int pending = 0;
    const json pods = get(*world, "pods");
    for (const json& pod : pods["items"]) {
        if (pod["status"]["phase"] != "Pending") continue;
        ++pending;
        CHECK(pod["status"]["conditions"][0]["reason"] == "Unschedulable");
        CHECK(pod["status"]["conditions"][0]["message"] == "0/2 nodes are available: 2 Insufficient cpu.");
    }
    CHECK(pending == 12);
}

TEST_CASE("a quota refuses pods, and the deployment says so") {
    auto world = make();
    must(*world, kubectl({"scale", "deployment/tight", "--replicas=5"}, "", "small"));
    rest(*world);
    const json tight = get(*world, "deployment/tight", "small");
    CHECK(tight["status"]["replicas"] == 3);
    CHECK(tight["status"]["conditions"].back()["type"] == "ReplicaFailure");
    CHECK(tight["status"]["conditions"].back()["message"].get<std::string>().find("exceeded quota") !=
          std::string::npos);
}

TEST_CASE("apply creates, merges, takes away what is no longer applied, and dry-runs") {
    auto world = make();
    const std::string before = world->state();
    const json map = {{"apiVersion", "v1"},
                      {"kind", "ConfigMap"},
                      {"metadata", {{"name", "extra"}}},
                      {"data", {{"a", "1"}, {"b", "2"}}}};
    const Words dry{"apply", "--server-side", "--field-manager=migc", "--dry-run=server", "-o", "json", "-f",
                    "-"};
    CHECK(json::parse(must(*world, kubectl(dry, map.dump())).output)["data"]["a"] == "1");
    CHECK(world->state() == before);
    CHECK(world->acted().empty());
    CHECK(apply_object(*world, map)["metadata"].contains("uid"));
    json less = map;
    less["data"] = {{"a", "3"}};
    CHECK(apply_object(*world, less)["data"] == json{{"a", "3"}});
    must(*world,
         kubectl({"patch", "cm/extra", "--type=merge", "-p", R"({"data":{"mine":"kept"}})", "-o", "json"}));
    CHECK(apply_object(*world, less)["data"] == json{{"a", "3"}, {"mine", "kept"}});
    CHECK(must(*world, kubectl({"delete", "configmap/extra", "--ignore-not-found", "--wait=true"})).output ==
          "configmap \"extra\" deleted\n");
    CHECK(must(*world, kubectl({"delete", "configmap/extra", "--ignore-not-found", "--wait=true"}))
              .output.empty());
    CHECK(world->run(kubectl({"delete", "configmap/extra"})).status == 1);
    CHECK(world->state() == before);
}

TEST_CASE("apply takes YAML, deployments and kinds that it does not know") {
    auto world = make();
    const std::string before = world->state();
    const char* redis = R"(apiVersion: apps/v1
kind: Deployment
metadata: { name: redis }
spec:
  selector: { matchLabels: { app: redis } }
  template:
    metadata: { labels: { app: redis } }
    spec: { containers: [ { name: redis, image: "redis:7" } ] }
)";
    must(*world, kubectl({"apply", "--server-side", "--field-manager=migc", "-o", "json", "-f", "-"}, redis));
    rest(*world);
    CHECK(ready(*world, "deployment/redis") == 1);
    CHECK(apply_object(*world, {{"apiVersion", "x.io/v1"},
                                {"kind", "Gizmo"},
                                {"metadata", {{"name", "g"}}},
                                {"spec", {{"n", 1}}}})["metadata"]["generation"] == 1);
    CHECK(get(*world, "gizmo/g")["spec"]["n"] == 1);
    must(*world, kubectl({"delete", "gizmo/g"}));
    must(*world, kubectl({"delete", "deployment/redis"}));
    rest(*world);
    CHECK(get(*world, "replicasets")["items"].size() == 2);
    CHECK(world->state() == before);
}

TEST_CASE("apply and create refuse as the server does") {
    auto world = make();
    const Words apply{"apply", "--server-side", "--field-manager=migc", "-o", "json", "-f", "-"};
    const json map = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "m"}}}};
    CHECK(world->run(kubectl(apply, map.dump(), "nowhere")).errors ==
          "Error from server (NotFound): namespaces \"nowhere\" not found\n");
    json elsewhere = map;
    elsewhere["metadata"]["namespace"] = "small";
    CHECK(world->run(kubectl(apply, elsewhere.dump())).errors.find("does not match the namespace") !=
          std::string::npos);
    json web = get(*world, "deployment/web");
    web["spec"]["selector"]["matchLabels"]["more"] = "x";
    web["spec"]["template"]["metadata"]["labels"]["more"] = "x";
    CHECK(world->run(kubectl(apply, web.dump())).errors.find("field is immutable") != std::string::npos);
    CHECK(
        world->run(kubectl({"create", "-f", "-", "-o", "json"}, get(*world, "cm/settings").dump())).errors ==
        "Error from server (AlreadyExists): error when creating \"STDIN\": configmaps \"settings\" already "
        "exists\n");
    for (const char* odd :
         {"", "[]", "{", "a: &x 1\nb: *x", "{\"kind\":1}",
          "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"w\"},\"spec\":7}",
          "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":[],\"spec\":{\"template\":3}}",
          "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[3,"
          "{\"name\":4}]}}"})
        CHECK(world->run(kubectl(apply, odd)).ending == Ending::Exited);
    rest(*world);
}

TEST_CASE("fields of the wrong type are refused, and nulls are no fields") {
    auto world = make();
    const std::string before = world->state();
    const auto patch = [&](const std::string& text) {
        return world->run(kubectl({"patch", "deployment/web", "--type=merge", "-p", text}));
    };
    CHECK(
        patch(R"({"metadata":{"labels":{"a":1}}})").errors ==
        "Error from server (BadRequest): Deployment \"web\" cannot be handled: .metadata.labels.a: expected string\n");
    CHECK(patch(R"({"spec":{"replicas":"two"}})").status == 1);
    CHECK(patch(R"({"spec":{"template":{"spec":{"containers":[7]}}}})").status == 1);
    CHECK(patch(R"({"metadata":{"name":"other"}})").errors.find("does not match the name on the URL") !=
          std::string::npos);
    json map = {{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "settings"}, {"labels", nullptr}}}};
    CHECK(apply_object(*world, map)["data"]["Other"] == "x");
    CHECK(world->run(kubectl({"logs", "deployment/nope"})).errors ==
          "error: error from server (NotFound): deployments.apps \"nope\" not found in namespace \"shop\"\n");
    CHECK(world->state() == before);
}

TEST_CASE("what was deleted can be created again") {
    auto world = make();
    const std::string before = world->state();
    const json service = get(*world, "service/web");
    must(*world, kubectl({"delete", "service/web", "--ignore-not-found", "--wait=true"}));
    rest(*world);
    CHECK(world->run(kubectl({"get", "endpointslices", "-o", "json", "-l", "kubernetes.io/service-name=web"}))
              .succeeded());
    const Answer created = must(*world, kubectl({"create", "-f", "-", "-o", "json"}, service.dump()));
    CHECK(json::parse(created.output)["metadata"]["uid"] != service["metadata"]["uid"]);
    rest(*world);
    CHECK(world->state() == before);
}

TEST_CASE("patches merge, and mind the version that they name") {
    auto world = make();
    must(*world, kubectl({"patch", "service/web", "--type=merge", "-p",
                          R"({"spec":{"selector":{"app":"canary"}}})", "-o", "json"}));
    rest(*world, 1'000);
    CHECK(get(*world, "endpoints/web")["subsets"][0]["addresses"].size() == 1);
    CHECK(world
              ->run(kubectl(
                  {"patch", "service/web", "--type=merge", "-p", R"({"metadata":{"resourceVersion":"1"}})"}))
              .errors.find("Conflict") != std::string::npos);
    CHECK(world->run(kubectl({"patch", "service/web", "--type=merge", "-p", "{"})).status == 1);
    CHECK(world->run(kubectl({"patch", "service/web", "--type=json", "-p", "{}"})).status == 1);
}

TEST_CASE("claims grow where their class lets them, and never shrink") {
    auto world = make();
    const auto grow = [&](const std::string& name, const std::string& size) {
        return world->run(
            kubectl({"patch", "pvc/" + name, "--type=merge", "-p",
                     R"({"spec":{"resources":{"requests":{"storage":")" + size + "\"}}}}", "-o", "json"}));
    };
    REQUIRE(grow("data", "40Gi").succeeded());
    CHECK(get(*world, "pvc/data")["status"]["capacity"]["storage"] == "20Gi");
    rest(*world, 1'000);
    CHECK(get(*world, "pvc/data")["status"]["conditions"][0]["type"] == "Resizing");
    rest(*world);
    CHECK(get(*world, "pvc/data")["status"]["capacity"]["storage"] == "40Gi");
    CHECK_FALSE(get(*world, "pvc/data")["status"].contains("conditions"));
    CHECK(grow("data", "20Gi").errors.find("can not be less than") != std::string::npos);
    CHECK(grow("fixed", "2Gi").errors.find("must support resize") != std::string::npos);
    const Answer answer = world->run(kubectl({"delete", "pvc/data", "--wait=true"}));
    CHECK(answer.ending == Ending::TimedOut);
    must(*world, kubectl({"delete", "statefulset/store"}));
    rest(*world);
    CHECK(world->run(kubectl({"get", "pvc/data", "-o", "json", "--ignore-not-found"})).output.empty());
}

TEST_CASE("an autoscaler keeps its range") {
    auto world = make();
    must(*world, kubectl({"scale", "deployment/canary", "--replicas=7"}));
    rest(*world);
    CHECK(get(*world, "deployment/canary")["spec"]["replicas"] == 3);
    CHECK(get(*world, "hpa/canary")["spec"]["maxReplicas"] == 3);
}

TEST_CASE("nodes are cordoned, drained and uncordoned") {
    auto world = make();
    const std::string before = world->state();
    CHECK(must(*world, kubectl({"cordon", "n1"})).output == "node/n1 cordoned\n");
    CHECK(must(*world, kubectl({"cordon", "n1"})).output == "node/n1 already cordoned\n");
    CHECK(world->run(kubectl({"drain", "n1"})).status == 1);
    const Answer drained =
        must(*world, kubectl({"drain", "n1", "--ignore-daemonsets", "--delete-emptydir-data"}));
    CHECK(drained.output.find("node/n1 drained\n") != std::string::npos);
    rest(*world);
    const json pods = get(*world, "pods");
    for (const json& pod : pods["items"])
        if (pod["metadata"]["ownerReferences"][0]["kind"] != "DaemonSet")
            CHECK(pod["spec"]["nodeName"] == "n2");
    CHECK(must(*world, kubectl({"uncordon", "n1"})).output == "node/n1 uncordoned\n");
    CHECK(world->state() == before);
    CHECK(world->run(kubectl({"cordon", "n9"})).errors ==
          "Error from server (NotFound): nodes \"n9\" not found\n");
}

TEST_CASE("top, logs, exec") {
    auto world = make();
    CHECK(must(*world, kubectl({"top", "nodes", "--no-headers"})).output.substr(0, 2) == "n1");
    CHECK(must(*world, kubectl({"top", "pods", "--no-headers"})).output.find("128Mi") != std::string::npos);
    const Answer logs = must(*world, kubectl({"logs", "deployment/web", "--tail=2"}));
    CHECK(logs.output == "two\nthree\n");
    CHECK(logs.errors.find("Found 2 pods") == 0);
    CHECK(must(*world, kubectl({"logs", "-l", "app=web", "--tail=1", "--prefix"})).output.find("[pod/web-") ==
          0);
    CHECK(must(*world, kubectl({"exec", "deployment/web", "--", "redis-cli", "ping"})).output == "PONG\n");
    CHECK(world->run(kubectl({"exec", "deployment/web", "--", "dance"})).status == not_modelled);
    CHECK(must(*world,
               kubectl({"exec", "deployment/web", "--", "curl", "-q", "--silent", "--", "http://web/health"}))
              .output == "ok");
}

TEST_CASE("the web from inside: services, ready pods, canaries") {
    auto world = make();
    const Words probe{"run",
                      "probe",
                      "--image=curl",
                      "--restart=Never",
                      "--labels=app.kubernetes.io/managed-by=migc",
                      "--command",
                      "--attach",
                      "--rm",
                      "-i",
                      "--quiet",
                      "--",
                      "curl",
                      "-q",
                      "--silent",
                      "--show-error",
                      "--max-time",
                      "5",
                      "--output",
                      "/dev/null",
                      "--write-out",
                      "%{http_code}",
                      "--",
                      "http://web/health"};
    const std::string before = world->state();
    CHECK(must(*world, kubectl(probe)).output == "200");
    CHECK(world->state() == before);
    Words elsewhere = probe;
    elsewhere.back() = "http://nobody/health";
    Answer answer = world->run(kubectl(elsewhere));
    CHECK(answer.status == 6);
    CHECK(answer.output == "000");
    CHECK(answer.errors.find("curl: (6) Could not resolve host: nobody\n") == 0);
    must(*world, kubectl({"scale", "deployment/web", "--replicas=0"}));
    rest(*world);
    answer = world->run(kubectl(probe));
    CHECK(answer.status == 7);
    must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:2"}));
    must(*world, kubectl({"scale", "deployment/web", "--replicas=1"}));
    rest(*world);
    CHECK(must(*world, kubectl(probe)).output == "500");
}

TEST_CASE("the web from outside: limits, posts, refusals") {
    auto world = make();
    const auto curl = [&](const Words& more, const std::string& input = {}) {
        Words all{"-q",          "--silent",     "--show-error", "--max-time", "5",
                  "--write-out", "%{http_code}", "--output",     "/dev/null"};
        all.insert(all.end(), more.begin(), more.end());
        return world->run(command("curl", all, input));
    };
    CHECK(curl({"--", "https://shop.example.com/"}).output == "200");
    CHECK(curl({"--", "https://shop.example.com/other"}).output == "404");
    CHECK(curl({"--", "http://web/health"}).status == 6);
    const Time begun = world->now();
    const Answer slow = curl({"--", "https://slow.example.com/"});
    CHECK(slow.status == 28);
    CHECK(slow.output == "000");
    CHECK(world->now() - begun == 5'030);
    CHECK(world->acted().empty());
    CHECK(curl({"--request", "POST", "--header", "Content-Type: application/json", "--data-binary",
                "{\"text\":\"hi\"}", "--config", "-"},
               "url = \"https://hooks.example.com/x\"\n")
              .output == "200");
    REQUIRE(world->posted().size() == 1);
    CHECK(world->posted()[0] == "{\"text\":\"hi\"}");
    CHECK(curl({"--telnet-option", "x", "--", "https://shop.example.com/"}).status == not_modelled);
}

TEST_CASE("programs answer as declared") {
    auto world = make();
    CommandLine line;
    line.tool = "program";
    line.argv = {"/srv/run-1/scripts/check.sh", "x"};
    CHECK(must(*world, line).output == "fine\n");
    line.within_ms = 500;
    CHECK(world->run(line).ending == Ending::TimedOut);
    line.argv = {"scripts/fail.sh"};
    CHECK(world->run(line).status == 3);
    line.argv = {"scripts/unknown.sh"};
    CHECK(world->run(line).status == not_modelled);
}

TEST_CASE("images are built, tagged, pushed and told apart by digest") {
    auto world = make();
    const std::string before = world->state();
    const auto digest = [&](const std::string& image) {
        const Answer answer = world->run(command("docker", {"manifest", "inspect", "--verbose", image}));
        return answer.succeeded() ? json::parse(answer.output)["Descriptor"]["digest"].get<std::string>()
                                  : answer.errors;
    };
    const std::string first = digest("shop/web:1");
    CHECK(first.substr(0, 7) == "sha256:");
    CHECK(digest("shop/web:9") == "no such manifest: shop/web:9\n");
    must(*world, command("docker", {"build", "--tag", "shop/web:1", "/src"}));
    CHECK(digest("shop/web:1") == first);
    must(*world, command("docker", {"push", "shop/web:1"}));
    CHECK(digest("shop/web:1") != first);
    must(*world, command("docker", {"image", "inspect", "shop/web:1", "--format", "{{.Id}}"}));
    CHECK(world->run(command("docker", {"tag", "no:1", "b:1"})).status == 1);
    must(*world, command("docker", {"pull", "shop/web@" + first}));
    must(*world, command("docker", {"tag", "shop/web@" + first, "shop/web:1"}));
    must(*world, command("docker", {"push", "shop/web:1"}));
    CHECK(digest("shop/web:1") == first);
    CHECK(world->state() == before);
    CHECK(world->run(command("docker", {"swarm", "init"})).status == not_modelled);
}

TEST_CASE("two terraform directories share a state; a stale plan, another lineage and a lock are refused") {
    const auto root = std::filesystem::temp_directory_path() / "migc-world-shared";
    auto world = make(R"(
terraform:
  ours: { variables: { n: 3 }, duration: 1m, resources: [{ address: t.node, count-from: n }] }
  theirs: { variables: { n: 3 }, shares-state-with: ours, resources: [{ address: t.node, count-from: n }] }
  locked: { locked-by: anna@ci, resources: [{ address: t.node }] }
)");
    for (const char* name : {"ours", "theirs", "locked"}) std::filesystem::create_directories(root / name);
    const auto in = [&](const std::string& name, Words words) {
        words.insert(words.begin(), "-chdir=" + (root / name).string());
        CommandLine line = command("terraform", words);
        line.within_ms = 3'600'000;
        return world->run(line);
    };
    const auto serial = [&](const std::string& name) {
        return json::parse(in(name, {"state", "pull"}).output)["serial"].get<int>();
    };
    const Words plan = {"plan", "-var=n=4", "-out=p"};
    in("ours", plan);
    in("theirs", plan);
    CHECK(in("theirs", {"apply", "p"}).succeeded());
    CHECK(serial("ours") == serial("theirs"));
    const Answer stale = in("ours", {"apply", "p"});
    CHECK(stale.status == 1);
    CHECK(stale.errors.find("Saved plan is stale") != std::string::npos);
    CHECK(json::parse(in("ours", {"state", "pull"}).output)["resources"][0]["instances"].size() == 4);
    in("ours", {"plan", "-var=n=5", "-out=q"});
    CHECK(in("ours", {"workspace", "select", "other"}).errors.find("doesn't exist") != std::string::npos);
    CHECK(in("ours", {"workspace", "show"}).output == "default\n");
    CHECK(in("ours", {"workspace", "new", "other"}).succeeded());
    CHECK(in("ours", {"workspace", "show"}).output == "other\n");
    CHECK(in("ours", {"state", "pull"}).output.empty());
    CHECK(in("ours", {"apply", "q"}).errors.find("does not match the given state") != std::string::npos);
    CHECK(in("ours", {"workspace", "select", "default"}).succeeded());
    CHECK(in("ours", {"apply", "q"}).succeeded());
    CHECK(in("locked", {"workspace", "show"}).succeeded());
    CHECK(in("locked", {"plan", "-out=p"}).errors.find("anna@ci") != std::string::npos);
}

TEST_CASE("terraform plans, shows, applies, and refuses a stale plan") {
    const auto folder = std::filesystem::temp_directory_path() / "migc-world-test" / "terraform";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "up.tfvars")
        << "# more\nnode_count = 4 # was 2\nvolumes = [\n  {\n    name = \"data\"\n    size = 100\n  }\n]\n";
    std::ofstream(folder / "back.tfvars") << "node_count = 2\n";
    auto world = make();
    const auto terraform = [&](Words arguments) {
        arguments.insert(arguments.begin(), "-chdir=" + folder.string());
        CommandLine line = command("terraform", arguments);
        line.within_ms = 3'600'000;
        return world->run(line);
    };
    const auto plan = [&](const std::string& variables, const std::string& out) {
        return terraform({"plan", "-input=false", "-no-color", "-lock-timeout=60s", "-var-file=" + variables,
                          "-out=" + out});
    };
    const auto apply = [&](const std::string& out) {
        return terraform({"apply", "-input=false", "-no-color", "-lock-timeout=60s", out});
    };
    const std::string before = world->state();
    CHECK(terraform({"init", "-input=false", "-no-color"}).succeeded());
    CHECK(json::parse(terraform({"validate", "-json"}).output)["valid"] == true);
    REQUIRE(plan("up.tfvars", "up.tfplan").succeeded());
    REQUIRE(plan("up.tfvars", "late.tfplan").succeeded());
    const json shown_plan = json::parse(terraform({"show", "-json", "up.tfplan"}).output);
    CHECK(shown_plan["format_version"] == "1.2");
    int creates = 0;
    int updates = 0;
    for (const json& change : shown_plan["resource_changes"]) {
        creates += change["change"]["actions"] == json{"create"};
        updates += change["change"]["actions"] == json{"update"};
    }
    CHECK(creates == 2);
    CHECK(updates == 1);
    CHECK(world->state() == before);
    const Answer applied = apply("up.tfplan");
    CHECK(applied.output.ends_with("Apply complete! Resources: 2 added, 1 changed, 0 destroyed.\n"));
    CHECK(applied.took_ms >= 599'000);
    const Answer nodes = world->run(
        command("kubectl", {"--context", "other", "--namespace", "default", "get", "nodes", "-o", "json"}));
    CHECK(json::parse(nodes.output)["items"].size() == 5);
    const Answer stale = apply("late.tfplan");
    CHECK(stale.status == 1);
    CHECK(stale.errors.find("Error: Saved plan is stale") != std::string::npos);
    const json state = json::parse(terraform({"state", "pull"}).output);
    CHECK(state["version"] == 4);
    CHECK(state["serial"] == 2);
    CHECK(json::parse(terraform({"output", "-json"}).output)["nodes"]["value"] == 4);
    CHECK(terraform({"output", "-raw", "kubeconfig"}).output == "secret");
    CHECK(terraform({"show", "-json", "none"}).status == 1);
    CHECK(plan("none.tfvars", "x").errors.find("Failed to read variables file") != std::string::npos);
    REQUIRE(plan("back.tfvars", "back.tfplan").succeeded());
    CHECK(apply("back.tfplan").succeeded());
    CHECK(world->state() == before);
    CHECK(terraform({"taint", "x"}).status == not_modelled);
    std::filesystem::remove_all(folder.parent_path());
}

TEST_CASE("an interrupted apply leaves what was done until then") {
    const auto folder = std::filesystem::temp_directory_path() / "migc-world-partial" / "terraform";
    std::filesystem::create_directories(folder);
    auto world = make();
    CommandLine line =
        command("terraform", {"-chdir=" + folder.string(), "plan", "-var=node_count=4", "-out=p"});
    must(*world, line);
    line = command("terraform", {"-chdir=" + folder.string(), "apply", "p"});
    line.within_ms = 450'000;
    CHECK(world->run(line).ending == Ending::TimedOut);
    const json state = json::parse(
        must(*world, command("terraform", {"-chdir=" + folder.string(), "state", "pull"})).output);
    CHECK(state["serial"] == 2);
    CHECK(state["resources"][0]["instances"].size() == 3);
    std::filesystem::remove_all(folder.parent_path());
}

TEST_CASE("a watch wakes at news") {
    auto world = make();
    const CommandLine line = kubectl({"get", "deployment/web", "--watch-only", "-o", "name"});
    CHECK(world->watch(kubectl({"get", "pods", "-o", "json"})) == nullptr);
    auto watch = world->watch(line);
    REQUIRE(watch);
    const Time begun = world->now();
    CHECK(watch->wait(begun + 10'000) == WakeReason::Deadline);
    CHECK(world->now() == begun + 10'000);
    must(*world, kubectl({"scale", "deployment/web", "--replicas=3"}));
    CHECK(watch->wait(world->now() + 10'000) == WakeReason::Changed);
    int wakes = 0;
    while (ready(*world, "deployment/web") < 3 && wakes < 20) {
        watch->wait(world->now() + 10'000);
        ++wakes;
    }
    CHECK(wakes < 5);
    CHECK(world->now() - begun < 10'000 + 9'500);
}

TEST_CASE("a watch of all wakes at what happens by itself, not at what its caller did") {
    auto world = make();
    const auto watch = world->watch_all();
    REQUIRE(watch);
    Time begun = world->now();
    CHECK(watch->wait(begun + 3'600'000) == WakeReason::Deadline);
    CHECK(world->now() == begun + 3'600'000);
    // The pods that are wanted now come by themselves, one event after the other.
    must(*world, kubectl({"scale", "deployment/web", "--replicas=3"}));
    begun = world->now();
    int wakes = 0;
    while (watch->wait(begun + 3'600'000) == WakeReason::Changed) ++wakes;
    CHECK(wakes > 0);
    CHECK(wakes < 10);
    CHECK(ready(*world, "deployment/web") == 3);
    CHECK(world->now() < begun + 3'600'000 + 1'000);
}

TEST_CASE("faults are parsed") {
    const auto plain = parse_fault("fail-before: kubectl scale");
    REQUIRE(plain);
    CHECK(plain->kind == FaultKind::FailBefore);
    CHECK(plain->text == "kubectl scale");
    CHECK(plain->nth == 1);
    const auto second = parse_fault("hang:curl #2");
    REQUIRE(second);
    CHECK(second->text == "curl");
    CHECK(second->nth == 2);
    const auto down = parse_fault("down 10m: kubectl");
    REQUIRE(down);
    CHECK(down->lasts_ms == 600'000);
    CHECK(parse_fault("garbage: #3")->text.empty());
    for (const char* wrong :
         {"", "kubectl scale", "explode: x", "hang 5m: x", "down x: y", "hang: x #0", "hang: x #z"})
        CHECK_FALSE(parse_fault(wrong));
}

TEST_CASE("faults happen once, before or after the act") {
    const CommandLine scale = kubectl({"scale", "deployment/web", "--replicas=4"});
    const auto with = [&](const char* fault) {
        auto world = make();
        world->inject(*parse_fault(fault));
        return world;
    };
    const auto replicas = [](World& world) {
        return get(world, "deployment/web")["spec"]["replicas"].get<int>();
    };
    auto world = with("fail-before: kubectl scale");
    CHECK(world->run(scale).status == 1);
    CHECK(replicas(*world) == 2);
    CHECK(world->run(scale).succeeded());
    world = with("fail-after: kubectl scale");
    CHECK(world->run(scale).status == 1);
    CHECK(replicas(*world) == 4);
    CHECK(world->acted().size() == 1);
    world = with("timeout-after: scale");
    const Time begun = world->now();
    CHECK(world->run(scale).ending == Ending::TimedOut);
    CHECK(world->now() == begun + scale.within_ms);
    CHECK(replicas(*world) == 4);
    world = with("hang: scale");
    CHECK(world->run(scale).ending == Ending::TimedOut);
    CHECK(replicas(*world) == 2);
    world = with("garbage: kubectl get #2");
    get(*world, "pods");
    const Answer garbage = world->run(kubectl({"get", "pods", "-o", "json"}));
    CHECK(garbage.succeeded());
    CHECK_FALSE(json::accept(garbage.output));
}

TEST_CASE("a tool that is down answers no reads for a time") {
    auto world = make();
    world->inject(*parse_fault("down 1m: kubectl scale"));
    CHECK(world->run(kubectl({"scale", "deployment/web", "--replicas=4"})).succeeded());
    CHECK(world->run(kubectl({"get", "pods", "-o", "json"})).status == 1);
    CHECK(world->watch(kubectl({"get", "pods", "--watch-only", "-o", "name"}))->wait(world->now() + 1'000) ==
          WakeReason::Ended);
    CHECK(world->run(command("curl", {"-q", "--", "https://shop.example.com/"})).succeeded());
    rest(*world);
    CHECK(ready(*world, "deployment/web") == 4);
}

TEST_CASE("the same world tells the same story twice") {
    const auto story = [] {
        auto world = make();
        must(*world, kubectl({"set", "image", "deployment/web", "web=shop/web:2"}));
        rest(*world, 12'345);
        return world->state() + get(*world, "pods").dump() + get(*world, "events").dump();
    };
    CHECK(story() == story());
}

TEST_CASE("mistakes in the file are told with their place") {
    const auto first = [](const std::string& text) {
        Loaded loaded(text);
        CHECK_FALSE(loaded.world);
        CHECK_FALSE(loaded.error.empty());
        if (loaded.diagnostics.empty()) return std::string();
        const Diagnostic& one = loaded.diagnostics.all().front();
        return loaded.sources.location(one.span) + " " + one.message;
    };
    CHECK(first("clusters:\n  a:\n    namespaces:\n      n:\n        workloads:\n          w: { image: x, "
                "replcas: 2 }\n") ==
          "world.yaml:6:26 the world file: a workload has no key `replcas`; did you mean `replicas`?");
    CHECK(first("contexts: [a]\n") ==
          "world.yaml:1:11 the world file: the context `a` leads to the cluster `a`, which is not described "
          "under `clusters`");
    CHECK(first("costs: &x {}\nprograms: *x\n").find("aliases are not allowed") != std::string::npos);
    CHECK(first("clock: 2026-01-10T01:00:00Z\nclock: 2026-01-10T01:00:00Z\n") ==
          "world.yaml:2:1 the world file: the key `clock` stands here twice");
    CHECK(first("clock: noon\n") ==
          "world.yaml:1:8 the world file: `clock` must be a time in UTC, such as 2026-01-10T01:00:00Z");
    CHECK(first("- a\n").find("must be a map") != std::string::npos);
    CHECK(first("a: [\n").find("not YAML") != std::string::npos);
    CHECK(first("web: [{status: 200}]\n").find("needs a `url`") != std::string::npos);
    CHECK(first("clusters: { a: { nodes: 1000 } }\n").find("from 0 to 100") != std::string::npos);
    CHECK(first("clusters: { a: { namespaces: { n: { workloads: { w: { image: a, fails: { image: '(' } } } } "
                "} } }\n")
              .find("no regular expression") != std::string::npos);
    CHECK(first(std::string(2000, '[')).find("deep") != std::string::npos);
}

TEST_CASE("garbage never crashes the loader") {
    std::mt19937 random(7);
    const std::string base = shop;
    for (int i = 0; i < 300; ++i) {
        std::string text = base;
        for (int j = 0; j < 5; ++j) {
            const std::size_t at = random() % text.size();
            if (random() % 2)
                text[at] = static_cast<char>(random() % 256);
            else
                text.erase(at, random() % 20);
        }
        Loaded loaded(text);
        if (!loaded.world) continue;
        loaded.world->run(kubectl({"get", "pods", "-o", "json"}));
        loaded.world->sleep_until(loaded.world->now() + 60'000);
        CHECK_FALSE(loaded.world->state().empty());
    }
}

TEST_CASE("the world for learning can be scaled and scaled back in every environment") {
    std::ifstream file("stdlib/worlds/learning.yaml");
    std::ostringstream text;
    text << file.rdbuf();
    auto world = make(text.str());
    const std::string before = world->state();
    CHECK(must(*world, command("kubectl", {"config", "get-contexts", "-o", "name"})).output ==
          "development\nproduction\nstaging\n");
    for (const std::string environment : {"development", "staging", "production"}) {
        const auto kube = [&](Words words) {
            words.insert(words.begin(), {"--context", environment, "--namespace", environment});
            return must(*world, command("kubectl", words));
        };
        kube({"scale", "deployment/webapi", "--replicas=4", "--current-replicas=2"});
        rest(*world);
        CHECK(json::parse(
                  kube({"get", "deployment/webapi", "-o", "json"}).output)["status"]["readyReplicas"] == 4);
        kube({"scale", "deployment/webapi", "--replicas=2", "--current-replicas=4"});
        rest(*world);
    }
    CHECK(world->state() == before);
}
