#include <fstream>

#include <catch2/catch.hpp>

#include "compiler/documents/document.hpp"
#include "compiler/documents/yaml_tree.hpp"

using namespace migc::documents;
using nlohmann::json;

namespace {

std::string after_set(std::string_view text, Format format, std::string_view pointer, const json& value) {
    const auto edited = set(text, format, pointer, value);
    return edited ? edited->text : "refused: " + edited.error().message;
}

std::string after_remove(std::string_view text, Format format, std::string_view pointer) {
    const auto edited = remove(text, format, pointer);
    return edited ? *edited : "refused: " + edited.error().message;
}

// The value's JSON; "absent: why"; "problem: message".
std::string value_at(std::string_view text, Format format, std::string_view pointer) {
    const auto found = read(text, format, pointer);
    if (!found) return "problem: " + found.error().message;
    return found->value ? found->value->dump() : "absent: " + found->why;
}

bool says(const std::string& text, const char* part) {
    INFO(text);
    return text.find(part) != std::string::npos;
}

const std::string settings = R"(// appsettings of production
{
  "Pipeline": {
    // where the models are
    "LlmProvider": {
      "OllamaEndpoint": "http://localhost:11434", // changed by migrations
      "Retries": 3
    },
    "Hosts": ["a", "b"],
  },
  /* flags */ "Features": {}
}
)";

const std::string variables = R"(# the pool
node_count = 3  # Changed by migrations
label      = "pool"
volumes = [
  {
    name         = "qdrant-data"
    size         = 50 // GB
    licence_type = "OTHER"
  },
  # more to come
  { name = "logs", size = 5 }
]
script = <<-EOT
    a
      b
  EOT
)";

const std::string config_map = R"(# Settings that pods read.
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  OllamaEndpoint: "http://localhost:11434" # moves
  Port: '6379'
  Level: Debug
  script: |
    echo one
    echo two
)";

const std::string manifest = R"(---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: redis
  labels: {app: redis, tier: cache}
spec:
  replicas: 2  # keep even
  template:
    spec:
      containers:
        - name: redis
          image: redis:7-alpine
          env:
            - name: MODE
              value: fast
        - name: exporter
          image: exporter:1
---
# the claim
kind: PersistentVolumeClaim
metadata:
  name: storage
spec:
  resources:
    requests:
      storage: 20Gi
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string with_crlf(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return result;
}

}  // namespace

TEST_CASE("the format follows from the name") {
    CHECK(format_of("a/appsettings.json") == Format::Json);
    CHECK(format_of("k8s/x.yml") == Format::Yaml);
    CHECK(format_of("terraform/x.tfvars") == Format::Tfvars);
    CHECK(format_of("terraform/x.tfvars.json") == Format::Json);
    CHECK_FALSE(format_of("terraform/main.tf"));
}

TEST_CASE("values are read at pointers") {
    CHECK(value_at(settings, Format::Json, "/Pipeline/LlmProvider/OllamaEndpoint") ==
          "\"http://localhost:11434\"");
    CHECK(value_at(settings, Format::Json, "/Pipeline/Hosts/1") == "\"b\"");
    CHECK(value_at(settings, Format::Json, "/Features") == "{}");
    CHECK(value_at(settings, Format::Json, "/Pipeline/Cache/Type") == "absent: `/Pipeline` has no `Cache`");
    CHECK(value_at(settings, Format::Json, "/Pipeline/Hosts/7") == "absent: `/Pipeline/Hosts` has no `7`");
    CHECK(value_at(variables, Format::Tfvars, "/node_count") == "3");
    CHECK(value_at(variables, Format::Tfvars, "/volumes/name=logs/size") == "5");
    CHECK(value_at(variables, Format::Tfvars, "/script") == "\"a\\n  b\\n\"");
    CHECK(value_at(config_map, Format::Yaml, "/data/Port") == "\"6379\"");
    CHECK(value_at(config_map, Format::Yaml, "/kind=ConfigMap/data/Level") == "\"Debug\"");
    CHECK(says(value_at(config_map, Format::Yaml, "/kind=Secret/data/Level"), "absent"));
    CHECK(value_at(config_map, Format::Yaml, "/data/script") == "\"echo one\\necho two\\n\"");
    CHECK(value_at(manifest, Format::Yaml, "/kind=Deployment/spec/replicas") == "2");
    CHECK(value_at(manifest, Format::Yaml, "/1/spec/resources/requests/storage") == "\"20Gi\"");
    CHECK(value_at(manifest, Format::Yaml, "/0/spec/template/spec/containers/name=redis/image") ==
          "\"redis:7-alpine\"");
    CHECK(value_at("{\"a/b\": {\"c~d\": 1}}", Format::Json, pointer_to({"a/b", "c~d"})) == "1");
}

TEST_CASE("what cannot be found for certain is a problem") {
    CHECK(says(value_at(manifest, Format::Yaml, "/spec/replicas"), "holds several documents"));
    CHECK(says(value_at("- {a: 1, b: 2}\n- {a: 1, b: 3}\n", Format::Yaml, "/a=1/b"), "in lines 1 and 2"));
    CHECK(says(value_at("{\"a\": 1, \"a\": 2}", Format::Json, "/a"), "there twice"));
    CHECK(says(value_at("a: 1\nb: 2\na: 3\n", Format::Yaml, "/b"), "there twice, here and in line 1"));
    CHECK(says(value_at("a: &x 1\nb: *x\n", Format::Yaml, "/b"), "alias"));
    CHECK(says(value_at("a: &x {k: 1}\nb:\n  <<: *x\n", Format::Yaml, "/b/k"), "<<"));
    CHECK(says(value_at("a: yes\n", Format::Yaml, "/a"), "readers differ"));
    CHECK(says(value_at("a: 012\n", Format::Yaml, "/a"), "readers differ"));
    CHECK(says(value_at("a: !!str 1\n", Format::Yaml, "/a"), "tag"));
    CHECK(says(value_at("a = var.b\n", Format::Tfvars, "/a"), "only literal values"));
    CHECK(says(value_at("a = \"${b}\"\n", Format::Tfvars, "/a"), "template"));
    CHECK(says(value_at("{]", Format::Json, "/a"), "key in quotes"));
    CHECK(says(value_at("a: [", Format::Yaml, "/a"), "no YAML"));
    CHECK(says(value_at(settings, Format::Json, "Pipeline"), "no JSON pointer"));
    CHECK(says(value_at("{\"a\": \"\xFF\"}", Format::Json, "/a"), "not UTF-8"));
    CHECK(says(value_at(std::string(100, '['), Format::Json, "/0"), "nested too deeply"));
    CHECK(says(value_at(std::string(100, '['), Format::Yaml, "/0"), "nested too deeply"));
    CHECK(says(value_at("a = " + std::string(100, '['), Format::Tfvars, "/a"), "nested too deeply"));
    CHECK(says(value_at(std::string(size_limit + 1, ' '), Format::Json, "/0"), "larger than"));
}

// [name of the variable, text, what terraform's jsonencode makes of it, whether it is more than literals
// here]
TEST_CASE(".tfvars are read as terraform reads them") {
    std::ifstream file("tests/unit/fixtures/tfvars.json");
    REQUIRE(file);
    for (const json& one : json::parse(file)) {
        const auto name = one.at(0).get<std::string>(), text = one.at(1).get<std::string>();
        INFO(text);
        const auto found = read(text, Format::Tfvars, "/" + name);
        if (!found) INFO(found.error().message);
        REQUIRE((found.has_value() || one.at(3) == true));
        if (found) CHECK((found->value ? *found->value : json()) == one.at(2));
        // What is no literal keeps nothing else from being read.
        CHECK(value_at(text + "zz = 7", Format::Tfvars, "/zz") == "7");
    }
}

TEST_CASE("only the bytes of a value change") {
    CHECK(after_set(settings, Format::Json, "/Pipeline/LlmProvider/OllamaEndpoint",
                    "http://ollama-service:11434") ==
          replaced(settings, "http://localhost:11434", "http://ollama-service:11434"));
    CHECK(after_set(settings, Format::Json, "/Pipeline/LlmProvider/Retries", 5) ==
          replaced(settings, "s\": 3", "s\": 5"));
    CHECK(after_set(settings, Format::Json, "/Pipeline/Hosts/0", true) ==
          replaced(settings, "\"a\"", "true"));
    CHECK(after_set(variables, Format::Tfvars, "/node_count", 5) == replaced(variables, "= 3", "= 5"));
    CHECK(after_set(variables, Format::Tfvars, "/node_count", "5") == replaced(variables, "= 3", "= 5"));
    CHECK(after_set(variables, Format::Tfvars, "/volumes/name=qdrant-data/size", 100) ==
          replaced(variables, "50", "100"));
    CHECK(after_set(variables, Format::Tfvars, "/label", "a \"${b}\"") ==
          replaced(variables, "\"pool\"", R"("a \"$${b}\"")"));
    CHECK(after_set(manifest, Format::Yaml, "/kind=Deployment/spec/replicas", 4) ==
          replaced(manifest, "replicas: 2", "replicas: 4"));
    CHECK(after_set(manifest, Format::Yaml, "/kind=PersistentVolumeClaim/spec/resources/requests/storage",
                    "100Gi") == replaced(manifest, "20Gi", "100Gi"));
    CHECK(after_set(manifest, Format::Yaml, "/0/metadata/labels/tier", "store") ==
          replaced(manifest, "tier: cache", "tier: store"));
    CHECK(after_set(manifest, Format::Yaml, "/0/spec/template/spec/containers/name=redis/image", "redis:8") ==
          replaced(manifest, "redis:7-alpine", "redis:8"));
}

TEST_CASE("line ends, a byte order mark and a missing last line break stay") {
    const std::string bom = "\xEF\xBB\xBF";
    for (const auto& [text, format, pointer] :
         {std::tuple(settings, Format::Json, "/Pipeline/LlmProvider/Retries"),
          std::tuple(variables, Format::Tfvars, "/node_count"),
          std::tuple(manifest, Format::Yaml, "/0/spec/replicas")}) {
        const auto plain = after_set(text, format, pointer, 7);
        CHECK(after_set(with_crlf(text), format, pointer, 7) == with_crlf(plain));
        CHECK(after_set(bom + text, format, pointer, 7) == bom + plain);
        const std::string cut = text.substr(0, text.size() - 1);
        CHECK(after_set(cut, format, pointer, 7) == plain.substr(0, plain.size() - 1));
    }
    const std::string map = with_crlf("data:\n  a: x\n");
    CHECK(after_set(map, Format::Yaml, "/data/b", "z") == map + "  b: z\r\n");
    CHECK(after_set("{\r\n\t\"a\": 1\r\n}\r\n", Format::Json, "/b/c", 2) ==
          "{\r\n\t\"a\": 1,\r\n\t\"b\": {\r\n\t\t\"c\": 2\r\n\t}\r\n}\r\n");
}

TEST_CASE("in YAML a string stays one, quoted as it was") {
    CHECK(after_set(config_map, Format::Yaml, "/data/Port", 6380) ==
          replaced(config_map, "'6379'", "'6380'"));
    CHECK(after_set(config_map, Format::Yaml, "/data/OllamaEndpoint", "x") ==
          replaced(config_map, "http://localhost:11434", "x"));
    CHECK(after_set(config_map, Format::Yaml, "/data/Level", 5) == replaced(config_map, "Debug", "\"5\""));
    CHECK(after_set(config_map, Format::Yaml, "/data/Level", "yes") ==
          replaced(config_map, "Debug", "\"yes\""));
    CHECK(after_set(config_map, Format::Yaml, "/data/Level", "a: b #c") ==
          replaced(config_map, "Debug", "\"a: b #c\""));
    CHECK(after_set(config_map, Format::Yaml, "/data/Flag", true) == config_map + "  Flag: \"true\"\n");
    CHECK(after_set(config_map, Format::Yaml, "/metadata/labels/app", 1) ==
          replaced(config_map, "  name: settings\n", "  name: settings\n  labels:\n    app: \"1\"\n"));
    CHECK(after_set(manifest, Format::Yaml, "/0/spec/template/spec/containers/name=redis/env/name=MODE/value",
                    1) == replaced(manifest, "value: fast", "value: \"1\""));
    CHECK(after_set("a: 'it''s'\n", Format::Yaml, "/a", "it's so") == "a: 'it''s so'\n");
    const auto edited = set(config_map, Format::Yaml, "/data/Port", 6380);
    REQUIRE(edited);
    CHECK(edited->value == json("6380"));
}

TEST_CASE("missing parents are made in the file's own style") {
    CHECK(after_set(settings, Format::Json, "/Pipeline/Cache/Type", "Redis") ==
          replaced(settings, "\"b\"],\n", "\"b\"],\n    \"Cache\": {\n      \"Type\": \"Redis\"\n    },\n"));
    CHECK(after_set(settings, Format::Json, "/Features/UseRedisCache", true) ==
          replaced(settings, "{}", "{\n    \"UseRedisCache\": true\n  }"));
    CHECK(after_set(settings, Format::Json, "/Pipeline/LlmProvider/Model", "x") ==
          replaced(settings, "3\n", "3,\n      \"Model\": \"x\"\n"));
    CHECK(after_set("{\"a\": 1}", Format::Json, "/b/c", 2) == "{\"a\": 1, \"b\": { \"c\": 2 }}");
    CHECK(after_set("{}", Format::Json, "/a", 2) == "{ \"a\": 2 }");
    CHECK(after_set("{\n  \"a\": 1 // last\n}\n", Format::Json, "/b", 2) ==
          "{\n  \"a\": 1, // last\n  \"b\": 2\n}\n");
    CHECK(after_set("{\n  \"a\": 1 /* one\n  two */\n}\n", Format::Json, "/b", 2) ==
          "{\n  \"a\": 1, /* one\n  two */\n  \"b\": 2\n}\n");
    CHECK(after_set("data:\nkind: x\n", Format::Yaml, "/data/a/b", "c") ==
          "data:\n  a:\n    b: c\nkind: x\n");
    CHECK(after_set("data: {} # none\n", Format::Yaml, "/data/a", "c") == "data: # none\n  a: c\n");
    CHECK(after_set("data: {a: 1}\n", Format::Yaml, "/data/b", 2) == "data: {a: 1, b: 2}\n");
    CHECK(after_set("a: 1", Format::Yaml, "/b", 2) == "a: 1\nb: 2");
    CHECK(after_set(config_map, Format::Yaml, "/data/New", "x") == config_map + "  New: x\n");
    CHECK(after_set("a = 1", Format::Tfvars, "/b", "x") == "a = 1\nb = \"x\"");
    CHECK(after_set("", Format::Tfvars, "/b", 1) == "b = 1\n");
    CHECK(after_set("tags = { a = 1 }\n", Format::Tfvars, "/tags/b", 2) == "tags = { a = 1, b = 2 }\n");
}

TEST_CASE("where no element fits, one is appended") {
    CHECK(after_set(variables, Format::Tfvars, "/volumes/name=redis-data/size", 20) ==
          replaced(variables, "size = 5 }\n",
                   "size = 5 },\n  {\n    name = \"redis-data\"\n    size = 20\n  }\n"));
    CHECK(after_set(variables, Format::Tfvars, "/disks/name=a/size", 1) ==
          variables + "disks = [\n  {\n    name = \"a\"\n    size = 1\n  }\n]\n");
    CHECK(after_set(manifest, Format::Yaml,
                    "/0/spec/template/spec/containers/name=redis/env/name=LEVEL/value", "info") ==
          replaced(manifest, "value: fast\n",
                   "value: fast\n            - name: LEVEL\n              value: info\n"));
    CHECK(after_set("ports:\n- port: 1\n", Format::Yaml, "/ports/port=2/name", "b") ==
          "ports:\n- port: 1\n- port: 2\n  name: b\n");
    CHECK(after_set("{\"l\": [1]}", Format::Json, "/l/1", 2) == "{\"l\": [1, 2]}");
    CHECK(after_set("{\"l\": []}", Format::Json, "/l/0", 2) == "{\"l\": [ 2 ]}");
    CHECK(after_set("l:\n- 1\n", Format::Yaml, "/l/1", 2) == "l:\n- 1\n- 2\n");
    CHECK(after_set("a: 1\n", Format::Yaml, "/l/0/name", "x") == "a: 1\nl:\n- name: x\n");
    CHECK(says(after_set("{\"l\": [1]}", Format::Json, "/l/5", 2),
               "`/l` has no `5`; a new element at its end is `/l/1`"));
    CHECK(says(after_set("{\"l\": 1}", Format::Json, "/m/-/a", 2), "a new list is `0`"));
    // Nobody could read back what such a place holds.
    CHECK(says(after_set("{\"l\": [1]}", Format::Json, "/l/-", 2), "a new element at its end is `/l/1`"));
    CHECK(says(after_set(variables, Format::Tfvars, "/volumes/name=x", 2), "set a value in it"));
}

TEST_CASE("a value goes, and its comment with it") {
    CHECK(after_remove(settings, Format::Json, "/Pipeline/LlmProvider/Retries") ==
          replaced(settings, ", // changed by migrations\n      \"Retries\": 3\n",
                   " // changed by migrations\n"));
    CHECK(after_remove(settings, Format::Json, "/Pipeline/LlmProvider/OllamaEndpoint") ==
          replaced(settings,
                   "      \"OllamaEndpoint\": \"http://localhost:11434\", // changed by migrations\n", ""));
    CHECK(after_remove(settings, Format::Json, "/Pipeline/Hosts/1") == replaced(settings, ", \"b\"", ""));
    CHECK(after_remove("{\"a\": 1}", Format::Json, "/a") == "{}");
    CHECK(after_remove(variables, Format::Tfvars, "/node_count") ==
          replaced(variables, "node_count = 3  # Changed by migrations\n", ""));
    CHECK(after_remove(manifest, Format::Yaml, "/0/spec/replicas") ==
          replaced(manifest, "  replicas: 2  # keep even\n", ""));
    CHECK(after_remove(manifest, Format::Yaml, "/0/metadata/labels/tier") ==
          replaced(manifest, ", tier: cache", ""));
    CHECK(after_remove(manifest, Format::Yaml, "/1/spec/resources/requests/storage") ==
          replaced(manifest, "requests:\n      storage: 20Gi\n", "requests: {}\n"));
    CHECK(after_remove("l:\n- name: x\n  size: 1\n- y\n", Format::Yaml, "/l/0/name") ==
          "l:\n- size: 1\n- y\n");
    CHECK(after_remove("l:\n- name: x\n  size: 1\n- y\n", Format::Yaml, "/l/0") == "l:\n- y\n");
    CHECK(after_remove(manifest, Format::Yaml, "/0/spec/paused") == manifest);
    CHECK(says(after_remove(manifest, Format::Yaml, "/0"), "whole document"));
}

TEST_CASE("what cannot be edited safely is refused") {
    const std::string anchors =
        "base: &b\n  x: 1\nother: *b\nlong: one\n  two\ntext: |\n  a\ntag: !!int 3\n? k\n: v\n";
    CHECK(says(after_set(anchors, Format::Yaml, "/base/x", 2), "anchor"));
    CHECK(says(after_set(anchors, Format::Yaml, "/other/x", 2), "alias"));
    CHECK(says(after_set("a: one\n  two\n", Format::Yaml, "/a", 2), "several lines"));
    CHECK(says(after_set(config_map, Format::Yaml, "/data/script", "x"), "text block"));
    CHECK(says(after_set("a: !!int 3\n", Format::Yaml, "/a", 2), "tag"));
    CHECK(says(after_set(manifest, Format::Yaml, "/0/spec", 2), "would wipe it out"));
    CHECK(says(after_set(settings, Format::Json, "/Pipeline/LlmProvider/Retries/x", 2), "a single value"));
    CHECK(says(after_set(variables, Format::Tfvars, "/script", "x"), "heredoc"));
    CHECK(says(after_set(variables, Format::Tfvars, "/a b", "x"), "name of a variable"));
    CHECK(says(after_set(settings, Format::Json, "", 2), "whole document"));
    CHECK(says(after_set("a: 1\n", Format::Yaml, "/a", "x\xE2\x80\xA8y"), "end of a line"));
    CHECK(says(after_set("[a: 1]\n", Format::Yaml, "/0/b", 2), "cannot be edited"));
    CHECK(says(after_set("", Format::Yaml, "/a", 2), "has no `a`"));
}

TEST_CASE("a YAML value that is empty is set, however that is written") {
    for (const char* word : {"null", "~", "Null", "NULL"}) {
        const std::string text = "a: " + std::string(word) + " # why\nb: 1\n";
        CHECK(after_set(text, Format::Yaml, "/a", 3) == "a: 3 # why\nb: 1\n");
        CHECK(after_set(text, Format::Yaml, "/a/c", "x") == "a: # why\n  c: x\nb: 1\n");
        CHECK(after_set("- " + std::string(word) + "\n- 2\n", Format::Yaml, "/0", "x") == "- x\n- 2\n");
        CHECK(after_set("{a: " + std::string(word) + ", b: [" + word + "]}\n", Format::Yaml, "/b/0", 1) ==
              "{a: " + std::string(word) + ", b: [1]}\n");
        CHECK(after_remove(text, Format::Yaml, "/a") == "b: 1\n");
    }
    CHECK(after_set("a:\nb: 1\n", Format::Yaml, "/a", 3) == "a: 3\nb: 1\n");
}

TEST_CASE("addresses and ports without quotes are texts, minutes are in doubt") {
    for (const char* text : {"10.1.2.3:6379", "8080:80", "127.0.0.1:80", "80:8080", "1.2:30", "12:60"})
        CHECK(value_at("a: " + std::string(text) + "\n", Format::Yaml, "/a") == json(text).dump());
    for (const char* text : {"12:30", "22:22", "190:20:30", "190:20:30.15", "-1:30", "1_0:30"})
        CHECK(says(value_at("a: " + std::string(text) + "\n", Format::Yaml, "/a"), "readers differ"));
}

TEST_CASE("lists and maps are set as such") {
    CHECK(after_set(settings, Format::Json, "/Pipeline/Hosts", json::array({"c"})) ==
          replaced(settings, "[\"a\", \"b\"]", "[\"c\"]"));
    CHECK(after_set("a:\n- 1\n- 2 # two\nb: x\n", Format::Yaml, "/a", json::array({3})) ==
          "a:\n- 3 # two\nb: x\n");
    CHECK(after_set("a: x\n", Format::Yaml, "/a", json::array({"z", 1})) == "a:\n- z\n- 1\n");
    CHECK(after_set("zones = [\"a\"]\n", Format::Tfvars, "/zones", json::array({"b", "c"})) ==
          "zones = [\"b\", \"c\"]\n");
}

TEST_CASE("YAML as JSON: values where all readers agree, aliases as what they stand for") {
    CHECK(yaml_to_json("a: 1\nb: [true, ~, 1.5, 'x', \"2\"]\n", Scalars::Values) ==
          json{{"a", 1}, {"b", {true, nullptr, 1.5, "x", "2"}}});
    CHECK(yaml_to_json("[yes, 012, 1:30, 1_000]", Scalars::Values) == json{"yes", "012", "1:30", "1_000"});
    CHECK(yaml_to_json("a: 1\nb: ~\n", Scalars::Texts) == json{{"a", "1"}, {"b", nullptr}});
    CHECK(yaml_to_json("a: &x {k: 1}\nb: *x\n", Scalars::Values) ==
          json{{"a", {{"k", 1}}}, {"b", {{"k", 1}}}});
    CHECK(yaml_to_json("", Scalars::Values) == json());
    CHECK(yaml_to_json("1\n---\n2\n", Scalars::Values) == json(1));
    CHECK_FALSE(yaml_to_json("a: [", Scalars::Values));
    // What grows without end.
    std::string doubling = "a0: &a0 [x, x]\n";
    for (int i = 1; i < 60; ++i) doubling += fmt::format("a{0}: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
    CHECK_FALSE(yaml_to_json(doubling, Scalars::Values));
    CHECK_FALSE(yaml_to_json("&a [*a]", Scalars::Values));
    CHECK_FALSE(yaml_to_json(std::string(300, '['), Scalars::Values));
}

TEST_CASE("what readers of YAML understand differently is a fault, up to where it cannot be read") {
    auto read = read_yaml_text("a: &x 1\nb: *x\na: !t 2\n[c]: 3\nd: [\n");
    REQUIRE(read.problem);
    REQUIRE(read.documents.size() == 1);
    std::string found;
    for (const YamlFault& fault : take_faults(read.documents.front()))
        found += fmt::format("{} {}\n", fault.span.begin, fault.message);
    CHECK(found ==
          "3 anchors are not allowed: nothing may refer to them\n"
          "11 aliases are not allowed: write the value out\n"
          "14 the key `a` is there twice\n"
          "17 tags are not allowed: write the plain value\n"
          "22 a key must be a word\n");
    CHECK(read.documents.front().find("a")->text == "1");
    CHECK(read.documents.front().find("b")->kind == YamlKind::Null);
}
