#include <catch2/catch.hpp>

#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/parse.hpp"

using namespace migc;

namespace {

// A library of one file, so that these tests do not depend on the standard library.
constexpr std::string_view text = R"(tool sh < program "sh"; >
resource box as "box/${name}";
resource release;
probe size of (b: box): int < read sh ["size", b]; >
probe (p: plan) fits: bool < read sh [p]; >
verb grow (b: box) to (n: int) [quietly] [by pieces of (step: int = 1)] < capture prior = size of b; effect size of b becomes n; do sh ["grow", b, n, step]; undo grow b to prior; >
verb open file (f: path) < do sh [f]; undo none because "reads"; >
verb open file (p: consumed plan) < do sh [p]; undo none because "reads"; >
verb make plan: plan < do sh ["plan"]; result "a.plan"; undo none because "reads"; >
verb wait for (names: list of string) < do sh [names]; undo none because "reads"; >
)";

struct Analysed {
    SourceMap sources;
    Diagnostics diagnostics;
    project::Inventory inventory;
    syntax::File file;
    ir::Program program;

    [[nodiscard]] std::vector<std::string> codes() const {
        std::vector<std::string> result;
        for (const auto& d : diagnostics.all()) result.emplace_back(info(d.code).id);
        return result;
    }
};

std::unique_ptr<Analysed> analyse(const std::string& script) {
    auto a = std::make_unique<Analysed>();
    for (const char* name : {"development", "staging", "production"}) {
        project::Environment e;
        e.name = name;
        a->inventory.environments.push_back(e);
    }
    static const sema::Embedded nothing{nullptr, 0, nullptr, 0};
    a->file = syntax::parse(a->sources, a->sources.add("t.mig", std::string(text) + script), a->diagnostics);
    REQUIRE(a->diagnostics.empty());
    sema::Library library(nothing, a->sources, a->diagnostics,
                          [](const std::string&, const std::string&) { return std::optional<FileId>(); });
    a->program = sema::analyse(a->file, a->inventory, library, a->sources, a->diagnostics);
    return a;
}

std::string stage(const std::string& steps) {
    return "stage staging < " + steps + " > on failure undo;";
}
using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a declaration says its role in the words of the table") {
    const auto codes = [](const std::string& clauses, const std::string& of = "verb") {
        return of == "verb" ? analyse("verb shut (b: box) < " + clauses +
                                      " do sh [b]; undo none because \"reads\"; >" + stage("shut red;"))
                                  ->codes()
                            : analyse("probe lid (b: box): int < " + clauses + " read sh [b]; >" +
                                      stage("verify lid red is 1;"))
                                  ->codes();
    };
    CHECK(codes("role runs \"a.sh\" with [];").empty());
    CHECK(codes("role field \"/spec/lid\" of b;", "probe").empty());
    SECTION("as a value of its own names") {
        const auto a = analyse("probe lid (b: box): int < role field \"/spec/lid\" of b; read sh [b]; >" +
                               stage("verify lid red is 1;"));
        const auto probe = std::find_if(a->program.probes.begin(), a->program.probes.end(),
                                        [](const ir::Probe& p) { return p.signature.starts_with("lid"); });
        REQUIRE(probe != a->program.probes.end());
        CHECK(probe->role.role == ir::Role::Field);
        REQUIRE(probe->role.arguments.size() == 2);
        CHECK(show(probe->role.arguments[0].value) == "/spec/lid");
        CHECK(probe->role.arguments[1].name == "b");
    }
    SECTION("another clause, a form that there is not, one of a probe, two, and an unknown name") {
        CHECK(codes("sole field \"/spec/lid\" of b;") == Codes{"L008"});
        CHECK(codes("role fields of b;", "probe") == Codes{"L008"});
        CHECK(codes("role field \"/spec/lid\" of b;") == Codes{"L008"});
        CHECK(codes("role window \"x\"; role freeze \"x\";", "probe") == Codes{"L008"});
        CHECK(codes("role window nothing;", "probe") == Codes{"L006"});
        CHECK(codes("role given (size of b);", "probe") == Codes{"L008"});
        CHECK(codes("role given (lid b);", "probe") == Codes{"L008"});
        CHECK(codes("role fall of (size of b);", "probe") ==
              Codes{"L009"});  // of a proof, so not behind `verify`
    }
    SECTION("the word is free for everything else") {
        CHECK(analyse("verb give role (role: string) < do sh [role]; undo none because \"reads\"; >" +
                      stage("give role \"x\";"))
                  ->codes()
                  .empty());
    }
}

TEST_CASE("a phrase is bound to its declaration, with optional parts and defaults") {
    const auto a = analyse(stage("grow red to 3; grow red to 4 quietly; grow red to 5 by pieces of 2;"));
    REQUIRE(a->codes().empty());
    const auto& steps = a->program.stages[0].steps;
    const auto& verb = a->program.verbs[steps[0].verb];
    REQUIRE(verb.parameters.size() == 4);  // slots first, then flags
    CHECK(verb.parameters[3].name == "quietly");
    CHECK(show(steps[0].arguments[2].value) == "1");
    CHECK(show(steps[2].arguments[2].value) == "2");
    CHECK(*steps[1].arguments[3].value.get_if<bool>());
    CHECK_FALSE(*steps[0].arguments[3].value.get_if<bool>());
    CHECK(ir::verify(a->program).empty());
}

TEST_CASE("declarations of the same words are told apart by types") {
    const auto a = analyse(stage("make plan as p; open file p; open file \"x\";"));
    REQUIRE(a->codes().empty());
    const auto& steps = a->program.stages[0].steps;
    CHECK(steps[1].verb != steps[2].verb);
}

TEST_CASE("a plan is used once on every path") {
    CHECK(analyse(stage("make plan as p; open file p; open file p;"))->codes() == Codes{"T004"});
    CHECK(
        analyse(stage("make plan as p; if p fits < open file p; > else < open file p; >"))->codes().empty());
    CHECK(analyse(stage("make plan as p; if p fits < open file p; > open file p;"))->codes() ==
          Codes{"T004"});
}

TEST_CASE("only where a resource is expected may a word be unknown") {
    CHECK(analyse(stage("grow red to blue;"))->codes() == Codes{"L006"});
    CHECK(analyse("let red = 4;" + stage("grow red to 3;"))->codes() == Codes{"T001"});
}

TEST_CASE("a single value is a list of one") {
    const auto a = analyse(stage("wait for \"a\"; wait for [\"a\", \"b\"];"));
    REQUIRE(a->codes().empty());
    CHECK(a->program.stages[0].steps[0].arguments[0].kind == ir::ExprKind::List);
}

TEST_CASE("strings are joined from names, and a backslash keeps the dollar") {
    const auto a =
        analyse("let n = 4;" + stage("open file \"a-${n}-b\"; open file \"\\${n}\"; open file \"${m}\";"));
    CHECK(a->codes() == Codes{"L006"});
    const auto& steps = a->program.stages[0].steps;
    CHECK(steps[0].arguments[0].kind == ir::ExprKind::Interpolate);
    CHECK(show(steps[1].arguments[0].value) == "${n}");
}

TEST_CASE("a composite that contains itself is refused") {
    CHECK(analyse("verb again (b: box) < steps < again b; > >" + stage("again red;"))->codes() ==
          Codes{"L008"});
    CHECK(analyse("verb a (b: box) < steps < c b; > > verb c (b: box) < steps < a b; > >" + stage("a red;"))
              ->codes() == Codes{"L008"});
}

TEST_CASE("a verb says once how it is undone and acts once") {
    CHECK(analyse("verb x (b: box) < do sh [b]; >" + stage("x red;"))->codes() == Codes{"L008"});
    CHECK(analyse("verb x (b: box) < undo by caller; >" + stage("x red;"))->codes() == Codes{"L008"});
    CHECK(analyse("verb x (b: box) < do sh [b]; do sh [b]; undo by caller; >" + stage("x red;"))->codes() ==
          Codes{"L008"});
    CHECK(
        analyse("verb x (b: box) < do nothing-like-this [b]; undo by caller; >" + stage("x red;"))->codes() ==
        Codes{"L008"});
}

TEST_CASE("a repeating stage has the steps of the other and its failure block") {
    const auto a = analyse(stage("grow red to 3;") + "stage production repeats staging < >");
    REQUIRE(a->codes().empty());
    CHECK(a->program.stages[1].steps.size() == 1);
    CHECK(a->program.stages[1].on_failure.has_value());
    CHECK(analyse(stage("grow red to 3;") + "stage production repeats staging < grow red to 4; >")->codes() ==
          Codes{"L009"});
    CHECK(analyse("stage production repeats staging < >")->codes() == Codes{"L006"});
}

TEST_CASE("the digest does not depend on comments, layout or the names of places") {
    const auto digest = [](const std::string& s) { return ir::change_digest(analyse(s)->program); };
    CHECK(digest(stage("grow red to 3;")) ==
          digest("# why\nstage  staging <\n grow red\n to 3 ; >\non failure < undo; >"));
    CHECK(digest(stage("grow red to 3;")) != digest(stage("grow red to 4;")));
    CHECK(digest(stage("grow red to 3;")) != digest(stage("grow blue to 3;")));
}

TEST_CASE("cost is linear in the number of steps") {
    std::string steps;
    for (int i = 0; i < 20'000; ++i) steps += "grow red to 3;\n";
    CHECK(analyse(stage(steps))->codes().empty());
}
