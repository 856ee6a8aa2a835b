#include "runtime/inspect/doctor.hpp"

#include <catch2/catch.hpp>

using namespace migc::runtime;

namespace {

std::string shown(const std::vector<Right>& rights) {
    std::string text;
    for (const Right& right : rights) text += (text.empty() ? "" : ", ") + right.verb + " " + right.resource;
    return text;
}

}  // namespace

TEST_CASE("the rights that a command takes") {
    using Words = std::vector<std::string>;
    const auto rights = [](Words argv, const std::string& object = "") {
        argv.insert(argv.begin(), {"kubectl", "--context", "prod", "--namespace", "web"});
        return shown(rights_of({argv, object}));
    };
    CHECK(rights({"scale", "deployment/webapi", "--replicas=4", "--current-replicas=2"}) ==
          "get deployment, update deployment/scale");
    CHECK(rights({"scale", "deployment/webapi", "--replicas=4"}) == "get deployment, patch deployment/scale");
    CHECK(rights({"rollout", "restart", "deployment/webapi"}) == "patch deployment");
    CHECK(rights({"set", "image", "deployment/webapi", "web=local/web:2"}) == "patch deployment");
    CHECK(rights({"patch", "service/door", "--type=merge", "-p", "{\"a\": \"create job\"}"}) ==
          "patch service");
    CHECK(rights({"apply", "--server-side", "-o", "json", "-f", "-"}, "configmap/a") ==
          "create configmap, patch configmap");
    CHECK(rights({"apply", "--server-side", "-f", "-"}, "deployment.v1.apps/a") ==
          "create deployment.apps, patch deployment.apps");
    CHECK(rights({"apply", "-f", "<", "configmap/a"}).empty());
    CHECK(rights({"delete", "persistentvolumeclaim/data", "--ignore-not-found"}) ==
          "delete persistentvolumeclaim");
    CHECK(rights({"exec", "deployment/a", "--", "kubectl", "delete", "namespace/all"}) == "create pods/exec");
    CHECK(rights({"create", "job", "nightly", "--from=cronjob/nightly"}) == "create job");
    CHECK(rights({"cordon", "node-1"}) == "patch nodes");
    CHECK(rights({"delete", "--raw", "/api/v1/namespaces/web/configmaps/a", "-f", "-"}) ==
          "delete configmaps");
    CHECK(rights({"delete", "--raw", "/apis/apps/v1/namespaces/web/deployments/a", "-f", "-"}) ==
          "delete deployments.apps");
    CHECK(rights({"patch", "deployment.v1.apps/a", "--type=json"}) == "patch deployment.apps");
    CHECK(rights({}).empty());
    CHECK(rights_of({{"write", "kubectl", "delete"}}).empty());
    CHECK(rights_of({{"kubectl"}}).empty());
    CHECK(rights_of({}).empty());
    CHECK(rights({"'scale"}).empty());
}

TEST_CASE("until when a token is good") {
    // {"alg":"none"} . {"sub":"ann","exp":1795399200} . (no signature)
    CHECK(end_of_token("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjE3OTUzOTkyMDB9.") == 1795399200000);
    for (const char* text :
         {"", "opaque", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "..", "eyJleHAiOi0xfQ.eyJleHAiOi0xfQ.x"})
        CHECK_FALSE(end_of_token(text).has_value());
}
