// Secrets in what tools say.
#include "runtime/tools/concealment.hpp"

#include <catch2/catch.hpp>

using namespace migc::runtime;
using nlohmann::json;
using namespace std::string_literals;

TEST_CASE("a secret is replaced wherever it stands") {
    Concealment concealment;
    CHECK(concealment.apply("nothing known"s) == "nothing known");
    concealment.add("hunter2x");
    CHECK(concealment.apply("pw=hunter2x;hunter2xhunter2x"s) == "pw=(secret);(secret)(secret)");
    CHECK(concealment.apply(json{{"a", {"hunter2x", 4, nullptr}}, {"hunter2x", true}}) ==
          (json{{"a", {"(secret)", 4, nullptr}}, {"(secret)", true}}));
}

TEST_CASE("its base64 and its lines, too") {
    Concealment concealment;
    concealment.add("user:hunter2x");
    CHECK(concealment.apply("Basic dXNlcjpodW50ZXIyeA=="s) == "Basic (secret)");
    concealment.add("-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\n-----END KEY-----");
    CHECK(concealment.apply("read AAAABBBBCCCCDDDDEEEE!"s) == "read (secret)!");
}

TEST_CASE("a longer secret is replaced before one that it begins with") {
    Concealment concealment;
    concealment.add("token");
    concealment.add("token-and-more");
    CHECK(concealment.apply("token-and-more token"s) == "(secret) (secret)");
}

TEST_CASE("what is too short to be a secret stays") {
    Concealment concealment;
    concealment.add("");
    concealment.add("abc");
    concealment.add("(secret)");
    CHECK(concealment.apply("abc (secret)"s) == "abc (secret)");
}
