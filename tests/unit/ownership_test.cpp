// Whose work a change is: what a tool says when it refuses, and what proves that an effect is this run's.
#include "runtime/natives/ownership.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/refusals.hpp"
#include "runtime/natives/saved_plan.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;
using fakes::FakeHost, fakes::printed;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

Answer failed(std::string errors, std::string output = {}) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.status = 1;
    answer.errors = std::move(errors);
    answer.output = std::move(output);
    return answer;
}

// A host in a folder of its own, whose tools answer by the first rule that fits; an output file is written.
class Table final : public FakeHost {
  public:
    Table() {
        std::string name = (fs::temp_directory_path() / "migc-ownership-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        settings = {{"run-folder", name}, {"terraform-dir", name}, {"root", name}};
        kind_value = "replayed";
    }
    ~Table() override {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    void say(const std::string& part, const Answer& answer) { rules.push_front({part, {answer}}); }
    void say(const std::string& part, const std::string& output) { say(part, printed(output)); }
    void say(const std::string& part, const char* output) { say(part, printed(output)); }
    void say(const std::string& part, const json& output) { say(part, output.dump()); }

    [[nodiscard]] Reading read(const char* name, const List& arguments) {
        return fakes::read(*this, name, arguments);
    }
    [[nodiscard]] Answer act(const char* name, const List& arguments) {
        return fakes::act(*this, name, arguments);
    }

    fs::path folder;
};

json plan_with(const json& change) {
    return {{"format_version", "1.2"},
            {"resource_changes", json::array({{{"address", "t.node[3]"}, {"change", change}}})}};
}

json growth() {
    return plan_with({{"actions", json::array({"create"})},
                      {"before", nullptr},
                      {"after", {{"input", "pool"}}},
                      {"after_unknown", {{"id", true}}}});
}

json state_of(const std::string& id, const std::string& input) {
    const json node = {{"address", "t.node[3]"}, {"values", {{"id", id}, {"input", input}}}};
    return {{"format_version", "1.0"}, {"values", {{"root_module", {{"resources", json::array({node})}}}}}};
}

// A folder with one plan, made from serial 4 of lineage "l" in the workspace "default".
struct Planned {
    Planned() {
        plan = (host.folder / "terraform.tfplan").string();
        std::ofstream(plan) << "plan";
        at("default", "l", 4);
        host.say("terraform show -json " + plan, growth());
        host.say("terraform plan", std::string());
        REQUIRE(host.act("terraform-plan", {Value(plan), Value("")}).succeeded());
        host.settings.insert({{"writers", "yes"}, {"manager", "migc:1"}});
        host.say("terraform show -json", json{{"format_version", "1.0"}});
        host.say("terraform show -json " + plan, growth());
    }
    void at(const std::string& workspace, const std::string& lineage, std::int64_t serial) {
        host.say("workspace show", workspace + "\n");
        host.say("state pull",
                 lineage.empty() ? std::string() : json{{"lineage", lineage}, {"serial", serial}}.dump());
    }
    void holds(const std::string& id, const std::string& input = "pool") {
        host.say("terraform show -json", state_of(id, input));
        host.say("terraform show -json " + plan, growth());
    }
    Answer apply() { return host.act("terraform-apply", {Value(plan)}); }
    Answer apply_well(const std::string& id) {
        host.say("terraform apply",
                 "t.node[3]: Creating...\nt.node[3]: Creation complete after 0s [id=" + id +
                     "]\n\nApply complete! Resources: 1 added, 0 changed, 0 destroyed.\n");
        return apply();
    }
    Reading facts() { return host.read("present-facts", {Value(plan)}); }
    Reading fits() { return host.read("plan-fits", {Value(plan)}); }

    Table host;
    std::string plan;
};

const Value whole(List{Value("create t.node[3]"), Value("create t.node[3] complete")});

}  // namespace

TEST_CASE("what a tool says before it does anything is a refusal, and nothing else is") {
    const char* stale = "\nError: Saved plan is stale\n\nThe given plan file can no longer be applied ..\n";
    CHECK(was_refused("terraform", failed(stale)));
    CHECK(was_refused("terraform",
                      failed("\x1b[31m\u2577\x1b[0m\n\u2502 \x1b[1m\x1b[31mError: \x1b[0m\x1b[1mSaved "
                             "plan is stale\x1b[0m\n")));
    CHECK(was_refused("terraform", failed("\nError: Saved plan does not match the given state\n")));
    CHECK(was_refused("terraform", failed("\nError: Error acquiring the state lock\n\nError message: ..\n")));
    CHECK(was_refused("terraform", failed("\nWarning: x\n\nError: Error acquiring the state lock\n")));
    CHECK(was_refused("terraform", failed("Error: Failed to load \"x\" as a plan file\n")));
    CHECK_FALSE(was_refused("terraform", failed("\nError: local-exec provisioner error\n")));
    // A provider may say what it likes, and what has begun was not refused.
    CHECK_FALSE(
        was_refused("terraform", failed("Error: creating: it said \"Error: Saved plan is stale\"\n")));
    CHECK_FALSE(was_refused("terraform", failed(stale, "t.node[3]: Creating...\n")));
    CHECK_FALSE(was_refused("terraform", well(stale)));
    Answer cut = failed(stale);
    cut.ending = Ending::TimedOut;
    CHECK_FALSE(was_refused("terraform", cut));
    CHECK(was_refused("docker", failed("tag invalid: The image tag 'v1' already exists ..\n")));
    CHECK(was_refused("docker", failed("denied: requested access to the resource is denied\n")));
    CHECK(was_refused("docker", failed("Error response from daemon: No such image: web:1\n")));
    CHECK_FALSE(
        was_refused("docker", failed("received unexpected HTTP status: 500 Internal Server Error\n")));
    CHECK_FALSE(was_refused("docker", failed("net/http: request canceled (Client.Timeout exceeded)\n")));
    CHECK(was_refused("curl", failed("curl: (7) Failed to connect to x port 80\n")));
    CHECK_FALSE(was_refused("curl", failed("curl: (52) Empty reply from server\n")));
    CHECK_FALSE(was_refused("helm", failed("Error: UPGRADE FAILED\n")));
}

TEST_CASE("a stale plan is refused, and its apply has never begun") {
    Planned planned;
    planned.host.say("terraform apply", failed("\nError: Saved plan is stale\n"));
    planned.holds("theirs");
    planned.at("default", "l", 5);
    const Answer answer = planned.apply();
    CHECK(answer.refused);
    CHECK(answer.errors == "Error: Saved plan is stale");
    CHECK(progress_of(planned.plan) == ApplyProgress::NotBegun);
    CHECK(planned.facts().writer.empty());
    CHECK(planned.fits().why.find("somebody applied meanwhile") != std::string::npos);
}

TEST_CASE("a lock that somebody holds leaves the plan as good as it was") {
    Planned planned;
    planned.host.say("terraform apply", failed("\nError: Error acquiring the state lock\n"));
    CHECK(planned.apply().refused);
    CHECK(same(planned.fits().value, Value(true)));
}

TEST_CASE("an apply that fails in the middle was not refused, and what it left is this run's") {
    Planned planned;
    planned.host.say("terraform apply", failed("\nError: Saved plan is stale\n", "t.node[3]: Creating...\n"));
    planned.holds("ours");
    planned.at("default", "l", 5);
    CHECK_FALSE(planned.apply().refused);
    CHECK(progress_of(planned.plan) == ApplyProgress::Ended);
    CHECK(planned.facts().writer == "migc:1");
}

TEST_CASE("what an apply left is known again, and what somebody else made of it, too") {
    Planned planned;
    planned.holds("ours");
    planned.at("default", "l", 5);
    REQUIRE(planned.apply_well("ours").succeeded());
    CHECK(same(planned.facts().value, whole));
    CHECK(planned.facts().writer == "migc:1");
    SECTION("as it was left, whatever else is applied") {
        planned.at("default", "l", 9);
        CHECK(same(planned.facts().value, whole));
    }
    SECTION("made anew") {
        planned.holds("theirs");
        CHECK(show(planned.facts().value).find("t.node[3] is not as this plan left it") != std::string::npos);
    }
    SECTION("changed") {
        planned.holds("ours", "other");
        CHECK(show(planned.facts().value).find("t.node[3] is not as this plan left it") != std::string::npos);
    }
    SECTION("in another workspace") {
        planned.at("other", "", 0);
        CHECK(planned.facts().value.is_unknown());
        CHECK(planned.facts().why.find("the workspace other is selected") != std::string::npos);
        CHECK(planned.facts().why.find("`terraform workspace select default`") != std::string::npos);
    }
    SECTION("without a state") {
        planned.at("default", "", 0);
        CHECK(planned.facts().value.is_unknown());
        CHECK(planned.facts().why.find("there is no state any more") != std::string::npos);
    }
    SECTION("with another state") {
        planned.at("default", "m", 5);
        CHECK(planned.facts().value.is_unknown());
        CHECK(planned.facts().why.find("another state") != std::string::npos);
    }
}

TEST_CASE("what somebody else made anew before the look after an apply is not this run's") {
    Planned planned;
    planned.holds("theirs");
    planned.at("default", "l", 6);
    REQUIRE(planned.apply_well("ours").succeeded());
    CHECK(show(planned.facts().value).find("is not as this plan left it") != std::string::npos);
}

TEST_CASE("the first state of all is known by what the apply left") {
    Planned planned;
    planned.at("default", "", 0);
    planned.host.say("terraform plan", std::string());
    REQUIRE(planned.host.act("terraform-plan", {Value(planned.plan), Value("")}).succeeded());
    planned.holds("ours");
    planned.at("default", "new", 1);
    REQUIRE(planned.apply_well("ours").succeeded());
    CHECK(same(planned.facts().value, whole));
    planned.at("default", "", 0);
    CHECK(planned.facts().value.is_unknown());
}

TEST_CASE("after a kill, an apply is this run's if terraform has written that it began") {
    Planned planned;
    planned.holds("ours");
    planned.at("default", "l", 5);
    REQUIRE(write_begun(planned.plan, 0));
    CHECK(planned.facts().writer.empty());
    const fs::path part = planned.host.folder / ".terraform.tfplan.out.migc-aB3xYz";
    std::ofstream(part) << "Acquiring state lock. This may take a few moments...\n";
    CHECK(planned.facts().writer.empty());
    std::ofstream(part) << "t.node[3]: Creating...\n";
    CHECK(planned.facts().writer == "migc:1");
    planned.host.settings["writers"] = "";
    CHECK(planned.facts().writer.empty());
}

TEST_CASE("a plan does not fit another workspace, nor a state that is gone") {
    Planned planned;
    CHECK(same(planned.fits().value, Value(true)));
    planned.at("other", "l", 4);
    CHECK(planned.fits().why.find("the workspace other is selected") != std::string::npos);
    planned.at("default", "", 0);
    CHECK(planned.fits().why.find("there is no state any more") != std::string::npos);
    planned.at("default", "m", 4);
    CHECK(same(planned.fits().value, Value(false)));
}

TEST_CASE("a way back of another workspace, or over what somebody else changed, takes nothing back") {
    Planned planned;
    planned.holds("ours");
    planned.at("default", "l", 5);
    REQUIRE(planned.apply_well("ours").succeeded());
    const std::string back = (planned.host.folder / "back.tfplan").string();
    std::ofstream(back) << "back";
    const json shrink = plan_with({{"actions", json::array({"delete"})},
                                   {"before", {{"id", "ours"}, {"input", "pool"}}},
                                   {"after", nullptr},
                                   {"after_unknown", json::object()}});
    const auto takes_back = [&] {
        planned.host.say("terraform show -json " + back, shrink);
        return planned.host.read("plan-takes-back-only", {Value(back), Value(planned.plan)});
    };
    const auto made_in = [&](const std::string& workspace) {
        planned.at(workspace, "l", 5);
        planned.host.say("terraform plan", std::string());
        REQUIRE(planned.host.act("terraform-plan", {Value(back), Value("")}).succeeded());
        planned.at("default", "l", 5);
    };
    made_in("default");
    CHECK(same(takes_back().value, Value(true)));
    planned.holds("theirs");
    CHECK(takes_back().why.find("somebody else did since") != std::string::npos);
    CHECK(takes_back().why.find("`terraform apply") == std::string::npos);
    planned.holds("ours");
    made_in("other");
    CHECK(takes_back().why.find("workspace") != std::string::npos);
    CHECK_FALSE(same(takes_back().value, Value(true)));
}

TEST_CASE("a workspace that is switched while terraform plans makes no plan") {
    Planned planned;
    struct Switching final : FakeHost {
        explicit Switching(Host& behind) : host(behind) {}
        Answer run(const std::string& tool, const std::vector<std::string>& arguments,
                   const std::string& input) override {
            if (arguments.front() == "workspace") return well(planned ? "other\n" : "default\n");
            planned = planned || arguments.front() == "plan";
            return host.run(tool, arguments, input);
        }
        std::string setting(std::string_view name) override { return host.setting(name); }
        Host& host;
        bool planned = false;
    } switching(planned.host);
    const Answer answer = find_native("terraform-plan")->action(switching, {Value(planned.plan), Value("")});
    CHECK_FALSE(answer.succeeded());
    CHECK(answer.errors.find("switched the workspace from default to other") != std::string::npos);
}

namespace {

const std::string ours = "sha256:" + std::string(64, 'a'), theirs = "sha256:" + std::string(64, 'b');
constexpr const char* image = "cr.example.org/web:1";

void registry_holds(Table& host, const std::string& digest, const std::string& config) {
    host.say("curl", "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + digest +
                         "\r\nContent-Type: application/x\r\n\r\n" +
                         json{{"config", {{"digest", config}}}}.dump());
}

}  // namespace

TEST_CASE("a tag that somebody else moved is not pushed to") {
    Table host;
    host.say("docker image inspect", std::string("id\n"));
    host.say("docker push", "1: digest: " + ours + " size: 5\n");
    registry_holds(host, theirs, "other");
    const Answer answer = host.act("image-push", {Value(image), Value("id"), Value("sha256:before")});
    CHECK(answer.refused);
    CHECK(answer.errors.find("somebody else moved the tag") != std::string::npos);
    CHECK_FALSE(host.ran("docker push"));
}

TEST_CASE("an image that has another name by now, or a registry that is not to be seen, is not pushed to") {
    Table host;
    host.say("docker image inspect", std::string("another\n"));
    registry_holds(host, theirs, "other");
    CHECK(host.act("image-push", {Value(image), Value("id"), Value(theirs)}).refused);
    host.say("docker image inspect", std::string("id\n"));
    host.say("curl", "HTTP/1.1 500 No\r\n\r\n");
    CHECK(host.act("image-push", {Value(image), Value("id"), Value(theirs)}).refused);
    CHECK_FALSE(host.ran("docker push"));
}

TEST_CASE("what is pushed here is known by the digest that docker told") {
    Table host;
    host.settings.insert({{"writers", "yes"}, {"manager", "migc:1"}});
    host.say("docker image inspect", std::string("id\n"));
    host.say("docker push", "1: digest: " + ours + " size: 5\n");
    registry_holds(host, theirs, "other");
    REQUIRE(host.act("image-push", {Value(image), Value("id"), Value(theirs)}).succeeded());
    const auto content = [&] { return host.read("image-content", {Value(image), Value("id")}); };
    registry_holds(host, ours, "id");
    CHECK(show(content().value) == "id");
    CHECK(content().writer == "migc:1");
    CHECK(show(host.read("pushed-digest", {Value(image), Value("id")}).value) == ours);
    registry_holds(host, theirs, "id");  // the same image, pushed by somebody else
    CHECK(show(content().value) == theirs);
    CHECK(content().writer.empty());
}

TEST_CASE("without a push of this run, what a tag names is nobody's") {
    Table host;
    host.settings.insert({{"writers", "yes"}, {"manager", "migc:1"}});
    registry_holds(host, theirs, "id");
    const Reading content = host.read("image-content", {Value(image), Value("id")});
    CHECK(show(content.value) == "id");
    CHECK(content.writer.empty());
}

TEST_CASE("a push that a registry refuses is refused, and one that ends otherwise is not") {
    Table host;
    host.say("docker image inspect", std::string("id\n"));
    registry_holds(host, theirs, "other");
    const List arguments = {Value(image), Value("id"), Value(theirs)};
    host.say("docker push", failed("denied: no\n"));
    CHECK(host.act("image-push", arguments).refused);
    host.say("docker push", failed("unexpected EOF\n", "1: digest: " + ours + " size: 5\n"));
    CHECK_FALSE(host.act("image-push", arguments).refused);
    CHECK(show(host.read("pushed-digest", {Value(image), Value("id")}).value) == ours);
}

TEST_CASE("a tag is moved only from where it was, and a lost answer is a doubt") {
    Table host;
    registry_holds(host, theirs, "other");
    const auto move = [&](const std::string& from, const char* back) {
        return host.act("registry-retag", {Value(image), Value(ours), Value(from), Value(back)});
    };
    host.say("--request PUT", "HTTP/1.1 201 Created\r\n\r\n");
    CHECK(move(ours, "").refused);
    CHECK_FALSE(move(ours, "back").held.empty());
    CHECK_FALSE(host.ran("--request PUT"));
    CHECK(move(theirs, "").succeeded());
    host.say("--request PUT", "HTTP/1.1 503 No\r\n\r\n");
    CHECK(move(theirs, "").ending == Ending::TimedOut);
    host.say("--request PUT", failed("curl: (52) Empty reply from server"));
    CHECK(move(theirs, "").ending == Ending::TimedOut);
    host.say("--request PUT", "HTTP/1.1 400 Bad\r\n\r\n");
    CHECK(move(theirs, "").refused);
}

TEST_CASE("a local name is given only where it was what was captured") {
    Table host;
    host.say("docker", std::string());
    host.say("docker image inspect", std::string("theirs\n"));
    CHECK(host.act("image-name", {Value("web:1"), Value("before"), Value("ours")}).refused);
    CHECK_FALSE(
        host.act("image-name", {Value("web:1"), Value("ours"), Value(Absent{}), Value("back")}).held.empty());
    CHECK_FALSE(host.ran("docker tag"));
    CHECK(host.act("image-name", {Value("web:1"), Value("theirs"), Value("ours")}).succeeded());
    CHECK(host.commands.back() == "docker tag ours web:1");
    CHECK(host.act("image-name", {Value("web:1"), Value("theirs"), Value(Absent{}), Value("back")})
              .succeeded());
    CHECK(host.commands.back() == "docker image rm --no-prune web:1");
}

TEST_CASE(
    "credentials are written only over the file that was there, and put back only over what was written") {
    Table host;
    const std::string file = (host.folder / "kube.yaml").string(), kept = (host.folder / "kept").string();
    const auto write = [&](const std::string& text) { std::ofstream(file) << text; };
    const auto content = [&] {
        std::ifstream in(file);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    host.say("terraform output", json{{"k", {{"value", "new"}}}});
    write("old");
    const Value old = host.read("private-digest", {Value(file)}).value;
    write("theirs");
    CHECK(host.act("write-kubeconfig", {Value("k"), Value(file), Value(kept), old}).refused);
    CHECK(host.act("write-kubeconfig", {Value("k"), Value(file), Value(kept), Value(Absent{})}).refused);
    CHECK(content() == "theirs");
    write("old");
    REQUIRE(host.act("write-kubeconfig", {Value("k"), Value(file), Value(kept), old}).succeeded());
    const Value left = host.read("private-digest", {Value(file)}).value;
    write("theirs");
    CHECK_FALSE(host.act("write-kept-back", {Value(file), Value(kept), left}).held.empty());
    CHECK(content() == "theirs");
    write("new");
    CHECK(host.act("write-kept-back", {Value(file), Value(kept), left}).succeeded());
    CHECK(content() == "old");
}
