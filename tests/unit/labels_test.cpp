#include "compiler/ir/labels.hpp"

#include <catch2/catch.hpp>

using migc::mistake_in_labels;

TEST_CASE("labels are keys with values") {
    for (const char* good :
         {"version=green", "version=green,track=stable", "app.kubernetes.io/name=web", "a=1.2_3-b"})
        CHECK_FALSE(mistake_in_labels(good));
    for (const char* bad :
         {"", "green", "version", "version=", "=green", "a=b,", ",a=b", "a=b,,c=d", "a==b", "a b=c", "a= b",
          "/name=x", "example.com/=x", "-a=b", "a=b-", "a/b/c=d", "exa_mple.com/a=b", "a!=b"}) {
        INFO(bad);
        CHECK(mistake_in_labels(bad));
    }
    CHECK(mistake_in_labels(std::string(64, 'a') + "=b"));
    CHECK(mistake_in_labels("green").value() ==
          "`green` has no value: labels are written as version=green,track=stable");
}
