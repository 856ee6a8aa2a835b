// Why a text is not Mig, said in the words of an operator: works on tokens, never on a parser's state.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::syntax {

// Looks for what no parser could mend: nesting that is too deep, blocks that never close, `{`, `==`, `//`,
// and numbers compared with `<` or `>`. Reports each; true if there was nothing to report.
bool check_structure(const SourceMap& sources, std::span<const Token> tokens, Diagnostics& diagnostics);

// Where the parser stopped: the token's index (tokens.size() at the end of the file) and the words that could
// have stood there.
struct Stop {
    std::size_t token = 0;
    std::vector<std::string> expected;
};

// Reports one diagnostic for the stop.
void explain(const SourceMap& sources, std::span<const Token> tokens, const Stop& stop,
             Diagnostics& diagnostics);

// The tokens [first, last) of the statement or item in which the parser stopped, without its block's
// brackets: what has to be left out so that the rest can be parsed. Empty if nothing can be left out.
struct Range {
    std::size_t first = 0;
    std::size_t last = 0;
};
Range broken_statement(const SourceMap& sources, std::span<const Token> tokens, std::size_t stop);

}  // namespace migc::syntax
