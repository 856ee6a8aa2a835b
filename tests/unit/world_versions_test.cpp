// The simulated API server's books: versions that a write may insist on, and who wrote which field.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/small_world.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

constexpr const char* shop = R"(
contexts: { staging: main }
current-context: staging
clusters:
  main:
    nodes: { n1: {cpu: 2, memory: 4Gi} }
    namespaces:
      shop:
        configmaps: { settings: { Endpoint: "http://good", Other: x } }
        workloads:
          web: { replicas: 2, containers: { web: "shop/web:1", side: "shop/side:1" } }
          agent: { kind: daemonset, image: "shop/agent:1" }
        autoscalers: { agent: { workload: other, min: 1, max: 3 } }
)";

std::unique_ptr<World> make() {
    return world_of(shop);
}

json get(World& world, const std::string& what) {
    const Answer answer = kubectl_in_shop(world, {"get", what, "-o", "json", "--show-managed-fields=true"});
    INFO(answer.errors);
    REQUIRE(answer.succeeded());
    return json::parse(answer.output);
}

std::string version(World& world, const std::string& what) {
    return get(world, what)["metadata"]["resourceVersion"];
}

// The managers whose entries have this place in their fields.
Words owners(World& world, const std::string& what, const json::json_pointer& place) {
    Words found;
    const json object = get(world, what);
    for (const json& entry : object["metadata"].value("managedFields", json::array()))
        if (entry["fieldsV1"].contains(place)) found.push_back(entry["manager"]);
    return found;
}

constexpr const char* conflict =
    "Error from server (Conflict): Operation cannot be fulfilled on deployments.apps \"web\": the object has been "
    "modified; please apply your changes to the latest version and try again\n";

std::string replicas_patch(int replicas, const std::string& version) {
    return json{{"metadata", {{"resourceVersion", version}}}, {"spec", {{"replicas", replicas}}}}.dump();
}

}  // namespace

TEST_CASE("a patch of any type that names an older version is refused, and changes nothing") {
    auto world = make();
    const std::string old = version(*world, "deployment/web");
    REQUIRE(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=3"}).succeeded());
    world->sleep_until(world->now() + 600'000);  // what starts has started
    const std::string before = world->state();
    for (const char* type : {"merge", "strategic"}) {
        const Answer answer = kubectl_in_shop(
            *world, {"patch", "deployment/web", "--type", type, "-p", replicas_patch(5, old)});
        CHECK(answer.errors == conflict);
        CHECK(answer.status == 1);
    }
    const json operations = {{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", old}},
                             {{"op", "replace"}, {"path", "/spec/replicas"}, {"value", 5}}};
    CHECK(
        kubectl_in_shop(*world, {"patch", "deployment/web", "--type=json", "-p", operations.dump()}).errors ==
        conflict);
    CHECK(world->state() == before);
    const std::string now = version(*world, "deployment/web");
    CHECK(
        kubectl_in_shop(*world, {"patch", "deployment/web", "--type=strategic", "-p", replicas_patch(5, now)})
            .output == "deployment.apps/web patched\n");
    CHECK(get(*world, "deployment/web")["spec"]["replicas"] == 5);
}

TEST_CASE("a patch that is tried on the server is refused like one that is meant") {
    auto world = make();
    const Answer answer = kubectl_in_shop(*world, {"patch", "deployment/web", "--type=merge",
                                                   "--dry-run=server", "-p", replicas_patch(5, "1")});
    CHECK(answer.errors == conflict);
}

TEST_CASE("scale minds the version, in kubectl's own words, and prints what it found") {
    auto world = make();
    const std::string old = version(*world, "deployment/web");
    const Answer well =
        kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=3", "--current-replicas=2",
                                 "--resource-version=" + old, "-o", "json"});
    REQUIRE(well.succeeded());
    CHECK(json::parse(well.output)["spec"]["replicas"] == 2);
    CHECK(get(*world, "deployment/web")["spec"]["replicas"] == 3);
    const std::string now = version(*world, "deployment/web");
    CHECK(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=4", "--resource-version=" + old})
              .errors == "error: Expected resource version to be " + old + ", was " + now + "\n");
    CHECK(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=4", "--current-replicas=2",
                                   "--resource-version=" + old})
              .errors == "error: Expected replicas to be 2, was 3\n");
}

TEST_CASE("replace and apply mind the version that they bring") {
    auto world = make();
    json object = get(*world, "configmap/settings");
    object["metadata"].erase("managedFields");
    object["data"]["Other"] = "y";
    CHECK(kubectl_in_shop(*world, {"replace", "-f", "-"}, object.dump()).output ==
          "configmap/settings replaced\n");
    CHECK(kubectl_in_shop(*world, {"replace", "-f", "-"}, object.dump())
              .errors.starts_with(
                  "Error from server (Conflict): error when replacing \"STDIN\": Operation cannot"));
    const json applied = {{"apiVersion", "v1"},
                          {"kind", "ConfigMap"},
                          {"metadata", {{"name", "settings"}, {"resourceVersion", "1"}}},
                          {"data", {{"New", "z"}}}};
    CHECK(kubectl_in_shop(*world, {"apply", "--server-side", "-f", "-"}, applied.dump())
              .errors.starts_with(
                  "error: Operation cannot be fulfilled on configmaps \"settings\": the object has "
                  "been modified; please apply your changes to the latest version and try again\n"));
    CHECK(get(*world, "configmap/settings")["data"].value("New", "") == "");
    CHECK(kubectl_in_shop(
              *world, {"replace", "-f", "-"},
              json{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "none"}}}}.dump())
              .status == 1);
}

TEST_CASE("strategic patches know containers by name; standard input may bring a patch") {
    auto world = make();
    const json image = {
        {"spec",
         {{"template",
           {{"spec", {{"containers", json::array({json{{"name", "side"}, {"image", "shop/side:2"}}})}}}}}}}};
    REQUIRE(kubectl_in_shop(*world, {"patch", "deployment/web", "--patch-file=/dev/stdin"}, image.dump())
                .succeeded());
    json containers = get(*world, "deployment/web")["spec"]["template"]["spec"]["containers"];
    REQUIRE(containers.size() == 2);
    CHECK(containers[0]["image"] == "shop/web:1");
    CHECK(containers[1]["image"] == "shop/side:2");
    const json gone = {
        {"spec",
         {{"template",
           {{"spec", {{"containers", json::array({json{{"name", "side"}, {"$patch", "delete"}}})}}}}}}}};
    REQUIRE(kubectl_in_shop(*world, {"patch", "deployment/web", "-p", gone.dump()}).succeeded());
    CHECK(get(*world, "deployment/web")["spec"]["template"]["spec"]["containers"].size() == 1);
    json whole = get(*world, "daemonset/agent")["spec"]["template"];
    whole["metadata"]["annotations"]["a"] = "b";
    whole["metadata"]["labels"].erase("nothing");
    whole["$patch"] = "replace";
    REQUIRE(kubectl_in_shop(*world,
                            {"patch", "daemonset/agent", "-p", json{{"spec", {{"template", whole}}}}.dump()})
                .succeeded());
    whole.erase("$patch");
    CHECK(get(*world, "daemonset/agent")["spec"]["template"] == whole);
    CHECK(kubectl_in_shop(*world, {"patch", "deployment/web", "-p", "{"}).status == 1);
    CHECK(kubectl_in_shop(*world, {"patch", "deployment/web", "--type=json", "-p",
                                   R"([{"op":"test","path":"/spec/replicas","value":9}])"})
              .errors ==
          "The request is invalid: the server rejected our request due to an error in our request\n");
    CHECK(kubectl_in_shop(*world, {"patch", "deployment/web", "--type=odd", "-p", "{}"}).status == 1);
    CHECK(kubectl_in_shop(*world, {"patch", "deployment/web", "--patch-file=other.json"}).status ==
          not_modelled);
}

TEST_CASE("each write is kept with its writer, and shown only where that is asked for") {
    auto world = make();
    const json::json_pointer replicas("/f:spec/f:replicas");
    CHECK(owners(*world, "deployment/web", replicas).empty());
    REQUIRE(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=3"}).succeeded());
    CHECK(owners(*world, "deployment/web", replicas) == Words{"kubectl"});
    CHECK(get(*world, "deployment/web")["metadata"]["managedFields"][0]["subresource"] == "scale");
    REQUIRE(kubectl_in_shop(*world, {"patch", "deployment/web", "--type=merge", "--field-manager=migc:1",
                                     "-p", R"({"spec":{"replicas":4}})"})
                .succeeded());
    CHECK(owners(*world, "deployment/web", replicas) == Words{"migc:1"});
    // The same value again is no write.
    REQUIRE(kubectl_in_shop(*world, {"patch", "deployment/web", "--type=merge", "--field-manager=other", "-p",
                                     R"({"spec":{"replicas":4}})"})
                .succeeded());
    CHECK(owners(*world, "deployment/web", replicas) == Words{"migc:1"});
    const Answer plain = kubectl_in_shop(*world, {"get", "deployment/web", "-o", "json"});
    CHECK_FALSE(json::parse(plain.output)["metadata"].contains("managedFields"));
}

TEST_CASE("an item of a list has its own writer for each of its fields") {
    auto world = make();
    REQUIRE(kubectl_in_shop(*world, {"set", "image", "deployment/web", "side=shop/side:2"}).succeeded());
    const json::json_pointer list("/f:spec/f:template/f:spec/f:containers");
    CHECK(owners(*world, "deployment/web", list / R"(k:{"name":"side"})" / "f:image") ==
          Words{"kubectl-set"});
    CHECK(owners(*world, "deployment/web", list / R"(k:{"name":"side"})" / "f:name").empty());
    CHECK(owners(*world, "deployment/web", list / R"(k:{"name":"web"})" / "f:image").empty());
}

TEST_CASE("what is applied is owned together with who else applies the same; another value is a conflict") {
    auto world = make();
    const auto apply = [&](const std::string& manager, const std::string& value, bool force = false) {
        const json object = {{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", {{"name", "shared"}}},
                             {"data", {{"a", value}}}};
        Words words{"apply", "--server-side", "--field-manager=" + manager, "-f", "-"};
        if (force) words.emplace_back("--force-conflicts");
        return kubectl_in_shop(*world, words, object.dump());
    };
    REQUIRE(apply("migc:one", "1").succeeded());
    REQUIRE(apply("migc:two", "1").succeeded());
    const json::json_pointer place("/f:data/f:a");
    CHECK(owners(*world, "configmap/shared", place) == Words{"migc:one", "migc:two"});
    const Answer refused = apply("migc:two", "2");
    CHECK(refused.errors.starts_with(
        "error: Apply failed with 1 conflict: conflict with \"migc:one\": .data.a\n"));
    CHECK(get(*world, "configmap/shared")["data"]["a"] == "1");
    REQUIRE(apply("migc:two", "2", true).succeeded());
    CHECK(owners(*world, "configmap/shared", place) == Words{"migc:two"});
    REQUIRE(
        kubectl_in_shop(*world, {"patch", "configmap/shared", "--type=merge", "-p", R"({"data":{"a":"3"}})"})
            .succeeded());
    CHECK(
        apply("migc:two", "2")
            .errors.starts_with(
                "error: Apply failed with 1 conflict: conflict with \"kubectl-patch\" using v1: .data.a\n"));
}

TEST_CASE("a controller that changes what a person wrote is its writer then") {
    auto world = make();
    REQUIRE(kubectl_in_shop(
                *world, {"patch", "hpa/agent", "--type=merge", "-p",
                         R"({"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"minReplicas":3}})"})
                .succeeded());
    REQUIRE(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=2"}).succeeded());
    REQUIRE(kubectl_in_shop(*world, {"scale", "deployment/web", "--replicas=1"}).succeeded());
    world->sleep_until(world->now() + 60'000);
    CHECK(get(*world, "deployment/web")["spec"]["replicas"] == 3);
    CHECK(owners(*world, "deployment/web", json::json_pointer("/f:spec/f:replicas")) ==
          Words{"kube-controller-manager"});
}

TEST_CASE("a node that is patched out of use is tainted as a cordoned one") {
    auto world = make();
    const std::string before = world->state();
    REQUIRE(kubectl_in_shop(*world,
                            {"patch", "node/n1", "--type=merge", "-p", R"({"spec":{"unschedulable":true}})"})
                .succeeded());
    CHECK(get(*world, "node/n1")["spec"]["taints"][0]["key"] == "node.kubernetes.io/unschedulable");
    REQUIRE(kubectl_in_shop(*world,
                            {"patch", "node/n1", "--type=merge", "-p", R"({"spec":{"unschedulable":null}})"})
                .succeeded());
    CHECK(world->state() == before);
}
