// A script that is being typed, made whole enough to be parsed: so that one open string or block does not
// take everything else out of the editor's sight.
#pragma once

#include <span>
#include <string>

#include "compiler/source/source.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::service {

// The file's text with every byte in its place, and the same lines, but without what breaks the structure of
// the whole: statements with an unclosed string or a foreign character become spaces, a block that is still
// open where the next item begins is closed there, and what is open at the end is closed behind it. `tokens`
// are all of the file's.
std::string repaired(const SourceMap& sources, FileId file, std::span<const syntax::Token> tokens);

}  // namespace migc::service
