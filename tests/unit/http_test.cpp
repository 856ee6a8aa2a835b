// Requests over HTTP: what curl is told, where, and what is made of its answers.
#include <deque>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/http_content.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/latency.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;
using namespace fakes;
using nlohmann::json;

namespace {

Answer failed(std::string output, std::string errors, int status) {
    Answer answer = printed(std::move(output));
    answer.errors = std::move(errors);
    answer.status = status;
    return answer;
}

std::string trailer(int status, int failure = 0, const char* seconds = "0.010000", bool sent = true) {
    return fmt::format("\nmigc {} {:03} {} {} \n", failure, status, seconds, sent ? "0.001000" : "0.000000");
}

// What curl prints with --include.
Answer page(int status, const std::string& body, const std::string& headers = {}) {
    return printed(fmt::format("HTTP/1.1 {} X\r\n{}\r\n{}{}", status, headers, body, trailer(status)));
}

Answer times(std::initializer_list<int> statuses) {
    std::string output;
    for (const int status : statuses) output += trailer(status);
    return printed(output);
}

// In a folder of its own; a rule's text may also be in what curl is given.
class Asked : public FakeHost {
  public:
    Asked() : folder(std::filesystem::temp_directory_path() / ("migc-http-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder / "run");
        inventory_value.root = folder;
        settings = {{"root", folder}, {"run-folder", folder / "run"}};
        otherwise = printed("");
    }
    ~Asked() override { std::filesystem::remove_all(folder); }
    void forget() { rules.clear(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << text;
        return (folder / name).string();
    }
    std::string setting(std::string_view name) override {
        return settings.contains(std::string(name)) ? FakeHost::setting(name) : "web";
    }
    std::string text_of(const std::string& command, const std::string& input) override {
        return command + "\n" + input;
    }

    std::filesystem::path folder;
};

Value as_value(const json& value) {
    return Value(std::make_shared<const json>(value));
}

const Value nothing;
const Value here(false);
const Value inside(true);
const Value web("http://web.example.org/");

Value number(std::int64_t value) {
    return Value(value);
}

bool is(const Reading& reading, std::int64_t value) {
    return same(reading.value, number(value));
}

}  // namespace

TEST_CASE("HTTP statuses: all the same, or the worst") {
    Asked good;
    good.say("curl", times({200, 200, 200}));
    const Reading three = read(good, "http-status", {web, number(3), here});
    CHECK(is(three, 200));
    CHECK(three.why == "http://web.example.org/ answered 3 times 200");
    CHECK(good.commands.front().starts_with("curl --max-time 10 --write-out \\nmigc %{exitcode} "));
    // Behind one address there may be several pods, so no connection is used twice.
    CHECK(good.commands.front().find(" --http1.1 --header Connection: close ") != std::string::npos);
    CHECK(good.inputs.front() ==
          "url = \"http://web.example.org/\"\noutput = \"/dev/null\"\n"
          "url = \"http://web.example.org/\"\noutput = \"/dev/null\"\n");
    Asked mixed;
    mixed.say("curl", times({200, 503, 200}));
    CHECK(is(read(mixed, "http-status", {web, number(3), here}), 503));
    Asked moved;
    moved.say("curl", printed("\nmigc 0 301 0.010000 0.001000 http://new.example.org/\n"));
    const Reading elsewhere = read(moved, "http-status", {web});
    CHECK(is(elsewhere, 301));
    CHECK(elsewhere.why ==
          "http://web.example.org/ answered 301 (to http://new.example.org/; redirects are not followed)");
    Asked dead;
    dead.say("curl", failed(trailer(0, 7), "curl: (7) Failed to connect", 7));
    const Reading none = read(dead, "http-status", {web});
    CHECK(none.value.is_unknown());
    CHECK_FALSE(none.permanent);
    Asked cut;
    cut.say("curl", failed(trailer(200) + trailer(0, 52), "curl: (52) Empty reply from server", 52));
    const Reading half = read(cut, "http-status", {web, number(2), here});
    CHECK(half.value.is_unknown());
    CHECK(
        half.why ==
        "http://web.example.org/: curl: (52) Empty reply from server; it answered once 200, once not at all");
}

TEST_CASE("requests that can never be answered are told at once") {
    Asked host;
    host.say("curl", failed(trailer(0, 6), "curl: (6) Could not resolve host: web", 6));
    const Reading name = read(host, "http-status", {Value("http://web/health")});
    CHECK(name.permanent);
    CHECK(name.why ==
          "http://web/health: curl: (6) Could not resolve host: web; web is a name that only the "
          "cluster knows: ask `from inside`");
    CHECK_FALSE(read(host, "http-status", {Value("http://web.example.org/")}).permanent);
    CHECK(read(host, "http-status", {Value("http://kim:canary@web.example.org/")}).permanent);
    CHECK(read(host, "http-status", {Value("http://web/\r\nX: y")}).permanent);
    for (const char* header : {"no header", "X: a\r\nY: b", "X y: z", ": z"})
        CHECK(read(host, "http-status", {web, number(1), here, Value(List{Value(header)})}).permanent);
    CHECK(host.commands.size() == 2);
    CHECK(is_cluster_name("http://web/x"));
    CHECK(is_cluster_name("https://web.shop.svc:8443/x"));
    CHECK(is_cluster_name("http://web.shop.svc.cluster.local."));
    CHECK_FALSE(is_cluster_name("http://localhost:80/"));
    CHECK_FALSE(is_cluster_name("http://10.0.0.1/web"));
    CHECK_FALSE(is_cluster_name("http://[::1]/web"));
}

TEST_CASE("a tool that fails makes every web probe unknown") {
    const std::vector<std::pair<const char*, List>> probes = {
        {"http-status", {web}},      {"http-status", {web, number(2), inside}}, {"http-head", {web}},
        {"http-post-status", {web}}, {"http-json", {web, Value("/a")}},         {"http-body", {web}},
        {"http-resource", {web}},    {"http-latency", {web, Value("p95")}}};
    for (const auto& [name, arguments] : probes) {
        Asked host;
        host.say("", failed("", "dial tcp: i/o timeout", 1));
        const Reading reading = read(host, name, arguments);
        INFO(name);
        CHECK(reading.value.is_unknown());
        CHECK(reading.why.find("i/o timeout") != std::string::npos);
    }
}

TEST_CASE("what is secret reaches curl on standard input only, and no message") {
    Asked host;
    const std::string file = host.write("token", "Bearer canary-4711\n");
    host.say("curl", printed("HTTP/1.1 200 OK\r\n\r\nyou are canary-4711" + trailer(200)));
    const Reading body = read(host, "http-body", {web, here, nothing, Value("Authorization"), Value(file)});
    CHECK(show(body.value) == "you are (secret)");
    CHECK(host.commands.back().find("canary") == std::string::npos);
    CHECK(host.inputs.back() == "header = \"Authorization: Bearer canary-4711\"\n");
    CHECK(host.concealed == std::vector<std::string>{"Bearer canary-4711", "canary-4711"});
    // Inside, even the address is not in the pod's specification.
    read(host, "http-body", {web, inside, nothing, Value("Authorization"), Value(file)});
    CHECK(host.commands[1].starts_with("kubectl run migc-inside-"));
    CHECK(host.commands[1].find("canary") == std::string::npos);
    CHECK(host.commands[1].find("example.org") == std::string::npos);
    CHECK(host.inputs[1].find("canary") != std::string::npos);
    // What is written down holds the place of the secret, from the project's root on.
    const Reading terms = read(host, "http-terms", {here, nothing, Value("Authorization"), Value(file)});
    CHECK(show(terms.value) == R"({"secret":{"file":"token","name":"Authorization"}})");
    CHECK(read(host, "http-body", {web, here, nothing, Value("A"), Value(host.write("two", "a\nb: c\n"))})
              .permanent);
    CHECK(read(host, "http-body", {web, here, nothing, Value("A"), Value("/no/such/file")}).permanent);
}

TEST_CASE("requests from inside run in one pod that is always deleted") {
    Asked host;
    host.say("kubectl run", times({200, 503, 200}));
    const Reading reading = read(host, "http-status", {web, number(3), inside});
    CHECK(is(reading, 503));
    CHECK(reading.why == "http://web.example.org/ answered 2 times 200, once 503");
    CHECK(host.commands.front().ends_with(
        "-- curl -q --globoff --proto =http,https --silent --show-error --config -"));
    CHECK(host.commands.back().starts_with("kubectl delete pod/migc-inside-"));

    Asked stuck;
    stuck.say("kubectl run", failed("", "error: timed out waiting for the condition", 1));
    stuck.say(
        "kubectl get pod/",
        printed(
            R"({"kind":"Pod","metadata":{"name":"x"},"status":{"phase":"Pending","containerStatuses":)"
            R"([{"name":"c","ready":false,"state":{"waiting":{"reason":"ImagePullBackOff","message":"m"}}}]}})"));
    const Reading none = read(stuck, "http-status", {web, number(1), inside});
    CHECK(none.value.is_unknown());
    CHECK(none.why == "the pod that asks from inside did not run: ImagePullBackOff: m");
    CHECK(stuck.commands.back().starts_with("kubectl delete pod/migc-inside-"));
    // Then nothing was sent, either.
    CHECK(act(stuck, "http-post", {web, inside}).ending == Ending::NotStarted);

    Asked lost;
    lost.say("kubectl run", times({200}));
    CHECK(read(lost, "http-status", {web, number(2), inside}).value.is_unknown());
}

TEST_CASE("JSON and text over HTTP") {
    const auto at = [](Answer answer, const char* pointer) {
        Asked host;
        host.say("curl", std::move(answer));
        return read(host, "http-json", {web, Value(pointer)});
    };
    Answer good = page(200, R"({"status": "ok"})");
    good.output.insert(0, "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(show(at(good, "/status").value) == "ok");
    CHECK(at(good, "/none").value.is_absent());
    CHECK(at(good, "status").permanent);
    CHECK(at(page(503, "{}"), "/status").value.is_unknown());
    CHECK(at(page(200, "<html>"), "/status").value.is_unknown());
    CHECK(parse_http("HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:1\r\n\r\n")
              .header("docker-content-digest") == "sha256:1");
    Asked host;
    host.say("curl", page(200, "line\nmigc 0 500 0.1 0.1 \n"));
    CHECK(show(read(host, "http-body", {web}).value) == "line\nmigc 0 500 0.1 0.1 \n");
    Asked binary;
    binary.say("curl", page(200, "\xff\xfe"));
    CHECK(read(binary, "http-body", {web}).value.is_unknown());
}

TEST_CASE("percentiles are the nearest rank's") {
    CHECK(percentile({5, 1, 4, 2, 3}, 50) == 3);
    CHECK(percentile({5, 1, 4, 2, 3}, 95) == 5);
    CHECK(percentile({1}, 1) == 1);
    std::vector<double> hundred;
    for (int i = 100; i > 0; --i) hundred.push_back(i);
    CHECK(percentile(hundred, 99) == 99);
    CHECK(percentile(hundred, 50) == 50);
    CHECK(percentile({}, 50) == 0);
    CHECK(percentile_named("p95") == 95);
    for (const char* name : {"p0", "p100", "p", "95", "p9x", "p-5", ""}) CHECK_FALSE(percentile_named(name));

    Asked host;
    std::string answers;
    for (const char* seconds : {"0.010000", "0.020000", "0.200000", "0.030000"})
        answers += trailer(200, 0, seconds);
    host.say("curl", printed(answers));
    const auto latency = [&](const char* rank) {
        return read(host, "http-latency", {web, Value(rank), number(4), here});
    };
    CHECK(show(latency("p50").value) == "20ms");
    CHECK(show(latency("p95").value) == "200ms");
    CHECK(latency("fast").permanent);
    Asked failing;
    failing.say("curl", times({200, 500}));
    CHECK(read(failing, "http-latency", {web, Value("p50"), number(2), here}).why ==
          "http://web.example.org/ answered once 200, once 500");
}

TEST_CASE("a post is made once, and an answer that was lost is in doubt") {
    const auto post = [](Answer answer, std::int64_t expected = 0) {
        Asked host;
        host.say("curl", std::move(answer));
        const Value status = expected == 0 ? nothing : number(expected);
        Answer result = act(host, "http-post",
                            {web, here, nothing, nothing, nothing, nothing, Value(R"({"n": "\"$(x)`"})"),
                             status, Value((host.folder / "run/answer.json").string())});
        CHECK(host.commands.size() == 1);
        CHECK(host.commands.front().find("--request POST") != std::string::npos);
        CHECK(host.inputs.front() == R"(data-raw = "{\"n\": \"\\\"$(x)`\"}")"
                                     "\n");
        return result;
    };
    CHECK(post(page(201, R"({"id": 7})")).succeeded());
    CHECK(post(page(201, ""), 201).succeeded());
    CHECK(post(page(200, ""), 201).errors == "http://web.example.org/ answered 200; 201 was expected");
    CHECK(post(page(422, "no such thing")).errors == "http://web.example.org/ answered 422: no such thing");
    CHECK(post(page(500, "")).ending == Ending::Exited);
    CHECK(post(page(504, "")).ending == Ending::TimedOut);
    CHECK(post(failed(trailer(0, 52), "curl: (52) Empty reply from server", 52)).ending == Ending::TimedOut);
    CHECK(post(failed(trailer(0, 7, "0", false), "curl: (7) Failed to connect", 7)).ending ==
          Ending::NotStarted);
    CHECK(post(failed("", "killed", 1)).ending == Ending::TimedOut);
}

TEST_CASE("the answer to a post can be read afterwards") {
    Asked host;
    host.say("curl", page(201, R"({"id": 7})"));
    const Value record((host.folder / "run/answer.json").string());
    const List arguments = {web, here, nothing, nothing, nothing, nothing, nothing, nothing, record};
    CHECK(act(host, "http-post", arguments).succeeded());
    CHECK(host.inputs.front() == "data-raw = \"\"\n");
    CHECK(host.commands.front().find("--header Content-Type: ") != std::string::npos);
    CHECK(show(read(host, "http-answer", {record}).value) == R"({"id":7})");
    CHECK(read(host, "http-answer", {Value("/no/such")}).value.is_absent());
}

TEST_CASE("bodies come from a file or from JSON, with their type") {
    Asked host;
    const auto content = [&](const Value& file, const Value& data) {
        return read(host, "http-content", {file, data});
    };
    CHECK(show(content(Value(host.write("a.yaml", "a: 1\n")), nothing).value) ==
          R"({"body":"a: 1\n","type":"application/yaml"})");
    CHECK(show(content(nothing, as_value({{"a", 1}})).value) ==
          R"({"body":"{\"a\":1}","type":"application/json"})");
    CHECK(content(nothing, Value("{a")).permanent);
    CHECK(content(Value(host.write("b", std::string("\0", 1))), nothing).permanent);
    CHECK(content(Value("/no/such"), nothing).permanent);
    CHECK(content(Value("/no/such"), Value("{}")).permanent);
}

TEST_CASE("put and delete change only what was read before") {
    Asked host;
    const Value content = as_value({{"type", "application/json"}, {"body", R"({"x":5})"}});
    const Value prior = as_value({{"type", "application/json"}, {"body", R"({"x":1})"}, {"etag", "\"1\""}});
    SECTION("on condition of the ETag") {
        host.say("PUT", page(204, ""));
        host.say("curl", page(200, R"({"x":5})", "ETag: \"2\"\r\n"));
        CHECK(act(host, "http-put", {web, content, nothing, prior}).succeeded());
        CHECK(host.commands.front().find("--header If-Match: \"1\"") != std::string::npos);
        CHECK(host.commands.front().find("--header Content-Type: application/json") != std::string::npos);
    }
    SECTION("of nothing being there, which is looked at as well") {
        host.say("PUT", page(201, ""));
        host.say("curl", page(404, ""));
        CHECK(act(host, "http-put", {web, content, nothing, nothing}).succeeded());
        CHECK(host.commands[1].find("--header If-None-Match: *") != std::string::npos);
    }
    SECTION("something being there by now") {
        host.say("curl", page(200, R"({"x":7})"));
        const Answer answer = act(host, "http-put", {web, content, nothing, nothing});
        CHECK(answer.refused);
        CHECK(answer.errors.find("somebody changed") != std::string::npos);
        CHECK(host.commands.size() == 1);
    }
    SECTION("a weak ETag is no condition: it is looked at before") {
        const Value weak = as_value({{"body", "x"}, {"etag", "W/\"1\""}});
        host.say("DELETE", page(204, ""));
        host.say("curl", page(200, "x", "ETag: W/\"1\"\r\n"));
        CHECK(act(host, "http-delete", {web, nothing, weak}).succeeded());
        CHECK(host.commands.back().find("If-") == std::string::npos);
        CHECK(host.commands.back().find("--request DELETE") != std::string::npos);
    }
    SECTION("without an ETag it is looked at before, and what is another by now stays") {
        const Value plain = as_value({{"body", "x"}});
        host.say("curl", page(200, "theirs"));
        for (const char* name : {"http-put", "http-delete"}) {
            const List arguments = name == std::string("http-put") ? List{web, content, nothing, plain}
                                                                   : List{web, nothing, plain};
            CHECK(act(host, name, arguments).refused);
        }
        CHECK(host.commands.size() == 2);
    }
    SECTION("one that cannot be looked at is not written") {
        host.say("curl", page(500, ""));
        CHECK(act(host, "http-put", {web, content, nothing, as_value({{"body", "x"}})}).refused);
        CHECK(host.commands.size() == 1);
    }
    SECTION("somebody else was faster") {
        host.say("curl", page(412, ""));
        const Answer answer = act(host, "http-put", {web, content, nothing, prior});
        CHECK(answer.refused);
        CHECK(answer.errors == "http://web.example.org/ answered 412: somebody changed it meanwhile");
    }
    SECTION("a server that failed may have written it all the same") {
        for (const int status : {500, 503, 504, 303}) {
            host.forget();
            host.say("curl", page(status, ""));
            CHECK(act(host, "http-put", {web, content, nothing, prior}).ending == Ending::TimedOut);
            CHECK(act(host, "http-delete", {web, nothing, prior}).ending == Ending::TimedOut);
        }
    }
    SECTION("that it is gone already was not this run's doing") {
        host.say("curl", page(404, ""));
        CHECK(act(host, "http-delete", {web, nothing, prior}).refused);
    }
}

TEST_CASE("the way back of a put is barred by somebody else's change") {
    Asked host;
    const Value content = as_value({{"type", "application/json"}, {"body", R"({"x":5})"}});
    const Value prior = as_value({{"type", "application/json"}, {"body", R"({"x":1})"}, {"etag", "\"1\""}});
    const auto back = [&] { return act(host, "http-restore", {web, prior, nothing, content, content}); };
    const auto holds = [&](const std::string& body, const std::string& headers) {
        host.forget();
        host.say("PUT", page(204, ""));
        host.say("curl", page(200, body, headers));
    };
    const std::string barred = "somebody changed http://web.example.org/ since this run did";
    SECTION("the ETag is the one that this run left") {
        holds(R"({"x":5})", "ETag: \"2\"\r\n");
        CHECK(act(host, "http-put", {web, content, nothing, prior}).succeeded());
        CHECK(back().succeeded());
        CHECK(host.commands[3].find(
                  "--request PUT --header Content-Type: application/json --header If-Match: \"2\"") !=
              std::string::npos);
    }
    SECTION("it is another one, though the content is the same") {
        holds(R"({"x":5})", "ETag: \"2\"\r\n");
        CHECK(act(host, "http-put", {web, content, nothing, prior}).succeeded());
        holds(R"({"x":5})", "ETag: \"3\"\r\n");
        CHECK(back().held == barred);
        CHECK(host.commands.size() == 3);
    }
    SECTION("the server's answer to the put tells the ETag; what is looked up later may be somebody else's") {
        host.say("PUT", page(204, "", "ETag: \"2\"\r\n"));
        CHECK(act(host, "http-put", {web, content, nothing, prior}).succeeded());
        CHECK(host.commands.size() == 1);
        holds(R"({"x":5})", "ETag: \"3\"\r\n");
        CHECK(back().held == barred);
    }
    SECTION("without ETags the whole document counts, also fields that were not sent") {
        holds(R"({"x":5,"by":"server"})", "");
        CHECK(act(host, "http-put", {web, content, nothing, as_value({{"body", R"({"x":5,"by":"server"})"}})})
                  .succeeded());
        CHECK(back().succeeded());
        CHECK(act(host, "http-put", {web, content, nothing, as_value({{"body", R"({"x":5,"by":"server"})"}})})
                  .succeeded());
        holds(R"({"x":5,"by":"somebody"})", "");
        CHECK(back().held == barred);
    }
    SECTION("another content, whatever was written down") {
        holds(R"({"x":6})", "ETag: \"2\"\r\n");
        CHECK(back().held == barred);
    }
    SECTION("what was removed here and is there again is somebody else's") {
        holds(R"({"x":1})", "");
        CHECK(act(host, "http-restore", {web, prior, nothing, nothing, prior}).held == barred);
    }
}

TEST_CASE("what an address holds is compared in the fields that were sent") {
    const json sent = {{"body", R"({"a":{"b":1},"c":[1]})"}};
    CHECK(form_of({{"body", R"({"a":{"b":1,"made":2},"c":[1],"updated":9})"}}, sent) ==
          json::parse(R"({"a":{"b":1},"c":[1]})"));
    CHECK(form_of({{"body", R"({"a":7})"}}, sent) == json::parse(R"({"a":7})"));
    CHECK(form_of({{"body", "text"}}, sent) == "text");
    CHECK(form_of({{"body", "text"}}, {{"body", "other"}}) == "text");
    CHECK(form_of(json(), sent).is_null());
}

namespace {

List load(std::int64_t rate, std::int64_t seconds, const std::string& record, const Value& where = here) {
    return {web,     number(rate), Value(Duration{seconds * 1000}), where, nothing, nothing,
            nothing, Value(record)};
}

}  // namespace

TEST_CASE("a load test is bounded, and says what it could not do") {
    Asked host;
    const std::string record = (host.folder / "run/load.json").string();
    host.say("curl", printed(trailer(200, 0, "0.010000") + trailer(200, 0, "0.030000") + trailer(503)));
    host.took_ms = 100;
    CHECK(act(host, "load-test", load(3, 4, record)).succeeded());
    CHECK(host.commands.size() == 4);
    CHECK(host.commands.front().find("--parallel --parallel-immediate --parallel-max 1") !=
          std::string::npos);
    const Reading report = read(host, "http-answer", {Value(record)});
    CHECK(show(read(host, "load-error-rate", {report.value}).value) == "33.333333333333336%");
    CHECK(is(read(host, "load-count", {report.value, Value("requests")}), 12));
    CHECK(is(read(host, "load-count", {report.value, Value("achieved-rate")}), 3));
    CHECK(show(read(host, "load-latency", {report.value, Value("p50")}).value) == "10ms");
    CHECK(show(read(host, "load-latency", {report.value, Value("p95")}).value) == "30ms");
    CHECK(read(host, "load-latency", {report.value, Value("p90")}).permanent);
    CHECK(read(host, "load-latency", {as_value(json::array()), Value("p95")}).permanent);
    CHECK(read(host, "load-error-rate", {as_value({{"x", 1}})}).permanent);

    Asked slow;
    slow.say("curl", times({200, 200, 200}));
    slow.took_ms = 2500;
    CHECK(act(slow, "load-test", load(3, 10, record)).errors.starts_with("only 1 of 3 requests per second"));
    for (const auto& [rate, seconds] :
         std::vector<std::pair<int, int>>{{0, 10}, {1001, 10}, {10, 0}, {10, 1801}, {1000, 1800}}) {
        Asked bounded;
        CHECK_FALSE(act(bounded, "load-test", load(rate, seconds, record)).succeeded());
        CHECK(bounded.commands.empty());
    }
    Asked stopped;
    stopped.interrupted = true;
    CHECK(act(stopped, "load-test", load(3, 4, record)).succeeded());
    CHECK(stopped.commands.empty());
}

TEST_CASE("a load test from inside has one pod for all of it, removed at the end") {
    Asked host;
    host.say("kubectl exec", times({200}));
    CHECK(act(host, "load-test", load(1, 2, (host.folder / "run/load.json").string(), inside)).succeeded());
    REQUIRE(host.commands.size() == 6);
    CHECK(host.commands[0].starts_with("kubectl run migc-inside-"));
    CHECK(host.commands[1].find("--for=condition=Ready") != std::string::npos);
    CHECK(host.commands[2].ends_with(" -- curl --version"));
    CHECK(host.commands[3].find("example.org") == std::string::npos);
    CHECK(host.inputs[4].find("url = \"http://web.example.org/\"") != std::string::npos);
    CHECK(host.commands[5].starts_with("kubectl delete pod/migc-inside-"));
    Asked stuck;
    stuck.say("kubectl wait", failed("", "error: timed out waiting for the condition on pods/x", 1));
    const Answer none = act(stuck, "load-test", load(1, 2, "x", inside));
    CHECK(none.errors.starts_with("the pod that asks from inside did not run: kubectl: error: timed out"));
    CHECK(stuck.commands.back().starts_with("kubectl delete pod/migc-inside-"));
}

TEST_CASE("where the start of a batch takes long, a load test from inside has fewer and larger ones") {
    Asked host;
    const std::string record = (host.folder / "run/load.json").string();
    std::string hundred;
    for (int i = 0; i < 100; ++i) hundred += trailer(200);
    host.say("kubectl exec", printed(hundred));
    host.took_ms = 1400;
    CHECK(act(host, "load-test", load(20, 15, record, inside)).succeeded());
    const auto batches = std::count_if(host.commands.begin(), host.commands.end(), [](const auto& command) {
        return command.find("--config -") != std::string::npos;
    });
    CHECK(batches == 5);
    const Reading report = read(host, "http-answer", {Value(record)});
    CHECK(is(read(host, "load-count", {report.value, Value("requests")}), 300));
    CHECK(is(read(host, "load-count", {report.value, Value("achieved-rate")}), 20));
    CHECK(is(read(host, "load-count", {report.value, Value("batch-ms")}), 3000));

    Asked slow;
    slow.say("kubectl exec", printed(hundred));
    slow.took_ms = 20'000;
    CHECK(act(slow, "load-test", load(20, 15, record, inside))
              .errors.starts_with("only 10 of 20 requests per second"));
}

TEST_CASE("the address of a channel reaches curl on standard input only") {
    const std::string address = "https://hooks.example.org/canary\"quoted";
    Asked host;
    host.write("hook", address + "\n");
    host.inventory_value.channels = {{"ops", "hook"}};
    const List arguments = {Value(ResourceRef{"channel", "ops"}), Value("scaled \"web\"")};
    SECTION("live") {
        host.say("curl", page(200, ""));
        CHECK(act(host, "send-message", arguments).succeeded());
        CHECK(host.commands.back().find("canary") == std::string::npos);
        CHECK(host.inputs.back() ==
              "data-raw = \"{\\\"text\\\":\\\"scaled \\\\\\\"web\\\\\\\"\\\"}\"\n"
              "url = \"https://hooks.example.org/canary\\\"quoted\"\n");
        CHECK(act(host, "send-message", {Value(ResourceRef{"channel", "dev"}), Value("x")}).output ==
              "no channel dev in migc.yaml: said only here");
    }
    SECTION("a message that does not arrive is told, and fails nothing") {
        host.say("curl", failed(trailer(0, 3), "curl: (3) bad address " + address, 3));
        const Answer answer = act(host, "send-message", arguments);
        CHECK(answer.succeeded());
        CHECK(answer.errors == "Warning: not said in ops: its address: curl: (3) bad address (secret)");
        std::filesystem::remove(host.folder / "hook");
        CHECK(
            act(host, "send-message", arguments).errors ==
            "Warning: not said in ops: the address of channel ops cannot be read from hook: there is no such "
            "file");
    }
    SECTION("a run that is not live bothers nobody") {
        host.kind_value = "simulated";
        CHECK(act(host, "send-message", arguments).succeeded());
        CHECK(host.commands.empty());
    }
}

TEST_CASE("a document is what was there before only if all of it is") {
    Asked host;
    const auto document = [](const std::string& body, const std::string& etag = "") {
        json content = {{"type", "application/json"}, {"body", body}};
        if (!etag.empty()) content["etag"] = etag;
        return Value(std::make_shared<const json>(content));
    };
    const Value address("http://store.example.com/a"),
        content = document(R"({"a":2,"ok":1})"), prior = document(R"({"a":1,"ok":1,"x":5,"updated":7})");
    const auto form = [&](const Value& found) {
        return show(read(host, "http-form", {found, content, prior, address}).value);
    };
    CHECK(form(prior) == R"({"a":1,"ok":1,"updated":7,"x":5})");
    CHECK(form(content) == R"({"a":2,"ok":1})");
    // What a server keeps of its own beside what was written is no part of that.
    CHECK(form(document(R"({"a":2,"ok":1,"updated":8})")) == R"({"a":2,"ok":1})");
    // Somebody has put back a part of it.
    CHECK(form(document(R"({"a":1,"ok":1})")) == R"({"a":1,"ok":1})");
    // The run itself has put all of it back, and the server has written its own time.
    std::ofstream(host.folder / "run" /
                  fmt::format("etag-{}.json", sha256("http://store.example.com/a").substr(0, 16)))
        << R"({"etag":"\"9\""})";
    CHECK(form(document(R"({"a":1,"ok":1,"x":5,"updated":9})", "\"9\"")) == form(prior));
    CHECK(form(document(R"({"a":1,"ok":1,"x":5,"updated":9})", "\"10\"")) != form(prior));
    // Where the content says nothing else than what is there, there is nothing to do.
    CHECK(show(read(host, "http-form", {prior, document(R"({"a":1})"), prior, address}).value) ==
          R"({"a":1})");
    CHECK(read(host, "http-form", {Value(Absent{}), content, prior, address}).value.is_absent());
}
