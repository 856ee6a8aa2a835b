// What a fix would make of the lines that it edits.
#pragma once

#include <string>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/diagnostics/excerpt.hpp"

namespace migc {

// The lines that a fix changes, as "12 + text", or as "12 - text" where only lines go away. Empty for a fix
// without edits, for one that edits several files or many lines, and for edits that no text has room for.
std::string preview(const Fix& fix, const SourceMap& sources, const ExcerptOptions& options);

}  // namespace migc
