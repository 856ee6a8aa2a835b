// The acts that change workloads, services, nodes, autoscalers and claims: one patch each, with the version
// that was captured, and shown as it is run.
#include <deque>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/tools/natives.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;

namespace {

// kubectl that answers by the first rule whose text is part of the command line.
class FakeCluster : public Host {
  public:
    void says(const std::string& part, const json& answer) { rules_.emplace_back(part, answer.dump()); }

    Answer run(const std::string& tool, const std::vector<std::string>& arguments,
               const std::string& input) override {
        commands.push_back(fmt::format("{} {}", tool, fmt::join(arguments, " ")));
        lines.push_back(line_of(tool, arguments));
        inputs.push_back(input);
        Answer answer;
        answer.ending = Ending::Exited;
        for (const auto& [part, text] : rules_)
            if (answer.output.empty() && commands.back().find(part) != std::string::npos)
                answer.output = text;
        return answer;
    }
    std::vector<std::string> line_of(const std::string& tool,
                                     const std::vector<std::string>& arguments) override {
        std::vector<std::string> line = {tool, "--namespace", "shop"};
        line.insert(line.end(), arguments.begin(), arguments.end());
        return line;
    }
    Time now() override { return 1'700'000'000'000; }
    WakeReason sleep_until(Time) override { return WakeReason::Deadline; }
    std::string setting(std::string_view name) override { return settings[std::string(name)]; }
    std::string written(const ResourceRef& resource) override {
        if (resource.name.find('/') != std::string::npos) return resource.name;
        const std::string type = resource.type == "workload" ? "deployment"
                                 : resource.type == "claim"  ? "persistentvolumeclaim"
                                                             : resource.type;
        return type + "/" + resource.name;
    }
    const project::Inventory& inventory() override { return inventory_value; }
    std::string kind() override { return "live"; }

    std::vector<std::string> commands;
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> inputs;
    std::map<std::string, std::string> settings = {{"namespace", "shop"}, {"manager", "migc:run-1"}};
    project::Inventory inventory_value;

  private:
    std::deque<std::pair<std::string, std::string>> rules_;
};

Value ref(const std::string& type, const std::string& name) {
    return Value(ResourceRef{type, name});
}
const Value web = ref("workload", "web");
const Value version("41");

const NativeEntry& native(const char* name) {
    const NativeEntry* found = find_native(name);
    REQUIRE(found != nullptr);
    return *found;
}

Reading read(Host& host, const char* name, const List& arguments) {
    return native(name).probe(host, arguments);
}

// Runs the act: it must be one command, which a preview shows to the letter, and it must name the captured
// version.
std::string act(FakeCluster& host, const char* name, const List& arguments) {
    const NativeEntry& entry = native(name);
    CHECK(entry.one_write);
    const std::string preview = entry.preview(host, arguments).text;
    host.commands.clear();
    host.lines.clear();
    CHECK(entry.action(host, arguments).succeeded());
    REQUIRE_FALSE(host.lines.empty());
    CHECK(preview == shown(host.lines.back()));
    CHECK(host.commands.back().ends_with(" -o json"));
    return host.commands.back();
}

json deployment() {
    const json containers =
        json::array({json{{"name", "web"}, {"image", "web:1"}}, json{{"name", "side"}, {"image", "side:1"}}});
    return {{"kind", "Deployment"},
            {"metadata", {{"name", "web"}, {"uid", "d1"}, {"resourceVersion", "41"}}},
            {"spec",
             {{"replicas", 2},
              {"template",
               {{"metadata", {{"labels", {{"app", "web"}}}}},
                {"spec",
                 {{"containers", containers},
                  {"initContainers", json::array({json{{"name", "init"}, {"image", "init:1"}}})}}}}}}}};
}

json list(const json& items) {
    return {{"kind", "List"}, {"items", items}};
}

}  // namespace

TEST_CASE("the version is the one of the object, and absent where there is none") {
    FakeCluster host;
    host.says("get deployment/web ", deployment());
    CHECK(same(read(host, "version-of", {web}).value, version));
    CHECK(read(host, "version-of", {ref("service", "none")}).value.is_absent());
    CHECK(read(host, "version-of", {ref("object", "nonsense")}).permanent);
    CHECK(host.commands.front() == "kubectl get deployment/web -o json --ignore-not-found");
}

TEST_CASE("an image is set by the container's name, in the list where it stands") {
    FakeCluster host;
    host.says("get deployment/web", deployment());
    const Value place = read(host, "container-place", {web, Value("side")}).value;
    CHECK(same(place, Value("/spec/template/spec/containers")));
    CHECK(same(read(host, "container-place", {web, Value("init")}).value,
               Value("/spec/template/spec/initContainers")));
    CHECK(read(host, "container-place", {web, Value("none")}).value.is_absent());
    const std::string line = act(host, "image-set", {web, place, Value("side"), Value("side:2"), version});
    CHECK(
        line ==
        R"(kubectl patch deployment/web --type=strategic --field-manager=migc:run-1 -p {"metadata":{"resourceVersion":"41"},"spec":{"template":{"spec":{"containers":[{"image":"side:2","name":"side"}]}}}} -o json)");
    json cron = {{"kind", "CronJob"}};
    cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"] =
        json::array({json{{"name", "job"}, {"image", "job:1"}}});
    host.says("get cronjob/night", cron);
    CHECK(same(read(host, "container-place", {ref("workload", "cronjob/night"), Value(Absent{})}).value,
               Value("/spec/jobTemplate/spec/template/spec/containers")));
}

TEST_CASE("a restart writes a time that is not written there yet") {
    FakeCluster host;
    host.says("get deployment/web", deployment());
    const Value time = read(host, "restart-time", {web}).value;
    CHECK(same(time, Value("2023-11-14T22:13:20Z")));
    const std::string line = act(host, "pods-restart", {web, time, version});
    CHECK(line.find(R"("annotations":{"kubectl.kubernetes.io/restartedAt":"2023-11-14T22:13:20Z"})") !=
          std::string::npos);
    CHECK(line.find(R"("metadata":{"resourceVersion":"41"})") != std::string::npos);
    json again = deployment();
    again["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
        "2023-11-14T22:13:20Z";
    FakeCluster other;
    other.says("get deployment/web", again);
    CHECK(same(read(other, "restart-time", {web}).value, Value("2023-11-14T22:13:21Z")));
    again["spec"]["paused"] = true;
    FakeCluster paused;
    paused.says("get deployment/web", again);
    CHECK(read(paused, "restart-time", {web}).permanent);
}

TEST_CASE("what was not there when it was looked at is refused, and nothing is run") {
    const Value none(Absent{});
    const std::vector<std::pair<const char*, List>> acts = {
        {"image-set", {web, Value("/spec/template/spec/containers"), Value("a"), Value("b"), none}},
        {"pods-restart", {web, Value("2023-11-14T22:13:20Z"), none}},
        {"service-switch", {ref("service", "web"), Value("version=green"), none}},
        {"autoscaling-set", {Value("scaler"), Value("2..6"), none}},
        {"node-set-schedulable", {ref("node", "n1"), Value(false), none}},
        {"claim-grow", {ref("claim", "data"), Value(*parse_quantity("3Gi")), none}}};
    for (const auto& [name, arguments] : acts) {
        FakeCluster host;
        INFO(name);
        const Answer answer = native(name).action(host, arguments);
        CHECK_FALSE(answer.succeeded());
        CHECK(host.commands.empty());
        CHECK(native(name).preview(host, arguments).text.empty());
    }
}

TEST_CASE("services, autoscalers, nodes and claims are patched with their version") {
    FakeCluster host;
    CHECK(
        act(host, "service-switch", {ref("service", "web"), Value("version=green,track"), version})
            .find(
                R"({"metadata":{"resourceVersion":"41"},"spec":{"selector":{"track":null,"version":"green"}}})") !=
        std::string::npos);
    CHECK(
        act(host, "autoscaling-set", {Value("scaler"), Value("3..5"), version})
            .find(
                R"(patch hpa/scaler --type=merge --field-manager=migc:run-1 -p {"metadata":{"resourceVersion":"41"},"spec":{"maxReplicas":5,"minReplicas":3}})") !=
        std::string::npos);
    CHECK(
        act(host, "node-set-schedulable", {ref("node", "n1"), Value(false), version})
            .find(
                R"(patch node/n1 --type=merge --field-manager=migc:run-1 -p {"metadata":{"resourceVersion":"41"},"spec":{"unschedulable":true}})") !=
        std::string::npos);
    CHECK(act(host, "node-set-schedulable", {ref("node", "n1"), Value(true), version})
              .find(R"("spec":{"unschedulable":null})") != std::string::npos);
    CHECK(act(host, "claim-grow", {ref("claim", "data"), Value(*parse_quantity("3Gi")), version})
              .find(R"("spec":{"resources":{"requests":{"storage":"3Gi"}}})") != std::string::npos);
    host.settings["manager"] = "";
    CHECK(act(host, "node-set-schedulable", {ref("node", "n1"), Value(true), version})
              .find("--field-manager=migc ") != std::string::npos);
}

TEST_CASE("a deployment goes back by its whole template, a set by the patch that its revision keeps") {
    FakeCluster host;
    host.says("get deployment/web", deployment());
    json old = deployment()["spec"]["template"];
    old["spec"]["containers"][0]["image"] = "web:0";
    json with_hash = old;
    with_hash["metadata"]["labels"]["pod-template-hash"] = "5c";
    with_hash["metadata"]["creationTimestamp"] = nullptr;
    const json owner = json::array({json{{"uid", "d1"}}});
    host.says("get replicasets",
              list(json::array({json{{"kind", "ReplicaSet"},
                                     {"metadata",
                                      {{"annotations", {{"deployment.kubernetes.io/revision", "3"}}},
                                       {"ownerReferences", owner}}},
                                     {"spec", {{"template", with_hash}}}}})));
    const Value digest = read(host, "template-at-revision", {web, Value(std::int64_t{3})}).value;
    const std::string line = act(host, "roll-back", {web, digest, version});
    const json operations = {{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", "41"}},
                             {{"op", "replace"}, {"path", "/spec/template"}, {"value", old}}};
    CHECK(line == "kubectl patch deployment/web --type=json --field-manager=migc:run-1 -p " +
                      operations.dump() + " -o json");
    const Answer gone = native("roll-back").action(host, {web, Value("sha256:gone"), version});
    CHECK_FALSE(gone.succeeded());
    CHECK(host.commands.back().find("patch") == std::string::npos);

    FakeCluster sets;
    json set = deployment();
    set["kind"] = "StatefulSet";
    sets.says("get statefulset/web", set);
    json data = {{"spec", {{"template", old}}}};
    data["spec"]["template"]["$patch"] = "replace";
    sets.says("get controllerrevisions", list(json::array({json{{"kind", "ControllerRevision"},
                                                                {"metadata", {{"ownerReferences", owner}}},
                                                                {"revision", 1},
                                                                {"data", data}}})));
    const Value store = ref("workload", "statefulset/web");
    const Value first = read(sets, "template-at-revision", {store, Value(std::int64_t{1})}).value;
    data["metadata"]["resourceVersion"] = "41";
    CHECK(act(sets, "roll-back", {store, first, version}) ==
          "kubectl patch statefulset/web --type=strategic --field-manager=migc:run-1 -p " + data.dump() +
              " -o json");
}

TEST_CASE("a patch that is too long for an argument goes in on standard input") {
    FakeCluster host;
    const std::string long_image(100'000, 'x');
    const std::string line =
        act(host, "image-set",
            {web, Value("/spec/template/spec/containers"), Value("web"), Value(long_image), version});
    CHECK(line.find("--patch-file=/dev/stdin") != std::string::npos);
    CHECK(line.size() < 200);
    CHECK(json::parse(host.inputs.back())["metadata"]["resourceVersion"] == "41");
}

TEST_CASE("who wrote what was read is told where it is asked for, and costs nothing otherwise") {
    json object = deployment();
    object["metadata"]["managedFields"] = json::array(
        {json{{"manager", "migc:run-1"},
              {"time", "2026-01-10T01:00:00Z"},
              {"fieldsV1",
               {{"f:spec",
                 {{"f:replicas", json::object()},
                  {"f:template",
                   {{"f:spec",
                     {{"f:containers", {{R"(k:{"name":"web"})", {{"f:image", json::object()}}}}}}}}}}}}}}});
    FakeCluster host;
    host.says("--show-managed-fields=true", object);
    host.says("get deployment/web", deployment());
    CHECK(read(host, "replicas-of", {web}).writer.empty());
    CHECK(host.commands.back().find("managed") == std::string::npos);
    host.settings["writers"] = "yes";
    CHECK(read(host, "replicas-of", {web}).writer == "migc:run-1");
    CHECK(read(host, "image-of", {web, Value("web")}).writer == "migc:run-1");
    CHECK(read(host, "image-of", {web, Value("side")}).writer.empty());
    CHECK(read(host, "template-of", {web}).writer == "migc:run-1");
    CHECK(read(host, "seen-configuration", {web}).writer.empty());
    CHECK(same(read(host, "replicas-of", {web}).value, Value(std::int64_t{2})));
}

TEST_CASE("labels without a value are the way back's alone") {
    FakeCluster host;
    for (const char* bad : {"green", "version=", "=green", ""})
        CHECK(read(host, "labels-complete", {Value(bad)}).permanent);
    CHECK(same(read(host, "labels-complete", {Value("version=green")}).value, Value(true)));
}
