// A text that is edited step by step, each time parsed with what is remembered of the texts before, gives the
// tree and the findings of a parse from scratch.
#include "compiler/syntax/memory.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <catch2/catch.hpp>

#include "compiler/diagnostics/render.hpp"
#include "compiler/syntax/parse.hpp"

using namespace migc;

namespace {

namespace fs = std::filesystem;

// Every script of the tests and examples that is not made to be huge, in a fixed order.
std::vector<std::string> scripts() {
    std::vector<fs::path> paths;
    for (const char* folder :
         {"tests/golden", "tests/review", "tests/fuzz/corpus/script", "examples", "stdlib"})
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            const bool is_script = entry.path().extension() == ".mig" || entry.path().parent_path() == folder;
            if (is_script && entry.is_regular_file() && entry.file_size() < 6000)
                paths.push_back(entry.path());
        }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> texts;
    for (const auto& path : paths) {
        std::ifstream in(path, std::ios::binary);
        texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return texts;
}

// The edits of somebody who types, pastes, moves lines and makes mistakes.
class Typist {
  public:
    explicit Typist(unsigned seed) : random_(seed) {}

    void edit(std::string& text) {
        constexpr const char* typed[] = {"<",
                                         ">",
                                         ";",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "\"",
                                         "#",
                                         "\n",
                                         " ",
                                         "x",
                                         "4",
                                         ",",
                                         ":",
                                         "=",
                                         "{",
                                         "}",
                                         "/",
                                         "\\",
                                         "## why\n",
                                         "stage s <\n",
                                         "> on failure undo;\n",
                                         "scale webapi to 4;\n",
                                         "let a = 1;\n",
                                         "undo",
                                         "verb x (n: int) < do curl [n]; undo none because \"x\"; >\n",
                                         "param p: int = 1;\n",
                                         "within 5m",
                                         "if a is 1 < hold-it; > else < x; >\n",
                                         "use std.web;\n",
                                         "migration \"m\" < reason \"r\"; >\n",
                                         "\xC3\xBC",
                                         "verify pods ready",
                                         "use",
                                         "stage",
                                         "let",
                                         "verb",
                                         "migration"};
        const std::size_t at = below(text.size() + 1);
        switch (below(6)) {
            case 0:
                text.erase(at, 1);
                break;
            case 1:
                text.erase(at, below(40));
                break;
            case 2:
                move_line(text, at);
                break;
            default:
                text.insert(at, typed[below(std::size(typed))]);
        }
    }

    std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  private:
    // Cuts the rest of a line off and pastes it somewhere else, or copies it there.
    void move_line(std::string& text, std::size_t at) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at) + "\n";
        if (below(2) == 0) text.erase(at, end - at);
        const std::size_t to = text.rfind('\n', below(text.size() + 1));
        text.insert(to == std::string::npos ? 0 : to + 1, line);
    }

    std::mt19937 random_;
};

struct Parsed {
    SourceMap sources;
    Diagnostics diagnostics;
    syntax::File tree;
    std::vector<syntax::Token> tokens;
};

// Whether the text could be parsed at all.
bool parse(Parsed& parsed, const std::string& text, syntax::Memory* memory) {
    const FileId file = parsed.sources.add("t.mig", text);
    if (!syntax::check_text(parsed.sources, file, parsed.diagnostics)) return false;
    parsed.tree = memory
                      ? syntax::parse_again(parsed.sources, file, parsed.diagnostics, *memory, parsed.tokens)
                      : syntax::parse(parsed.sources, file, parsed.diagnostics);
    return true;
}

struct Count {
    int texts = 0;
    int broken = 0;
};

void compare(const std::string& text, syntax::Memory& memory, Count& count) {
    Parsed fresh, again;
    if (!parse(fresh, text, nullptr)) return;
    parse(again, text, &memory);
    ++count.texts;
    if (!fresh.diagnostics.empty()) ++count.broken;
    const bool same = fresh.tree == again.tree && render_json(fresh.diagnostics, fresh.sources) ==
                                                      render_json(again.diagnostics, again.sources);
    if (same) return;
    CAPTURE(text);
    CHECK(render_json(fresh.diagnostics, fresh.sources) == render_json(again.diagnostics, again.sources));
    REQUIRE(fresh.tree == again.tree);
}

}  // namespace

TEST_CASE("what is remembered gives the tree and the findings of a parse from scratch") {
    Count count;
    unsigned seed = 0;
    for (const std::string& script : scripts()) {
        Typist typist(++seed);
        syntax::Memory memory;
        std::string text = script;
        compare(text, memory, count);
        for (int edits = 0; edits < 30; ++edits) {
            // Nobody leaves every mistake as it is.
            if (typist.below(5) == 0) text = script;
            typist.edit(text);
            compare(text, memory, count);
        }
    }
    INFO(count.texts << " texts, " << count.broken << " of them broken");
    CHECK(count.texts > 3'000);
    CHECK(count.broken > 1'000);
    CHECK(count.broken < count.texts);
}

TEST_CASE("the tokens of a remembered text are all of its tokens") {
    syntax::Memory memory;
    for (int time = 0; time < 2; ++time) {
        Parsed p;
        REQUIRE(
            parse(p, "# a\nlet x = 1;\nstage staging < scale webapi to x; > on failure undo;\n", &memory));
        const auto all = syntax::tokenize(p.sources, 0);
        REQUIRE(p.tokens.size() == all.size());
        for (std::size_t i = 0; i < all.size(); ++i) CHECK(p.tokens[i].span == all[i].span);
        CHECK(p.tree.stages.at(0).body.size() == 1);
        CHECK(p.tree.lets.size() == 1);
    }
}
