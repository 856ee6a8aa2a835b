#include "runtime/plan/foreseen.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/plan/commands.hpp"
#include "tests/unit/fakes.hpp"

using namespace fakes;
using nlohmann::json;

namespace {

// A cluster that only answers.
class Readings final : public Tools {
  public:
    std::map<std::string, Answer> answers;  // by the words behind the tool's own arguments
    std::vector<std::string> asked;

    Answer run(const CommandLine& command) override {
        std::string words;
        for (std::size_t i = 0; i < command.argv.size(); ++i) {
            if (command.argv[i] == "--context" || command.argv[i] == "--namespace") {
                ++i;
                continue;
            }
            if (command.argv[i] == "--ignore-not-found") continue;
            words += (words.empty() ? "" : " ") + command.argv[i];
        }
        asked.push_back(words);
        const auto found = answers.find(words);
        return found == answers.end() ? failed(1, "Error from server (NotFound): nothing for " + words)
                                      : found->second;
    }
    std::unique_ptr<Watch> watch(const CommandLine&) override { return nullptr; }
    Time now() override { return 0; }
    WakeReason sleep_until(Time) override { return WakeReason::Deadline; }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "simulated"; }
};

const json webapi = {
    {"kind", "Deployment"},
    {"metadata", {{"name", "webapi"}, {"uid", "u-1"}, {"resourceVersion", "7"}}},
    {"spec",
     {{"replicas", 2}, {"template", {{"spec", {{"containers", {{{"name", "web"}, {"image", "web:1"}}}}}}}}}},
    {"status", {{"readyReplicas", 2}}}};

// A verb that runs one command line of a tool, with these resources as its parameters.
ir::Verb verb(const std::string& tool, const std::vector<std::string>& words,
              const std::vector<std::string>& resources = {"target"}) {
    ir::Verb made;
    made.signature = "do it";
    for (const std::string& name : resources) {
        ir::Parameter slot = target();
        slot.name = name;
        made.parameters.push_back(slot);
    }
    made.action = ir::Command{};
    made.action->tool = tool;
    std::vector<ir::Expr> arguments;
    for (const std::string& word : words)
        arguments.push_back(word == "@" ? local("target") : literal(Value(word), ir::TypeKind::String));
    made.action->arguments = list(std::move(arguments));
    return made;
}

struct World {
    ir::Program program = declarations();
    project::Inventory project = inventory();
    Readings readings;
    RunOptions options;
    StageEnvironment environment;
    Foreseen foreseen{readings, "/tmp", find_native};
    EvalContext eval_context{program, project, foreseen.tools(), options, {}};
    Evaluator evaluator{eval_context, environment};
    Scope names;

    World() {
        for (const char* name : {"docker", "terraform", "program", "git", "curl", "helm"}) {
            ir::Tool tool;
            tool.name = tool.program = name;
            program.tools.push_back(tool);
        }
        environment.name = "staging";
        environment.settings = {{"context", "c"}, {"namespace", "n"}, {"root", "/tmp"}};
        readings.answers["kubectl get deployment/webapi -o json"] = answered(webapi.dump());
        readings.answers["kubectl get deployment/other -o json"] =
            answered(json{{"kind", "Deployment"}, {"metadata", {{"name", "other"}}}}.dump());
        readings.answers["kubectl get pods -o json"] = answered(R"({"items": []})");
        readings.answers["kubectl get deployments -o json"] = answered(json{{"items", {webapi}}}.dump());
        names.bind("target", Value(ResourceRef{"workload", "webapi"}));
        foreseen.enter(environment, "staging");
        evaluator.foresight = &foreseen;
    }

    void done(const std::string& step, const ir::Verb& made, const std::vector<Declared>& declared = {}) {
        foreseen.done(step, made, names, evaluator, declared);
    }
    Answer get(const std::string& what) {
        return evaluator.run("kubectl", {"get", what, "-o", "json", "--ignore-not-found"}, {});
    }
    // A field of an object, as a probe of the standard library reads it.
    Value field(const std::string& workload_name, const std::string& pointer) {
        const ir::Probe made = field_probe("field of (target: workload)", pointer, ir::TypeKind::Any);
        program.probes.push_back(made);
        const auto index = static_cast<std::uint32_t>(program.probes.size() - 1);
        return evaluator.evaluate(probe(index, {workload(workload_name)}), names).value;
    }
    // What a command answers, with all of an object counting.
    std::string run(const std::string& tool, const std::vector<std::string>& arguments) {
        const Answer answer = evaluator.run(tool, arguments, {});
        return answer.ending == Ending::NotStarted ? answer.reason : answer.output + answer.errors;
    }
};

std::string shown_of(const Value& value) {
    return known_after(value).empty() ? show(value) : known_after(value);
}

}  // namespace

TEST_CASE("command lines of kubectl are taken apart") {
    const auto scale = parse_kubectl(
        {"kubectl", "--context", "c", "--namespace", "n", "scale", "deploy/web", "--replicas=4"});
    CHECK(scale.verb == "scale");
    CHECK(scale.name_space == "n");
    CHECK(scale.value("--replicas") == "4");
    CHECK(scale.targets() == std::vector<std::string>{"deployment/web"});
    CHECK(parse_kubectl({"kubectl", "set", "image", "deployments.apps/web", "a=b:1"}).targets() ==
          std::vector<std::string>{"deployment/web"});
    CHECK(parse_kubectl({"kubectl", "rollout", "restart", "deployment", "web"}).targets() ==
          std::vector<std::string>{"deployment/web"});
    CHECK(parse_kubectl({"kubectl", "get", "pods", "-A", "-l", "app=web", "-o", "json"}).everywhere);
    CHECK(parse_kubectl({"kubectl", "get", "pods", "-l", "app=web"}).targets().empty());
    CHECK(parse_kubectl({"kubectl", "exec", "web-1", "--", "rm", "--namespace", "x"}).name_space.empty());
}

TEST_CASE("a type has one name, however it is spelled") {
    for (const char* text : {"deploy", "deployment", "Deployment", "deployments", "deployments.apps"})
        CHECK(type_name(text) == "deployment");
    CHECK(type_name("ingresses") == "ingress");
    CHECK(type_name("networkpolicies") == "networkpolicy");
    CHECK(type_name("endpoints") == "endpoints");
    CHECK(type_name("hpa") == "horizontalpodautoscaler");
    CHECK(kubernetes::plain_handle("deployments.apps/staging/web") == "deployment/web");
}

TEST_CASE("an object is read as the step before leaves it") {
    World world;
    world.done("1", verb("kubectl", {"scale", "@", "--replicas=4"}));
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "4");
    CHECK(shown_of(world.field("webapi", "/metadata/uid")) == "u-1");
    CHECK(shown_of(world.field("webapi", "/metadata/resourceVersion")) == "known after step 1");
    CHECK(shown_of(world.field("webapi", "/status/readyReplicas")) == "known after step 1");
    CHECK(shown_of(world.field("other", "/metadata/name")) == "other");
    world.done("2", verb("kubectl", {"patch", "@", "--type=merge", "-p", R"({"spec":{"replicas":5}})"}));
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "5");
    world.done("3", verb("kubectl", {"set", "image", "@", "web=web:2"}));
    CHECK(shown_of(world.field("webapi", "/spec/template/spec/containers/0/image")) == "web:2");
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "5");
    world.done("4", verb("kubectl", {"rollout", "restart", "@"}));
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "5");
    CHECK(shown_of(world.field("webapi", "/spec/template")) == "known after step 4");
    world.done("5", verb("kubectl", {"delete", "@"}));
    CHECK(world.get("deployment/webapi").output.empty());
}

TEST_CASE("what natives change is foreseen, and nothing else is open") {
    World world;
    const auto native = [](const std::string& name, std::vector<ir::Expr> more) {
        ir::Verb made = verb("native", {});
        made.action->native = name;
        more.insert(more.begin(), local("target"));
        made.action->arguments = list(std::move(more));
        return made;
    };
    world.done("1", native("pods-restart", {text("2026-01-10T00:00:00Z"), text("7")}));
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "2");
    CHECK(shown_of(world.field("webapi", "/spec/template/spec/containers/0/image")) == "web:1");
    CHECK(shown_of(world.field("webapi", "/spec/template/metadata/annotations")) == "known after step 1");
    world.done("2", native("image-set",
                           {text("/spec/template/spec/containers"), text("web"), text("web:2"), text("8")}));
    CHECK(shown_of(world.field("webapi", "/spec/template/spec/containers/0/image")) == "web:2");
    world.done("3", native("node-set-schedulable", {literal(Value(false), ir::TypeKind::Bool), text("9")}));
    CHECK(shown_of(world.field("other", "/metadata/name")) == "other");
}

TEST_CASE("why nobody could read a value is no text that a step writes") {
    World world;
    world.names.bind("image", Value(Unknown{"not read: helm is run as the project says"}));
    ir::Verb set = verb("kubectl", {"set", "image", "@"});
    ir::Expr word = literal(Value(), ir::TypeKind::String);
    word.kind = ir::ExprKind::Interpolate;
    word.children = {literal(Value("web="), ir::TypeKind::String), local("image")};
    set.action->arguments->children.push_back(word);
    world.done("1", set);
    CHECK(shown_of(world.field("webapi", "/spec/template/spec/containers/0/image")) == "known after step 1");
}

TEST_CASE("what controllers make of a change only the run can know") {
    World world;
    CHECK(world.run("kubectl", {"get", "pods", "-o", "json"}) == R"({"items": []})");
    world.done("1", verb("kubectl", {"scale", "@", "--replicas=4"}));
    CHECK(world.run("kubectl", {"get", "pods", "-o", "json"}) == "known after step 1");
    CHECK(world.run("kubectl", {"logs", "web-1"}) == "known after step 1");
    CHECK(world.run("curl", {"http://web"}) == "known after step 1");
    world.environment.settings["namespace"] = "another";
    CHECK(world.run("kubectl", {"get", "pods", "-o", "json"}) == R"({"items": []})");
    CHECK(world.run("kubectl", {"get", "pods", "--all-namespaces"}) == "known after step 1");
}

TEST_CASE("a list has the objects as they will be") {
    World world;
    world.done("1", verb("kubectl", {"delete", "@"}));
    const auto left = json::parse(world.run("kubectl", {"get", "deployments", "-o", "json"}));
    CHECK(left["items"].empty());
}

TEST_CASE("a command that the plan does not know may have changed every object") {
    World world;
    world.done("1", verb("kubectl", {"apply", "-f", "x.yaml"}));
    CHECK(shown_of(world.field("other", "/metadata/name")) == "known after step 1");
    world.done("2", verb("kubectl", {"scale", "@", "--replicas=4"}),
               {{"replicas of webapi", Value(std::int64_t{4})}});
    CHECK(shown_of(world.field("webapi", "/spec/selector")) == "known after step 2");
    // What the effect declares is known all the same.
    CHECK(shown_of(world.evaluator.evaluate(replicas(), world.names).value) == "4");
}

TEST_CASE("what an effect declares holds until a later step may have changed it") {
    World world;
    const std::vector<Declared> four = {{"replicas of webapi", Value(std::int64_t{4})}};
    world.done("1", verb("kubectl", {"frobnicate", "@"}), four);
    CHECK(shown_of(world.evaluator.evaluate(replicas(), world.names).value) == "4");
    world.done("2", verb("kubectl", {"frobnicate", "@"}));
    CHECK(shown_of(world.evaluator.evaluate(replicas(), world.names).value) == "known after step 2");
}

TEST_CASE("after a program of the project nothing is known, and nothing is asked") {
    World world;
    world.done("1", verb("program", {"./migrate"}, {}));
    const std::size_t asked = world.readings.asked.size();
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "known after step 1");
    CHECK(world.run("docker", {"image", "inspect", "x"}) == "known after step 1");
    CHECK(world.run("git", {"rev-parse", "HEAD"}) == "known after step 1");
    CHECK(world.readings.asked.size() == asked);
}

TEST_CASE("images are known apart") {
    World world;
    world.readings.answers["docker image inspect a:1"] = answered("sha256:a");
    world.done("1", verb("docker", {"build", "--tag", "b:1", "."}, {}));
    CHECK(world.run("docker", {"image", "inspect", "a:1"}) == "sha256:a");
    ir::Probe id;
    id.signature = "id of (picture: image)";
    id.parameters = {parameter("picture", ir::TypeKind::Image)};
    id.read = ir::Command{};
    id.read->tool = "docker";
    id.read->arguments = list({text("image"), text("inspect"), local("picture")});
    world.program.probes.push_back(id);
    const auto index = static_cast<std::uint32_t>(world.program.probes.size() - 1);
    const auto reading = [&](const char* image) {
        return shown_of(world.evaluator.evaluate(probe(index, {text(image)}), world.names).value);
    };
    CHECK(reading("a:1") == "sha256:a");
    CHECK(reading("b:1") == "known after step 1");
}

TEST_CASE("a tool of one's own is asked only as long as nothing was done") {
    World world;
    world.readings.answers["helm list"] = answered("3");
    CHECK(world.run("helm", {"list"}) == "3");
    world.done("1", verb("docker", {"build", "--tag", "b:1", "."}, {}));
    CHECK(world.run("helm", {"list"}) == "known after step 1");
}

TEST_CASE("a later stage names the stage whose step it waits for") {
    World world;
    world.done("1", verb("kubectl", {"apply", "-f", "x.yaml"}));
    world.foreseen.enter(world.environment, "production");
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "known after step 1 of staging");
    world.environment.settings["context"] = "another";
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "2");
}

TEST_CASE("of two ways, what one of them changes is known after both") {
    World world;
    const auto before = world.foreseen.state();
    world.done("1.1", verb("kubectl", {"scale", "@", "--replicas=4"}));
    const auto touched = Foreseen::touched(before, world.foreseen.state());
    world.foreseen.go_back_to(before);
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "2");
    world.foreseen.unsettle(touched, "1");
    CHECK(shown_of(world.field("webapi", "/spec/replicas")) == "known after step 1");
    CHECK(shown_of(world.field("other", "/metadata/name")) == "other");
}

TEST_CASE("what a refused dry run lacks, an earlier step may bring") {
    World world;
    const std::string manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    const auto dry_run = [&] {
        const Answer answer =
            world.evaluator.run("kubectl", {"apply", "--dry-run=server", "-f", "-"}, manifest);
        return answer.ending == Ending::NotStarted ? answer.reason : answer.errors;
    };
    const std::string words = "kubectl apply --dry-run=server -f -";
    world.readings.answers[words] = failed(1, "Error from server (NotFound): namespaces \"n\" not found");
    CHECK(dry_run().find("not found") != std::string::npos);
    world.done("1", verb("kubectl", {"scale", "@", "--replicas=4"}));
    CHECK(dry_run() == "known after step 1");
    world.readings.answers[words] = failed(1, "The ConfigMap \"a\" is invalid: data: ..");
    CHECK(dry_run().find("is invalid") != std::string::npos);
}
