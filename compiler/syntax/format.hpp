// `migc fmt`: one way to lay a script out. Works on tokens, so it keeps every comment and never changes a
// word.
#pragma once

#include <span>
#include <string>

#include "compiler/source/source.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::syntax {

// The file's text in standard layout; formatting that again gives the same. The file must be free of syntax
// errors.
std::string format(const SourceMap& sources, FileId file);
// The same, of a file whose tokens are at hand.
std::string format(const SourceMap& sources, std::span<const Token> tokens);

}  // namespace migc::syntax
