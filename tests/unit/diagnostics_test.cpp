#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/diagnostics/apply.hpp"
#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/diagnostics/render.hpp"
#include "compiler/diagnostics/style.hpp"
#include "compiler/support/escape.hpp"

using namespace migc;

namespace {

Span span_of(const SourceMap& sources, FileId file, std::string_view part) {
    const auto at = static_cast<std::uint32_t>(sources.file(file).text().find(part));
    return {file, at, at + static_cast<std::uint32_t>(part.size())};
}

std::string rendered(const Diagnostics& diagnostics, const SourceMap& sources) {
    return render_text(diagnostics, sources, {});
}

}  // namespace

TEST_CASE("every code has an id of its own, and texts") {
    std::set<std::string_view> ids;
    for (const CodeInfo& code : all_codes()) {
        CHECK(ids.insert(code.id).second);
        CHECK_FALSE(code.title.empty());
        CHECK_FALSE(code.explanation.empty());
    }
    CHECK(info(Code::NoWayBack).id == "R001");
}

TEST_CASE("a diagnostic shows its line, marks, labels, notes and fixes") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "stage staging <\n    scale webapi to 4;\n>;\n");
    Diagnostics diagnostics;
    Diagnostic& finding = diagnostics.report(Code::NoWayBack, span_of(sources, file, "stage staging"),
                                             "the stage `staging` has no way back");
    finding.labels.push_back({span_of(sources, file, "scale webapi to 4"), "changed here"});
    finding.notes.push_back("if a step fails, nothing is undone");
    const Span closing = span_of(sources, file, ">;");
    finding.fixes.push_back({"add `on failure undo`",
                             {{{file, closing.begin + 1, closing.begin + 1}, " on failure undo"}},
                             false});
    CHECK(rendered(diagnostics, sources) ==
          "error[R001]: the stage `staging` has no way back\n"
          " --> a.mig:1:1\n"
          "  |\n"
          "1 | stage staging <\n"
          "  | ^^^^^^^^^^^^^\n"
          "2 |     scale webapi to 4;\n"
          "  |     ----------------- changed here\n"
          "  = note: if a step fails, nothing is undone\n"
          "  = fix: add `on failure undo`\n"
          "3 + > on failure undo;\n");
}

TEST_CASE("of a message that nobody can read both ends are shown, in whole characters") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "x\n");
    for (const std::string& letter : {std::string("9"), std::string("\u00e4"), std::string("\U0001F600")}) {
        std::string name;
        for (int i = 0; i < 100'000; ++i) name += letter;
        Diagnostics diagnostics;
        diagnostics.report(Code::NoWayBack, span_of(sources, file, "x"), "`" + name + "` is too large");
        const std::string text = rendered(diagnostics, sources);
        CHECK(text.size() < 2000);
        CHECK(text.find(letter + " .. " + letter) != std::string::npos);
        CHECK(text.find("` is too large") != std::string::npos);
    }
}

TEST_CASE("several marks of one line, the texts hanging below") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "scale webapi to webapi;");
    Diagnostics diagnostics;
    Diagnostic& finding = diagnostics.report(Code::TypeMismatch, {file, 16, 22}, "wrong");
    finding.primary_label = "a workload";
    finding.labels.push_back({{file, 0, 5}, "the verb"});
    finding.labels.push_back({{file, 6, 12}, "the target"});
    CHECK(rendered(diagnostics, sources) ==
          "error[T001]: wrong\n"
          " --> a.mig:1:17\n"
          "  |\n"
          "1 | scale webapi to webapi;\n"
          "  | ----- ------    ^^^^^^ a workload\n"
          "  | |     |\n"
          "  | |     the target\n"
          "  | the verb\n");
}

TEST_CASE("a mark within another one stays visible") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "0123456789");
    Diagnostics diagnostics;
    Diagnostic& finding = diagnostics.report(Code::Syntax, {file, 0, 8}, "whole");
    finding.primary_label = "all of it";
    finding.labels.push_back({{file, 2, 4}, "this"});
    CHECK(rendered(diagnostics, sources).find("  | ^^--^^^^ all of it\n  |   |\n  |   this\n") !=
          std::string::npos);
}

TEST_CASE("labels in other files have their own excerpts; far lines are separated") {
    SourceMap sources;
    const FileId script = sources.add("a.mig", "one\ntwo\nthree\nfour\nfive\nsix\n");
    const FileId other = sources.add("b.mig", "verb x\n");
    Diagnostics diagnostics;
    Diagnostic& finding = diagnostics.report(Code::Redefined, span_of(sources, script, "one"), "twice");
    finding.labels.push_back({span_of(sources, script, "six"), "far"});
    finding.labels.push_back({span_of(sources, other, "verb"), "elsewhere"});
    CHECK(rendered(diagnostics, sources) ==
          "error[L007]: twice\n"
          " --> a.mig:1:1\n"
          "  |\n"
          "1 | one\n"
          "  | ^^^\n"
          "...\n"
          "6 | six\n"
          "  | --- far\n"
          " ::: b.mig:1:1\n"
          "  |\n"
          "1 | verb x\n"
          "  | ---- elsewhere\n");
}

TEST_CASE("a span over several lines marks both ends") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "a <\n  b;\n> c\n");
    Diagnostics diagnostics;
    diagnostics.report(Code::Syntax, {file, 2, 10}, "block").primary_label = "here";
    CHECK(rendered(diagnostics, sources) ==
          "error[L002]: block\n --> a.mig:1:3\n  |\n1 | a <\n  |   ^\n2 |   b;\n3 | > c\n  | ^ here\n");
}

TEST_CASE("tabs, other scripts and control characters keep their columns") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "\t\xC3\xA4\x1b[2Jx\xE2\x80\xAEy\r\n");
    Diagnostics diagnostics;
    diagnostics.report(Code::Unreadable, span_of(sources, file, "y"), "odd \x1b]0;title\a");
    CHECK(rendered(diagnostics, sources) ==
          "error[L001]: odd \\x1b]0;title\\x07\n"
          " --> a.mig:1:9\n"
          "  |\n"
          "1 |     \xC3\xA4\\x1b[2Jx\\u202ey\n"
          "  |                    ^\n");
}

TEST_CASE("a long line is cut around what is marked") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", std::string(500, 'a') + "HERE" + std::string(500, 'b'));
    Diagnostics diagnostics;
    Diagnostic& finding = diagnostics.report(Code::Syntax, {file, 500, 504}, "long");
    finding.labels.push_back({{file, 990, 995}, "far away"});
    const std::string text = rendered(diagnostics, sources);
    CHECK(text.find("1 | …" + std::string(40, 'a') + "HERE" + std::string(76, 'b') + "…\n") !=
          std::string::npos);
    CHECK(text.find("  | " + std::string(41, ' ') + "^^^^\n") != std::string::npos);
    CHECK(text.find("----- far away") != std::string::npos);
    CHECK(text.size() < 700);
}

TEST_CASE("places at the end of a file, in empty files, and in none") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "ab");
    const FileId empty = sources.add("empty.mig", "");
    Diagnostics diagnostics;
    diagnostics.report(Code::Syntax, {file, 2, 2}, "end");
    diagnostics.report(Code::Syntax, {empty, 0, 0}, "nothing");
    diagnostics.report(Code::Syntax, {empty, 70, 90}, "beyond");
    diagnostics.report(Code::Internal, {77, 0, 0}, "no file");
    CHECK(rendered(diagnostics, sources) ==
          "error[L002]: end\n --> a.mig:1:3\n  |\n1 | ab\n  |   ^\n\n"
          "error[L002]: nothing\n --> empty.mig:1:1\n  |\n1 |\n  | ^\n\n"
          "error[L002]: beyond\n --> empty.mig:1:1\n  |\n1 |\n  | ^\n\n"
          "error[X001]: no file\n");
    CHECK(nlohmann::json::parse(render_json(diagnostics, sources)).size() == 4);
}

TEST_CASE("the preview of a fix shows what goes away, and nothing for a large edit") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "one\ntwo\nthree\n");
    Diagnostics diagnostics;
    auto& finding = diagnostics.report(Code::Syntax, {file, 0, 3}, "x");
    finding.fixes.push_back({"remove it", {{{file, 4, 8}, ""}}, true});
    finding.fixes.push_back({"insert much", {{{file, 0, 0}, std::string(20, '\n')}}, true});
    finding.fixes.push_back({"outside", {{{file, 90, 99}, "x"}}, true});
    CHECK(rendered(diagnostics, sources)
              .find("  = fix: remove it\n2 - two\n  = fix: insert much\n  = fix: outside\n") !=
          std::string::npos);
}

TEST_CASE("colours only where they are wanted") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "ab");
    Diagnostics diagnostics;
    diagnostics.report(Code::LowerMissing, {file, 0, 1}, "m");
    CHECK(render_text(diagnostics, sources, {true, true}).starts_with("\x1b[1;33mwarning[O002]\x1b[0m"));
    CHECK(rendered(diagnostics, sources).find('\x1b') == std::string::npos);
}

TEST_CASE("JSON has places, labels and fixes") {
    SourceMap sources;
    const FileId file = sources.add("a.mig", "x\n\xC3\xA4 b\n");
    Diagnostics diagnostics;
    auto& finding = diagnostics.report(Code::TypeMismatch, {file, 5, 6}, "bad \xFF byte");
    finding.labels.push_back({{file, 0, 1}, "see"});
    finding.fixes.push_back({"write c", {{{file, 5, 6}, "c"}}, true});
    const auto json = nlohmann::json::parse(render_json(diagnostics, sources));
    REQUIRE(json.size() == 1);
    CHECK(json[0]["file"] == "a.mig");
    CHECK(json[0]["line"] == 2);
    CHECK(json[0]["column"] == 3);
    CHECK(json[0]["end_column"] == 4);
    CHECK(json[0]["code"] == "T001");
    CHECK(json[0]["severity"] == "error");
    CHECK(json[0]["labels"][0]["message"] == "see");
    CHECK(json[0]["fixes"][0]["safe"] == true);
    CHECK(json[0]["fixes"][0]["edits"][0]["begin"] == 5);
    CHECK(json[0]["fixes"][0]["edits"][0]["replacement"] == "c");
    CHECK(nlohmann::json::parse(render_json({}, sources)).empty());
}

TEST_CASE("findings are ordered by file, place and code, and counted") {
    Diagnostics diagnostics;
    diagnostics.report(Code::TypeMismatch, {0, 9, 10}, "c");
    diagnostics.report(Code::LowerMissing, {0, 2, 3}, "b");
    diagnostics.report(Code::Syntax, {0, 2, 3}, "a");
    CHECK(summary({}) == "no findings");
    CHECK(summary(diagnostics) == "2 errors, 1 warning");
    CHECK(diagnostics.has_errors());
    diagnostics.sort();
    CHECK(diagnostics.all()[0].message == "a");
    CHECK(diagnostics.all()[1].message == "b");
    CHECK(diagnostics.all()[2].message == "c");
}

TEST_CASE("safe fixes are applied, overlapping ones left out") {
    Diagnostics diagnostics;
    const auto fix = [&](std::uint32_t begin, std::uint32_t end, std::string text, bool safe,
                         FileId file = 0) {
        diagnostics.report(Code::Syntax, {0, begin, end}, "x")
            .fixes.push_back({"t", {{{file, begin, end}, std::move(text)}}, safe});
    };
    fix(4, 4, ";", true);
    fix(0, 2, "AB", true);
    fix(1, 3, "overlaps", true);
    fix(4, 4, "same place", true);
    fix(2, 3, "unsafe", false);
    fix(2, 3, "other file", true, 7);
    fix(9, 12, "outside", true);
    const AppliedFixes applied = apply_fixes("abcd", 0, diagnostics);
    CHECK(applied.text == "ABcd;");
    CHECK(applied.count == 2);
    CHECK(apply_fixes("abcd", 0, {}).text == "abcd");
    CHECK_FALSE(apply_edits("ab", {{{0, 1, 0}, "x"}}));
}

TEST_CASE("suggestions have a budget for all of them") {
    std::vector<std::string> names;
    for (int i = 0; i < 20'000; ++i) names.push_back("environment" + std::to_string(i));
    {
        const SuggestionBudget budget;
        int found = 0;
        for (int i = 0; i < 1000; ++i) found += nearest("enviroment1", names) ? 1 : 0;
        CHECK(found > 0);
        CHECK(found < 500);
        CHECK(!nearest("oredr", {"order"}));
        {
            const SuggestionBudget another;
            CHECK(nearest("oredr", {"order"}));
        }
        CHECK(!nearest("oredr", {"order"}));
    }
    CHECK(nearest("oredr", {"order"}));
}

TEST_CASE("the nearest word") {
    const std::vector<std::string> keys = {"order", "environments", "workloads", "services"};
    CHECK(nearest("enviroments", keys) == "environments");
    CHECK(nearest("Order", keys) == "order");
    CHECK(nearest("oredr", keys) == "order");
    CHECK_FALSE(nearest("zebra", keys));
    CHECK_FALSE(nearest("", keys));
    CHECK_FALSE(nearest(std::string(100000, 'a'), {std::string(100000, 'b')}));
    CHECK(nearest_ones("scale", {"scala", "scales", "state"}).size() == 2);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("", "abc") == 3);
}

TEST_CASE("text from elsewhere is made safe") {
    CHECK(escaped("plain ä 日本 😀") == "plain ä 日本 😀");
    CHECK(escaped("a\nb\r\t\x1b\x7f") == "a\\nb\\r\\t\\x1b\\x7f");
    CHECK(escaped("\xC2\x9B") == "\\u009b");
    CHECK(escaped("\xE2\x80\xAE\xE2\x80\x8B\xEF\xBB\xBF") == "\\u202e\\u200b\\ufeff");
    CHECK(escaped("\xFF\xC3(\xED\xA0\x80") == "\\xff\\xc3(\\xed\\xa0\\x80");
    CHECK(escaped(std::string_view("\0", 1)) == "\\x00");
    CHECK(is_utf8("ä"));
    CHECK_FALSE(is_utf8("\xC0\xAF"));
    CHECK(character_count("aä😀") == 3);
}
