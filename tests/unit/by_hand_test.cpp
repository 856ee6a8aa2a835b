// What a person types or reads in place of a native of an inverse; tests/live/runbook.py types it.
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/natives/written_by_hand.hpp"
#include "tests/unit/fake_host.hpp"

using namespace migc;
using namespace migc::runtime;
using nlohmann::json;

namespace {

// Nothing may be asked.
class Nobody final : public fakes::FakeHost {
  public:
    Nobody() {
        settings = {{"root", "/project"}};
        kind_value = "runbook";
    }
    Answer run(const std::string&, const std::vector<std::string>&, const std::string&) override {
        FAIL("a runbook asks nobody");
        return {};
    }
    std::vector<std::string> line_of(const std::string& tool, const std::vector<std::string>&) override {
        return {tool};
    }
    std::string written(const ResourceRef& resource) override {
        return FakeHost::written({"workload", resource.name});
    }
};

class Paper final : public HandWork {
  public:
    void type(const std::string& line) override { text += line + "\n"; }
    void say(const std::string& words) override { text += "# " + words + "\n"; }
    std::string command(const std::string& tool, const std::vector<std::string>& arguments) override {
        std::string line = tool;
        for (const std::string& argument : arguments) line += " " + shell_word(argument);
        return line;
    }
    std::string file(const std::string& ending, const std::string& content) override {
        files.push_back(content);
        return fmt::format("/kept/{}.{}", files.size(), ending);
    }
    Value left() override { return what_is_left; }
    Value captured(const std::string& name) override {
        return captures.contains(name) ? captures.at(name) : Value();
    }
    std::string who_has_the_secret() override { return "nobody"; }

    std::string text;
    std::vector<std::string> files;
    Value what_is_left;
    std::map<std::string, Value> captures;
};

// The text, or "words" where there is none.
std::string by_hand(const char* native, Paper& paper, const std::vector<Value>& arguments) {
    Nobody host;
    const ByHand known = find_native(native)->by_hand;
    REQUIRE(known != nullptr);
    return known(host, arguments, paper) ? paper.text : "words";
}

Value as_value(const json& document) {
    return Value(std::make_shared<const json>(document));
}

const Value web{ResourceRef{"workload", "web"}};

}  // namespace

TEST_CASE("the tag of a registry is moved back by a person who looks") {
    Paper paper;
    const std::string text =
        by_hand("registry-retag", paper,
                {Value("cr.example.org/web:1"), Value("sha256:aa"), Value("sha256:bb"), Value("back")});
    CHECK(text.find("# the tag cr.example.org/web:1 named sha256:aa before") == 0);
    CHECK(text.find("--tag cr.example.org/web:1 cr.example.org/web@sha256:aa") != std::string::npos);
    Paper new_one;
    CHECK(by_hand("registry-retag", new_one,
                  {Value("cr.example.org/web:1"), Value(), Value("sha256:bb"), Value("back")})
              .find("was new, and stays") != std::string::npos);
}

TEST_CASE("a document of a server is put back by a person who looks, with what was there at hand") {
    Paper paper;
    const json prior = {{"type", "application/json"}, {"body", "{\"a\": 1}"}};
    const json ours = {{"type", "application/json"}, {"body", "{\"a\": 2}"}};
    const json terms = {{"secret", {{"name", "Authorization"}, {"file", "token"}}}};
    const std::string text = by_hand(
        "http-restore", paper, {Value("http://x/it's"), as_value(prior), as_value(terms), as_value(ours)});
    CHECK(paper.files == std::vector<std::string>{"{\"a\": 2}", "{\"a\": 1}"});
    CHECK(text.find("with the header Authorization from the file token") != std::string::npos);
    CHECK(text.find("--request PUT --header 'If-Match: ETAG'") != std::string::npos);
    CHECK(text.find("-- 'http://x/it'\\''s'") != std::string::npos);
    Paper gone;
    CHECK(by_hand("http-restore", gone, {Value("http://x/"), Value(), Value(), as_value(ours)})
              .find("--request DELETE") != std::string::npos);
    Paper removed;
    CHECK(by_hand("http-restore", removed, {Value("http://x/"), as_value(prior), Value(), Value()})
              .find("If-None-Match: *") != std::string::npos);
}

TEST_CASE("an earlier template comes back by the number of its revision") {
    Paper paper;
    paper.captures["number"] = Value(std::int64_t{2});
    CHECK(by_hand("roll-back", paper, {web, Value("sha256:aa"), Value("7")})
              .find("= 3 ] && kubectl rollout undo") != std::string::npos);
    Paper set;
    set.captures["number"] = Value(std::int64_t{2});
    const std::string text =
        by_hand("roll-back", set, {Value(ResourceRef{"workload", "statefulset/store"}), Value("sha256:aa")});
    CHECK(text.find("#   then: kubectl rollout undo statefulset/store --to-revision=2") != std::string::npos);
    CHECK(text.find("\nkubectl") == std::string::npos);
    Paper without;
    CHECK(by_hand("roll-back", without, {web, Value("sha256:aa")}) == "words");
}

TEST_CASE("what a command prints is one word, also of one that goes elsewhere first") {
    CHECK(printed_by("kubectl get x") == "\"$(kubectl get x)\"");
    CHECK(printed_by("(cd y && z)") == "\"$( (cd y && z))\"");
}

TEST_CASE("what cannot be written into a line for sure is said in words") {
    Paper paper;
    paper.what_is_left = Value("web:2");
    CHECK(by_hand("image-set", paper, {web, Value(), Value("we\"b"), Value("web:1")}) == "words");
    Paper nothing_left;
    CHECK(by_hand("image-set", nothing_left, {web, Value(), Value("web"), Value("web:1")}) == "words");
    Paper no_pod_path;
    no_pod_path.what_is_left = Value("sha256:aa");
    CHECK(by_hand("restore-pod-file", no_pod_path, {Value("a.tar"), Value("etc/../x"), web, Value()}) ==
          "words");
}
