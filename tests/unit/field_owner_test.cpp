// Who wrote a field, from what the API server keeps about it. The objects are shaped as a real server prints
// them.
#include "runtime/natives/field_owner.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace migc::runtime;
using nlohmann::json;

namespace {

constexpr const char* image = "/spec/template/spec/containers/1/image";

json entry(const std::string& manager, const std::string& time, const json& fields) {
    return {{"manager", manager}, {"operation", "Update"},    {"apiVersion", "apps/v1"},
            {"time", time},       {"fieldsType", "FieldsV1"}, {"fieldsV1", fields}};
}

json deployment(const json& entries) {
    const json containers = json::array({json{{"name", "web"}, {"image", "web:1"}},
                                         json{{"name", "side"}, {"image", "side:2"}, {"args", {"a", "b"}}}});
    return {{"metadata",
             {{"name", "web"},
              {"annotations", {{"example.com/owner~x", "me"}, {"other", "y"}}},
              {"finalizers", {"a", "b"}},
              {"managedFields", entries}}},
            {"spec",
             {{"replicas", 4},
              {"selector", {{"matchLabels", {{"app", "web"}}}}},
              {"template", {{"spec", {{"containers", containers}}}}}}}};
}

json of_containers(const json& items) {
    return {{"f:spec", {{"f:template", {{"f:spec", {{"f:containers", items}}}}}}}};
}

}  // namespace

TEST_CASE("a field's owner is the manager whose entry has its path") {
    const json object =
        deployment({entry("kubectl", "2026-01-10T01:00:00Z", {{"f:spec", {{"f:replicas", json::object()}}}}),
                    entry("other", "2026-01-10T01:00:05Z",
                          {{"f:metadata", {{"f:annotations", {{"f:other", json::object()}}}}}})});
    CHECK(field_owner(object, "/spec/replicas", "migc:1") == "kubectl");
    CHECK(field_owner(object, "/metadata/annotations/other", "migc:1") == "other");
    CHECK(field_owner(object, "/metadata/annotations/none", "migc:1") == "");
    CHECK(field_owner(object, "/spec/paused", "migc:1") == "");
    CHECK(field_owner(object, "spec", "migc:1") == "");
    CHECK(field_owner(object, "", "migc:1") == "");
    CHECK(field_owner(json(), "/spec/replicas", "migc:1") == "");
    CHECK(field_owner(deployment(json::array()), "/spec/replicas", "migc:1") == "");
}

TEST_CASE("items of a list are found by their keys, values of a set by themselves, others by their place") {
    const json object = deployment(
        {entry(
             "one", "2026-01-10T01:00:00Z",
             of_containers({{R"(k:{"name":"web"})", {{".", json::object()}, {"f:image", json::object()}}},
                            {R"(k:{"name":"side"})", {{".", json::object()}, {"f:args", json::object()}}}})),
         entry("two", "2026-01-10T01:00:01Z",
               of_containers({{R"(k:{"name":"side"})", {{"f:image", json::object()}}}})),
         entry("three", "2026-01-10T01:00:02Z",
               {{"f:metadata", {{"f:finalizers", {{R"(v:"b")", json::object()}}}}}}),
         entry("four", "2026-01-10T01:00:02Z",
               {{"f:metadata", {{"f:finalizers", {{"i:0", json::object()}}}}}})});
    CHECK(field_owner(object, image, "") == "two");
    CHECK(field_owner(object, "/spec/template/spec/containers/0/image", "") == "one");
    CHECK(field_owner(object, "/metadata/finalizers/1", "") == "three");
    CHECK(field_owner(object, "/metadata/finalizers/0", "") == "four");
    CHECK(field_owner(object, "/spec/template/spec/containers/7/image", "") == "");
    // A list that is one value for the server belongs to one, with all that is in it.
    CHECK(field_owner(object, "/spec/template/spec/containers/1/args/0", "") == "one");
}

TEST_CASE("a key with several parts must fit in all of them") {
    json object = deployment(
        {entry(
             "one", "2026-01-10T01:00:00Z",
             {{"f:spec",
               {{"f:ports", {{R"(k:{"port":80,"protocol":"UDP"})", {{"f:targetPort", json::object()}}}}}}}}),
         entry("two", "2026-01-10T01:00:00Z",
               {{"f:spec",
                 {{"f:ports",
                   {{R"(k:{"port":80,"protocol":"TCP"})", {{"f:targetPort", json::object()}}}}}}}})});
    object["spec"]["ports"] = json::array({json{{"port", 80}, {"protocol", "TCP"}, {"targetPort", 8080}}});
    CHECK(field_owner(object, "/spec/ports/0/targetPort", "") == "two");
}

TEST_CASE("names with slashes and tildes are those of the pointer") {
    json fields = json::object();
    fields["f:metadata"]["f:annotations"]["f:example.com/owner~x"] = json::object();
    const json object = deployment(json::array({entry("one", "2026-01-10T01:00:00Z", fields)}));
    CHECK(field_owner(object, "/metadata/annotations/example.com~1owner~0x", "") == "one");
}

TEST_CASE("of several owners of one value it is ours if we are one of them, and else nobody") {
    const json fields = {{"f:spec", {{"f:replicas", json::object()}}}};
    const json object = deployment(
        {entry("migc:1", "2026-01-10T01:00:00Z", fields), entry("other", "2026-01-10T02:00:00Z", fields)});
    CHECK(field_owner(object, "/spec/replicas", "migc:1") == "migc:1");
    CHECK(field_owner(object, "/spec/replicas", "migc:2") == "");
    CHECK(field_owner(object, "/spec/replicas", "") == "");
}

TEST_CASE("a field with parts belongs to who wrote below it last, unless two did in the same second") {
    const auto written = [](const std::string& ours, const std::string& theirs) {
        return deployment(
            {entry("migc:1", ours, of_containers({{R"(k:{"name":"web"})", {{"f:image", json::object()}}}})),
             entry("other", theirs,
                   of_containers({{R"(k:{"name":"side"})", {{"f:image", json::object()}}}}))});
    };
    CHECK(field_owner(written("2026-01-10T01:00:05Z", "2026-01-10T01:00:04Z"), "/spec/template", "migc:1") ==
          "migc:1");
    CHECK(field_owner(written("2026-01-10T01:00:05Z", "2026-01-10T01:00:06Z"), "/spec/template", "migc:1") ==
          "other");
    CHECK(field_owner(written("2026-01-10T01:00:05Z", "2026-01-10T01:00:05Z"), "/spec/template", "migc:1") ==
          "");
}

TEST_CASE("whoever keeps a field beside the run that changed it has written it later") {
    const json fields = {{"f:spec", {{"f:replicas", json::object()}}}};
    const auto written_by = [&](std::vector<std::string> managers) {
        json entries = json::array();
        for (const std::string& manager : managers)
            entries.push_back(entry(manager, "2026-01-10T01:00:00Z", fields));
        return other_writer(deployment(entries), "/spec/replicas", {"migc:shop", "migc:1", "kubectl"});
    };
    CHECK(written_by({"migc:1"}).empty());
    CHECK(written_by({"migc:shop", "migc:1"}).empty());
    CHECK(written_by({"kubectl"}).empty());
    CHECK(written_by({"migc:1", "colleague"}) == "colleague");
    CHECK(written_by({"colleague", "migc:1"}) == "colleague");
    // There and back: the server lets go of us.
    CHECK(written_by({"kubectl-edit"}) == "kubectl-edit");
    CHECK(written_by({"migc:2"}) == "migc:2");
    CHECK(written_by({}).empty());
    // A map that is one value for the server.
    const json selector = {{"f:spec", {{"f:selector", json::object()}}}};
    const json both = deployment({entry("migc:1", "2026-01-10T01:00:00Z", selector),
                                  entry("colleague", "2026-01-10T01:00:00Z", selector)});
    CHECK(other_writer(both, "/spec/selector", {"migc:1"}) == "colleague");
    CHECK(other_writer(both, "/spec/selector/app", {"migc:1"}) == "colleague");
}

TEST_CASE("who has lost all parts of a map to others owns none of them") {
    const auto annotations = [](const json& fields) {
        json all;
        all["f:metadata"]["f:annotations"] = fields;
        return all;
    };
    const json emptied =
        deployment({entry("kubectl-client-side-apply", "2026-01-10T01:00:00Z", annotations(json::object())),
                    entry("migc:1", "2026-01-10T01:00:01Z", annotations({{"f:other", json::object()}}))});
    CHECK(other_writer(emptied, "/metadata/annotations/other", {"migc:1"}) == "");
    CHECK(field_owner(emptied, "/metadata/annotations/other", "") == "migc:1");
    // A part that nobody has is not his either.
    CHECK(other_writer(emptied, "/metadata/annotations/example.com~1owner~0x", {"migc:1"}) == "");
    // Where nobody has parts, it is one value.
    const json whole =
        deployment(json::array({entry("other", "2026-01-10T01:00:00Z", annotations(json::object()))}));
    CHECK(other_writer(whole, "/metadata/annotations/other", {"migc:1"}) == "other");
}

TEST_CASE("who wrote last to what an object is asked for, and to this field of it") {
    const auto last = [](const std::string& theirs) {
        json status =
            entry("kubelet", "2026-01-10T03:00:00Z", {{"f:status", {{"f:replicas", json::object()}}}});
        return last_writer_of_all(
            deployment(
                {entry("kubectl", "2026-01-10T01:00:05Z", {{"f:spec", {{"f:replicas", json::object()}}}}),
                 entry("other", theirs, {{"f:spec", {{"f:paused", json::object()}}}}), status}),
            "/spec/replicas", "2026-01-10T01:00:01Z");
    };
    CHECK(last("2026-01-10T01:00:04Z") == "kubectl");
    CHECK(last("2026-01-10T01:00:05Z").empty());
    CHECK(last("2026-01-10T01:00:06Z").empty());
}

TEST_CASE("the server keeps no time of what is written by scale: it was written since this run did") {
    const auto last = [](const std::string& theirs) {
        json scaled = entry("kubectl", "", {{"f:spec", {{"f:replicas", json::object()}}}});
        scaled.erase("time");
        scaled["subresource"] = "scale";
        return last_writer_of_all(
            deployment({scaled, entry("other", theirs, {{"f:spec", {{"f:paused", json::object()}}}})}),
            "/spec/replicas", "2026-01-10T01:00:05Z");
    };
    CHECK(last("2026-01-10T01:00:04Z") == "kubectl");
    CHECK(last("2026-01-10T01:00:06Z").empty());
}

TEST_CASE("of a field with parts it is who wrote one of ours, too, or wrote there later") {
    const auto container = [](const std::string& name) {
        return of_containers(
            {{"k:{\"name\":\"" + name + "\"}", {{".", json::object()}, {"f:image", json::object()}}}});
    };
    const auto writer = [&](const std::string& theirs, const std::string& part) {
        return other_writer(deployment({entry("migc:1", "2026-01-10T01:00:05Z", container("web")),
                                        entry("colleague", theirs, container(part))}),
                            "/spec/template", {"migc:1"});
    };
    CHECK(writer("2026-01-10T01:00:04Z", "side").empty());
    CHECK(writer("2026-01-10T01:00:05Z", "side").empty());
    CHECK(writer("2026-01-10T01:00:06Z", "side") == "colleague");
    CHECK(writer("2026-01-10T01:00:05Z", "web") == "colleague");
}

TEST_CASE("managed fields of an odd shape tell nothing") {
    for (const json& odd :
         {json("x"), json::object(), json::array({1, nullptr, "x"}), json::array({json{{"manager", "a"}}}),
          json::array({json{{"manager", "a"}, {"fieldsV1", 3}}}),
          json::array({json{{"manager", "a"}, {"fieldsV1", {{"f:spec", "x"}}}}}),
          json::array({json{{"manager", 7}, {"fieldsV1", {{"f:spec", {{"f:replicas", json::object()}}}}}}})})
        CHECK(field_owner(deployment(odd), "/spec/replicas", "a") +
                  other_writer(deployment(odd), "/spec", {}) ==
              "");
    const json broken =
        deployment({entry("a", "2026-01-10T01:00:00Z", of_containers({{"k:{", json::object()}}))});
    CHECK(field_owner(broken, image, "a") == "");
}
