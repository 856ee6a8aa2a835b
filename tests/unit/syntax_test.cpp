#include <catch2/catch.hpp>

#include "compiler/syntax/format.hpp"
#include "compiler/syntax/parse.hpp"

using namespace migc;

namespace {

struct Parsed {
    SourceMap sources;
    Diagnostics diagnostics;
    syntax::File file;
};

void parse(Parsed& parsed, std::string text) {
    const FileId id = parsed.sources.add("t.mig", std::move(text));
    parsed.file = syntax::parse(parsed.sources, id, parsed.diagnostics);
}

std::string formatted(std::string text) {
    SourceMap sources;
    return syntax::format(sources, sources.add("t.mig", std::move(text)));
}

const std::string hello = "stage staging < scale webapi to 4; verify pods ready; > on failure undo;";

}  // namespace

TEST_CASE("the one-line script parses, with spans on every node") {
    Parsed p;
    parse(p, hello);
    REQUIRE(p.diagnostics.empty());
    REQUIRE(p.file.stages.size() == 1);
    const auto& stage = p.file.stages[0];
    CHECK(stage.name.text == "staging");
    REQUIRE(stage.body.size() == 2);
    CHECK(p.sources.text(stage.body[0].span) == "scale webapi to 4;");
    CHECK(stage.body[0].expr->children.size() == 4);
    REQUIRE(stage.on_failure);
    CHECK(stage.on_failure->front().kind == syntax::StatementKind::Undo);
    CHECK(p.sources.text(stage.failure_span) == "on failure undo");
}

TEST_CASE("everything of the language's shape parses") {
    Parsed p;
    parse(p, R"(
migration "WebAPI" < reason "peak"; ticket "OPS-1"; >
use std.kubernetes;
use "verbs/helm.mig";
param replicas: int = 4;
let health = "http://web/health";
require value of "a" at "/b" is value of "c" at "/d";
stage staging <
    verify capacity for (replicas - 2) more of webapi;
    scale webapi to replicas within 5m retry 3 every 10s;
    soak 24h while oom kills of webapi is 0 and not (restarts of webapi above 1);
    let n = replicas of webapi * 2 + 1;
    if n is not absent < restart webapi; > else < hold-it webapi; >
    for x in [a, b, "c"] < parallel < scale x to 1; restart x; > >
    run script "m.sh" undo < run script "b.sh" irreversible because "it is"; > ;
    plan terraform as p;
> throughout pods ready on failure < undo; verify pods ready; notify ops "x"; >
stage production in production repeats staging < gate staging passed; > on failure undo all;
tool helm < program "helm"; arguments ["--context", context]; within 5m; >
resource release;
verb helm upgrade (r: release) to (chart: path) [with values (values: path)] <
    capture prior = helm revision of r;
    effect helm revision of r becomes different;
    do helm ["upgrade", r, chart] at "/x" as json absent on "not found";
    undo < if prior is absent < helm uninstall r; > else < helm rollback r to prior; > > after helm revision of r;
>
probe helm revision of (r: release): int < depends pods ready; read helm ["history", r]; within 10s; >
)");
    for (const auto& d : p.diagnostics.all()) UNSCOPED_INFO(p.sources.location(d.span) << " " << d.message);
    CHECK(p.diagnostics.empty());
    CHECK(p.file.stages.size() == 2);
    CHECK(p.file.verbs.size() == 1);
    CHECK(p.file.verbs[0].undos[0].after.has_value());
    CHECK(p.file.stages[0].throughout.has_value());
}

TEST_CASE("documentation is the comment lines with two hashes directly before a declaration") {
    Parsed p;
    parse(p,
          "# not this\n\n## One.\n## Two.\nverb poke (w: workload) < do kubectl [\"x\"]; undo by caller; >");
    REQUIRE(p.file.verbs.size() == 1);
    CHECK(p.file.verbs[0].documentation == "One.\nTwo.");
}

TEST_CASE("spans are bytes and columns are characters") {
    Parsed p;
    parse(p, "let grüße = \"ü\";");
    REQUIRE(p.diagnostics.all().size() == 1);  // names are ASCII
    parse(p, "let a = \"äöü\"; let b = ;");
    const auto& d = p.diagnostics.all().back();
    CHECK(p.sources.text(d.span) == ";");
    CHECK(p.sources.begin(d.span).column == 24);
}

TEST_CASE("a broken statement does not hide the next one") {
    Parsed p;
    parse(
        p,
        "stage staging <\n    scale webapi to 4 within;\n    verify pods ready;\n    soak while x;\n> on failure undo;\nstage production repeats < > on failure undo;\n");
    CHECK(p.diagnostics.all().size() == 3);
    REQUIRE(p.file.stages.size() >= 1);
    CHECK(p.file.stages[0].body.size() == 1);
}

TEST_CASE("hostile texts end soon and crash nothing") {
    const auto finds = [](std::string text) {
        Parsed p;
        parse(p, std::move(text));
        return !p.diagnostics.empty();
    };
    CHECK(finds(std::string(20'000, '<')));
    CHECK(finds(std::string(20'000, '(')));
    CHECK(finds("stage s " + std::string(20'000, '[')));
    CHECK(finds("\xff\xfe\x00"));
    CHECK(finds(std::string("stage\0s", 7)));
    CHECK(finds("stage s < \xc3\x28 >"));
    CHECK(finds("\xed\xa0\x80"));  // a lone surrogate
    CHECK(finds(std::string(9 << 20, 'a')));
    CHECK(finds("let a = \"never closed"));
    CHECK(finds("let x = " + [] {
        std::string s;
        for (int i = 0; i < 300; ++i) s += "not (";
        return s;
    }()));
    std::string many;
    for (int i = 0; i < 2'000; ++i) many += "stage < ; > \n";
    CHECK(finds(many));
}

TEST_CASE("deep operators without parentheses are bounded too") {
    Parsed p;
    std::string text = "require ";
    for (int i = 0; i < 100'000; ++i) text += "not ";
    parse(p, text + "a;");
    CHECK_FALSE(p.diagnostics.empty());
}

TEST_CASE("formatting keeps comments, is idempotent, and leaves the one-line script alone") {
    CHECK(formatted(hello + "\n") == hello + "\n");
    const std::string messy =
        "# top\n\n\n\nstage   staging<scale webapi   to 4;# why\nverify pods ready ;\n\n\n# last\n>on failure<undo;notify ops \"x\";>;";
    const std::string once = formatted(messy);
    CHECK(
        once ==
        "# top\n\nstage staging <\n    scale webapi to 4;  # why\n    verify pods ready;\n\n    # last\n> on failure < undo; notify ops \"x\"; >;\n");
    CHECK(formatted(once) == once);
}
