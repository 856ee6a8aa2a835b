// Syntax tree to typed IR: names are resolved, phrases are bound to their declarations, types and units
// checked.
#pragma once

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/sema/library.hpp"
#include "compiler/sema/symbols.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::sema {

// Lowers a script. What is wrong is reported; the program is then incomplete (expressions of type Any stand
// in for what could not be typed) and must not be run. What names and phrases mean is told to `symbols`, if
// there are any.
ir::Program analyse(const syntax::File& script, const project::Inventory& inventory, Library& library,
                    SourceMap& sources, Diagnostics& diagnostics, Symbols* symbols = nullptr);

// Lowers every verb and probe of the library itself, whether a script uses it or not: for tests of the
// standard library and for its documentation.
ir::Program analyse_library(const project::Inventory& inventory, Library& library, SourceMap& sources,
                            Diagnostics& diagnostics);

// The names that stand for the running stage's environment, with their types: context, namespace, ...
const std::vector<std::pair<std::string_view, ir::Type>>& settings();

}  // namespace migc::sema
