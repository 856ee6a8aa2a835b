// Natives around pods: logs, events, jobs, backups, usage.
#include <deque>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "runtime/archive/archive.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;
using fakes::act, fakes::failed, fakes::printed, fakes::read;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

Answer lost() {
    Answer answer;
    answer.ending = Ending::TimedOut;
    answer.reason = "no answer";
    return answer;
}

class FakeHost : public fakes::FakeHost {
  public:
    FakeHost() {
        clock = 1'700'000'060'000;  // 2023-11-14T22:14:20Z
        settings["stage-began"] = "2023-11-14T22:13:20.000Z";
    }
};

Value web() {
    return Value(ResourceRef{"workload", "web"});
}

Value absent() {
    return Value(Absent{});
}

bool is(const Reading& reading, std::int64_t number) {
    return same(reading.value, Value(number));
}

json running(int restarts = 0) {
    return {{"name", "main"}, {"restartCount", restarts}, {"state", {{"running", {{"startedAt", "x"}}}}}};
}

json restarted(int restarts, const std::string& last_started) {
    json status = running(restarts);
    status["lastState"] = {{"terminated", {{"startedAt", last_started}, {"exitCode", 1}}}};
    return status;
}

json pod(const std::string& name, const json& status) {
    return {
        {"kind", "Pod"},
        {"metadata", {{"name", name}, {"ownerReferences", {{{"kind", "ReplicaSet"}, {"name", "web-6f"}}}}}},
        {"spec", {{"containers", {{{"name", "main"}}}}}},
        {"status", {{"phase", "Running"}, {"containerStatuses", {status}}}}};
}

void with_pods(FakeHost& host, const std::vector<json>& pods) {
    host.say("get deployment/web",
             json{{"kind", "Deployment"}, {"metadata", {{"name", "web"}}}, {"spec", {{"replicas", 2}}}});
    host.say("get pods", json{{"items", json(pods)}});
}

json event(const std::string& uid, const std::string& time, const std::string& reason) {
    return {{"metadata", {{"uid", uid}}}, {"type", "Warning"},
            {"reason", reason},           {"message", "m"},
            {"lastTimestamp", time},      {"involvedObject", {{"kind", "Pod"}, {"name", "web-1"}}}};
}

const char* at_our_time = "Date: Tue, 14 Nov 2023 22:14:20 GMT";

class Folder {
  public:
    Folder() {
        std::string name = fs::temp_directory_path() / "migc-pods.XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    std::string operator/(const std::string& name) const { return path_ / name; }

  private:
    fs::path path_;
};

std::string archive(const std::vector<ArchiveEntry>& entries) {
    return write_archive(entries, false).value();
}

void write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

std::string content(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("logs are asked for in seconds before the node's own now") {
    FakeHost host;
    with_pods(host, {pod("web-1", running()), pod("web-2", running())});
    host.say("logs web-1", printed("GET / 200\nGET /x 404\n"));
    host.say("logs web-2", printed("GET / 200"));
    CHECK(is(read(host, "log-line-count", {web(), Value("GET / ")}), 2));
    CHECK(is(read(host, "log-line-count", {web(), absent()}), 3));
    CHECK(is(read(host, "pods-serving", {web(), Value("404")}), 1));
    CHECK(same(read(host, "logs-of", {web(), Value("404|x")}).value, Value("GET /x 404")));
    CHECK(host.count("logs web-1 -c main --since=62s --limit-bytes=16777216") == 4);
    CHECK(read(host, "log-line-count", {web(), Value("(")}).permanent);
}

TEST_CASE("a log that may lack lines shows a match, but not that there is none") {
    FakeHost host;
    with_pods(host, {pod("web-1", restarted(3, "2023-11-14T22:14:00Z"))});
    host.say("--previous", printed("old\n"));
    host.say("logs web-1", printed("new\n"));
    host.say("get --raw", failed(at_our_time, 0));
    CHECK(is(read(host, "log-line-count", {web(), Value("old|new")}), 2));
    CHECK(read(host, "log-line-count", {web(), Value("none")}).value.is_unknown());
    CHECK(read(host, "requests-per-pod", {web(), Value("old")}).value.is_unknown());

    FakeHost before;  // all but the last restart were before the stage began
    with_pods(before, {pod("web-1", restarted(3, "2023-11-14T22:00:00Z"))});
    before.say("logs web-1", printed(""));
    before.say("get --raw", failed(at_our_time, 0));
    CHECK(is(read(before, "log-line-count", {web(), Value("none")}), 0));

    FakeHost flood;
    with_pods(flood, {pod("web-1", running())});
    flood.say("logs web-1", printed(std::string(16 << 20, '\n')));
    CHECK(read(flood, "log-line-count", {web(), Value("none")}).value.is_unknown());

    FakeHost dead;
    with_pods(dead, {pod("web-1", running())});
    dead.say("logs web-1", failed("Unable to connect to the server"));
    CHECK(read(dead, "log-line-count", {web(), Value("none")}).value.is_unknown());
}

TEST_CASE("a container that has not started has no log yet, and a pod that is gone has none any more") {
    FakeHost host;
    const json creating = {
        {"name", "main"}, {"restartCount", 0}, {"state", {{"waiting", {{"reason", "ContainerCreating"}}}}}};
    with_pods(host, {pod("web-1", creating), pod("web-2", running())});
    host.say("logs web-2", failed("Error from server (NotFound): pods \"web-2\" not found"));
    CHECK(is(read(host, "log-line-count", {web(), absent()}), 0));
    CHECK(host.count("logs web-1") == 0);
    FakeHost none;
    none.say("get deployment/web", printed(""));
    CHECK(read(none, "logs-of", {web(), absent()}).value.is_absent());
}

TEST_CASE("events are compared by the server's clock") {
    FakeHost host;
    host.settings["run-folder"] = "events-1";
    host.say(
        "get events",
        json{{"items",
              {event("a", "2023-11-14T22:13:40Z", "Early"), event("b", "2023-11-14T22:13:55Z", "Late")}}});
    host.say("get --raw /readyz -v=8",
             failed("Date: Tue, 14 Nov 2023 22:14:50 GMT", 0));  // 30 s ahead of ours
    CHECK(is(read(host, "event-count", {Value("Early")}), 0));
    CHECK(is(read(host, "event-count", {Value("^Warning Late Pod/web-1: m$")}), 1));
    CHECK(is(read(host, "event-count", {absent()}), 1));
    const Reading list = read(host, "events-matching", {Value("Late")});
    CHECK(same(list.value, Value(List{Value("Warning Late Pod/web-1: m")})));
}

TEST_CASE("that there was no event is not known where the cluster may have forgotten it") {
    FakeHost host;
    host.settings["run-folder"] = "events-2";
    host.settings["stage-began"] = "2023-11-14T20:00:00.000Z";
    host.say("get --raw", failed(at_our_time, 0));
    host.say("get events", printed(R"({"items":[]})"), 1);
    CHECK(read(host, "event-count", {absent()}).value.is_unknown());
    host.say("get events", json{{"items", {event("a", "2023-11-14T22:00:00Z", "Seen")}}});
    CHECK(is(read(host, "event-count", {Value("Seen")}), 1));
    CHECK(read(host, "event-count", {Value("None")}).value.is_unknown());

    FakeHost old;  // an event from before the stage is still there, so those since then are, too
    old.settings = host.settings;
    old.settings["run-folder"] = "events-3";
    old.say("get --raw", failed(at_our_time, 0));
    old.say("get events", json{{"items", {event("a", "2023-11-14T19:00:00Z", "Old")}}});
    CHECK(is(read(old, "event-count", {absent()}), 0));
}

TEST_CASE("events that were seen in a long soak are remembered") {
    FakeHost host;
    host.settings["run-folder"] = "events-4";
    host.say("get events", printed(json{{"items", {event("a", "2023-11-14T22:13:55Z", "Seen")}}}.dump()), 1);
    host.say("get events", printed(R"({"items":[]})"));
    for (int minutes = 0; minutes < 180; minutes += 30) {
        CHECK(is(read(host, "event-count", {Value("Seen")}), 1));
        CHECK(is(read(host, "event-count", {Value("Other")}), 0));
        host.clock += 30 * 60'000;
    }
    host.clock += 2 * 3'600'000;  // nobody looked for two hours
    CHECK(read(host, "event-count", {Value("Other")}).value.is_unknown());
}

namespace {

json job(const char* condition) {
    json result = {
        {"kind", "Job"},
        {"metadata", {{"name", "tidy-1"}, {"ownerReferences", {{{"kind", "CronJob"}, {"name", "tidy"}}}}}},
        {"status", {{"active", 1}}}};
    if (condition != nullptr)
        result["status"] = {
            {"conditions", {{{"type", condition}, {"status", "True"}, {"reason", "Because"}}}}};
    return result;
}

Answer run_tidy(FakeHost& host) {
    return act(host, "run-job", {Value("tidy"), Value("tidy-1")});
}

}  // namespace

TEST_CASE("a job is waited for, and removed when it is complete") {
    FakeHost host;
    host.say("create job tidy-1 --from=cronjob/tidy", printed("job.batch/tidy-1\n"));
    host.say("get job/tidy-1", printed(job(nullptr).dump()), 3);
    host.say("get job/tidy-1", printed(job("Complete").dump()));
    host.say("get pods -l job-name=tidy-1", printed(R"({"items":[]})"));
    host.say("delete job/tidy-1", printed(""));
    CHECK(run_tidy(host).succeeded());
    CHECK(host.count("delete job/tidy-1") == 1);
}

TEST_CASE("a job whose making was cut off is looked for, and no second one is made") {
    for (const Answer& made :
         {lost(), failed("error: failed to create job: jobs.batch \"tidy-1\" already exists")}) {
        FakeHost host;
        host.say("create job", made);
        host.say("get job/tidy-1", job("Complete"));
        host.say("get pods -l", printed(R"({"items":[]})"));
        host.say("delete job", printed(""));
        CHECK(run_tidy(host).succeeded());
        CHECK(host.count("create job") == 1);
    }
    FakeHost none;
    none.say("create job", lost());
    none.say("get job/tidy-1", printed(""));
    CHECK(run_tidy(none).ending == Ending::NotStarted);
    FakeHost blind;
    blind.say("create job", lost());
    blind.say("get job/tidy-1", failed("Unable to connect to the server"));
    CHECK(run_tidy(blind).ending == Ending::TimedOut);
    FakeHost other;  // a job of that name that is none of ours
    json foreign = job("Complete");
    foreign["metadata"]["ownerReferences"][0]["name"] = "else";
    other.say("create job", failed("already exists"));
    other.say("get job/tidy-1", foreign);
    CHECK(run_tidy(other).ending == Ending::NotStarted);
    FakeHost hostile;
    CHECK(act(hostile, "run-job", {Value("--all"), Value("x")}).ending == Ending::NotStarted);
    CHECK(act(hostile, "run-job", {Value("a/b; rm"), Value("x")}).ending == Ending::NotStarted);
    CHECK(hostile.commands.empty());
}

TEST_CASE("a job that fails is told with its last words, one that goes on too long is in doubt") {
    FakeHost host;
    host.say("create job", printed(""));
    host.say("get job/tidy-1", job("Failed"));
    host.say(
        "get pods -l",
        json{{"items",
              {pod("tidy-1-x", {{"name", "main"},
                                {"state", {{"terminated", {{"reason", "Error"}, {"exitCode", 3}}}}}})}}});
    host.say("logs tidy-1-x --tail=1", printed("no such table: users\n"));
    const Answer answer = run_tidy(host);
    CHECK(answer.status == 1);
    CHECK(
        answer.errors ==
        "job tidy-1 failed: Because; Error: container main ended with exit code 3: no such table: users; it is left there to be looked at");
    CHECK(host.count("delete job") == 0);

    FakeHost slow;
    slow.say("create job", printed(""));
    slow.say("get job/tidy-1", job(nullptr));
    slow.say("get pods -l", printed(R"({"items":[]})"));
    const Answer cut = run_tidy(slow);
    CHECK(cut.ending == Ending::TimedOut);
    CHECK(cut.reason == "job tidy-1 was not through within 10m, and may go on");
}

TEST_CASE("a backup that is not whole never becomes a file, and an older one is never lost") {
    const Folder folder;
    const std::string file = folder / "data.tar";
    const List arguments = {Value("/data"), web(), absent(), Value(file)};
    const std::string whole = archive({{"data", true, 0755, {}}, {"data/a", false, 0644, "one"}});
    FakeHost cut;
    with_pods(cut, {pod("web-1", running())});
    cut.say("exec web-1 -c main -- tar cf - -C / ./data", printed(whole.substr(0, 700)));
    CHECK_FALSE(act(cut, "write-backup", arguments).succeeded());
    CHECK_FALSE(fs::exists(file));
    CHECK_FALSE(fs::exists(file + ".part"));

    FakeHost host;
    with_pods(host, {pod("web-1", running())});
    host.say("exec web-1", printed(whole));
    for (const char* older : {"oldest", "older"}) {
        write(file, older);
        const Answer answer = act(host, "write-backup", arguments);
        INFO(answer.errors << answer.reason);
        CHECK(answer.succeeded());
    }
    CHECK((content(file) == whole));
    CHECK(content(file + ".1") == "oldest");
    CHECK(content(file + ".2") == "older");
    CHECK(read(host, "backup-digest", {Value(file)}).value.get_if<std::string>()->starts_with("sha256:"));
    CHECK(read(host, "backup-digest", {Value(file + ".1")}).permanent);
    CHECK(read(host, "backup-digest", {Value(file + ".9")}).value.is_absent());
}

TEST_CASE("only a backup of the same path is put back, and what it had added is removed") {
    const Folder folder;
    const std::string file = folder / "data.tar", before = folder / "before.tar";
    write(before, archive({{"data", true, 0755, {}}, {"data/a", false, 0644, "now"}}));
    const auto arguments = [&] { return List{Value(file), Value("/data"), web(), absent(), Value(before)}; };
    FakeHost host;
    with_pods(host, {pod("web-1", running())});
    host.say("exec web-1", printed(""));
    for (const char* foreign : {"etc/passwd", "data/../etc/passwd", "/etc/passwd", "database/x"}) {
        write(file, archive({{foreign, false, 0644, "x"}}));
        CHECK(act(host, "extract-backup", arguments()).ending == Ending::NotStarted);
    }
    CHECK(host.count("exec") == 0);
    write(file, archive({{"data", true, 0755, {}},
                         {"data/a", false, 0644, "then"},
                         {"data/n", true, 0755, {}},
                         {"data/n/-b c", false, 0644, "x"}}));
    CHECK(act(host, "extract-backup", arguments()).succeeded());
    CHECK(host.commands.back() == "kubectl exec web-1 -c main -i -- tar xf - -C /");
    CHECK(act(host, "revert-backup", arguments()).succeeded());
    CHECK(host.count("-- rm -f -- /data/n/-b c") == 1);
    CHECK(host.count("-- rmdir -- /data/n") == 1);
}

TEST_CASE("paths in containers are absolute and mean what they say") {
    FakeHost host;
    with_pods(host, {pod("web-1", running())});
    for (const char* path : {"data", "-rf", "", "/data/../etc"})
        CHECK(act(host, "write-backup", {Value(path), web(), absent(), Value("/tmp/x.tar")}).ending ==
              Ending::NotStarted);
    CHECK(read(host, "pod-file-digest", {Value("/"), web(), absent()}).permanent);
    CHECK(host.count("exec") == 0);
}

TEST_CASE("files of one of several pods are nobody's") {
    FakeHost host;
    with_pods(host, {pod("web-1", running()), pod("web-2", running())});
    const Answer answer = act(host, "write-backup", {Value("/data"), web(), absent(), Value("/tmp/x.tar")});
    CHECK(answer.ending == Ending::NotStarted);
    CHECK(answer.reason ==
          "web has 2 pods, and each has files of its own; name the one that is meant, as in \"pod/web-1\"");
}

TEST_CASE("what a command in a container prints, and why it does not") {
    FakeHost host;
    with_pods(host, {pod("web-1", running())});
    host.say("-- redis-cli ping", printed("PONG\n"));
    host.say(
        "-- nosuch",
        failed(
            "error: Internal error occurred: exec: \"nosuch\": executable file not found in $PATH: unknown"));
    host.say("-- fails", failed("bad\ncommand terminated with exit code 3\n", 3));
    const auto output = [&](const List& command, const Value& container) {
        return read(host, "output-of", {Value(command), web(), container});
    };
    CHECK(same(output({Value("redis-cli"), Value("ping")}, absent()).value, Value("PONG")));
    CHECK(output({Value("nosuch")}, absent()).permanent);
    CHECK(output({Value("nosuch")}, absent()).why == "container main of pod web-1 has no program `nosuch`");
    CHECK(output({Value("fails")}, absent()).why ==
          "`fails` in container main of pod web-1 ended with exit code 3: bad");
    CHECK(output({Value("ls")}, Value("side")).why == "pod web-1 has no container side; it has main");
    CHECK(output({}, absent()).permanent);
    CHECK(act(host, "execute", {Value(List{Value("fails")}), web(), absent()}).status == 1);
    CHECK(act(host, "execute", {Value(List{Value("nosuch")}), web(), absent()}).ending == Ending::NotStarted);
}

TEST_CASE("a pod for one command is always removed") {
    FakeHost host;
    host.say("kubectl run migc-output-", failed("pod web/x terminated (Error)", 4));
    host.say("kubectl delete pod/migc-output-", printed(""));
    const Reading reading = read(host, "output-of-pod", {Value("redis:7"), Value(List{Value("redis-cli")})});
    CHECK(reading.why == "`redis-cli` in a pod of redis:7 ended with exit code 4");
    CHECK(host.count("kubectl delete pod/migc-output-") == 1);
    FakeHost stuck;
    stuck.say("kubectl run", failed("error: timed out waiting for the condition"));
    stuck.say(
        "kubectl get pod/",
        pod("x", {{"name", "x"}, {"state", {{"waiting", {{"reason", "ErrImagePull"}, {"message", "m"}}}}}}));
    stuck.say("kubectl delete", printed(""));
    const Reading none = read(stuck, "output-of-pod", {Value("redis:7"), Value(List{Value("redis-cli")})});
    CHECK(none.value.is_unknown());
    CHECK(none.why == "the pod did not run: ErrImagePull: m");
    CHECK(stuck.count("kubectl delete") == 1);
}

TEST_CASE("what is used is summed, and unknown where something is not measured") {
    FakeHost host;
    with_pods(host, {pod("web-1", running()), pod("web-2", running())});
    host.say("top pods", printed("web-1   100m   10Mi\nweb-2   50m   1Gi\nelse    9     9Gi\n"));
    host.say("top nodes", printed("n1   250m   12%   2048Mi   15%\n"));
    CHECK(read(host, "cpu-of", {web()}).value.get_if<Quantity>()->text == "150m");
    CHECK(read(host, "memory-of", {web()}).value.get_if<Quantity>()->text == "1034Mi");
    CHECK(read(host, "node-memory", {Value(ResourceRef{"node", "n1"})}).value.get_if<Quantity>()->text ==
          "2048Mi");
    FakeHost some;
    with_pods(some, {pod("web-1", running()), pod("web-2", running())});
    some.say("top pods", printed("web-1   100m   10Mi\n"));
    CHECK(read(some, "cpu-of", {web()}).why == "there are no figures for web-2 yet");
    FakeHost none;
    with_pods(none, {pod("web-1", running())});
    none.say("top pods", failed("error: Metrics API not available"));
    CHECK(read(none, "cpu-of", {web()}).permanent);
    FakeHost disk;
    with_pods(disk, {pod("web-1", running())});
    disk.say(
        "-- df -kP /data",
        printed(
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/long-name\n 1048576 524288 524288 50% /data\n"));
    CHECK(read(disk, "used-space", {Value("/data"), web(), absent()}).value.get_if<Quantity>()->text ==
          "524288Ki");
    CHECK(read(disk, "path-size", {Value("/data"), web(), absent()}).value.get_if<Quantity>()->text ==
          "1048576Ki");
}
