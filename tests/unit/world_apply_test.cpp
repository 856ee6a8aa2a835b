// The simulated kubectl apply: whose fields are whose, versions, and what `kubectl apply` without
// --server-side leaves.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/small_world.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

std::unique_ptr<World> make() {
    return world_of(R"(
contexts: { staging: main }
current-context: staging
clusters:
  main:
    nodes: { n1: {cpu: 2, memory: 4Gi} }
    namespaces:
      shop:
        workloads: { web: { replicas: 2, image: "shop/web:1" } }
        autoscalers: { scaler: { workload: web, min: 1, max: 3 } }
)");
}

json get(World& world, const std::string& what) {
    const Answer answer = kubectl_in_shop(world, {"get", what, "-o", "json", "--show-managed-fields=true"});
    INFO(answer.errors);
    REQUIRE(answer.succeeded());
    return json::parse(answer.output);
}

json map_of(const json& data, const json& metadata = json::object()) {
    json object = {
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "m"}}}, {"data", data}};
    object["metadata"].update(metadata);
    return object;
}

Answer apply(World& world, const std::string& manager, const json& object, const Words& more = {}) {
    Words words = {"apply", "--server-side", "--field-manager=" + manager, "-o", "json", "-f", "-"};
    words.insert(words.end(), more.begin(), more.end());
    return kubectl_in_shop(world, words, object.dump());
}

std::vector<std::string> managers(const json& object) {
    std::vector<std::string> names;
    for (const json& entry : object["metadata"]["managedFields"])
        names.push_back(entry["manager"].get<std::string>() + " " + entry["operation"].get<std::string>());
    return names;
}

}  // namespace

TEST_CASE("an object is applied only in the version that it names, or where there is none") {
    auto world = make();
    const json absent = map_of({{"a", "1"}}, {{"resourceVersion", "1"}});
    REQUIRE(apply(*world, "migc:shop", absent).succeeded());
    const json made = get(*world, "configmap/m");
    CHECK(made["metadata"]["resourceVersion"] != "1");
    // The version of none is nobody's version.
    CHECK(apply(*world, "migc:shop", absent)
              .errors.starts_with(
                  "error: Operation cannot be fulfilled on configmaps \"m\": the object has been modified"));
    const json known = {{"resourceVersion", made["metadata"]["resourceVersion"]},
                        {"uid", made["metadata"]["uid"]}};
    REQUIRE(apply(*world, "migc:shop", map_of({{"a", "2"}}, known)).succeeded());
    CHECK_FALSE(apply(*world, "migc:shop", map_of({{"a", "3"}}, known)).succeeded());
    REQUIRE(kubectl_in_shop(*world, {"delete", "configmap/m"}).succeeded());
    CHECK(apply(*world, "migc:shop", map_of({{"a", "2"}}, known))
              .errors.find("uid mismatch: the provided object specified uid") != std::string::npos);
}

TEST_CASE("two projects conflict, and what one no longer applies goes unless the other keeps it") {
    auto world = make();
    REQUIRE(apply(*world, "migc:a", map_of({{"a", "1"}, {"b", "1"}, {"c", "1"}})).succeeded());
    REQUIRE(apply(*world, "migc:b", map_of({{"b", "1"}})).succeeded());
    const Answer conflict = apply(*world, "migc:b", map_of({{"a", "2"}}));
    CHECK(conflict.errors.starts_with(
        "error: Apply failed with 1 conflict: conflict with \"migc:a\": .data.a\n"));
    REQUIRE(apply(*world, "migc:a", map_of({{"c", "2"}})).succeeded());
    CHECK(get(*world, "configmap/m")["data"] == json({{"b", "1"}, {"c", "2"}}));
    REQUIRE(apply(*world, "migc:b", map_of({{"c", "3"}}), {"--force-conflicts"}).succeeded());
    CHECK(get(*world, "configmap/m")["data"] == json({{"c", "3"}}));
}

TEST_CASE("a dry run shows who would keep what, and changes nothing") {
    auto world = make();
    REQUIRE(apply(*world, "migc:a", map_of({{"a", "1"}, {"b", "1"}})).succeeded());
    const json before = get(*world, "configmap/m");
    const Answer dry =
        apply(*world, "migc:a", map_of({{"a", "2"}}), {"--dry-run=server", "--show-managed-fields=true"});
    const json shown = json::parse(dry.output);
    CHECK(shown["data"] == json({{"a", "2"}}));
    CHECK(shown["metadata"]["managedFields"][0]["fieldsV1"] == json({{"f:data", {{"f:a", json::object()}}}}));
    CHECK(get(*world, "configmap/m") == before);
}

TEST_CASE("who keeps what can be handed over, in the version that was looked at and in no other") {
    auto world = make();
    REQUIRE(apply(*world, "migc", map_of({{"a", "1"}, {"b", "1"}})).succeeded());
    const json before = get(*world, "configmap/m");
    json entries = before["metadata"]["managedFields"];
    entries[0]["manager"] = "migc:shop";
    const auto hand_over = [&](const json& version) {
        const json patch = {{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", entries}},
                            {{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", version}}};
        return kubectl_in_shop(
            *world, {"patch", "configmap/m", "--type=json", "--patch-file=/dev/stdin", "-o", "json"},
            patch.dump());
    };
    CHECK_FALSE(hand_over("5").succeeded());
    CHECK(get(*world, "configmap/m") == before);
    REQUIRE(hand_over(before["metadata"]["resourceVersion"]).succeeded());
    const json after = get(*world, "configmap/m");
    CHECK(managers(after) == std::vector<std::string>{"migc:shop Apply"});
    CHECK(after["data"] == before["data"]);
    CHECK(after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]);
    // So what it does not apply any more goes.
    REQUIRE(apply(*world, "migc:shop", map_of({{"a", "2"}})).succeeded());
    CHECK(get(*world, "configmap/m")["data"] == json({{"a", "2"}}));
}

TEST_CASE("kubectl apply without --server-side notes what it was given, and overwrites an edit") {
    auto world = make();
    REQUIRE(
        kubectl_in_shop(*world, {"apply", "-f", "-"}, map_of({{"a", "1"}, {"b", "1"}}).dump()).succeeded());
    REQUIRE(kubectl_in_shop(*world, {"patch", "configmap/m", "--type=merge", "-p",
                                     R"({"data":{"a":"by hand","c":"theirs"}})"})
                .succeeded());
    const json edited = get(*world, "configmap/m");
    CHECK(managers(edited) ==
          std::vector<std::string>{"kubectl-client-side-apply Update", "kubectl-patch Update"});
    CHECK(apply(*world, "migc:shop", map_of({{"a", "2"}})).errors.find("conflict with \"kubectl-patch\"") !=
          std::string::npos);
    REQUIRE(kubectl_in_shop(*world, {"apply", "-f", "-"}, map_of({{"a", "2"}}).dump()).succeeded());
    CHECK(get(*world, "configmap/m")["data"] == json({{"a", "2"}, {"c", "theirs"}}));
}

TEST_CASE("a deletion insists on the version that it names") {
    auto world = make();
    REQUIRE(apply(*world, "migc", map_of({{"a", "1"}})).succeeded());
    const json object = get(*world, "configmap/m");
    const auto remove = [&](const json& version) {
        const json options = {
            {"preconditions", {{"uid", object["metadata"]["uid"]}, {"resourceVersion", version}}}};
        return kubectl_in_shop(*world, {"delete", "--raw", "/api/v1/namespaces/shop/configmaps/m", "-f", "-"},
                               options.dump());
    };
    CHECK(remove("5").errors.find("the ResourceVersion in the precondition (5) does not match") !=
          std::string::npos);
    CHECK(remove(object["metadata"]["resourceVersion"]).succeeded());
    const Answer made = kubectl_in_shop(
        *world, {"create", "--raw", "/api/v1/namespaces/shop/configmaps?fieldManager=migc:shop", "-f", "-"},
        map_of({{"a", "1"}}).dump());
    REQUIRE(made.succeeded());
    CHECK(managers(get(*world, "configmap/m")) == std::vector<std::string>{"migc:shop Update"});
}

TEST_CASE("a kind is served in several versions, and kept in one") {
    auto world = make();
    const json old = {{"apiVersion", "autoscaling/v1"},
                      {"kind", "HorizontalPodAutoscaler"},
                      {"metadata", {{"name", "scaler"}}},
                      {"spec",
                       {{"maxReplicas", 4},
                        {"targetCPUUtilizationPercentage", 70},
                        {"scaleTargetRef", {{"kind", "Deployment"}, {"name", "web"}}}}}};
    const Answer applied = apply(*world, "migc:shop", old, {"--force-conflicts"});
    REQUIRE(applied.succeeded());
    CHECK(json::parse(applied.output)["spec"]["targetCPUUtilizationPercentage"] == 70);
    CHECK(get(*world, "hpa/scaler")["apiVersion"] == "autoscaling/v2");
    CHECK(get(*world, "hpa/scaler")["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70);
    CHECK(get(*world,
              "horizontalpodautoscaler.v1.autoscaling/scaler")["spec"]["targetCPUUtilizationPercentage"] ==
          70);
    const auto widget = [](const char* version) {
        return json{{"apiVersion", std::string("example.com/") + version},
                    {"kind", "Widget"},
                    {"metadata", {{"name", "w"}}},
                    {"spec", {{"a", 1}}}};
    };
    REQUIRE(apply(*world, "migc:shop", widget("v1")).succeeded());
    REQUIRE(apply(*world, "migc:shop", widget("v1beta1")).succeeded());
    CHECK(get(*world, "widget.example.com/w")["apiVersion"] == "example.com/v1");
    CHECK(get(*world, "widget.v1beta1.example.com/w")["apiVersion"] == "example.com/v1beta1");
}
