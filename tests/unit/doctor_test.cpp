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

TEST_CASE("the rights that a command line takes") {
    const auto rights = [](const std::string& line) { return shown(rights_of(line)); };
    const std::string start = "kubectl --context prod --namespace web ";
    CHECK(rights(start + "scale deployment/webapi --replicas=4 --current-replicas=2") ==
          "get deployment, update deployment/scale");
    CHECK(rights(start + "scale deployment/webapi --replicas=4") == "get deployment, patch deployment/scale");
    CHECK(rights(start + "rollout restart deployment/webapi") == "patch deployment");
    CHECK(rights(start + "set image deployment/webapi web=local/web:2") == "patch deployment");
    CHECK(rights(start + "patch service/door --type=merge -p '{\"a\": \"create job\"}'") == "patch service");
    CHECK(rights("kubectl apply --server-side -o json -f - < configmap/a of k8s/a.yaml") ==
          "create configmap, patch configmap");
    CHECK(rights(start + "delete persistentvolumeclaim/data --ignore-not-found") ==
          "delete persistentvolumeclaim");
    CHECK(rights(start + "exec deployment/a -- kubectl delete namespace/all") == "create pods/exec");
    CHECK(rights(start + "create job nightly --from=cronjob/nightly") == "create job");
    CHECK(rights(start + "cordon node-1") == "patch nodes");
    CHECK(rights(start + "delete --raw /api/v1/namespaces/web/configmaps/a -f -") == "delete configmaps");
    CHECK(rights(start + "delete --raw /apis/apps/v1/namespaces/web/deployments/a -f -") ==
          "delete deployments.apps");
    CHECK(rights("kubectl patch deployment.v1.apps/a --type=json < what kubectl keeps of deployment/a; "
                 "kubectl apply --server-side -f - < deployment/a of k8s/a.yaml") ==
          "patch deployment.apps, create deployment, patch deployment");
    CHECK(rights("write kubectl delete").empty());
    CHECK(rights("").empty());
    CHECK(rights("kubectl").empty());
    CHECK(rights("kubectl 'scale").empty());
}

TEST_CASE("until when a token is good") {
    // {"alg":"none"} . {"sub":"ann","exp":1795399200} . (no signature)
    CHECK(end_of_token("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjE3OTUzOTkyMDB9.") == 1795399200000);
    for (const char* text :
         {"", "opaque", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "..", "eyJleHAiOi0xfQ.eyJleHAiOi0xfQ.x"})
        CHECK_FALSE(end_of_token(text).has_value());
}
