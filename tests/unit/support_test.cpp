#include <catch2/catch.hpp>

#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

using namespace migc;
using Texts = std::vector<std::string>;

TEST_CASE("texts taken apart") {
    CHECK(trimmed(" \t a b\r\n") == "a b");
    CHECK(trimmed(" \n").empty());
    CHECK(lower_case("Ab-\xC3\x84") == "ab-\xC3\x84");
    CHECK(split("a,,b", ',') == Texts{"a", "", "b"});
    CHECK(split("", ',') == Texts{""});
    CHECK(joined({"a", "b"}, ", ") == "a, b");
    CHECK(listed("cm svc", "svc"));
    CHECK_FALSE(listed("cm svc", ""));
}

TEST_CASE("a whole number is nothing but digits") {
    CHECK(whole_number("-12") == -12);
    CHECK(whole_number<std::size_t>("7") == std::size_t{7});
    for (const char* text : {"", "1 ", " 1", "+1", "1.0", "99999999999999999999"})
        CHECK_FALSE(whole_number(text));
    CHECK_FALSE(whole_number<std::size_t>("-1"));
}

TEST_CASE("JSON that may lack what is looked for") {
    const nlohmann::json object = {{"a/b", {{"n", 3}, {"t", "x"}}}};
    CHECK(text_field(object, "/" + pointer_token("a/b") + "/t") == "x");
    CHECK(int_field(object, "/a~1b/n") == 3);
    CHECK(int_field(object, "/a~1b/t", 5) == 5);
    CHECK(field(object, "/c/d").is_null());
    CHECK(text_of(nlohmann::json::array(), "a").empty());
    CHECK(is_pointer("/a~1b"));
    CHECK_FALSE(is_pointer("a"));
    CHECK_FALSE(is_pointer("/~2"));
}
