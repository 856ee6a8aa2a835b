// The simulated cluster accepts and refuses what the real API server accepts and refuses. The answers are the
// server's own, recorded by tests/live/api_requests.py, which compares them again wherever there is a
// cluster.
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "tests/unit/small_world.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;

namespace {

std::unique_ptr<World> make() {
    return world_of(R"(
contexts: { staging: main }
current-context: staging
clusters:
  main:
    nodes: { n1: {cpu: 2, memory: 4Gi} }
    namespaces:
      shop: {}
)");
}

// The last word of the field that the server complains about; empty if it names none.
std::string field_of(const std::string& errors) {
    static const re2::RE2 path(
        R"re((?:^|[\s."*])(?:spec|metadata|data|binaryData|stringData|immutable|type)((?:[.][A-Za-z]+|\[[^\]]*\])*))re");
    static const re2::RE2 last(R"re(([A-Za-z]+)(?:\[[^\]]*\])*$)re");
    std::string found, word;
    if (!re2::RE2::PartialMatch(errors, path, &found)) return {};
    re2::RE2::PartialMatch(found, last, &word);
    return word == "clusterIPs" ? "clusterIP" : word;  // both are one
}

}  // namespace

TEST_CASE("the simulated cluster answers like the API server") {
    std::ifstream file("tests/live/api_answers.json");
    const json answers = json::parse(file);
    REQUIRE(answers.size() > 200);
    const std::vector<std::string> apply = {"apply", "--server-side", "--field-manager=migc", "-f", "-"};
    for (const auto& [name, request] : answers.items()) {
        INFO(name);
        auto world = make();
        for (const json& before : request["before"]) {
            const Answer made = kubectl_in_shop(*world, apply, before.dump());
            INFO(made.errors);
            REQUIRE(made.succeeded());
        }
        const Answer answer = kubectl_in_shop(*world, request["arguments"].get<std::vector<std::string>>(),
                                              request["input"].is_null() ? "" : request["input"].dump());
        INFO("the server: " << request["errors"].get<std::string>());
        INFO("simulated:  " << answer.errors);
        // What a world does not model, it says; that is no answer of a server.
        if (answer.errors.starts_with("the simulated world does not model")) continue;
        CHECK(answer.succeeded() == request["accepted"].get<bool>());
        if (!answer.succeeded()) CHECK(answer.errors.find(field_of(request["errors"])) != std::string::npos);
    }
}
