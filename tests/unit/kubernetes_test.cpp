#include <fstream>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/kubernetes/image_name.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "compiler/kubernetes/validation.hpp"

using namespace migc::kubernetes;

TEST_CASE("a type of object has one name, however it is spelled") {
    for (const char* written :
         {"deploy", "Deployment", "deployments", "deployments.apps", "deployment.v1.apps"})
        CHECK(type_name(written) == "deployment");
    CHECK(type_name("networkpolicies") == "networkpolicy");
    CHECK(type_name("certificates.cert-manager.io") == "certificate");
    CHECK(type_name("widgetclasses") == "widgetclass");
    CHECK(type_name("").empty());
    CHECK(kind_name("sts") == "StatefulSet");
    CHECK(kind_name("widget").empty());
    CHECK(plural_of("Ingress") == "ingresses");
    CHECK(plural_of("Widget") == "widgets");
    CHECK(plural_of("Policy") == "policies");
}

TEST_CASE("what a type of object is") {
    CHECK(is_cluster_wide("priorityclass"));
    CHECK_FALSE(is_cluster_wide("configmap"));
    CHECK_FALSE(is_cluster_wide("widget"));
    CHECK(is_workload("daemonset"));
    CHECK_FALSE(is_workload("job"));
    CHECK(holds_data("namespace"));
    CHECK(is_left_standing("secret"));
    CHECK_FALSE(is_left_standing("service"));
}

TEST_CASE("handles") {
    CHECK(plain_handle("deploy/web") == "deployment/web");
    CHECK(plain_handle("Deployment/shop/web") == "deployment/web");
    CHECK(plain_handle("web") == "web");
    CHECK(object_name("deployment/web") == "web");
    CHECK(object_name("web").empty());
}

TEST_CASE("a tag moves if it is pushed again and again") {
    const std::vector<std::string> environments = {"staging"};
    for (const char* image : {"web", "web:latest", "cr.example.org:5000/web", "team/web:staging", "web:main"})
        CHECK(is_moving(image, environments));
    for (const char* image : {"web:1.2", "cr.example.org:5000/web:v3", "web@sha256:00", "web:${version}", ""})
        CHECK_FALSE(is_moving(image, environments));
}

TEST_CASE("names of images that a cluster could not pull") {
    const std::string digest(64, 'a');
    for (const std::string& image :
         {std::string("web"), std::string("web:1"), std::string("team/web:1.2-rc_3"),
          std::string("a/b__c/d.e-f--g"), std::string("Registry.example.com:5000/web:V1"),
          std::string("localhost/web"), std::string("WEB/web"), std::string("[::1]:5000/web:1"),
          "web@sha256:" + digest, "r.example.com/web:1@sha256:" + digest, std::string("web:${version}"),
          std::string("web:") + std::string(128, 'x')}) {
        INFO(image);
        CHECK(why_no_image(image) == "");
    }
    for (const std::string& image : {std::string(),
                                     std::string("web::1"),
                                     std::string("web:"),
                                     std::string("WEB:1"),
                                     std::string("web:1 "),
                                     std::string(" web:1"),
                                     std::string("https://r.example.com/web:1"),
                                     std::string("web@sha256:abc"),
                                     "web@sha256:" + std::string(64, 'G'),
                                     "web@" + digest,
                                     std::string("r.example.com/WEB:1"),
                                     std::string("web/"),
                                     std::string("/web"),
                                     std::string("a//b"),
                                     std::string("web:-1"),
                                     std::string("web:.1"),
                                     std::string("web:1:2"),
                                     std::string("a___b"),
                                     std::string("a..b"),
                                     std::string("-web"),
                                     std::string("web_"),
                                     std::string("r.example.com:port/web"),
                                     std::string("web:") + std::string(129, 'x')}) {
        INFO(image);
        CHECK_FALSE(why_no_image(image).empty());
    }
    CHECK(why_no_image("web@sha256:abc") == "a digest of sha256 has 64 digits, and this has 3");
    CHECK(why_no_image("r.example.com/WEB:1") ==
          "`WEB` has capitals, and the path of an image is in small letters");
    CHECK(why_no_image("https://web:1") == "it is an address; leave `https://` out");
}

TEST_CASE("whatever an object looks like, what is wrong with it is said, and nothing ends the program") {
    std::ifstream file("tests/live/api_answers.json");
    const nlohmann::json answers = nlohmann::json::parse(file);
    const std::vector<nlohmann::json> odd = {nullptr, true, -7, "x", {"x", 7}, {{"x", 7}, {"y", {"z"}}}};
    std::size_t tried = 0;
    for (const auto& [name, request] : answers.items()) {
        const nlohmann::json& object = request["input"];
        if (!object.is_object() || !object.contains("kind") || !name.ends_with("as it should be")) continue;
        const std::string plural = plural_of(object["kind"].get<std::string>());
        std::set<std::string> places;
        const nlohmann::json flat = object.flatten();
        for (const auto& [leaf, value] : flat.items())
            for (std::size_t end = leaf.size(); end != std::string::npos && end > 0;
                 end = leaf.rfind('/', end - 1))
                places.insert(leaf.substr(0, end));
        for (const std::string& place : places)
            for (const nlohmann::json& value : odd) {
                nlohmann::json changed = object;
                changed[nlohmann::json::json_pointer(place)] = value;
                INFO(changed.dump());
                REQUIRE_NOTHROW(refusals_of(plural, changed, true));
                REQUIRE_NOTHROW(refusals_of_change(plural, object, changed));
                ++tried;
            }
    }
    CHECK(tried > 900);
}
